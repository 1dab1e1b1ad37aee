"""One patient's colon as a road: its length, its three segments, the caecum, and places that resemble it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SEGMENTS = ("left", "transverse", "right")
"""The segments that are scored, in the order in which the scope passes them."""

_BORDERS = (0.46, 0.72)
_LOOKALIKES = (0.13, 0.25, 0.38, 0.5, 0.63, 0.75, 0.87)


@dataclass(frozen=True)
class Pole:
    """Where the lumen seems to end: the caecum, or a bend that looks like it.

    Attributes:
        row: Place of the end, units from the anus.
        angle: Where around the lumen the lips in front of it sit, radians.
        caecum: Whether it is the caecum, with its valve and orifice.
    """

    row: float
    angle: float
    caecum: bool


@dataclass(frozen=True)
class Anatomy:
    """What a procedure travels.

    Attributes:
        poles: In the order in which the scope passes them; the last is the caecum.
        scores: BBPS of each segment, 0 to 3, in the order of ``SEGMENTS``.
    """

    poles: tuple[Pole, ...]
    scores: tuple[int, int, int]

    @property
    def length(self) -> float:
        """From the anus to the end of the caecum, units."""
        return self.poles[-1].row

    @property
    def borders(self) -> tuple[float, float]:
        """Where the transverse and the right segment begin, units from the anus."""
        return (_BORDERS[0] * self.length, _BORDERS[1] * self.length)

    def segment(self, depth: float) -> int:
        """Return the segment, an index into ``SEGMENTS``, of what is seen from ``depth``."""
        # What fills the picture lies about one unit ahead of the tip.
        return sum(depth + 1.0 >= border for border in self.borders)


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """Draw a colon."""
    length = rng.uniform(24.0, 29.0)
    places = [(share + rng.uniform(-0.015, 0.015)) * length for share in _LOOKALIKES]
    poles = [Pole(row, rng.uniform(0, 2 * np.pi), False) for row in places]
    poles.append(Pole(length, rng.uniform(0, 2 * np.pi), True))
    left, transverse, right = (int(score) for score in rng.integers(0, 4, 3))
    return Anatomy(tuple(poles), (left, transverse, right))
