"""Where a pixel looks, in the projection of the lumen, for scenes that have more than a wall around the lens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.lumen import FIELD_OF_VIEW
from cineloop.phantom.view import Grid
from cineloop.phantom.wall import Field

_WIDEST = 1.5


def rays(grid: Grid, pan: NDArray[np.float64], roll: NDArray[np.float64]) -> tuple[Field, Field, Field]:
    """Return the unit direction of each pixel's ray, ``[T, P]`` each: rightwards, downwards and ahead.

    Args:
        grid: The pixels.
        pan: ``[T, 2]`` where on the screen straight ahead is.
        roll: ``[T]`` radians.
    """
    x = grid.x - pan[:, 0, None].astype(np.float32)
    y = grid.y - pan[:, 1, None].astype(np.float32)
    ray = np.minimum(np.hypot(x, y) * np.float32(FIELD_OF_VIEW), np.float32(_WIDEST))
    turn = np.arctan2(y, x) + roll[:, None].astype(np.float32)
    sideways: Field = np.sin(ray)
    return sideways * np.cos(turn), sideways * np.sin(turn), np.cos(ray)
