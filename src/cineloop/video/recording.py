"""The files of one procedure as one sequence of frames on one clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from cineloop.errors import VideoError
from cineloop.video.content import find_content, spread, working_size
from cineloop.video.info import ASSUMED_FPS
from cineloop.video.reader import Video
from cineloop.video.source import Clock, Integers, Picture, Size
from cineloop.video.spatial import Box

Seconds = npt.NDArray[np.float64]
TICK = Fraction(1, 1_000_000_000)
"""Seconds per unit of a recording's clock, whatever clocks its files have."""

# Clocks of files are rounded; an instant this close before a frame's appearance shows it.
_SLACK = 1_000


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a recording.

    Attributes:
        number: From 0.
        path: The file.
        first: Its first frame, counted over all parts.
        frames: Frames in it.
        start: When it begins on the recording's clock, in ticks.
        stop: When it is over, in ticks: where the next part begins.
    """

    number: int
    path: Path
    first: int
    frames: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Instants:
    """The frames on screen at instants a fixed time apart, each frame once.

    Attributes:
        frames: Counted over all parts, int64 [K], increasing.
        numbers: The first instant at which each is on screen, int64 [K], increasing; instant k is k / rate seconds.
    """

    frames: Integers
    numbers: Integers


class Recording:
    """A procedure that was recorded into one file or several that follow each other without a break.

    Frames are counted over all parts, and time runs from the appearance of the first. A file that ends early is served
    as far as it goes; ``truncated`` names such parts.

    Args:
        paths: The files, in order.
        threads: Decoder threads; 0 means one per core.

    Raises:
        VideoError: None is given, or one cannot be read.
    """

    def __init__(self, paths: Sequence[str | Path], *, threads: int = 0) -> None:
        if not paths:
            raise VideoError("A recording has at least one file", mend="Name a video.")
        self._videos = [Video(path, threads=threads, allow_truncated=True) for path in paths]
        self._boxes: dict[Size, Box] = {}
        parts: list[Part] = []
        times: list[Integers] = []
        begin, first = Fraction(0), 0
        for number, video in enumerate(self._videos):
            clock = video.clock
            shown = _ticks(clock.pts - clock.pts[0], clock.time_base, begin)
            end = begin + (clock.end - int(clock.pts[0])) * clock.time_base
            parts.append(Part(number, video.path, first, len(video), round(begin / TICK), round(end / TICK)))
            times.append(shown)
            begin, first = end, first + len(video)
        self.parts = tuple(parts)
        self.clock = Clock(np.concatenate(times), TICK, parts[-1].stop)

    def __len__(self) -> int:
        return len(self.clock.pts)

    @property
    def seconds(self) -> Seconds:
        """When each frame appears, float64 [N], worked out on each call."""
        return self.seconds_of(slice(None))

    def seconds_of(self, frames: Integers | slice) -> Seconds:
        """Return when frames appear, counted over all parts."""
        return np.asarray(self.clock.pts[frames] * float(TICK), dtype=np.float64)

    def appears(self, frame: int) -> float:
        """Return when a frame appears, in seconds, counted over all parts."""
        return float(self.clock.pts[frame] * float(TICK))

    @property
    def duration(self) -> float:
        """Seconds from the first frame's appearance to the last one's disappearance."""
        return float(self.clock.end * TICK)

    @property
    def fps(self) -> float:
        """Frames a second, the mean over all parts."""
        return len(self) / self.duration if self.duration > 0 else float(ASSUMED_FPS)

    @property
    def truncated(self) -> tuple[int, ...]:
        """Numbers of the parts that end before what their headers promise."""
        return tuple(part.number for part, video in zip(self.parts, self._videos, strict=True) if video.info.truncated)

    def video(self, part: int) -> Video:
        """Return the opened file of a part."""
        return self._videos[part]

    def part_of(self, frame: int) -> Part:
        """Return the part that a frame lies in."""
        firsts = [part.first for part in self.parts]
        return self.parts[int(np.searchsorted(firsts, frame, side="right")) - 1]

    def content_box(self, frame: int) -> Box:
        """Return the bounding box (x, y, width, height) of the endoscope's picture.

        It is one for all parts whose frames have the size of this one. Pictures are decoded by readers of its own, so
        that it may be asked for while another thread walks through the recording.
        """
        info = self._videos[self.part_of(frame).number].info
        size = info.width, info.height
        if size not in self._boxes:
            self._boxes[size] = self._find_box(size)
        return self._boxes[size]

    def _find_box(self, size: Size) -> Box:
        alike = [
            (part, video)
            for part, video in zip(self.parts, self._videos, strict=True)
            if (video.info.width, video.info.height) == size
        ]
        # Counted over the parts of this size alone, so that it does not matter where a recorder cut its files.
        firsts = np.cumsum([0, *(part.frames for part, _ in alike)])
        keys = np.concatenate([video.keyframes + first for (_, video), first in zip(alike, firsts, strict=False)])
        chosen = spread(keys, int(firsts[-1]))
        pictures = []
        for (part, _), low, high in zip(alike, firsts, firsts[1:], strict=False):
            own = chosen[(chosen >= low) & (chosen < high)] - low
            with Video(part.path, threads=1, allow_truncated=True) as video:
                pictures += [picture.pixels for picture in video.pictures(own, size=working_size(*size))]
        whole = [pixels for pixels in pictures if pixels is not None]
        return find_content(np.stack(whole), frame_size=size).box if whole else (0, 0, *size)

    def between(self, start: float, stop: float) -> range:
        """Return the frames that appear from ``start`` on and before ``stop``, in seconds."""
        edges = [round(value / float(TICK)) - _SLACK for value in (start, stop)]
        first, last = np.searchsorted(self.clock.pts, edges, side="left")
        return range(int(first), int(last))

    def instants(self, rate: float) -> Instants:
        """Return the frames on screen at ``rate`` instants a second, from the first frame's appearance on.

        Where the recording is slower than that, each of its frames comes once.
        """
        step = 1 / (Fraction(rate).limit_denominator(1_000_000) * TICK)
        count = -(-self.clock.end * step.denominator // step.numerator)
        numbers = np.arange(max(count, 1), dtype=np.int64)
        # Python's own integers: instants of hours times a denominator do not fit 64 bits.
        ticks = (
            numbers * step.numerator
            if step.denominator == 1
            else np.array([int(number) * step.numerator // step.denominator for number in numbers], dtype=np.int64)
        )
        on_screen = np.searchsorted(self.clock.pts, ticks + _SLACK, side="right") - 1
        frames, at = np.unique(on_screen, return_index=True)
        return Instants(frames, numbers[at])

    def pictures(self, frames: Integers) -> Iterator[Picture]:
        """Decode frames, counted over all parts and strictly increasing, one after the other.

        Yields:
            One picture for each, in order, with its number over all parts: pixels RGB uint8 [H, W, 3], or why it cannot
            be decoded.
        """
        edges = np.searchsorted(frames, [part.first for part in self.parts] + [len(self)])
        for part, video, low, high in zip(self.parts, self._videos, edges[:-1], edges[1:], strict=True):
            for picture in video.pictures(frames[low:high] - part.first):
                yield Picture(picture.index + part.first, picture.pixels, picture.error)
            if high > low and high < len(frames):
                # What comes next lies in a later part.
                video.close()

    def close(self) -> None:
        """Release the files; asking for more opens them again."""
        for video in self._videos:
            video.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _ticks(pts: Integers, time_base: Fraction, begin: Fraction) -> Integers:
    """Return time stamps on a recording's clock, rounded to its ticks."""
    scale = time_base / TICK
    start = round(begin / TICK)
    if scale.denominator == 1:
        return pts * scale.numerator + start
    scaled = [round(int(value) * scale) for value in pts]
    return np.array(scaled, dtype=np.int64) + start
