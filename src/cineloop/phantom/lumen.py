"""The colon: a tunnel with haustral folds, seen from within.

The wall is a height field over (depth, angle). A ray from the camera meets it where its slope first exceeds the
wall's; taking the running minimum of the wall's slope over depth gives that for all rays of a frame at once, with
folds and growths hiding what lies behind them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.view import Grid, View
from cineloop.phantom.wall import Field, PackedWall

NEAR, FAR, STEPS = 0.3, 6.0, 48
ANGLES, RADII = 128, 64
FIELD_OF_VIEW = 0.82
MAX_RADIUS = 1.6

_DEPTHS = np.geomspace(NEAR, FAR, STEPS).astype(np.float32)


def cast(
    height: Field,
    texels: float,
    depth: NDArray[np.float64],
    bend: NDArray[np.float64],
) -> Field:
    """Return how far along the tunnel each ray meets the wall.

    Args:
        height: ``[R, C]`` elevation of the wall; rows along the tunnel, columns around it.
        texels: Rows per unit.
        depth: ``[T]`` the camera's place along the tunnel, units.
        bend: ``[T, 2]`` curvature of the tunnel ahead, horizontal and vertical, 1 / units.

    Returns:
        ``[T, ANGLES, RADII]`` distance ahead of the camera in units, by angle around the vanishing point and by
        distance from it on the screen (``MAX_RADIUS`` at the last).
    """
    frames = len(depth)
    coarse = np.ascontiguousarray(height[:, np.arange(ANGLES) * height.shape[1] // ANGLES])
    place = (depth[:, None] + _DEPTHS) * texels
    row = np.clip(place.astype(np.int64), 0, len(coarse) - 2)
    part = np.clip(place - row, 0, 1).astype(np.float32)[..., None]
    below, above = coarse[row], coarse[row + 1]
    slope = below
    slope += part * (above - below)
    np.subtract(1.0, slope, out=slope)
    slope /= _DEPTHS[:, None]
    angle = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    sideways = bend @ np.stack([np.cos(angle), np.sin(angle)])
    slope += (0.5 * sideways[:, None, :] * _DEPTHS[None, :, None]).astype(np.float32)
    np.maximum(slope, 0.01, out=slope)
    np.minimum.accumulate(slope, axis=1, out=slope)
    radius = np.arctan(slope) * np.float32((RADII - 1) / (MAX_RADIUS * FIELD_OF_VIEW))
    return _invert(radius.transpose(0, 2, 1).reshape(frames * ANGLES, STEPS)).reshape(frames, ANGLES, RADII)


def _invert(radius: Field) -> Field:
    """Return, for each row of falling ``radius`` over depth, the depth at radius 0, 1, ..., RADII - 1."""
    lines = len(radius)
    cell = np.minimum(radius.astype(np.int32), RADII - 1)
    cell += (np.arange(lines, dtype=np.int32) * RADII)[:, None]
    count = np.bincount(cell.ravel(), minlength=lines * RADII).reshape(lines, RADII)
    # after: how many depths project further out than this radius.
    after = np.cumsum(count[:, ::-1], axis=1)[:, ::-1].astype(np.int32)
    upper = np.clip(after, 1, STEPS - 1)
    base = (np.arange(lines, dtype=np.int32) * STEPS)[:, None]
    flat = radius.ravel()
    outer, inner = flat[base + upper - 1], flat[base + upper]
    part = (outer - np.arange(RADII, dtype=np.float32)) / np.maximum(outer - inner, 1e-3)
    np.clip(part, 0, 1, out=part)
    found: Field = _DEPTHS[upper - 1] + part * (_DEPTHS[upper] - _DEPTHS[upper - 1])
    return found


def look(
    wall: PackedWall,
    height: Field,
    grid: Grid,
    depth: NDArray[np.float64],
    pan: NDArray[np.float64],
    roll: NDArray[np.float64],
    bend: NDArray[np.float64],
) -> View:
    """Return what each pixel of each frame sees of the tunnel."""
    table = cast(height, wall.texels, depth, bend)
    x = grid.x - pan[:, 0, None].astype(np.float32)
    y = grid.y - pan[:, 1, None].astype(np.float32)
    radius = np.sqrt(x * x + y * y)
    turn = np.arctan2(y, x) + roll[:, None].astype(np.float32)
    turn *= np.float32(1 / (2 * np.pi))
    turn -= np.floor(turn)
    distance = _sample(table, radius * np.float32((RADII - 1) / MAX_RADIUS), turn * np.float32(ANGLES))
    row = ((distance + depth[:, None].astype(np.float32)) * np.float32(wall.texels)).astype(np.int32)
    np.clip(row, 0, wall.rows - 1, out=row)
    column = np.minimum((turn * np.float32(wall.columns)).astype(np.int32), wall.columns - 1)
    row *= wall.columns
    row += column
    ray = np.minimum(radius * np.float32(FIELD_OF_VIEW), np.float32(1.5))
    sin, cos = np.sin(ray), np.cos(ray)
    slant: Field = (distance / np.maximum(cos, 0.05)).astype(np.float32)
    return View(texel=row, toward=sin, along=-cos, across=None, distance=slant)


def _sample(table: Field, radius: Field, angle: Field) -> Field:
    """Return ``table`` at fractional (angle, radius), bilinear; angles wrap."""
    frames = len(table)
    np.minimum(radius, RADII - 1.001, out=radius)
    r0 = radius.astype(np.int32)
    a0 = angle.astype(np.int32)
    rf, af = radius - r0, angle - a0
    a0 &= ANGLES - 1
    a1 = (a0 + 1) & (ANGLES - 1)
    base = (np.arange(frames, dtype=np.int32) * (ANGLES * RADII))[:, None]
    low, high = base + a0 * RADII + r0, base + a1 * RADII + r0
    flat = table.ravel()
    near = flat[low] * (1 - rf) + flat[low + 1] * rf
    far = flat[high] * (1 - rf) + flat[high + 1] * rf
    blended: Field = near + af * (far - near)
    return blended
