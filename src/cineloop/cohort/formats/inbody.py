"""A tree of class folders with frames from inside and outside of the body, grouped by the video they come from."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import field_validator, model_validator

from cineloop.cohort.format import MEDIA_SUFFIXES, FormatRequest, FormatSpec, Record, split_name
from cineloop.cohort.search import files_below
from cineloop.errors import CohortError
from cineloop.schema import Section
from cineloop.video.info import IMAGE_SUFFIXES

#: The classes in the order of their published numbers.
CLASSES = ("in_body", "out_of_body")

_SHOWN = 5
# `proc3_000123` is frame 123 of `proc3`.
_TRAILING_NUMBER = re.compile(r"[\s_.\-]*\d+$")
_WAYS = {
    "folder": "by their folders",
    "name": "by their names without the number at the end",
    "regex": "by the pattern",
    "file": "each by itself",
}


def folded(name: str) -> str:
    """Return a name without what does not count in names of classes: case, spaces, hyphens, underscores."""
    return re.sub(r"[\s_\-]+", "", name.casefold())


class Names(Section):
    """Names of the class folders; case, spaces, hyphens and underscores do not count, and ``*`` stands for anything.

    Attributes:
        in_body: Folders of frames from inside of the body.
        out_of_body: Folders of frames from outside.
    """

    in_body: tuple[str, ...] = ("in_body", "inside", "inside_body", "intracorporeal")
    out_of_body: tuple[str, ...] = ("out_body", "out_of_body", "outside", "outside_body", "extracorporeal")

    @model_validator(mode="after")
    def _apart(self) -> Names:
        both = {folded(name) for name in self.in_body} & {folded(name) for name in self.out_of_body}
        if both:
            raise ValueError(f"{sorted(both)[0]!r} names both classes")
        return self


class Pattern(Section):
    """How a path tells the video.

    Attributes:
        regex: Searched in the path below the root; the group ``video``, else the first group, is the video.
    """

    regex: str

    @field_validator("regex")
    @classmethod
    def _with_a_group(cls, value: str) -> str:
        try:
            groups = re.compile(value).groups
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if groups == 0:
            raise ValueError("the regular expression needs a group in parentheses around the video")
        return value


class Config(Section):
    """Options of the layout.

    Attributes:
        classes: Names of the class folders; the deepest on the way to a frame decides.
        video: What tells the video of a frame: ``folder`` (those above and below the class folder), ``name`` (the
            file's name without the number at its end), ``file`` (each is its own), a pattern, or ``auto``: the
            folders where they differ, else the name.
        ignore: Folders that are passed over, relative to the root.
    """

    classes: Names = Names()
    video: Literal["auto", "folder", "name", "file"] | Pattern = "auto"
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Frame:
    """A picture, or a whole video, of the tree.

    Attributes:
        name: Its path below the root.
        path: Where it is.
        label: Its class.
        folders: The folders on its way that are not class folders.
        still: Whether it is a picture.
    """

    name: str
    path: Path
    label: str
    folders: tuple[str, ...]
    still: bool


def _class_of(folder: str, names: Names) -> str | None:
    """Return the class that a folder's name means, or None."""
    given = folded(folder)
    found = [
        label
        for label, known in zip(CLASSES, (names.in_body, names.out_of_body), strict=True)
        if any(fnmatch.fnmatchcase(given, folded(name)) for name in known)
    ]
    return found[0] if len(found) == 1 else None


def _frames(request: FormatRequest) -> list[_Frame]:
    options: Config = request.options
    root = request.root
    ignored = [_ignored(root, folder) for folder in options.ignore]
    classes: dict[str, str | None] = {}
    frames: list[_Frame] = []
    unknown: Counter[str] = Counter()
    left_out = 0
    for path in files_below(root, IMAGE_SUFFIXES | MEDIA_SUFFIXES):
        parts = path.relative_to(root).parts
        if any(parts[: len(folder)] == folder for folder in ignored):
            left_out += 1
            continue
        for folder in parts[:-1]:
            if folder not in classes:
                classes[folder] = _class_of(folder, options.classes)
        labels = [label for folder in parts[:-1] if (label := classes[folder]) is not None]
        if not labels:
            unknown["/".join(parts[:-1]) or "."] += 1
            continue
        folders = tuple(folder for folder in parts[:-1] if classes[folder] is None)
        frames.append(_Frame("/".join(parts), path, labels[-1], folders, path.suffix.lower() in IMAGE_SUFFIXES))
    if unknown:
        shown = [f"{folder} ({count})" for folder, count in list(unknown.items())[:_SHOWN]]
        more = [f"and {len(unknown) - _SHOWN} more"] if len(unknown) > _SHOWN else []
        raise CohortError(
            f"{unknown.total()} pictures or videos are in no folder that is known to be in or out of the body: "
            f"{', '.join([*shown, *more])}",
            where=root,
            mend="Say what the folders are: data.format_options: {classes: {in_body: [...], out_of_body: [...]}}; or "
            "pass them over: {ignore: [...]}.",
        )
    if left_out:
        request.notes.append(f"{left_out} files in ignored folders were passed over")
    return frames


def _ignored(root: Path, folder: str) -> tuple[str, ...]:
    parts = Path(folder).parts
    if not (root / folder).is_dir() or not parts or ".." in parts or Path(folder).is_absolute():
        raise CohortError(
            f"The folder to ignore is not in the root: {folder!r}",
            where=root,
            mend="Write it relative to the root in data.format_options.ignore.",
        )
    return parts


def _common(frames: Sequence[_Frame]) -> int:
    """Return how many folders, from the root on, the way to every frame shares."""
    # What the first and the last in order share, all in between share.
    ends = min(frame.folders for frame in frames), max(frame.folders for frame in frames)
    same = [one == other for one, other in zip(*ends, strict=False)]
    return same.index(False) if False in same else len(same)


def _video(frame: _Frame, options: Config, shared: int) -> tuple[str, str]:
    """Return the video of a frame, and the way in which it was told."""
    if isinstance(options.video, Pattern):
        found = re.search(options.video.regex, frame.name)
        group: str | int = "video" if found is not None and "video" in found.re.groupindex else 1
        if found is None or not found[group]:
            raise CohortError(
                f"The pattern of the video does not match the path {frame.name!r}: {options.video.regex}",
                where=frame.path,
                mend="Correct data.format_options.video.regex so that it matches every path.",
            )
        return found[group], "regex"
    folder, name = "/".join(frame.folders), _TRAILING_NUMBER.sub("", frame.path.stem)
    if options.video == "folder":
        if not folder:
            raise CohortError(
                f"No folder tells the video of {frame.name!r}",
                where=frame.path,
                mend="Use data.format_options: {video: auto}, name or a pattern.",
            )
        return folder, "folder"
    if options.video == "name" and name:
        return name, "name"
    if options.video == "auto":
        if frame.folders[shared:]:
            return folder, "folder"
        # A video's own name may end in a number; a picture whose name is all number tells nothing.
        if frame.still and name not in ("", frame.path.stem):
            return name, "name"
        if frame.still and folder and not name:
            return folder, "folder"
    return frame.name, "file"


def read(request: FormatRequest) -> Iterator[Record]:
    """Give the frames of the tree, in order of their paths, each with its video as the procedure."""
    options: Config = request.options
    frames = _frames(request)
    if not frames:
        raise CohortError(
            "No picture or video was found",
            where=request.root,
            mend="The layout is in_body/VIDEO/frame.png and out_of_body/VIDEO/frame.png, or VIDEO/in_body/frame.png.",
        )
    shared = _common(frames)
    videos = [_video(frame, options, shared) for frame in frames]
    ways = Counter(way for _, way in videos)
    told = "; ".join(f"{ways[way]} {words}" for way, words in _WAYS.items() if ways[way])
    request.notes.append(f"{len(frames)} files were grouped into {len({video for video, _ in videos})} videos: {told}")
    for frame, (video, _) in zip(frames, videos, strict=True):
        yield Record(
            name=frame.name,
            path=frame.path,
            label=frame.label,
            split=None,
            columns={"procedure": video},
            source=frame.path.parent,
        )


def detect(folder: Path) -> bool:
    """Say whether ``folder`` has pictures in folders called in-body and out-of-body, and no folders of splits."""
    names = Names(in_body=("in_body",), out_of_body=("out_body", "out_of_body"))
    if any(split_name(child.name) is not None for child in folder.iterdir() if child.is_dir()):
        return False
    found: set[str | None] = set()
    # The class folder, or that of the video, lies at the top; what is deeper is not searched for a guess.
    for child in folder.iterdir():
        if child.is_dir() and not child.name.startswith("."):
            found.add(_class_of(child.name, names))
            found.update(_class_of(each.name, names) for each in child.iterdir() if each.is_dir())
    return (
        found >= set(CLASSES)
        and any(True for _ in files_below(folder, IMAGE_SUFFIXES))
        and not files_below(folder, MEDIA_SUFFIXES)
    )


SPEC = FormatSpec(
    name="inbody-tree",
    summary="folders called in_body and out_of_body, at any depth, with frames grouped by video",
    Config=Config,
    read=read,
    detect=detect,
    classes=CLASSES,
)
