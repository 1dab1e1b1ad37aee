"""What a decoded frame is and how it is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, order=True)
class FrameRef:
    """The name of a frame: every prediction, sample record and label says which frame it means with one of these.

    Attributes:
        index: Position in presentation order, from 0.
        pts: Presentation time stamp, in units of ``time_base``, as stored in the file (it need not start at 0).
        time_base: Seconds per unit of ``pts``.
    """

    index: int
    pts: int
    time_base: Fraction

    @property
    def seconds(self) -> float:
        """Presentation time in seconds, on the file's own clock."""
        return float(self.pts * self.time_base)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture and its name.

    Attributes:
        pixels: RGB uint8 ``[H, W, 3]``, values 0 to 255.
        ref: The name of the frame.
    """

    pixels: Pixels
    ref: FrameRef


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Pictures of one video and their names, in the order asked for.

    Attributes:
        pixels: RGB uint8 ``[T, H, W, 3]``, values 0 to 255.
        refs: ``T`` names.
    """

    pixels: Pixels
    refs: tuple[FrameRef, ...]

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.shape[3] != 3 or len(self.refs) != len(self.pixels):
            raise ValueError(f"{len(self.refs)} names for pixels of shape {self.pixels.shape}; expected [T, H, W, 3]")

    def __len__(self) -> int:
        return len(self.refs)

    def __getitem__(self, position: int) -> Frame:
        return Frame(self.pixels[position], self.refs[position])

    def __iter__(self) -> Iterator[Frame]:
        for pixels, ref in zip(self.pixels, self.refs, strict=True):
            yield Frame(pixels, ref)
