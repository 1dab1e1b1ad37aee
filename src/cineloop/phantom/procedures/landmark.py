"""Where the lumen ends: the caecum with its valve and orifice, and bends that resemble it without their structure.

Both are a dome that closes the lumen around a dark spot, with pale lips on the wall in front of it. Those of the
caecum have a slit along their middle and wrinkles across it; three folds run together at the orifice, and whorls lie
about it. A lookalike has lips of the same outline, whose light and dark are laid out otherwise, two folds that do not
meet, and mottles as fine as wrinkles and whorls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.procedures.anatomy import Pole
from cineloop.phantom.wall import Field, Wall

_FLAT = (0.25, 0.55)
# How dark a lookalike and the caecum, which has no way on, are in the middle.
_SHADE = (0.3, 0.6)

LANDMARK = 1
"""The bit of a wall's ``owner`` that marks the ileocecal landmark."""

# Wrinkles of the lips and whorls about the orifice: from one to the next, units, and how light and dark they are.
_PITCH, _FINE = 0.1, 0.4

DOME = 0.95
"""How far in front of a pole the lumen begins to close, units."""

_LIPS, _GUARD, _HOLE = 1.25, 2.15, (0.13, 0.24)


@dataclass(frozen=True)
class Disc:
    """The end of the lumen as it is seen: a disc.

    Attributes:
        rows: Of the wall.
        part: ``[r, 1]`` how far the lumen has closed, 0 to 1.
        radius: ``[r, 1]`` that is left of the lumen, units.
        x: ``[r, C]`` place on the disc, units.
        y: ``[r, C]`` likewise.
    """

    rows: slice
    part: Field
    radius: Field
    x: Field
    y: Field

    def flatten(self, field: Field, texels: float) -> None:
        """Lay a pattern ``[R, C, ...]`` flat across the disc, in place; it would run together in its middle."""
        rows, columns = field.shape[:2]
        r = ((self.x + 3.0) * texels + self.rows.start).astype(np.int64) % rows
        c = ((self.y + 3.0) * texels).astype(np.int64) % columns
        weight = np.clip((self.part - _FLAT[0]) / (_FLAT[1] - _FLAT[0]), 0, 1).astype(np.float32)
        weight = weight.reshape(weight.shape + (1,) * (field.ndim - 2))
        field[self.rows] += weight * (field[r, c] - field[self.rows])


def raise_pole(wall: Wall, rng: np.random.Generator, pole: Pole) -> tuple[Disc, NDArray[np.bool_]]:
    """Close the lumen at a pole, and set lips in front of it.

    Args:
        wall: Changed in place.
        rng: Decides shapes.
        pole: Where, and what it is.

    Returns:
        The end, and ``[R, C]`` the texels of lips and orifice, or of what resembles them: nothing lies on these.
    """
    marked, spare = (np.zeros(wall.height.shape, dtype=bool) for _ in range(2))
    _raise_ring(wall, pole.row - _GUARD + rng.uniform(-0.1, 0.1), rng.uniform(0.4, 0.48), rng.uniform(0, 2 * np.pi))
    disc = _raise_dome(wall, rng, pole, marked, spare)
    _raise_lips(wall, rng, pole, spare)
    if pole.caecum:
        wall.owner[marked | spare] |= LANDMARK
    return disc, spare


def _turns(wall: Wall) -> Field:
    columns = wall.height.shape[1]
    return (np.arange(columns, dtype=np.float32) * np.float32(2 * np.pi / columns))[None, :]


def _window(wall: Wall, first: float, last: float) -> tuple[slice, Field]:
    """Return the rows between two places, and these places in units, ``[r, 1]``."""
    low, high = (int(np.clip(round(place * wall.texels), 0, len(wall.height))) for place in (first, last))
    return slice(low, high), (np.arange(low, high, dtype=np.float32) / np.float32(wall.texels))[:, None]


def _raise_ring(wall: Wall, row: float, elevation: float, turn: float) -> None:
    rows, place = _window(wall, row - 0.4, row + 0.4)
    crest = np.exp(-(((place - row) / 0.12) ** 2)) * (0.85 + 0.15 * np.cos(2 * _turns(wall) + turn))
    np.maximum(wall.height[rows], (elevation * crest).astype(np.float32), out=wall.height[rows])


