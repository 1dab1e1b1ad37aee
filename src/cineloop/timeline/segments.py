"""Stretches of a recording in which a signal keeps one value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cineloop.timeline.timeline import Timeline


@dataclass(frozen=True)
class Segment:
    """A longest run of one value.

    Attributes:
        name: The signal.
        value: Its value; -1 where it does not apply.
        first: The first frame, by its index in the recording.
        last: The last frame that was looked at, inclusive.
        start: When the first frame is shown, in seconds.
        stop: When the next frame that was looked at is shown, in seconds; of the last run, when what its last row
            stands for is over.
    """

    name: str
    value: int
    first: int
    last: int
    start: float
    stop: float

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.stop - self.start


def run_bounds(row: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return where the runs of equal values begin and where the next ones do, both [R], of a row [F]."""
    changes = np.flatnonzero(np.diff(row)) + 1
    begins = np.concatenate([np.zeros(min(1, len(row)), np.intp), changes])
    return begins, np.append(begins, len(row))[1:]


def segments_of(timeline: Timeline, name: str, *, filtered: bool = True) -> list[Segment]:
    """Return the segments of a signal, in order and without gaps.

    Args:
        timeline: The recording.
        name: The signal.
        filtered: Take the filtered signal, not the raw one.

    Raises:
        KeyError: The timeline has no such signal, or has not been filtered.
    """
    kind = timeline.filtered if filtered else timeline.signals
    if name not in kind:
        raise KeyError(
            f"no {'filtered' if filtered else 'raw'} signal {name!r}; there are: {', '.join(kind) or 'none'}"
        )
    row = kind[name]
    begins, ends = run_bounds(row)
    times = np.append(timeline.seconds, timeline.end)
    columns = (row[begins], timeline.frames[begins], timeline.frames[ends - 1], times[begins], times[ends])
    return [Segment(name, *values) for values in zip(*(column.tolist() for column in columns), strict=True)]
