"""What is held in front of the lens outside of the body: a gloved hand, an instrument, a cloth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.procedures.furniture import draw_tint
from cineloop.phantom.view import View
from cineloop.phantom.wall import Field, PackedWall, Wall

SIDE = 2.2
"""Side of the square that a thing is drawn in, units."""


MOST = 2
"""The most things that are held at once."""


@dataclass(frozen=True)
class Held:
    """Things in front of the lens.

    Attributes:
        away: ``[n]`` how far each is, units, the nearest last.
        first: First row of each thing's block in the scene's wall.
        cover: ``[n, S, S]`` which texels of a block are the thing.
    """

    away: tuple[float, ...]
    first: tuple[int, ...]
    cover: NDArray[np.bool_]

    def hide(
        self, view: View, wall: PackedWall, towards: tuple[Field, Field, Field], shift: NDArray[np.float64]
    ) -> View:
        """Return a view in which the things hide what is behind them.

        Args:
            view: Of the scene without them.
            wall: The scene's, which holds their blocks.
            towards: ``[T, P]`` the direction of each ray: rightwards, downwards and ahead.
            shift: ``[n, T, 2]`` where the middle of each thing is, on its plane, units.
        """
        if not self.away:
            return view
        texel, facing = view.texel.copy(), view.toward.copy()
        along, distance = view.along.copy(), view.distance.copy()
        across = np.zeros_like(along) if view.across is None else view.across.copy()
        for number, (away, first) in enumerate(zip(self.away, self.first, strict=True)):
            side = len(self.cover[number])
            slant = np.float32(away) / np.maximum(towards[2], np.float32(0.05))
            place = [
                ((ahead * slant - shift[number, :, axis, None].astype(np.float32) + SIDE / 2) * wall.texels).astype(int)
                for axis, ahead in enumerate(towards[:2])
            ]
            within = (towards[2] > 0.1) & np.logical_and.reduce([(one >= 0) & (one < side) for one in place])
            column, row = (one[within] for one in place)
            within[within] = seen = self.cover[number][row, column]
            texel[within] = (row[seen] + first) * wall.columns + column[seen]
            facing[within], distance[within] = towards[2][within], slant[within]
            along[within], across[within] = -towards[1][within], -towards[0][within]
        return View(texel, facing, along, across, distance)


def hold(wall: Wall, rng: np.random.Generator, first: int, count: int, grey: float) -> Held:
    """Draw things into the blocks that follow each other from row ``first`` of a wall, which is changed in place.

    Args:
        wall: Of the scene.
        rng: Decides what.
        first: First row of the first block.
        count: How many things.
        grey: Mean reflectance.
    """
    side = round(SIDE * wall.texels)
    rows = tuple(first + number * side for number in range(count))
    cover = np.zeros((count, side, side), dtype=bool)
    for number, row in enumerate(rows):
        cover[number] = _draw(wall, rng, row, grey)
    away = tuple(float(value) for value in sorted(rng.uniform(0.7, 1.6, count), reverse=True))
    return Held(away, rows, cover)


def _draw(wall: Wall, rng: np.random.Generator, first: int, grey: float) -> NDArray[np.bool_]:
    """Draw a thing into a block, and return which of its texels are the thing."""
    side = round(SIDE * wall.texels)
    y, x = np.mgrid[:side, :side].astype(np.float32) / np.float32(wall.texels) - np.float32(SIDE / 2)
    angle = rng.uniform(0, 2 * np.pi)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    kind = rng.choice(("hand", "instrument", "cloth"), p=(0.45, 0.35, 0.2))
    draw = {"hand": _hand, "instrument": _instrument, "cloth": _cloth}[str(kind)]
    height, tone = draw(rng, u.astype(np.float32), v.astype(np.float32))
    cover: NDArray[np.bool_] = height > 0
    block = slice(first, first + side), slice(0, side)
    assert wall.tint is not None
    wall.albedo[block][cover] = (np.float32(grey) * tone)[cover, None]
    wall.height[block] = height
    wall.gloss[block] = 1.0 if kind == "instrument" else 0.35
    wall.tint[block] = wall.tint[block] % 0.2 + draw_tint(rng)
    return cover


def _limb(u: Field, v: Field, start: tuple[float, float], stop: tuple[float, float], radius: float) -> Field:
    """Return the height of a rounded limb between two points."""
    du, dv = stop[0] - start[0], stop[1] - start[1]
    part = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / (du * du + dv * dv), 0, 1)
    away = np.hypot(u - start[0] - part * du, v - start[1] - part * dv)
    rounded: Field = np.sqrt(np.clip(radius**2 - away**2, 0, None)).astype(np.float32)
    return rounded


def _hand(rng: np.random.Generator, u: Field, v: Field) -> tuple[Field, Field]:
    size = rng.uniform(0.8, 1.1)
    height = _limb(u, v, (-1.1 * size, 0.0), (-0.25 * size, 0.0), 0.26 * size)
    height = np.maximum(
        height, 0.7 * _limb(u, v, (-0.35 * size, -0.16 * size), (-0.35 * size, 0.16 * size), 0.2 * size)
    )
    spread = rng.uniform(0.6, 1.3)
    for finger, reach in enumerate((0.42, 0.52, 0.5, 0.38)):
        lean = (finger - 1.5) * 0.16 * spread
        knuckle = (-0.2 * size, (finger - 1.5) * 0.13 * size)
        length = reach * size * rng.uniform(0.6, 1.05)
        tip = (knuckle[0] + length * np.cos(lean), knuckle[1] + length * np.sin(lean))
        height = np.maximum(height, _limb(u, v, knuckle, tip, 0.075 * size))
    thumb = rng.choice((-1, 1)) * 0.2 * size
    height = np.maximum(height, _limb(u, v, (-0.5 * size, thumb), (-0.15 * size, 2.2 * thumb), 0.085 * size))
    creases = 1 - 0.12 * (np.sin(u * 34 / size) > 0.8)
    tone = (rng.uniform(0.8, 1.5) * creases).astype(np.float32)
    return height.astype(np.float32), tone


def _instrument(rng: np.random.Generator, u: Field, v: Field) -> tuple[Field, Field]:
    thick = rng.uniform(0.04, 0.09)
    height = _limb(u, v, (-1.5, 0.0), (0.2, 0.0), thick)
    gape = rng.uniform(0.05, 0.22)
    for side in (-1, 1):
        height = np.maximum(height, _limb(u, v, (0.2, 0.0), (0.62, side * gape), 0.6 * thick))
    bands = np.where((u % 0.22) < 0.05, 0.4, 1.5)
    return height.astype(np.float32), bands.astype(np.float32)


def _cloth(rng: np.random.Generator, u: Field, v: Field) -> tuple[Field, Field]:
    edge = rng.uniform(0.0, 0.5) + 0.06 * np.sin(7 * v + rng.uniform(0, 6))
    wave = np.sin(v * rng.uniform(9, 18) + 1.5 * np.sin(2.3 * v + u))
    height = np.where(u < -edge, 0.1 + 0.05 * wave, 0.0)
    weave = 1 + 0.1 * ((np.floor(u * 22) + np.floor(v * 22)) % 2) + 0.15 * wave
    return height.astype(np.float32), (rng.uniform(0.7, 1.3) * weave).astype(np.float32)