def _raise_dome(
    wall: Wall, rng: np.random.Generator, pole: Pole, marked: NDArray[np.bool_], spare: NDArray[np.bool_]
) -> Disc:
    """Close the lumen; what is seen of the end is painted on the disc that it appears as."""
    rows, place = _window(wall, pole.row - DOME, pole.row)
    part = np.clip((place - (pole.row - DOME)) / DOME, 0, 1)
    hole_size = rng.uniform(*_HOLE)
    end = 0.0 if pole.caecum else hole_size
    radius = end + (1 - end) * np.sqrt(np.clip(1 - part**2, 0, 1))
    fade = np.clip(1 - part * 4, 0, 1)
    wall.height[rows] = wall.height[rows] * fade + (1 - radius)
    if pole.caecum:
        beyond, _ = _window(wall, pole.row, wall.height.shape[0])
        wall.height[beyond] = 1.0
    else:
        behind, after = _window(wall, pole.row, pole.row + 0.5)
        closing = (1 - end) * np.exp(-(((after - pole.row) / 0.2) ** 2))
        np.maximum(wall.height[behind], closing.astype(np.float32), out=wall.height[behind])
    turn = _turns(wall)
    disc = Disc(rows, part, radius, radius * np.cos(turn), radius * np.sin(turn))
    x, y = disc.x, disc.y
    for field in (wall.albedo, wall.relief, wall.gloss):
        disc.flatten(field, wall.texels)
    # As dark towards the middle as a lumen that goes on.
    wall.albedo[rows] *= (1 - _SHADE[pole.caecum] * part)[..., None]
    # The dark spot: the orifice, off the middle, or the way on.
    off, direction = rng.uniform(0.05, 0.16), rng.uniform(0, 2 * np.pi)
    spot = (off * np.cos(direction), off * np.sin(direction)) if pole.caecum else (0.0, 0.0)
    if pole.caecum:
        away = np.hypot((x - spot[0]) / 0.9, (y - spot[1]) / 1.1)
        hole = np.clip((hole_size - away) / 0.04, 0, 1)
        rim = np.exp(-(((away - hole_size - 0.05) / 0.05) ** 2))
        wall.albedo[rows] *= (1 - 0.9 * hole)[..., None]
        wall.gloss[rows] *= 1 - hole
        wall.relief[rows] += (0.03 * rim).astype(np.float32)
    away = np.hypot(x - spot[0], y - spot[1])
    fine = np.cos(2 * np.pi * away / _PITCH) if pole.caecum else _mottled(rng, x, y)
    fine = fine * np.clip((away - 0.15) * 10, 0, 1) * np.clip((0.62 - away) * 10, 0, 1)
    wall.albedo[rows] *= (1 + _FINE * fine)[..., None].astype(np.float32)
    ridges = _meeting(rng, x - spot[0], y - spot[1]) if pole.caecum else _passing(rng, x, y)
    wall.relief[rows] += (0.08 * ridges).astype(np.float32)
    wall.albedo[rows] *= (1 + 0.5 * ridges)[..., None].astype(np.float32)
    marked[rows] |= radius < 0.65
    spare[rows] |= radius < 0.35
    return disc


def ridge(across: Field) -> Field:
    """Return a fold's light crest with a dark line at either side, -1 to 1."""
    crest, lines = np.exp(-((across / 0.08) ** 2)), np.exp(-(((np.abs(across) - 0.16) / 0.06) ** 2))
    ridge: Field = crest - 0.9 * lines
    return ridge


def _mottled(rng: np.random.Generator, x: Field, y: Field) -> Field:
    """Return structure as fine and as strong as that of wrinkles and whorls, without their order; deviation 0.7."""
    field = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    for angle in rng.uniform(0, np.pi, 8):
        wave = 2 * np.pi / (_PITCH * rng.uniform(0.8, 1.25))
        field += np.cos(wave * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 2 * np.pi))
    found: Field = (field / np.sqrt(8)).astype(np.float32)
    return found


