"""One table with named columns (CSV, TSV, JSON, Parquet): a row a video, a clip, a frame or a picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cineloop.cohort.format import FormatRequest, FormatSpec, Record, present, resolve_media, split_name
from cineloop.cohort.rows import Row, find_column, read_table
from cineloop.cohort.search import ByName
from cineloop.errors import CohortError
from cineloop.schema import Section

#: Looked for, in this order, where the recipe names no column; case, spaces and hyphens do not count.
COMMON = {
    "id": ("media_id",),
    "path": (
        *("path", "video_path", "image_path", "file_path", "file", "filename", "file_name", "video", "video_filename"),
        *("image", "image_file", "image_name"),
    ),
    "label": ("label", "class", "class_name", "target", "diagnosis", "finding"),
    "split": ("split", "subset", "partition", "fold", "split_index"),
    "start": ("start", "start_frame", "first_frame"),
    "stop": ("stop", "stop_frame", "end_frame"),
    "start_seconds": ("start_seconds", "start_time", "start_s"),
    "stop_seconds": ("stop_seconds", "end_seconds", "stop_time", "end_time", "stop_s", "end_s"),
    "frame": ("frame", "frame_index"),
    "pts": ("pts",),
}
_FILES = ("cohort", "videos", "clips", "labels", "table", "metadata", "index")
_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".parquet")


class Config(Section):
    """Options of the layout.

    Attributes:
        videos: Folder that the paths are relative to, relative to the root.
        search: Look below the root for a file of which the table gives only the name.
    """

    videos: str | None = None
    search: bool = True


def _find_table(root: Path) -> Path | None:
    for name in _FILES:
        for suffix in _SUFFIXES:
            path = root / f"{name}{suffix}"
            if path.is_file():
                return path
    return None


def _frame(text: str, column: str, place: str) -> int | None:
    if not text:
        return None
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise CohortError(
            f"{column!r} is not a frame number: {text[:40]!r}", where=place, mend="Write a whole number from 0."
        )
    return value


def _seconds(text: str, column: str, place: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise CohortError(f"{column!r} is not a time: {text[:40]!r}", where=place, mend="Write seconds from 0.")
    return value


def _split(text: str) -> str | None:
    return (split_name(text) or text) if text else None


def read(request: FormatRequest) -> Iterator[Record]:
    """Give the rows of the table."""
    options: Config = request.options
    path = request.path if request.path is not None else _find_table(request.root)
    if path is None:
        raise CohortError(
            "The table is not named", where=request.root, mend="Name it: data.path: labels.csv (CSV, JSON, Parquet)."
        )
    table = read_table(path)
    wanted = request.columns.model_dump()
    found = {role: find_column(table.columns, wanted[role], COMMON[role], where=path) for role in COMMON}
    if found["path"] is None:
        raise CohortError(
            "The table has no column of paths",
            where=path,
            mend=f"Name it: data.columns: {{path: ...}}. Columns: {', '.join(table.columns)}.",
        )
    folders = [request.root, path.parent]
    if options.videos is not None:
        folders.insert(0, request.root / options.videos)
    names = ByName(request.root)
    position = {role: table.columns.index(column) for role, column in found.items() if column is not None}

    def cell(row: Row, role: str) -> str:
        return row.fields[position[role]] if role in position else ""

    for row in table.rows:
        place = f"{path}:{row.line}"
        listed = cell(row, "path")
        if not listed:
            raise CohortError("The row has no path", where=place, mend="Fill the cell or remove the row.")
        name, file = resolve_media(listed, folders)
        if options.search and "/" not in name and not present(file):
            file = names.find(name, where=place) or file
        label = cell(row, "label")
        frame = _frame(cell(row, "frame"), "frame", place)
        start, stop = (_frame(cell(row, role), role, place) for role in ("start", "stop"))
        seconds = [_seconds(cell(row, role), role, place) for role in ("start_seconds", "stop_seconds")]
        if frame is not None:
            if any(value is not None for value in (start, stop, *seconds)):
                raise CohortError(
                    "The row means one frame and a clip at once",
                    where=place,
                    mend="Fill `frame`, or `start` and `stop`.",
                )
            start, stop = frame, frame + 1
        pts = cell(row, "pts") if frame is not None else ""
        if pts and not re.fullmatch(r"-?\d+", pts):
            raise CohortError(f"'pts' is not a whole number: {pts[:40]!r}", where=place, mend="Correct or clear it.")
        yield Record(
            name=cell(row, "id") or name,
            path=file,
            label=None if label in ("", "-1") else label,
            split=_split(cell(row, "split")),
            columns=dict(zip(table.columns, row.fields, strict=True)),
            start=start,
            stop=stop,
            start_seconds=seconds[0],
            stop_seconds=seconds[1],
            pts=int(pts) if pts else None,
            source=path,
            line=row.line,
        )


def detect(folder: Path) -> bool:
    """Say whether ``folder`` holds a table under one of the usual names."""
    return _find_table(folder) is not None


SPEC = FormatSpec(
    name="table",
    summary="a CSV, TSV, JSON or Parquet table with named columns, a row a video, a clip, a frame or a picture",
    Config=Config,
    read=read,
    detect=detect,
)
