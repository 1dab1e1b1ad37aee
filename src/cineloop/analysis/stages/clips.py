"""A model of clips in a pass."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from cineloop.analysis.stages.stage import Arrays, Span, cropped, exact
from cineloop.errors import VideoError
from cineloop.inference.live import LiveClips
from cineloop.video.frame import Pixels
from cineloop.video.recording import Recording
from cineloop.video.source import Integers, Picture


@dataclass(frozen=True)
class Window:
    """A clip that the classifier looks at.

    Attributes:
        number: From 0.
        stop: When it is over.
        views: The frames of each view, counted over all parts, int64 [V, T]; V is 0 where there are none.
    """

    number: int
    stop: Fraction
    views: Integers

    def begins_before(self, frame: int) -> bool:
        """Tell whether a frame that it needs lies before another."""
        return bool(len(self.views)) and int(self.views.min()) < frame

    def ends_with(self, frame: int) -> bool:
        """Tell whether it needs nothing after a frame."""
        return not len(self.views) or int(self.views.max()) <= frame


class ClipStage:
    """A model of clips: an answer for each window that slides over the procedure.

    Args:
        live: The model.
        recording: The procedure.
        length: Seconds of a window.
        step: Seconds from one to the next.
        size: Clips of a batch.
        outputs: How many classes the model has.

    Raises:
        VideoError: The recording is shorter than a window.
    """

    def __init__(
        self, live: LiveClips, recording: Recording, *, length: float, step: float, size: int, outputs: int
    ) -> None:
        self._live, self._recording, self._size, self._width = live, recording, size, outputs
        self._windows = _windows(live, recording, exact(length), exact(step))
        self._firsts = _firsts(self._windows)
        self._next = self._stop = 0
        self._held: dict[int, Pixels | None] = {}
        self._wanted: set[int] = set()
        self._group, self._places = -1, dict[int, Any]()
        self._found: dict[int, npt.NDArray[np.float64]] = {}

    def needs(self, span: Span, *, onward: bool) -> Integers:
        """Return the frames of the span that windows look at, and what a window that ends in it needs from before."""
        stops = [window.stop for window in self._windows]
        if not onward:
            self._held, self._next = {}, bisect_right(stops, span.start)
        self._stop = bisect_right(stops, span.stop)
        edge = self._recording.between(0.0, float(span.stop)).stop
        begin = self._recording.between(0.0, float(span.start)).stop if onward else 0
        soon = [window.views.ravel() for window in self._windows[self._next :] if window.begins_before(edge)]
        frames = np.unique(np.concatenate(soon)) if soon else np.zeros(0, np.int64)
        frames = frames[(frames >= begin) & (frames < edge)]
        self._wanted = set(frames.tolist())
        return frames

    def take(self, picture: Picture) -> None:
        """Hold a frame until the windows that need it have been judged."""
        if picture.index not in self._wanted:
            return
        pixels = picture.pixels
        if pixels is not None and self._live.crop_content:
            pixels = cropped(picture, self._recording)
        self._held[picture.index] = pixels
        while self._next < self._stop and self._windows[self._next].ends_with(picture.index):
            self._judge_next()

    def _judge_next(self) -> None:
        self._judge(self._windows[self._next])
        self._next += 1
        keep = self._firsts[self._next]
        self._held = {frame: held for frame, held in self._held.items() if frame >= keep}

    def _judge(self, window: Window) -> None:
        self._found[window.number] = np.full(self._width, np.nan)
        frames = [self._held.get(int(frame)) for frame in window.views.ravel()]
        known = [pixels for pixels in frames if pixels is not None]
        # A clip with a frame missing, or of two sizes, is none that the model was made for.
        if not frames or len(known) < len(frames) or len({pixels.shape for pixels in known}) > 1:
            return
        group, place = divmod(window.number, self._size)
        if group != self._group:
            self._run()
            self._group = group
        self._places[place] = self._live.prepare(np.stack(known).reshape(*window.views.shape, *known[0].shape))

    def _run(self) -> None:
        # Clips of recordings whose size changes do not fit into one batch.
        shapes = {tuple(one.shape) for one in self._places.values()}
        for shape in shapes:
            alike = {place: one for place, one in self._places.items() if tuple(one.shape) == shape}
            for place, scores in self._live.scores(alike, self._size).items():
                self._found[self._group * self._size + place] = scores
        self._places = {}

    def answer(self) -> Arrays:
        """Return ``numbers`` int64 [N] of windows and ``scores`` float64 [N, K], NaN for those that lack a frame."""
        while self._next < self._stop:
            self._judge_next()
        self._run()
        self._group = -1
        numbers = sorted(self._found)
        rows = [self._found[number] for number in numbers]
        self._found = {}
        return {
            "classify/numbers": np.array(numbers, dtype=np.int64),
            "classify/scores": np.array(rows, dtype=np.float64).reshape(-1, self._width),
        }


def _firsts(windows: Sequence[Window]) -> list[int]:
    """Return the first frame that each window or any later one needs, and one at the end that none does.

    Where frames are drawn, a later window may need an earlier frame than the one before it.
    """
    none = np.iinfo(np.int64).max
    own = [int(window.views.min()) if len(window.views) else none for window in windows]
    return [int(first) for first in np.minimum.accumulate([*own, none][::-1])[::-1]]


def _windows(live: LiveClips, recording: Recording, length: Fraction, step: Fraction) -> list[Window]:
    duration = exact(recording.duration)
    slack = Fraction(1, 1_000_000)
    count = math.floor((duration - length + slack) / step) + 1 if duration + slack >= length else 0
    if count < 1:
        raise VideoError(
            f"The recording lasts {recording.duration:.1f} s, and the classifier looks at clips of {float(length):g} s",
            where=recording.parts[0].path,
            mend="Give a shorter --window, or leave the classifier out.",
        )
    found = []
    for number in range(count):
        start, stop = number * step, number * step + length
        frames = recording.between(float(start), float(stop))
        found.append(Window(number, stop, _views(live, recording, frames, number)))
    return found


def _views(live: LiveClips, recording: Recording, frames: range, number: int) -> Integers:
    if not len(frames):
        return np.zeros((0, 0), dtype=np.int64)
    clock = recording.clock.part(frames.start, frames.stop) if live.sampler.timed else None
    views = [
        live.sampler.indices(len(frames), f"window {number}", view=view, views=live.views, clock=clock)
        for view in range(live.views)
    ]
    return np.stack(views).astype(np.int64) + frames.start
