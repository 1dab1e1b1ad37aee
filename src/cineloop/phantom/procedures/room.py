"""What the scope sees outside of the body: a room with cupboards, lamps, screens and drapes, and what is held in it.

The room is a box that the scope looks along, so that light falls off and structure surrounds the darkest place as it
does in a lumen. All that is painted stands in one :class:`~cineloop.phantom.wall.Wall`: the four long sides, the far
end, and things in front of the lens, each in a block of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom import lumen
from cineloop.phantom.procedures.furniture import furnish
from cineloop.phantom.procedures.held import SIDE, draw_held
from cineloop.phantom.texture import TextureBank
from cineloop.phantom.view import Grid, View
from cineloop.phantom.wall import Field, PackedWall, Wall


@dataclass(frozen=True)
class Room:
    """A finished room.

    Attributes:
        wall: All surfaces.
        half: Half of its width and of its height, units.
        length: Units.
        held: ``[n]`` how far in front of the lens each thing is, units.
        cover: ``[n, S, S]`` which texels of a thing's block are the thing.
    """

    wall: PackedWall
    half: tuple[float, float]
    length: float
    held: tuple[float, ...]
    cover: NDArray[np.bool_]

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
            place: ``[T, 3]`` the lens: rightwards, downwards from the middle, and along the room, units.
            pan: ``[T, 2]`` where on the screen the far end's middle is.
            roll: ``[T]`` radians.
            shift: ``[n, T, 2]`` where the middle of each thing is, on its plane, units.
        """
        x = grid.x - pan[:, 0, None].astype(np.float32)
        y = grid.y - pan[:, 1, None].astype(np.float32)
        radius = np.hypot(x, y)
        ray = np.minimum(radius * np.float32(lumen.FIELD_OF_VIEW), np.float32(1.5))
        turn = np.arctan2(y, x) + roll[:, None].astype(np.float32)
        sideways = np.sin(ray)
        towards = (sideways * np.cos(turn), sideways * np.sin(turn), np.cos(ray))
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
        texel = self._texel(row * texels, column * texels)
        for number, away in enumerate(self.held):
            self._hold(number, away, shift[number], towards, (texel, facing, along, across, distance))
        return View(texel, facing, along, across, distance)

    def _texel(self, row: Field, column: Field) -> NDArray[np.int32]:
        rows = np.clip(row.astype(np.int32), 0, self.wall.rows - 1)
        columns = np.clip(column.astype(np.int32), 0, self.wall.columns - 1)
        return rows * np.int32(self.wall.columns) + columns

    def _hold(
        self,
        number: int,
        away: float,
        shift: NDArray[np.float64],
        towards: tuple[Field, Field, Field],
        seen: tuple[NDArray[np.int32], Field, Field, Field, Field],
    ) -> None:
        """Let a thing in front of the lens hide what is behind it."""
        texel, facing, along, across, distance = seen
        texels, side = self.wall.texels, len(self.cover[number])
        slant = np.float32(away) / np.maximum(towards[2], 0.05)
        column = ((towards[0] * slant - shift[:, 0, None].astype(np.float32) + SIDE / 2) * texels).astype(np.int32)
        row = ((towards[1] * slant - shift[:, 1, None].astype(np.float32) + SIDE / 2) * texels).astype(np.int32)
        within = (column >= 0) & (column < side) & (row >= 0) & (row < side) & (towards[2] > 0.1)
        within[within] = self.cover[number][row[within], column[within]]
        first = self.wall.rows - side * (len(self.held) - number)
        texel[within] = (row[within] + first) * self.wall.columns + column[within]
        facing[within], distance[within] = towards[2][within], slant[within]
        along[within], across[within] = -towards[1][within], -towards[0][within]


def draw_room(rng: np.random.Generator, bank: TextureBank, texels: int, grey: float) -> Room:
    """Draw a room and what is held in front of the lens.

    Args:
        rng: Decides everything.
        bank: Patterns.
        texels: Texels to a unit.
        grey: Mean reflectance.
    """
    half = (rng.uniform(0.85, 1.25), rng.uniform(0.75, 1.05))
    length = rng.uniform(3.2, 5.0)
    held = int(rng.integers(0, 3))
    side = round(SIDE * texels)
    rows, columns = round((length + 2 * half[1]) * texels), round(4 * sum(half) * texels)
    shape = (rows + held * side, max(columns, side))
    tone = 1 + np.float32(0.05) * bank.window(bank.clouds, rng, *shape)
    wall = Wall(
        texels=texels,
        albedo=np.repeat((tone * np.float32(grey))[..., None], 3, axis=2),
        height=np.zeros(shape, dtype=np.float32),
        relief=np.float32(0.0015) * bank.window(bank.grain, rng, *shape),
        gloss=np.full(shape, rng.uniform(0.1, 0.5), dtype=np.float32),
        owner=np.zeros(shape, dtype=np.uint8),
        periodic=False,
        tint=np.float32(0.1) + np.float32(0.04) * np.tanh(bank.window(bank.clouds, rng, *shape)),
    )
    furnish(wall, rng, half, length, grey)
    cover = np.zeros((held, side, side), dtype=bool)
    for number in range(held):
        first = rows + number * side
        cover[number] = draw_held(wall, rng, first, grey)
    away = tuple(float(value) for value in sorted(rng.uniform(0.7, 1.6, held), reverse=True))
    return Room(wall.pack(), half, length, away, cover)
