"""What a pixel sees: the meeting point of all geometries with all surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.wall import Field


@dataclass(frozen=True)
class Grid:
    """The pixels of the picture that lie in the content area.

    Attributes:
        x: ``[P]`` float32, rightwards, 0 in the middle, 1 at the content area's edge.
        y: ``[P]`` float32, downwards.
        pixel: ``[P]`` flat pixel numbers.
        height: Picture height in pixels.
        width: Picture width in pixels.
        scale: Pixels per unit.
    """

    x: Field
    y: Field
    pixel: NDArray[np.int64]
    height: int
    width: int
    scale: float


@dataclass(frozen=True)
class View:
    """What each content pixel of each frame sees, ``[T, P]`` arrays.

    Attributes:
        texel: int32, the flat number of the wall's texel.
        toward: The direction to the camera, as a unit vector in the surface's own frame: its part along the normal,
        along: along the wall's rows,
        across: along its columns; None when it is 0 everywhere.
        distance: From the camera, units.
    """

    texel: NDArray[np.int32]
    toward: Field
    along: Field
    across: Field | None
    distance: Field
