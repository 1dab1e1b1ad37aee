"""Lists of ``{"image": path, "label": class}`` in JSON, as MONAI bundles use them: one list, or one a split."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cineloop.cohort.format import MEDIA_SUFFIXES, FormatRequest, FormatSpec, Record, resolve_media, split_name
from cineloop.cohort.identity import COMMON
from cineloop.cohort.rows import find_column, plain
from cineloop.cohort.texts import read_json
from cineloop.errors import CohortError
from cineloop.schema import Section
from cineloop.video.info import IMAGE_SUFFIXES

_ENDING = "_samples"
_KNOWN = IMAGE_SUFFIXES | MEDIA_SUFFIXES
_EXAMPLE = 'Write a list of {"image": PATH, "label": CLASS}.'


class Config(Section):
    """Options of the layout.

    Attributes:
        images: Folder that the paths are relative to, relative to the root.
    """

    images: str | None = None


def _split_of(path: Path) -> str | None:
    return split_name(path.stem.removesuffix(_ENDING)) if path.stem.endswith(_ENDING) else None


def _lists(folder: Path) -> list[Path]:
    """Return the lists of the splits, train first."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*{_ENDING}.json")):
        split = _split_of(path)
        if split is None:
            continue
        if split in found:
            raise CohortError(
                f"The split {split!r} is listed twice: {found[split].name} and {path.name}",
                where=folder,
                mend="Remove one, or name one list: data.path.",
            )
        found[split] = path
    return [found[split] for split in ("train", "val", "test") if split in found]


def _whole(value: object) -> int | None:
    """Return a whole number from 0 on, or None where a value is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _label(row: Mapping[str, Any], place: str) -> str | None:
    if "label" not in row:
        raise CohortError("The row has no key 'label'", where=place, mend=f"{_EXAMPLE} -1 is unlabelled.")
    value = row["label"]
    if isinstance(value, bool) or not isinstance(value, int | float | str | None):
        raise CohortError(
            f"The label is neither a name nor a number: {value!r:.60}",
            where=place,
            mend="Write one class a row, by its name or its number.",
        )
    text = plain(value)
    return None if text in ("", "-1") else text


def _number(row: Mapping[str, Any], key: str, place: str) -> int | None:
    value = row.get(key)
    if value is None:
        return None
    number = _whole(value)
    if number is None:
        raise CohortError(
            f"{key!r} is not a whole number from 0: {value!r:.40}", where=place, mend="Frames count from 0."
        )
    return number


def _split(row: Mapping[str, Any], listed: str | None, place: str) -> str | None:
    text = plain(row.get("split"))
    split = (split_name(text) or text) if text else listed
    if listed is not None and split != listed:
        raise CohortError(
            f"The row says it is of the split {split!r}, the file's name that it is of {listed!r}",
            where=place,
            mend="Leave it in the list of its split.",
        )
    return split


def _columns(rows: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Give what rows hold beside image and label, as text; a key that only some rows have is blank in the others."""
    keys = dict.fromkeys(key for row in rows for key in row if key not in ("image", "label"))
    named = find_column(list(keys), None, COMMON["procedure"], where=Path()) is not None
    for row in rows:
        values = {key: row.get(key) for key in keys}
        columns = {
            key: json.dumps(value) if isinstance(value, list | dict) else plain(value) for key, value in values.items()
        }
        if "video" in columns and not named:
            # Frames of one video belong together, whatever else is known.
            columns["procedure"] = columns["video"]
        yield columns


def _records(path: Path, request: FormatRequest) -> Iterator[Record]:
    rows = read_json(path)
    if not isinstance(rows, list):
        raise CohortError(f"The file holds no list but {_kind(rows)}", where=path, mend=_EXAMPLE)
    if not rows:
        raise CohortError("The list is empty", where=path, mend="List at least one image, or remove the file.")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise CohortError(f"Row {number} is {_kind(row)}", where=f"{path}:{number}", mend=_EXAMPLE)
    options: Config = request.options
    folders = [request.root, path.parent]
    if options.images is not None:
        folders.insert(0, request.root / options.images)
    listed = _split_of(path)
    for number, (row, columns) in enumerate(zip(rows, _columns(rows), strict=True), start=1):
        place = f"{path}:{number}"
        image = row.get("image")
        if not isinstance(image, str) or not image:
            what = "has no key 'image'" if "image" not in row else f"has no path under 'image' but {image!r:.60}"
            raise CohortError(f"The row {what}", where=place, mend=_EXAMPLE)
        suffix = Path(image).suffix.lower()
        if suffix and suffix not in _KNOWN:
            raise CohortError(
                f"{image!r} is neither an image nor a video that is known: {suffix}",
                where=place,
                mend=f"Known suffixes: {', '.join(sorted(_KNOWN))}.",
            )
        name, file = resolve_media(image, folders)
        frame = _number(row, "frame", place)
        yield Record(
            name=name,
            path=file,
            label=_label(row, place),
            split=_split(row, listed, place),
            columns=columns,
            start=frame,
            stop=None if frame is None else frame + 1,
            pts=_number(row, "pts", place) if frame is not None else None,
            source=path,
            line=number,
        )


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def read(request: FormatRequest) -> Iterator[Record]:
    """Give the rows of all lists, split by split; a row's number counts as its line."""
    path = request.path if request.path is not None else request.root
    lists = _lists(path) if path.is_dir() else [path]
    if not lists:
        raise CohortError(
            "No list was found",
            where=path,
            mend=f"Name one: data.path: labels.json; or write train{_ENDING}.json, val{_ENDING}.json and "
            f"test{_ENDING}.json.",
        )
    for each in lists:
        yield from _records(each, request)


def detect(folder: Path) -> bool:
    """Say whether ``folder`` holds a list of a split under the names of the bundles."""
    return any(_split_of(path) is not None for path in folder.glob(f"*{_ENDING}.json"))


SPEC = FormatSpec(
    name="image-labels",
    summary='JSON lists of {"image": path, "label": class}, one or {train,val,test}_samples.json',
    Config=Config,
    read=read,
    detect=detect,
)
