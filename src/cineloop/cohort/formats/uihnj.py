"""An index of colonoscopy frames: codes of seven labels, in named subsets of three splits, as one JSON file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cineloop.cohort.format import FormatRequest, FormatSpec, Record, split_name
from cineloop.cohort.places import Places
from cineloop.cohort.texts import read_json
from cineloop.errors import CohortError
from cineloop.schema import Section, did_you_mean
from cineloop.timeline.quality import LABELS, STATES, state_of

_MANIFEST = "manifest.json"
_NO_SPLITS = ("code", "idmap")
_STATISTICS = "_statistics"
_HEAD = 4096


class Config(Section):
    """Options of the layout.

    Attributes:
        outside_root: Read pictures that lie outside of the root, too.
    """

    outside_root: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """A frame of the index: where it stands, what it says."""

    place: str
    split: str
    subset: str
    image: int
    state: str
    path: Path


def read_idmap(path: Path) -> dict[int, str]:
    """Return the path of each picture by its id, as ``Manifest.json`` or an index writes it, with forward slashes.

    Args:
        path: A JSON file with an object ``idmap`` of ids and paths relative to the root of the data.

    Raises:
        CohortError: There is none, or an id is no number, or is there twice.
    """
    content = read_json(path)
    if not isinstance(content, dict) or "idmap" not in content:
        raise CohortError("The file has no 'idmap'", where=path, mend="Name Manifest.json, or an index.")
    return _idmap(content["idmap"], path)


def _idmap(value: object, path: Path) -> dict[int, str]:
    if not isinstance(value, dict):
        raise CohortError("'idmap' is no object", where=path, mend='Write {"0": "images/a.png", ...}.')
    found: dict[int, str] = {}
    for key, name in value.items():
        number = int(key) if key.isascii() and key.isdigit() else None
        if number is None or not isinstance(name, str) or not name:
            raise CohortError(
                f"An entry of 'idmap' is no number and path: {key!r}: {name!r:.80}", where=path, mend="Correct it."
            )
        if number in found:
            raise CohortError(f"The id {number} stands twice in 'idmap'", where=path, mend="Leave one of them.")
        found[number] = name.replace("\\", "/")
    return found


def _order(index: Mapping[str, Any], path: Path) -> list[int]:
    """Return where each of the seven labels stands in the codes of an index."""
    names = index.get("code")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise CohortError(
            "The index has no 'code', the list of its seven labels",
            where=path,
            mend=f"Write it: {', '.join(LABELS)}.",
        )
    unknown = next((name for name in names if name not in LABELS), None)
    if unknown is not None:
        raise CohortError(f"'code' holds an unknown label: {unknown!r}", where=path, mend=did_you_mean(unknown, LABELS))
    missing = [name for name in LABELS if name not in names]
    if missing or len(names) != len(LABELS):
        wrong = f"lacks {', '.join(missing)}" if missing else "holds a label twice"
        raise CohortError(f"'code' {wrong}", where=path, mend=f"It holds each once: {', '.join(LABELS)}.")
    return [names.index(name) for name in LABELS]


def _splits(index: Mapping[str, Any], request: FormatRequest, path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give the key, the split and the subsets of each split that holds frames."""
    keys: dict[str, str] = {}
    for key, subsets in index.items():
        split = split_name(key)
        if split is None:
            # What else a file holds is its own affair, but frames are not passed over for a slip of the pen.
            if key not in _NO_SPLITS and not key.endswith(_STATISTICS) and _holds_frames(subsets):
                raise CohortError(
                    f"{key!r} holds frames but is no split",
                    where=path,
                    mend="Name the splits train, validation and test.",
                )
            continue
        if split in keys:
            raise CohortError(
                f"The split {split!r} stands twice: {keys[split]!r} and {key!r}", where=path, mend="Leave one."
            )
        keys[split] = key
        subsets = {} if subsets is None else subsets
        if not isinstance(subsets, dict) or not all(isinstance(rows, dict | None) for rows in subsets.values()):
            raise CohortError(
                f"The split {key!r} is no object of subsets",
                where=path,
                mend='Write {"SUBSET": {"images/a.png": [ID, [seven numbers]]}}.',
            )
        filled = {name: rows for name, rows in subsets.items() if rows}
        if filled:
            yield key, split, filled
        else:
            request.notes.append(f"the split {key!r} of {path.name} is empty")
    if not keys:
        raise CohortError(
            "The index has no split", where=path, mend="It holds train, validation or test; name an index in data.path."
        )


