"""What is held in front of the lens outside of the body: a gloved hand, an instrument, a cloth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.procedures.furniture import draw_tint
from cineloop.phantom.wall import Field, Wall

SIDE = 2.2
"""Side of the square that a thing is drawn in, units."""


def draw_held(wall: Wall, rng: np.random.Generator, first: int, grey: float) -> NDArray[np.bool_]:
    """Draw a thing into a block of a wall.

    Args:
        wall: Changed in place.
        rng: Decides what.
        first: First row of the block.
        grey: Mean reflectance.

    Returns:
        ``[S, S]`` which texels of the block are the thing.
    """
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
