"""The items of a cohort in the making: which frames of which file each row means."""

from __future__ import annotations

import bisect
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cineloop._version import __version__
from cineloop.cohort.cache import Cache, file_key
from cineloop.cohort.format import Record
from cineloop.cohort.probe import Probe
from cineloop.errors import CohortError
from cineloop.files import fingerprint


@dataclass(frozen=True, slots=True)
class File:
    """A file and the first row that names it."""

    id: str
    path: Path
    record: Record


@dataclass(frozen=True, slots=True)
class Clip:
    """An item in the making: a row, and the part of a file that it means."""

    id: str
    record: Record
    file: int
    start: int | None
    stop: int | None
    target: int | None


def place_of(path: Path) -> str:
    """Return the one spelling of a path by which rows of one file are told."""
    # Not resolve(): two links to one file are two media, and the audit tells that their bytes are the same.
    return os.path.normpath(path)


def clips_of(
    records: Sequence[Record], files: Sequence[File], probes: Sequence[Probe], targets: Sequence[int | None]
) -> list[Clip]:
    """Return the clips that rows mean, in order.

    Args:
        records: The rows.
        files: The different files among them.
        probes: What is known of each file.
        targets: The class number of each row.

    Raises:
        CohortError: A clip leaves its file or ends before it begins, two rows mean the same frames, or a frame has
            another time stamp than its row says.
    """
    position = {place_of(file.path): at for at, file in enumerate(files)}
    clips: dict[str, Clip] = {}
    for record, target in zip(records, targets, strict=True):
        at = position[place_of(record.path)]
        start, stop = _span(record, files[at].path, probes[at])
        clip = Clip(_clip_id(files[at].id, start, stop), record, at, start, stop, target)
        other = clips.setdefault(clip.id, clip)
        if other is not clip:
            raise CohortError(
                f"Two rows mean the same frames: {clip.id!r}",
                where=f"{other.record.place} and {record.place}",
                mend="Leave one.",
            )
    _check_times([clip for clip in clips.values() if clip.record.pts is not None], files, probes)
    return list(clips.values())


def _check_times(clips: Sequence[Clip], files: Sequence[File], probes: Sequence[Probe]) -> None:
    """Check that frames have the time stamps that their rows give: decoders do not all number frames alike."""
    by_file: dict[int, list[Clip]] = {}
    for clip in clips:
        if probes[clip.file].error is None:
            by_file.setdefault(clip.file, []).append(clip)
    cache = Cache("frame-times-1")
    for at, own in by_file.items():
        path = files[at].path
        pairs = [[clip.start or 0, clip.record.pts] for clip in own]
        key = file_key(path, __version__, fingerprint(pairs))
        if cache.get(key) is not None:
            continue
        from cineloop.video import Video

        with Video(path, threads=1) as video:
            found = video.clock.pts
        for clip in own:
            first = clip.start or 0
            if found[first] != clip.record.pts:
                right = np.flatnonzero(found == clip.record.pts)
                raise CohortError(
                    f"Frame {first} has the time stamp {found[first]}, and the row says {clip.record.pts}",
                    where=clip.record.place,
                    mend=f"That is frame {right[0]}; correct the row."
                    if len(right)
                    else "Correct the row, or leave its time stamp blank.",
                )
        cache.put(key, b"")


def _clip_id(media: str, start: int | None, stop: int | None) -> str:
    if start is None and stop is None:
        return media
    return f"{media}#{start or 0}-{stop if stop is not None else 'end'}"


def _span(record: Record, path: Path, found: Probe) -> tuple[int | None, int | None]:
    """Return the first frame of a clip and the one after its last."""
    start, stop = record.start, record.stop
    if start is None and record.start_seconds is not None:
        start = _frame_at(record.start_seconds, path, found)
    if stop is None and record.stop_seconds is not None:
        stop = _frame_at(record.stop_seconds, path, found)
    first = start or 0
    if stop is not None and stop <= first:
        raise CohortError(
            f"The clip ends at frame {stop} but begins at {first}", where=record.place, mend="Correct the row."
        )
    if found.frames is not None and (first >= found.frames or (stop or 0) > found.frames):
        raise CohortError(
            f"The clip {first} to {stop if stop is not None else 'end'} leaves the video of {found.frames} frames",
            where=record.place,
            mend="Frames count from 0, and `stop` is the frame after the last one; correct the row.",
        )
    return start, stop


def _frame_at(seconds: float, path: Path, found: Probe) -> int:
    """Return the first frame that appears at or after a time from the first one's appearance."""
    if found.variable_rate:
        from cineloop.video import Video

        with Video(path, threads=1, allow_truncated=True) as video:
            start = video.refs[0].seconds
            return bisect.bisect_left(video.refs, seconds - 1e-6, key=lambda ref: ref.seconds - start)
    # A file that cannot be read is left out; a nominal rate keeps its clips apart.
    return math.ceil(seconds * (found.fps or 25.0) - 1e-6)
