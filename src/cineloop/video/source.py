"""The one seam behind :class:`~cineloop.video.reader.Video`: what every kind of recording can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cineloop.errors import FrameDecodeError
from cineloop.video.frame import Pixels
from cineloop.video.info import VideoInfo

Integers = npt.NDArray[np.int64]
Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """When the frames of a recording are shown.

    Attributes:
        pts: int64 ``[N]``, increasing, in units of ``time_base``.
        time_base: Seconds per unit.
        end: When the last frame disappears, in units of ``time_base``.
    """

    pts: Integers
    time_base: Fraction
    end: int

    def part(self, start: int, stop: int) -> Clock:
        """Return the clock of the frames from ``start`` up to, not including, ``stop``."""
        end = int(self.pts[stop]) if stop < len(self.pts) else self.end
        return Clock(self.pts[start:stop], self.time_base, end)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What came of one frame that was asked for.

    Attributes:
        index: The frame's position in presentation order.
        pixels: RGB uint8 ``[H, W, 3]``, or None where it cannot be decoded exactly.
        error: Why not, where ``pixels`` is None.
    """

    index: int
    pixels: Pixels | None
    error: FrameDecodeError | None = None


class Source(Protocol):
    """A recording opened for reading."""

    @property
    def info(self) -> VideoInfo:
        """What the recording is."""

    @property
    def clock(self) -> Clock:
        """When its frames are shown."""

    @property
    def keyframes(self) -> Integers:
        """Frames that can be decoded without any other, increasing."""

    @property
    def decoded_frames(self) -> int:
        """Pictures that were decoded so far to answer requests, wanted ones and those on the way to them."""

    def pictures(self, indices: Integers, size: Size | None, *, at_once: bool = False) -> Iterator[Picture]:
        """Decode frames.

        Args:
            indices: Existing frames ``[T]``, strictly increasing.
            size: Width and height to scale to, or None.
            at_once: Whether all are wanted before the first is used, so that they may be decoded side by side.

        Yields:
            One picture for each index, in order.
        """

    def close(self) -> None:
        """Release the file; asking for more opens it again."""
