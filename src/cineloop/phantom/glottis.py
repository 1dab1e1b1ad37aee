"""The larynx: two vocal folds over a dark airway, seen from above, opening and closing.

The scene is a plane in units of about a fold's length: x to the right, y from the anterior commissure (-1) backwards.
Each side's tissue moves with its fold's edge, so the unrolled wall has three blocks of columns: left side, airway,
right side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.view import Grid, View
from cineloop.phantom.wall import Field, PackedWall, Wall

SIDE = 2.4
LENGTH = 2.6
AIRWAY = 0.7
ANTERIOR, POSTERIOR = -1.0, 0.8


@dataclass(frozen=True)
class Glottis:
    """The movement of the folds and of the scope above them, one value a frame.

    Attributes:
        opening: ``[T]`` half-width of the gap at its widest, units.
        centre: ``[T, 2]`` the point of the scene in the middle of the view, units.
        span: ``[T]`` half-width of the view, units.
        roll: ``[T]`` rotation of the picture, radians.
    """

    opening: NDArray[np.float64]
    centre: NDArray[np.float64]
    span: NDArray[np.float64]
    roll: NDArray[np.float64]


def wall_shape(texels: float) -> tuple[int, int]:
    """Return the rows and columns of a larynx's wall."""
    return round(2 * LENGTH * texels), round((2 * SIDE + 2 * AIRWAY) * texels)


def gap_shape(y: Field) -> Field:
    """Return the gap's half-width along ``y``, as a share of its widest: a wedge with a rounded back."""
    wedge = np.clip((y - ANTERIOR) / 1.5, 0, 1)
    back = np.clip((POSTERIOR - y) / 0.35, 0, 1)
    result: Field = wedge * np.sqrt(back * (2 - back))
    return result


def fold_column(u: float, side: int) -> float:
    """Return where a point ``u`` units outside a fold's edge lies across the wall, in units."""
    return SIDE - u if side < 0 else SIDE + 2 * AIRWAY + u


def _bell(value: Field, middle: float, width: float) -> Field:
    result: Field = np.exp(-(((value - middle) / width) ** 2))
    return result


def raise_larynx(wall: Wall, rng: np.random.Generator, pallor: float) -> None:
    """Shape and colour the vocal folds, the false folds, the epiglottis, the arytenoids and the airway.

    Args:
        wall: A flat wall of :func:`wall_shape`, changed in place.
        rng: Source of the proportions.
        pallor: How much paler than the rest the vocal folds are, 0 to 1.
    """
    rows, columns = wall.height.shape
    y = (np.arange(rows, dtype=np.float32) / np.float32(wall.texels) - np.float32(LENGTH))[:, None]
    across = np.arange(columns, dtype=np.float32)[None, :] / np.float32(wall.texels)
    airway = np.abs(across - np.float32(SIDE + AIRWAY)) < AIRWAY
    u = np.where(across < SIDE + AIRWAY, SIDE - across, across - SIDE - 2 * AIRWAY)
    width = np.float32(rng.uniform(0.20, 0.27))
    glottic = np.clip((y - ANTERIOR + 0.15) / 0.3, 0, 1) * np.clip((POSTERIOR + 0.1 - y) / 0.3, 0, 1)
    fold = np.clip((width - u) / 0.05, 0, 1) * glottic
    ventricle = _bell(u, float(width) + 0.05, 0.045) * glottic
    false_fold = _bell(u, float(width) + 0.3, 0.19) * np.clip((y + 1.3) / 0.5, 0, 1) * np.clip((1.0 - y) / 0.5, 0, 1)
    arytenoid = _bell(u, 0.27, 0.24) * _bell(y, 1.1, 0.24)
    rim = -1.35 - 0.25 * np.float32(rng.uniform(0.6, 1.4)) * np.cos(np.minimum(u, 1.6) * 1.9)
    epiglottis = np.clip((rim - y) / 0.14, 0, 1)
    sinus = _bell(u, 1.55, 0.3) * _bell(y, 0.5, 0.9)
    curved_edge = np.sqrt(np.clip(1 - (1 - u / width) ** 2, 0, 1)) * fold
    wall.height += (
        0.10 * curved_edge - 0.16 * ventricle + 0.20 * false_fold + 0.24 * arytenoid + 0.35 * epiglottis - 0.3 * sinus
    ).astype(np.float32)
    pale = np.asarray((0.80, 0.52, 0.42), np.float32)
    mix = (pallor * fold + 0.25 * epiglottis * _bell(y, float(rim.mean()), 0.3))[..., None].astype(np.float32)
    wall.albedo += mix * (pale - wall.albedo)
    wall.albedo *= (1 - 0.75 * ventricle - 0.5 * sinus)[..., None].astype(np.float32)
    rings = 0.5 + 0.5 * np.cos(2 * np.pi * (y + 0.25 * (across - SIDE - AIRWAY) ** 2) / 0.34)
    depth = (0.10 + 0.22 * rings).astype(np.float32)
    dark = np.broadcast_to(depth, wall.height.shape)[..., None] * wall.albedo
    wall.albedo[:] = np.where(airway[..., None], dark, wall.albedo)
    wall.height[:] = np.where(airway, 0.02 * rings.astype(np.float32), wall.height)
    wall.gloss *= np.where(airway, 0.15, 1.0)


def look(wall: PackedWall, grid: Grid, glottis: Glottis) -> View:
    """Return what each pixel of each frame sees of the larynx."""
    cos, sin = (np.float32(1) * f(glottis.roll).astype(np.float32)[:, None] for f in (np.cos, np.sin))
    span = glottis.span.astype(np.float32)[:, None]
    sx, sy = grid.x * span, grid.y * span
    dx, dy = cos * sx - sin * sy, sin * sx + cos * sy
    x = dx + glottis.centre[:, 0, None].astype(np.float32)
    y = dy + glottis.centre[:, 1, None].astype(np.float32)
    half = gap_shape(y)
    half *= glottis.opening.astype(np.float32)[:, None]
    size = np.abs(x)
    outside = np.float32(SIDE) * (size - half) / (SIDE - half)
    inside = outside < 0
    sign = np.sign(x)
    column = np.where(inside, np.float32(SIDE + AIRWAY) + x, np.float32(SIDE + AIRWAY) + sign * (AIRWAY + outside))
    texels = np.float32(wall.texels)
    texel = np.clip(((y + np.float32(LENGTH)) * texels).astype(np.int32), 0, wall.rows - 1)
    texel *= wall.columns
    texel += np.clip((column * texels).astype(np.int32), 0, wall.columns - 1)
    away = span * np.float32(1.15)
    distance = np.sqrt(dx * dx + dy * dy + away * away)
    # In the airway the light has a longer way; the picture is dark there.
    reach = 1 / distance
    toward = away * reach
    distance += inside * np.float32(0.9)
    return View(texel=texel, toward=toward, along=-dy * reach, across=-dx * reach, distance=distance)
