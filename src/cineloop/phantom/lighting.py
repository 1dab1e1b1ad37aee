"""Light from the scope's tip: fall-off, shading, wet highlights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.view import View
from cineloop.phantom.wall import SLOPE_SCALE, Field, PackedWall


@dataclass(frozen=True)
class Light:
    """The lamp and the exposure.

    Attributes:
        reach: Distance in units at which the light has fallen to half.
        ambient: Light scattered from all sides, relative to direct light.
        highlight: Strength of wet highlights.
        sharpness: How small highlights are (the exponent of the reflection lobe).
        exposure: Gain before the display curve.
        gain: ``[3]`` colour balance.
    """

    reach: float
    ambient: float
    highlight: float
    sharpness: float
    exposure: float
    gain: tuple[float, float, float]


def shade(view: View, wall: PackedWall, light: Light) -> tuple[Field, NDArray[np.uint8]]:
    """Light the wall.

    Returns:
        ``[T, P, 3]`` linear RGB, not yet clipped, and ``[T, P]`` the owner of what is seen.
    """
    seen = wall.look_up(view.texel)
    direct, lobe = reflect(view, seen, light)
    colour = np.empty((*view.texel.shape, 3), dtype=np.float32)
    for channel in range(3):
        np.multiply(seen[..., channel], direct * np.float32(light.gain[channel]), out=colour[..., channel])
        colour[..., channel] += lobe
    return colour, seen[..., 6]


def reflect(view: View, seen: NDArray[np.uint8], light: Light) -> tuple[Field, Field]:
    """Return what comes back from a wall.

    Args:
        view: What each pixel sees, and from where.
        seen: ``[T, P, 8]`` the wall's bytes there.
        light: The lamp.

    Returns:
        ``[T, P]`` the light that the surface's own colour reflects, for a reflectance of 200, and the wet highlights.
    """
    step = np.float32(1 / SLOPE_SCALE)
    slope_row = (seen[..., 3].astype(np.float32) - 128) * step
    slope_column = (seen[..., 4].astype(np.float32) - 128) * step
    facing = view.toward - view.along * slope_row
    if view.across is not None:
        facing -= view.across * slope_column
    slope_row *= slope_row
    slope_column *= slope_column
    slope_row += slope_column
    slope_row += 1
    facing /= np.sqrt(slope_row)
    np.maximum(facing, 0, out=facing)
    fall = 1 / (1 + (view.distance * np.float32(1 / light.reach)) ** 3)
    # Repeated squaring: the reflection lobe as a power of two costs no pow().
    lobe = facing * facing
    for _ in range(round(np.log2(light.sharpness)) - 1):
        lobe *= lobe
    lobe *= seen[..., 5]
    lobe *= fall * np.float32(light.highlight / 255)
    direct: Field = np.multiply(facing + np.float32(light.ambient), fall)
    direct *= np.float32(light.exposure / 200)
    return direct, lobe