def _meeting(rng: np.random.Generator, x: Field, y: Field) -> Field:
    """Return three ridges that run together at the origin."""
    first = rng.uniform(0, 2 * np.pi)
    ridges = np.zeros_like(x)
    for number in range(3):
        angle = first + number * 2 * np.pi / 3 + rng.normal(0, 0.15)
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        across = across + 0.25 * rng.normal() * along**2
        ridges += ridge(across) * np.clip((along - 0.12) * 8, 0, 1)
    return ridges


def _passing(rng: np.random.Generator, x: Field, y: Field) -> Field:
    """Return as much of ridges as two that pass the origin by, one at either side."""
    angle = rng.uniform(0, 2 * np.pi)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    ridges = np.zeros_like(x)
    for side in (-1, 1):
        away = across - side * rng.uniform(0.2, 0.3) + 0.2 * rng.normal() * along**2
        ridges += ridge(away) * np.clip((0.8 - np.abs(along)) * 8, 0, 1)
    return ridges


def _raise_lips(wall: Wall, rng: np.random.Generator, pole: Pole, marked: NDArray[np.bool_]) -> None:
    row = pole.row - _LIPS + rng.uniform(-0.1, 0.1)
    rows, place = _window(wall, row - 1.0, row + 1.0)
    across = (_turns(wall) - pole.angle + np.pi) % (2 * np.pi) - np.pi
    tilt = rng.uniform(-0.35, 0.35)
    a = ((place - row) * np.cos(tilt) + across * np.sin(tilt)) / rng.uniform(0.34, 0.42)
    b = (across * np.cos(tilt) - (place - row) * np.sin(tilt)) / rng.uniform(0.5, 0.62)
    rho = np.hypot(a, b)
    inside = rho < 1
    dome = np.sqrt(np.clip(1 - rho * rho, 0, 1))
    bow = a - rng.uniform(-0.25, 0.25) * (1 - b * b)
    slit = np.exp(-((bow / 0.13) ** 2)) * np.clip((0.85 - np.abs(b)) * 6, 0, 1)
    values = 1.0 - slit
    bulge = dome * (1 - 0.5 * slit)
    fine = np.cos(2 * np.pi * 0.56 * b / _PITCH) if pole.caecum else _mottled(rng, 0.38 * a, 0.56 * b)
    folds = np.exp(-((bow / 0.16) ** 2)) * np.clip((np.abs(b) - 0.8) * 5, 0, 1) * np.clip((2.0 - np.abs(b)) * 3, 0, 1)
    if not pole.caecum:
        values, bulge = _laid_out_otherwise(rng, values, inside, a, b), dome
        folds = np.roll(folds, int(rng.integers(20, 60)), axis=1) * (rho > 1.1)
    pale = np.float32(rng.uniform(1.35, 1.6))
    cover = np.clip((1 - rho) * 6, 0, 1)[..., None]
    level = wall.albedo[rows][inside].mean(axis=0)
    painted = level * (0.18 + (pale - 0.18) * values[..., None]) * (1 + _FINE * fine)[..., None]
    wall.albedo[rows] += (cover * (painted - wall.albedo[rows])).astype(np.float32)
    wall.height[rows] += (0.34 * bulge + 0.16 * folds).astype(np.float32)
    wall.relief[rows] *= 1 - cover[..., 0].astype(np.float32)
    marked[rows] |= inside


def _laid_out_otherwise(
    rng: np.random.Generator, values: Field, inside: NDArray[np.bool_], a: Field, b: Field
) -> Field:
    """Return the values within the outline in the order of a smooth field: as much light and dark, no slit."""
    smooth = np.zeros_like(values)
    for _ in range(4):
        wave, phase = rng.normal(0, 2.4, 2), rng.uniform(0, 2 * np.pi)
        smooth += np.sin(wave[0] * a + wave[1] * b + phase)
    held = np.sort(values[inside])
    ordered = np.empty_like(held)
    ordered[np.argsort(smooth[inside])] = held
    found = values.copy()
    found[inside] = ordered
    return found
