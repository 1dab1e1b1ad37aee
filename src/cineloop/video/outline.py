"""Circles, rectangles and octagons, and fitting them to evidence of what lies inside."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
_HALF = math.sqrt(0.5)
# Outward normals of an octagon's sides: right, left, bottom, top, then the diagonals.
_NORMALS = (
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.0, 1.0),
    (0.0, -1.0),
    (_HALF, _HALF),
    (-_HALF, -_HALF),
    (_HALF, -_HALF),
    (-_HALF, _HALF),
)


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle, in pixels.

    Attributes:
        x: Centre, from the left.
        y: Centre, from the top.
        radius: Radius; along x and y they may differ after an uneven scaling.
        radius_y: Radius along y.
    """

    x: float
    y: float
    radius: float
    radius_y: float

    def contains(self, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
        """Say which points lie inside."""
        return np.asarray(((x - self.x) / self.radius) ** 2 + ((y - self.y) / self.radius_y) ** 2 <= 1.0)

    def scaled(self, by_x: float, by_y: float) -> Circle:
        """Return the outline in a picture scaled by ``by_x`` and ``by_y``."""
        return Circle(self.x * by_x, self.y * by_y, self.radius * by_x, self.radius_y * by_y)

    def bounds(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of the bounding box within a frame."""
        left, right = self.x - self.radius, self.x + self.radius
        top, bottom = self.y - self.radius_y, self.y + self.radius_y
        return _box(left, top, right, bottom, width, height)

    def edge(self, width: int, height: int) -> tuple[Floats, Floats]:
        """Return points on the outline ``[n, 2]`` (x, y) and the outward normals there."""
        angle = np.linspace(0, 2 * math.pi, 360, endpoint=False)
        normals = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return normals * [self.radius, self.radius_y] + [self.x, self.y], normals


@dataclass(frozen=True, slots=True)
class Limits:
    """A rectangle, or an octagon: half-planes ``normal . point <= limit``, in pixels.

    Attributes:
        normals: Outward normals.
        offsets: Limits, one for each normal.
    """

    normals: tuple[tuple[float, float], ...]
    offsets: tuple[float, ...]

    def contains(self, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
        """Say which points lie inside."""
        inside = np.ones(np.broadcast(x, y).shape, dtype=bool)
        for (a, b), offset in zip(self.normals, self.offsets, strict=True):
            inside &= a * x + b * y <= offset
        return inside

    def scaled(self, by_x: float, by_y: float) -> Limits:
        """Return the outline in a picture scaled by ``by_x`` and ``by_y``."""
        return Limits(tuple((a / by_x, b / by_y) for a, b in self.normals), self.offsets)

    def bounds(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of the bounding box within a frame."""
        (right, _), (left, _) = self.normals[0], self.normals[1]
        (_, bottom), (_, top) = self.normals[2], self.normals[3]
        o = self.offsets
        return _box(o[1] / left, o[3] / top, o[0] / right, o[2] / bottom, width, height)

    def edge(self, width: int, height: int) -> tuple[Floats, Floats]:
        """Return points on the outline ``[n, 2]`` (x, y) and the outward normals there."""
        along = np.linspace(-1.0, 1.0, 400) * math.hypot(width, height)
        points, normals = [], []
        for (a, b), offset in zip(self.normals, self.offsets, strict=True):
            line = np.stack([a * offset - b * along, b * offset + a * along], axis=1)
            on_outline = self.contains(line[:, 0] - 1e-3 * a, line[:, 1] - 1e-3 * b)
            on_frame = ((line >= 0) & (line <= [width, height])).all(axis=1)
            kept = line[on_outline & on_frame]
            points.append(kept)
            normals.append(np.broadcast_to([a, b], kept.shape))
        return np.concatenate(points), np.concatenate(normals)


def fit_limits(evidence: Floats, *, diagonal: bool) -> Limits:
    """Find the rectangle or octagon with the greatest sum of evidence inside.

    One side is moved at a time, to the best of all its places given the others, until none moves.

    Args:
        evidence: ``[H, W]``, positive where a pixel speaks for being inside.
        diagonal: Whether corners may be cut at 45 degrees.
    """
    height, width = evidence.shape
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    normals = _NORMALS if diagonal else _NORMALS[:4]
    reach = [(a * x + b * y).astype(np.float32) for a, b in normals]
    bounds = [(float(each.min()), float(each.max())) for each in reach]
    # Bins of one pixel for straight sides; diagonals of pixels lie sqrt(1/2) apart.
    bins = [
        np.rint((each - low) * (1 if k < 4 else math.sqrt(2))).astype(np.int64)
        for k, (each, (low, _)) in enumerate(zip(reach, bounds, strict=True))
    ]
    chosen = [int(each.max()) for each in bins]
    sides_crossed = np.zeros(evidence.shape, dtype=np.int8)
    for _ in range(8):
        before = list(chosen)
        for k, places in enumerate(bins):
            sides_crossed -= places > chosen[k]
            within_others = sides_crossed == 0
            sums = np.bincount(places[within_others], weights=evidence[within_others], minlength=1)
            chosen[k] = int(np.argmax(np.cumsum(sums)))
            sides_crossed += places > chosen[k]
        if chosen == before:
            break
    offsets = [
        low + (choice + 0.5) / (1 if k < 4 else math.sqrt(2))
        for k, (choice, (low, _)) in enumerate(zip(chosen, bounds, strict=True))
    ]
    return Limits(normals, tuple(offsets))


def fit_circle(evidence: Floats) -> Circle:
    """Find the circle, which may reach beyond the frame, with the greatest sum of evidence inside.

    The radius is the best of all for each centre tried; the centre moves by ever smaller steps.

    Args:
        evidence: ``[H, W]``, positive where a pixel speaks for being inside.
    """
    height, width = evidence.shape
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    columns, rows = x[:1], y[:, :1]
    flat = evidence.ravel()

    def best_radius(centre: tuple[float, float]) -> tuple[float, float]:
        squared = (columns - centre[0]) ** 2 + (rows - centre[1]) ** 2
        distance = (np.sqrt(squared) + 0.5).astype(np.int64).ravel()
        sums = np.cumsum(np.bincount(distance, weights=flat))
        radius = int(np.argmax(sums))
        return float(sums[radius]), radius + 0.5

    weight = np.maximum(evidence, 0)
    total = float(weight.sum()) or 1.0
    centre = float((weight * x).sum()) / total, float((weight * y).sum()) / total
    score, radius = best_radius(centre)
    step = max(width, height) / 8
    while step >= 0.5:
        around = [(centre[0] + dx * step, centre[1] + dy * step) for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))]
        best = max(((*best_radius(each), each) for each in around), key=lambda result: result[0])
        if best[0] > score:
            score, radius, centre = best
        else:
            step /= 2
    return Circle(centre[0], centre[1], radius, radius)


def _box(left: float, top: float, right: float, bottom: float, width: int, height: int) -> tuple[int, int, int, int]:
    x0, y0 = max(0, round(left)), max(0, round(top))
    return x0, y0, min(width, max(x0 + 1, round(right))), min(height, max(y0 + 1, round(bottom)))
