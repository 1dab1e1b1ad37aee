"""Haustral folds: crescents that stand into the lumen, with pouches between them."""

from __future__ import annotations

import numpy as np

from cineloop.phantom.wall import Wall


def raise_guard(wall: Wall, row: float, angle: float, elevation: float) -> None:
    """Raise one crescent across part of the tunnel; what sits behind it is hidden from afar.

    Args:
        wall: Changed in place.
        row: Place of its crest, units.
        angle: Where around the tunnel it is highest, radians.
        elevation: Height of the crest there, units.
    """
    rows, columns = wall.height.shape
    first, last = (max(0, min(rows, int((row + side * 0.4) * wall.texels))) for side in (-1, 1))
    along = (np.arange(first, last) / wall.texels - row)[:, None] / 0.1
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False) - angle
    crescent = np.clip(np.cos(turn / 2) ** 2 * 1.6 - 0.45, 0, 1)
    crest = (elevation * crescent * np.exp(-(np.abs(along) ** 1.7))).astype(np.float32)
    np.maximum(wall.height[first:last], crest, out=wall.height[first:last])


def raise_folds(wall: Wall, rng: np.random.Generator, spacing: float, elevation: float) -> None:
    """Raise semilunar folds across a tunnel's wall.

    Args:
        wall: Changed in place; rows run along the tunnel.
        rng: Source of places and shapes.
        spacing: Mean distance between folds, units.
        elevation: Mean height of a crest, units.
    """
    rows, columns = wall.height.shape
    length = rows / wall.texels
    places = np.cumsum(rng.uniform(0.75, 1.25, int(length / spacing * 1.3) + 2) * spacing) - spacing
    angle = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    along = (np.arange(rows, dtype=np.float32) / np.float32(wall.texels))[:, None]
    turn = rng.uniform(0, 2 * np.pi)
    for place in places:
        skew = sum(rng.normal(0, 0.12) * np.cos(order * angle + rng.uniform(0, 2 * np.pi)) for order in (1, 2, 3))
        crescent = 0.55 + 0.45 * np.cos(3 * angle + turn + rng.normal(0, 0.5))
        crescent = crescent * (0.7 + 0.3 * np.cos(angle + rng.uniform(0, 2 * np.pi)))
        width = rng.uniform(0.07, 0.13)
        first, last = (int((place + sign * (0.45 + 4 * width)) * wall.texels) for sign in (-1, 1))
        first, last = max(first, 0), min(last, rows)
        if first >= last:
            continue
        away = (along[first:last] - (place + skew).astype(np.float32)) / np.float32(width)
        crest = np.exp(-away * away) * (elevation * rng.uniform(0.7, 1.3) * crescent).astype(np.float32)
        wall.height[first:last] += crest
        wall.albedo[first:last] *= (1 + 0.35 * crest)[..., None]
    pouch = 0.06 * np.cos(2 * np.pi * along / spacing) * np.cos(3 * angle + turn)
    wall.height += pouch.astype(np.float32)
