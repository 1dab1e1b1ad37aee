"""Folders of timelines and folders of videos: which belong together, and rendering them all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cineloop.cohort.format import MEDIA_SUFFIXES
from cineloop.errors import TimelineError
from cineloop.timeline.storage import SUFFIXES

_NAMED = 5


@dataclass(frozen=True)
class Pair:
    """A timeline and its video.

    Attributes:
        name: What both are called: the path below their folders without suffix, with forward slashes.
        timeline: The file.
        video: The file.
    """

    name: str
    timeline: Path
    video: Path

    def below(self, folder: Path, suffix: str) -> Path:
        """Return where a file made of this pair goes in a folder of results."""
        return folder / f"{self.name}{suffix}"


@dataclass(frozen=True)
class Matched:
    """Two folders set against each other.

    Attributes:
        pairs: In the order of their names.
        timelines: Names without a video.
        videos: Names without a timeline.
    """

    pairs: tuple[Pair, ...]
    timelines: tuple[str, ...]
    videos: tuple[str, ...]


def match(timelines: Path, videos: Path) -> Matched:
    """Find the timelines and videos that have the same path below their folders, but for the suffix.

    Hidden files and folders are passed over.

    Raises:
        TimelineError: Nothing has a partner, or two files of one folder have one name.
    """
    left, right = _named(timelines, SUFFIXES), _named(videos, MEDIA_SUFFIXES)
    common = sorted(left.keys() & right.keys())
    if not common:
        raise TimelineError(
            f"No timeline and no video have the same name: timelines {_some(left)}; videos {_some(right)}",
            where=f"{timelines}, {videos}",
            mend="Name them alike: visit1/a.parquet in the one folder and visit1/a.mp4 in the other.",
        )
    return Matched(
        tuple(Pair(name, left[name], right[name]) for name in common),
        tuple(sorted(left.keys() - right.keys())),
        tuple(sorted(right.keys() - left.keys())),
    )


def _named(folder: Path, suffixes: Iterable[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if path.suffix.lower() not in suffixes or any(part.startswith(".") for part in below.parts):
            continue
        if not path.is_file():
            continue
        name = below.with_suffix("").as_posix()
        if name in found:
            raise TimelineError(
                f"Two files are called {name!r}: {found[name].name} and {path.name}",
                where=folder,
                mend="Move one of them away, or name the file itself.",
            )
        found[name] = path
    return found


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = len(ordered) - _NAMED
    return (", ".join(ordered[:_NAMED]) + (f" and {more} more" if more > 0 else "")) or "none"
