"""What an on-disk layout is to a cohort: a function from a folder to plain records, read in place.

This module loads neither Polars nor a decoder, so that recipes are validated and formats listed cheaply.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from cineloop.errors import CohortError
from cineloop.registry import Registry, Spec
from cineloop.schema import Section

if TYPE_CHECKING:
    from cineloop.cohort.schema import Columns

#: Suffixes that a folder is searched for, lower case. A file that a list names may have any suffix.
MEDIA_SUFFIXES = frozenset(
    {".3gp", ".asf", ".avi", ".dcm", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"}
    | {".mxf", ".ogg", ".ogv", ".ts", ".vob", ".webm", ".wmv"}
)

_SPLIT_SPELLINGS = {
    "train": "train",
    "training": "train",
    "trainset": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "testset": "test",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a layout: a file, or a part of one, and what the layout says of it.

    Attributes:
        name: The path as the layout writes it, with forward slashes; ids and patient patterns are made from it.
        path: Where the file is; it need not exist, the cohort checks that.
        label: A class name or number as text; None when the row has no label.
        split: ``train``, ``val``, ``test`` or a name of the layout's own; None when the layout has none.
        columns: Everything else the row holds, by column.
        start: First frame of the clip, from 0; None for the whole file.
        stop: The frame after the last one of the clip; None for the end of the file.
        start_seconds: The clip's beginning in seconds, in place of ``start``.
        stop_seconds: The clip's end in seconds, in place of ``stop``.
        pts: The time stamp of frame ``start`` in the file's own units, where the layout tells it; the cohort checks it.
        source: The file that holds the row, or the folder that was searched.
        line: The line in ``source``, from 1; None where there are no lines.
    """

    name: str
    path: Path
    label: str | None
    split: str | None
    columns: Mapping[str, str] = field(default_factory=dict)
    start: int | None = None
    stop: int | None = None
    start_seconds: float | None = None
    stop_seconds: float | None = None
    pts: int | None = None
    source: Path | None = None
    line: int | None = None

    @property
    def place(self) -> str:
        """Where the row stands, for messages: ``splits/train.txt:12``."""
        place = str(self.source if self.source is not None else self.path)
        return place if self.line is None else f"{place}:{self.line}"


@dataclass(frozen=True, slots=True)
class FormatRequest:
    """What a format is given to read.

    Attributes:
        root: The folder of the data; it exists.
        path: The one file that describes the data, where the recipe names one; it exists.
        columns: Names of the columns of a table.
        options: The format's own ``Config``.
        notes: The format adds what it did or noticed and nobody asked for, in sentences; they become the cohort's.
    """

    root: Path
    path: Path | None
    columns: Columns
    options: Any
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class FormatSpec(Spec):
    """An on-disk layout that a recipe can name.

    Attributes:
        Config: The section of its own options (``data.format_options``).
        read: Gives the records of a layout. It opens lists and tables, never a video, and raises
            :class:`~cineloop.errors.CohortError` for what the user can mend.
        detect: Says whether a folder looks like this layout; None when it cannot be told.
        classes: Class names in the order of their numbers, where the layout fixes them. ``data.classes`` comes before
            it, and names that it does not hold follow it.
    """

    registry: ClassVar[Registry[FormatSpec]]  # type: ignore[assignment]

    Config: type[Section]
    read: Callable[[FormatRequest], Iterable[Record]]
    detect: Callable[[Path], bool] | None = None
    classes: tuple[str, ...] = ()


_BUILTIN_MODULES = ("endofm", "folder", "image_labels", "inbody", "table", "uihnj")


def _builtins() -> Iterable[FormatSpec]:
    for name in _BUILTIN_MODULES:
        yield importlib.import_module(f"cineloop.cohort.formats.{name}").SPEC


FORMATS: Registry[FormatSpec] = Registry("format", CohortError, builtins=_builtins)
FormatSpec.registry = FORMATS


def split_name(text: str) -> str | None:
    """Return the split that a word means (``"Validation"`` is ``val``), or None when it means none."""
    return _SPLIT_SPELLINGS.get(text.strip().casefold())


def resolve_media(name: str, folders: Iterable[Path]) -> tuple[str, Path]:
    """Find the file that a list calls ``name``.

    The text is taken as a plain path: nothing in it is expanded, and it is never given to a decoder as an address.
    Backslashes count as separators unless a file of exactly that name exists.

    Args:
        name: As the list writes it.
        folders: Where it may lie, in order of preference.

    Returns:
        The name with forward slashes, and the first candidate that exists, else the first of all.
    """
    folders = list(folders)
    spellings = [name]
    if "\\" in name:
        spellings.append(name.replace("\\", "/"))
    if spellings[-1].startswith("./"):
        spellings.append(spellings[-1].removeprefix("./"))
    for spelling in spellings:
        for folder in folders:
            candidate = folder / spelling
            if present(candidate):
                return spelling, candidate
    return spellings[-1], folders[0] / spellings[-1]


def present(path: Path) -> bool:
    """Say whether a path exists; a name that is too long, or holds a NUL, is no file."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
