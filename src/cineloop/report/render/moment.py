"""What a timeline says at each frame of a video, which may have more frames than the timeline has rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cineloop.timeline.timeline import Timeline


@dataclass(frozen=True)
class Moment:
    """A frame of the video, and the row that is shown over it.

    Attributes:
        frame: Its index.
        seconds: When it is shown, on the recording's own clock.
        row: The row of the timeline; None where it says nothing about this frame.
        held: The frame that the row is about, where that is an earlier one; else None.
    """

    frame: int
    seconds: float
    row: int | None
    held: int | None = None


class Holder:
    """Finds the row of each frame: that of the frame itself, or the one before it while it stands for the frame.

    A row stands for the frames up to the next row, the last one for a stride of frames.

    Args:
        timeline: Whose rows.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._frames = timeline.frames
        self.stop = int(timeline.frames[-1]) + timeline.stride
        """One past the last frame that a row stands for."""

    def at(self, frame: int, seconds: float) -> Moment:
        """Return what is shown at a frame."""
        row = int(np.searchsorted(self._frames, frame, side="right")) - 1
        if row < 0 or frame >= self.stop:
            return Moment(frame, seconds, None)
        found = int(self._frames[row])
        return Moment(frame, seconds, row, found if found != frame else None)


def score_name(timeline: Timeline, signal: str, value: int) -> str | None:
    """Return the score that belongs to a signal's value: one of the signal's name, or of name and value (``bbps2``)."""
    for name in (signal, f"{signal}{value}"):
        if name in timeline.scores:
            return name
    return None


def clock_text(seconds: float, *, hours: bool, tenths: bool = False) -> str:
    """Return a time as ``m:ss``, ``h:mm:ss`` or with tenths ``m:ss.t``; rounded down, as a clock goes."""
    sign, count = ("-" if seconds < 0 else ""), int(abs(seconds) * 10 + 1e-6)
    whole, tenth = divmod(count, 10)
    minutes, second = divmod(whole, 60)
    text = f"{minutes // 60}:{minutes % 60:02d}:{second:02d}" if hours else f"{minutes}:{second:02d}"
    return f"{sign}{text}.{tenth}" if tenths else f"{sign}{text}"
