"""``splits/{train,val,test}.txt`` (or ``.csv``) beside ``videos/``: one ``relative/path.ext,label`` a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from cineloop.cohort.format import FormatRequest, FormatSpec, Record, present, resolve_media, split_name
from cineloop.cohort.rows import Row, read_rows
from cineloop.errors import CohortError
from cineloop.schema import Section

_HEADER_PATH = {"path", "file", "filename", "file_name", "video", "video_path", "video_name", "video_filename", "name"}
_HEADER_LABEL = {"label", "labels", "class", "class_name", "target", "category", "y"}
_SUFFIXES = (".txt", ".csv")


class Config(Section):
    """Options of the layout.

    Attributes:
        splits: Folder of the lists, relative to the root.
        videos: Folder that the paths are relative to, relative to the root.
        suffix: Which lists to read, where both kinds are there.
    """

    splits: str = "splits"
    videos: str = "videos"
    suffix: Literal["auto", ".txt", ".csv"] = "auto"


def _lists(folder: Path, suffix: str) -> dict[str, Path]:
    """Return the list of each split."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        split = split_name(path.stem)
        if split is None or path.suffix.lower() not in (_SUFFIXES if suffix == "auto" else (suffix,)):
            continue
        if split in found:
            raise CohortError(
                f"The split {split!r} is listed twice: {found[split].name} and {path.name}",
                where=folder,
                mend="Remove one, or choose with data.format_options: {suffix: .txt}.",
            )
        found[split] = path
    return found


def _is_header(row: Row) -> bool:
    folded = [re.sub(r"[\s-]+", "_", field.casefold()) for field in row.fields]
    return len(folded) > 1 and folded[0] in _HEADER_PATH and any(field in _HEADER_LABEL for field in folded[1:])


def _records(path: Path, split: str, folders: list[Path]) -> Iterator[Record]:
    header: list[str] | None = None
    path_at, label_at = 0, 1
    for number, row in enumerate(read_rows(path)):
        if number == 0 and _is_header(row):
            header = list(row.fields)
            folded = [re.sub(r"[\s-]+", "_", field.casefold()) for field in header]
            label_at = next(index for index, field in enumerate(folded) if index and field in _HEADER_LABEL)
            continue
        place = f"{path}:{row.line}"
        fields = row.fields
        if header is not None:
            if len(fields) != len(header):
                raise CohortError(
                    f"The row has {len(fields)} fields, the header {len(header)}",
                    where=place,
                    mend="Put quotes around a name that holds a comma.",
                )
            name, label = fields[path_at], fields[label_at]
            columns = dict(zip(header, fields, strict=True))
        else:
            if len(fields) < 2:
                raise CohortError(
                    f"The line has no label: {fields[0][:80]!r}",
                    where=place,
                    mend="Write path,label; -1 is the label of a video without one.",
                )
            # A name with a comma in it that nobody quoted.
            name, label, columns = ",".join(fields[:-1]), fields[-1], {}
            if len(fields) > 2 and not present(resolve_media(name, folders)[1]):
                raise CohortError(
                    f"The line has {len(fields)} fields in place of two",
                    where=place,
                    mend="Write path,label; put quotes around a name that holds a comma, or write a header line.",
                )
        if not name or not label:
            raise CohortError(
                "The line has an empty path or label",
                where=place,
                mend="Write path,label; -1 is the label of a video without one.",
            )
        name, file = resolve_media(name, folders)
        yield Record(
            name=name,
            path=file,
            label=None if label == "-1" else label,
            split=split,
            columns=columns,
            source=path,
            line=row.line,
        )


def read(request: FormatRequest) -> Iterator[Record]:
    """Give the rows of all lists, split by split."""
    options: Config = request.options
    folder = request.path if request.path is not None else request.root / options.splits
    if not folder.is_dir():
        raise CohortError(
            f"There is no folder of split lists: {folder.name!r}",
            where=request.root,
            mend="The layout is splits/{train,val,test}.txt beside videos/; name another folder with "
            "data.format_options: {splits: ...}.",
        )
    lists = _lists(folder, options.suffix)
    if not lists:
        raise CohortError(
            "No split list was found",
            where=folder,
            mend="Name the lists train, val and test, with the suffix .txt or .csv.",
        )
    folders = [request.root / options.videos, request.root]
    for split in sorted(lists, key=["train", "val", "test"].index):
        rows = 0
        for record in _records(lists[split], split, folders):
            rows += 1
            yield record
        if rows == 0:
            raise CohortError(
                f"The split {split!r} is empty",
                where=lists[split],
                mend="List at least one video, or remove the file.",
            )


def detect(folder: Path) -> bool:
    """Say whether ``folder`` holds ``splits/`` with at least one list."""
    splits = folder / "splits"
    return splits.is_dir() and any(
        split_name(path.stem) is not None and path.suffix.lower() in _SUFFIXES for path in splits.iterdir()
    )


SPEC = FormatSpec(
    name="endofm",
    summary="splits/{train,val,test}.txt or .csv (path,label a line) beside videos/",
    Config=Config,
    read=read,
    detect=detect,
)
