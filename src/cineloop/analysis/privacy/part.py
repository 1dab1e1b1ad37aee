"""A file of the procedure, on its way to being de-identified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cineloop.analysis.privacy.blanking import Span, blanked_frames
from cineloop.analysis.privacy.mask import Mask
from cineloop.timeline.segments import run_bounds
from cineloop.video.frame import Pixels
from cineloop.video.reader import Video

Flags: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(eq=False)
class Part:
    """A file, and what is to become of its frames.

    Attributes:
        number: From 0.
        video: The recording.
        start: When it begins, seconds on the procedure's clock.
        sha256: Of the file.
        blanked: Which frames are blanked, bool [N].
        undecodable: Which of the others could not be decoded, and were blanked, too; known after reading, bool [N].
        mask: What is filled in the others.
    """

    number: int
    video: Video
    start: Fraction
    sha256: str
    blanked: Flags
    undecodable: Flags
    mask: Mask

    @property
    def removed(self) -> Flags:
        """Which frames are not shown, bool [N]."""
        return self.blanked | self.undecodable

    def pictures(self) -> Iterator[tuple[int, Pixels | None]]:
        """Yield every frame's number and its masked picture, RGB uint8 ``[H, W, 3]``, or None where it is removed.

        Only a few frames are held at a time; what is blanked is not decoded.
        """
        begins, ends = run_bounds(self.blanked.astype(np.int8))
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            if self.blanked[begin]:
                yield from ((frame, None) for frame in range(begin, end))
                continue
            expected = begin
            for frame in self.video.stream(begin, end, size=self.mask.size, on_error="skip"):
                yield from self._lost(expected, frame.ref.index)
                yield frame.ref.index, self.mask.fill(frame.pixels)
                expected = frame.ref.index + 1
            yield from self._lost(expected, end)

    def _lost(self, first: int, stop: int) -> Iterator[tuple[int, None]]:
        for frame in range(first, stop):
            self.undecodable[frame] = True
            yield frame, None


def seconds_of(video: Video) -> Fraction:
    """Return how long a recording lasts, from its first frame's appearance to its last one's disappearance."""
    return (video.clock.end - int(video.clock.pts[0])) * video.clock.time_base


def shown(video: Video, start: Fraction) -> Floats:
    """Return when each frame appears on the procedure's clock, and last when the last one disappears, [N + 1]."""
    clock = video.clock
    ticks = np.append(clock.pts, clock.end) - clock.pts[0]
    # One division rounds once, so that a time is the same here and where it was written down as a decimal.
    times: Floats = float(start) + ticks * clock.time_base.numerator / clock.time_base.denominator
    return times


def divided(videos: list[Video], spans: tuple[Span, ...], hashes: list[str]) -> list[Part]:
    """Return the parts of a procedure, each following the one before without a gap, with what is blanked of them."""
    start = Fraction(0)
    parts = []
    for number, (video, sha256) in enumerate(zip(videos, hashes, strict=True)):
        blanked = blanked_frames(spans, shown(video, start))
        size = video.info.width, video.info.height
        parts.append(Part(number, video, start, sha256, blanked, np.zeros_like(blanked), Mask(size)))
        start += seconds_of(video)
    return parts