def _holds_frames(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    rows = next((rows for rows in value.values() if isinstance(rows, dict) and rows), {})
    first = next(iter(rows.values()), None)
    return isinstance(first, list) and len(first) == 2 and isinstance(first[1], list)


def _code(value: object, order: list[int], place: str) -> tuple[int, str]:
    """Return the id and the state that an entry gives."""
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not isinstance(value[0], int)
        or isinstance(value[0], bool)
        or not isinstance(value[1], list)
        or len(value[1]) != len(LABELS)
    ):
        raise CohortError(
            f"The entry is not an id and seven numbers: {value!r:.80}",
            where=place,
            mend="Write [ID, [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]].",
        )
    try:
        return value[0], state_of([value[1][at] for at in order])
    except ValueError as error:
        raise CohortError(f"The code is none: {error}", where=place, mend="Correct the seven numbers.") from None


def _agree(row: _Row, known: _Row) -> None:
    """Refuse two entries of one picture that contradict each other."""
    for what, one, other in (
        ("ids", known.image, row.image),
        ("splits", known.split, row.split),
        ("codes", known.state, row.state),
    ):
        if one != other:
            raise CohortError(
                f"One picture has two {what}: {one} and {other}",
                where=f"{known.place} and {row.place}",
                mend="Leave the right entry.",
            )


def read(request: FormatRequest) -> Iterator[Record]:
    """Give the frames of an index; a frame that stands in several subsets comes once, in the first."""
    options: Config = request.options
    path = request.path if request.path is not None else _find_index(request.root)
    if path.is_dir():
        path = _find_index(path)
    index = read_json(path)
    if not isinstance(index, dict):
        raise CohortError("The index is no object", where=path, mend="Name an index of frames in data.path.")
    order = _order(index, path)
    names = _idmap(index.get("idmap") or {}, path)
    folders = Places(request.root, path.parent, outside=options.outside_root)
    by_path: dict[str, _Row] = {}
    by_id: dict[int, _Row] = {}
    repeats = 0
    for key, split, subsets in _splits(index, request, path):
        for subset, rows in subsets.items():
            for image, value in rows.items():
                place = f"{path}: {key}/{subset}/{image}"
                number, state = _code(value, order, place)
                name, file = folders.find(image, place)
                row = _Row(place, split, subset, number, state, file)
                known = by_path.setdefault(os.path.normpath(file), row)
                if known is not row:
                    _agree(row, known)
                    repeats += 1
                    continue
                other = by_id.setdefault(number, row)
                if other is not row:
                    raise CohortError(
                        f"The id {number} stands for two pictures",
                        where=f"{other.place} and {place}",
                        mend="Correct one.",
                    )
                if number in names and names[number] != image and not folders.same(names[number], file):
                    raise CohortError(
                        f"The id {number} is that of another picture in 'idmap': {names[number]!r}",
                        where=place,
                        mend="Correct the id, or the map.",
                    )
                yield Record(
                    name=name,
                    path=file,
                    label=state,
                    split=split,
                    columns={"subset": subset, "image_id": str(number)},
                    source=path,
                )
    if repeats:
        request.notes.append(f"{repeats} frames stand in more than one subset; each is read once, in its first")


def _indices(folder: Path) -> list[Path]:
    """Return what is named like an index: in ``folds`` and ``cls_folds``, or with ``fold`` in its name."""
    found = [*folder.glob("*fold*.json"), *folder.glob("folds/*.json"), *folder.glob("cls_folds/*.json")]
    found = found or list(folder.glob("*.json"))
    return sorted(path for path in found if path.name.casefold() != _MANIFEST)


def _find_index(folder: Path) -> Path:
    found = _indices(folder)
    if len(found) == 1:
        return found[0]
    listed = ", ".join(path.relative_to(folder).as_posix() for path in found)
    raise CohortError(
        f"There are {len(found)} indices: {listed}" if found else "No index was found",
        where=folder,
        mend="Name the one to read: data.path: folds/fold0.json.",
    )


def detect(folder: Path) -> bool:
    """Say whether ``folder`` holds an index: a JSON file that is named like one and begins with the seven labels."""
    for path in _indices(folder):
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
        if b'"code"' in head and all(f'"{label}"'.encode() in head for label in LABELS):
            return True
    return False


SPEC = FormatSpec(
    name="uihnj",
    summary="an index JSON of colonoscopy frames with codes of seven labels (folds/fold0.json)",
    Config=Config,
    read=read,
    detect=detect,
    classes=STATES,
)
