"""What the scope sees outside of the body: a room, or something hollow that it is held into, and things before it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.procedures.room import draw_room
from cineloop.phantom.procedures.vessel import draw_vessel
from cineloop.phantom.texture import TextureBank
from cineloop.phantom.view import Grid, View
from cineloop.phantom.wall import PackedWall

_HOLLOW = 0.5


class Surroundings(Protocol):
    """A scene outside of the body."""

    @property
    def wall(self) -> PackedWall:
        """All surfaces, those of held things included."""

    def look(
        self,
        grid: Grid,
        place: NDArray[np.float64],
        pan: NDArray[np.float64],
        roll: NDArray[np.float64],
        shift: NDArray[np.float64],
    ) -> View:
        """Return what each pixel of each frame sees.

        Args:
            grid: The pixels.
            place: ``[T, 3]`` the lens: rightwards, downwards from the middle, and ahead, units.
            pan: ``[T, 2]`` where on the screen the middle of the far end is.
            roll: ``[T]`` radians.
            shift: ``[MOST, T, 2]`` where the middle of each thing is that is held before the lens, on its plane, units.
        """


def draw_surroundings(rng: np.random.Generator, bank: TextureBank, texels: int, grey: float) -> Surroundings:
    """Draw a scene.

    Args:
        rng: Decides everything.
        bank: Patterns.
        texels: Texels to a unit.
        grey: Mean reflectance.
    """
    return (draw_vessel if rng.random() < _HOLLOW else draw_room)(rng, bank, texels, grey)
