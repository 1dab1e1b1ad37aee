"""A folder per class, in a folder per split: ``{train,val,test}/{class}/**/*.mp4``, or classes alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from cineloop.cohort.format import MEDIA_SUFFIXES, FormatRequest, FormatSpec, Record, split_name
from cineloop.errors import CohortError
from cineloop.schema import Section


class Config(Section):
    """Options of the layout.

    Attributes:
        layout: Whether the first folder is the split or the class; ``auto`` takes it for the split when every
            first folder is named like one.
        suffixes: Suffixes of the files that count; without it, those of the known video containers.
    """

    layout: Literal["auto", "split/class", "class"] = "auto"
    suffixes: tuple[str, ...] | None = None


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _media(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Return the media below ``folder``; links to folders are not followed, so a cycle of links does no harm."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes and not path.name.startswith(".") and not path.is_dir()
    )


def _has_splits(root: Path) -> bool:
    folders = _folders(root)
    return bool(folders) and all(split_name(folder.name) is not None for folder in folders)


def read(request: FormatRequest) -> Iterator[Record]:
    """Give the files of all class folders, in order of their paths."""
    options: Config = request.options
    root = request.root
    suffixes = MEDIA_SUFFIXES
    if options.suffixes is not None:
        suffixes = frozenset(f".{suffix.lower().lstrip('.')}" for suffix in options.suffixes)
    with_splits = _has_splits(root) if options.layout == "auto" else options.layout == "split/class"
    parents: list[tuple[str | None, Path]] = [(None, root)]
    if with_splits:
        parents = [(split_name(folder.name) or folder.name, folder) for folder in _folders(root)]
    found_any = False
    for split, parent in parents:
        found = False
        for folder in _folders(parent):
            for path in _media(folder, suffixes):
                found = found_any = True
                name = path.relative_to(root).as_posix()
                yield Record(name=name, path=path, label=folder.name, split=split, source=folder)
        if with_splits and not found:
            raise CohortError(
                f"The split {split!r} is empty: no video stands in a class folder of {parent.name!r}",
                where=parent,
                mend="Put videos into train/CLASS/, or remove the folder.",
            )
    if not found_any:
        raise CohortError(
            "No video was found in a class folder",
            where=root,
            mend="The layout is {train,val,test}/CLASS/video.mp4, or CLASS/video.mp4 with data.split.",
        )


def detect(folder: Path) -> bool:
    """Say whether ``folder`` holds split folders of class folders with videos, or class folders with videos."""
    if _has_splits(folder):
        return any(_media(child, MEDIA_SUFFIXES) for parent in _folders(folder) for child in _folders(parent))
    # Without splits any tree of videos would do; only videos right below a class folder are taken for one.
    return any(path.suffix.lower() in MEDIA_SUFFIXES for child in _folders(folder) for path in child.iterdir())


SPEC = FormatSpec(
    name="folder",
    summary="{train,val,test}/CLASS/**/video.mp4, or CLASS/**/video.mp4",
    Config=Config,
    read=read,
    detect=detect,
)
