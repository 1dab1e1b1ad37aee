"""What lies on a wall without belonging to it: foam and pools of fluid."""

from __future__ import annotations

import numpy as np

from cineloop.phantom.wall import Wall


def blow_foam(wall: Wall, rng: np.random.Generator, row: float, column: float, bubbles: int) -> None:
    """Put a cluster of bubbles on the wall: thin bright rims around what shows through.

    Args:
        wall: Changed in place.
        rng: Source of sizes and places.
        row: Place along the rows, units.
        column: Place along the columns, units.
        bubbles: How many.
    """
    rows, columns = wall.height.shape
    for _ in range(bubbles):
        radius = rng.uniform(0.05, 0.15)
        r0 = (row + rng.normal(0, 0.16)) * wall.texels
        c0 = (column + rng.normal(0, 0.16)) * wall.texels
        reach = radius * wall.texels
        row_index = np.arange(max(int(r0 - reach), 0), min(int(r0 + reach) + 2, rows))
        column_index = np.arange(int(c0 - reach), int(c0 + reach) + 2)
        if not wall.periodic:
            column_index = column_index[(column_index >= 0) & (column_index < columns)]
        if not len(row_index) or not len(column_index):
            continue
        window = np.ix_(row_index, column_index % columns)
        rho = np.hypot(row_index[:, None] - r0, column_index[None, :] - c0).astype(np.float32) / np.float32(reach)
        dome = np.sqrt(np.clip(1 - rho * rho, 0, 1))
        rim = np.clip(1 - np.abs(rho - 0.85) * 6, 0, 1)
        wall.albedo[window] *= (1 + 0.45 * rim)[..., None]
        wall.relief[window] += np.float32(0.5 * radius) * dome
        wall.gloss[window] = np.maximum(wall.gloss[window], dome > 0)
