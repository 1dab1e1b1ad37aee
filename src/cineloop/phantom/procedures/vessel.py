"""Something hollow that the scope is held into: a cup, a bucket, a cleaning tube, with facets, rims and marks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom import lumen
from cineloop.phantom.procedures.furniture import bare_wall, furnish_end, furnish_sides
from cineloop.phantom.procedures.held import MOST, SIDE, Held, hold
from cineloop.phantom.procedures.rays import rays
from cineloop.phantom.texture import TextureBank
from cineloop.phantom.view import Grid, View
from cineloop.phantom.wall import Field, PackedWall, Wall

_LENGTH, _FLOOR, _RIM = (3.0, 4.2), 0.7, 0.12


@dataclass(frozen=True)
class Vessel:
    """A finished vessel.

    Attributes:
        wall: All surfaces.
        height: ``[R, C]`` elevation of the vessel's own.
        held: What is before the lens.
    """

    wall: PackedWall
    height: Field
    held: Held

    def look(
        self,
        grid: Grid,
        place: NDArray[np.float64],
        pan: NDArray[np.float64],
        roll: NDArray[np.float64],
        shift: NDArray[np.float64],
    ) -> View:
        """Return what each pixel of each frame sees; see :class:`~.surroundings.Surroundings`."""
        # A lens off the middle sees the far end aside.
        bend = -0.25 * place[:, :2]
        view = lumen.look(self.wall, self.height, grid, np.clip(place[:, 2], 0, 2), pan, roll, bend)
        return self.held.hide(view, self.wall, rays(grid, pan, roll), shift)


def draw_vessel(rng: np.random.Generator, bank: TextureBank, texels: int, grey: float) -> Vessel:
    """Draw a vessel; see :func:`~.surroundings.draw_surroundings`."""
    count = int(rng.integers(0, MOST + 1))
    side = round(SIDE * texels)
    length = 2 + lumen.FAR + 0.5
    rows, columns = round(length * texels), round(2 * np.pi * texels)
    wall = bare_wall(rng, bank, (rows + count * side, columns), texels, grey, periodic=True)
    facets = int(rng.integers(4, 9))
    pitch = 2 * np.pi / facets
    sides = [(number * pitch, pitch, bool(rng.random() < 0.25)) for number in range(facets)]
    furnish_sides(wall, rng, sides, length, grey)
    depth = rng.uniform(*_LENGTH)
    furnish_end(wall, rng, depth, (_FLOOR, 2 * np.pi), grey)
    _shape(wall, rng, rows, pitch, depth)
    held = hold(wall, rng, rows, count, grey)
    return Vessel(wall.pack(), wall.height[:rows], held)


def _shape(wall: Wall, rng: np.random.Generator, rows: int, pitch: float, depth: float) -> None:
    """Flatten the facets, raise rims across them, and close the far end with a floor."""
    columns = wall.height.shape[1]
    turn = np.arange(columns) * (2 * np.pi / columns)
    flat = 1 - np.cos(pitch / 2) / np.cos(turn % pitch - pitch / 2)
    wall.height[:rows] += (flat.max() - flat).astype(np.float32) * np.float32(rng.uniform(0.0, 0.4))
    place = rng.uniform(0.2, 1.2)
    while place < depth - 0.4:
        rim = slice(round(place * wall.texels), round((place + rng.uniform(0.6, 1.6) * _RIM) * wall.texels))
        wall.height[rim] += np.float32(rng.uniform(0.05, 0.3))
        place += rng.uniform(0.7, 1.6)
    ahead = np.arange(rows) / wall.texels
    floor = np.clip((ahead - depth) / _FLOOR, 0, 1).astype(np.float32)[:, None]
    wall.height[:rows] += floor * (0.97 - wall.height[:rows])
