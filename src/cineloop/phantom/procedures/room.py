"""A room with cupboards, lamps, screens and drapes.

It is a box that the scope looks along, so that light falls off and structure surrounds the darkest place as it does in
a lumen. All that is painted stands in one wall: the four long sides, below them the far end, below it what is held.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.procedures.furniture import bare_wall, furnish_end, furnish_sides
from cineloop.phantom.procedures.held import MOST, SIDE, Held, hold
from cineloop.phantom.procedures.rays import rays
from cineloop.phantom.texture import TextureBank
from cineloop.phantom.view import Grid, View
from cineloop.phantom.wall import Field, PackedWall


@dataclass(frozen=True)
class Room:
    """A finished room.

    Attributes:
        wall: All surfaces.
        half: Half of its width and of its height, units.
        length: Units.
        held: What is before the lens.
    """

    wall: PackedWall
    half: tuple[float, float]
    length: float
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
        towards = rays(grid, pan, roll)
        here = [place[:, axis, None].astype(np.float32) for axis in range(3)]
        far = (self.half[0], self.half[1], self.length)
        # The nearest of the three planes that a ray goes towards is the one that it meets.
        reach = [
            (np.copysign(np.float32(limit), ahead) - start) / np.where(np.abs(ahead) < 1e-4, 1e-4, ahead)
            if axis < 2
            else (np.float32(limit) - start) / np.maximum(ahead, 1e-3)
            for axis, (limit, start, ahead) in enumerate(zip(far, here, towards, strict=True))
        ]
        distance = np.minimum(np.minimum(np.abs(reach[0]), np.abs(reach[1])), reach[2]).astype(np.float32)
        on_side, at_end = distance == np.abs(reach[0]), distance == reach[2]
        meet = [start + ahead * distance for start, ahead in zip(here, towards, strict=True)]
        texels = np.float32(self.wall.texels)
        wide, high = (np.float32(half) for half in self.half)
        # Columns: left, ceiling, right, floor; the end lies below in rows of its own.
        along_side = meet[1] + high + np.where(towards[0] > 0, 2 * (wide + high), 0)
        along_flat = meet[0] + wide + np.where(towards[1] > 0, 2 * wide + 4 * high, 2 * high)
        column = np.where(at_end, meet[0] + wide, np.where(on_side, along_side, along_flat))
        row = np.where(at_end, self.length + meet[1] + high, meet[2])
        facing = np.where(at_end, towards[2], np.where(on_side, np.abs(towards[0]), np.abs(towards[1])))
        along = -np.where(at_end, towards[1], towards[2])
        across = -np.where(at_end, towards[0], np.where(on_side, towards[1], towards[0]))
        view = View(self._texel(row * texels, column * texels), facing, along, across, distance)
        return self.held.hide(view, self.wall, towards, shift)

    def _texel(self, row: Field, column: Field) -> NDArray[np.int32]:
        rows = np.clip(row.astype(np.int32), 0, self.wall.rows - 1)
        columns = np.clip(column.astype(np.int32), 0, self.wall.columns - 1)
        return rows * np.int32(self.wall.columns) + columns


def draw_room(rng: np.random.Generator, bank: TextureBank, texels: int, grey: float) -> Room:
    """Draw a room; see :func:`~.surroundings.draw_surroundings`."""
    half = (rng.uniform(0.85, 1.25), rng.uniform(0.75, 1.05))
    length, count = rng.uniform(2.4, 4.0), int(rng.integers(0, MOST + 1))
    wide, high = 2 * half[0], 2 * half[1]
    side = round(SIDE * texels)
    rows, columns = round((length + high) * texels), round(2 * (wide + high) * texels)
    wall = bare_wall(rng, bank, (rows + count * side, max(columns, side)), texels, grey, periodic=False)
    starts = (0.0, high, high + wide, 2 * high + wide)
    sides = list(zip(starts, (high, wide, high, wide), (False, False, False, True), strict=True))
    furnish_sides(wall, rng, sides, length, grey)
    furnish_end(wall, rng, length, (high, wide), grey)
    held = hold(wall, rng, rows, count, grey)
    return Room(wall.pack(), half, length, held)
