"""A folder per class, in a folder per split: ``{train,val,test}/{class}/**/*.mp4``, or classes alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from cineloop.cohort.format import MEDIA_SUFFIXES, FormatRequest, FormatSpec, Record, split_name
from cineloop.cohort.labels import fold
from cineloop.cohort.search import files_below
from cineloop.errors import CohortError
from cineloop.schema import Section
from cineloop.video.info import IMAGE_SUFFIXES

_NO_CLASSES = {"image", "images", "img", "imgs", "frame", "frames", "mask", "masks", "label", "labels", "annotations"}
_NO_CLASSES |= {"segmentation", "segmentations", "thumbnails", "videos"}


class Config(Section):
    """Options of the layout.

    Attributes:
        layout: Whether the first folder is the split or the class; ``auto`` takes it for the split when every
            first folder is named like one.
        media: What counts: ``videos``, ``stills`` (each picture is an item), ``all``, or ``auto``: videos, and stills
            where there is no video; where some classes have videos and others have pictures only, it has to be said.
        suffixes: Suffixes of the files that count, in place of ``media``.
    """

    layout: Literal["auto", "split/class", "class"] = "auto"
    media: Literal["auto", "videos", "stills", "all"] = "auto"
    suffixes: tuple[str, ...] | None = None


_MEDIA = {"videos": MEDIA_SUFFIXES, "stills": IMAGE_SUFFIXES}


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _has_splits(root: Path) -> bool:
    folders = _folders(root)
    return bool(folders) and all(split_name(folder.name) is not None for folder in folders)


def _counting(found: Mapping[Path, Sequence[Path]], request: FormatRequest) -> frozenset[str]:
    """Return the suffixes of the files that count, of those in the class folders.

    Raises:
        CohortError: Classes would be lost with pictures that stand beside videos of other classes.
    """
    options: Config = request.options
    if options.suffixes is not None:
        return frozenset(f".{suffix.lower().lstrip('.')}" for suffix in options.suffixes)
    if options.media != "auto":
        return _MEDIA.get(options.media, MEDIA_SUFFIXES | IMAGE_SUFFIXES)
    kinds: dict[str, list[int]] = {}
    for folder, files in found.items():
        numbers = kinds.setdefault(fold(folder.name), [0, 0])
        for at, suffixes in enumerate((IMAGE_SUFFIXES, MEDIA_SUFFIXES)):
            numbers[at] += sum(path.suffix.lower() in suffixes for path in files)
    pictures, videos = (sum(numbers[at] for numbers in kinds.values()) for at in (0, 1))
    if videos and pictures:
        lost = [
            f"{name} ({stills})"
            for name, (stills, films) in kinds.items()
            if stills and not films and name not in _NO_CLASSES
        ]
        if lost:
            raise CohortError(
                f"Some classes have videos ({videos} in all), and others pictures only: {', '.join(lost)}",
                where=request.root,
                mend="Say what counts. data.format_options: {media: all} reads both, but then the kind of file tells "
                "these classes apart without a look at any picture; {media: videos} and {media: stills} leave the "
                "other kind out.",
            )
        request.notes.append(
            f"{pictures} pictures beside videos were passed over; data.format_options: {{media: all}} reads them too"
        )
    return MEDIA_SUFFIXES if videos or not pictures else IMAGE_SUFFIXES


def read(request: FormatRequest) -> Iterator[Record]:
    """Give the files of all class folders, in order of their paths."""
    options: Config = request.options
    root = request.root
    with_splits = _has_splits(root) if options.layout == "auto" else options.layout == "split/class"
    parents: list[tuple[str | None, Path]] = [(None, root)]
    if with_splits:
        parents = [(split_name(folder.name) or folder.name, folder) for folder in _folders(root)]
    found = {folder: files_below(folder) for _, parent in parents for folder in _folders(parent)}
    suffixes = _counting(found, request)
    base = len(os.fspath(root / "_")) - 1
    found_any = False
    for split, parent in parents:
        split_found = False
        for folder in _folders(parent):
            for path in found[folder]:
                if path.suffix.lower() not in suffixes:
                    continue
                split_found = found_any = True
                name = os.fspath(path)[base:].replace(os.sep, "/")
                yield Record(name=name, path=path, label=folder.name, split=split, source=folder)
        if with_splits and not split_found:
            raise CohortError(
                f"The split {split!r} is empty: no video or picture stands in a class folder of {parent.name!r}",
                where=parent,
                mend="Put files into train/CLASS/, or remove the folder.",
            )
    if not found_any:
        raise CohortError(
            "No video or picture was found in a class folder",
            where=root,
            mend="The layout is {train,val,test}/CLASS/video.mp4 (or picture.jpg), or CLASS/video.mp4 with data.split.",
        )


def detect(folder: Path) -> bool:
    """Say whether ``folder`` holds split folders of class folders with videos or pictures, or class folders of them."""
    if _has_splits(folder):
        known = MEDIA_SUFFIXES | IMAGE_SUFFIXES
        return any(files_below(child, known) for parent in _folders(folder) for child in _folders(parent))
    # Without splits any tree of videos would do; only videos right below a class folder are taken for one.
    kinds = [{path.suffix.lower() for path in child.iterdir()} for child in _folders(folder)]
    if any(suffixes & MEDIA_SUFFIXES for suffixes in kinds):
        return True
    # Pictures are kept in folders for many reasons: here every folder must have some, and none be called a part of
    # another layout.
    return (
        len(kinds) > 1
        and all(suffixes & IMAGE_SUFFIXES for suffixes in kinds)
        and not any(fold(child.name) in _NO_CLASSES for child in _folders(folder))
    )


SPEC = FormatSpec(
    name="folder",
    summary="{train,val,test}/CLASS/**/video.mp4, or CLASS/**/video.mp4; or pictures in place of videos",
    Config=Config,
    read=read,
    detect=detect,
)
