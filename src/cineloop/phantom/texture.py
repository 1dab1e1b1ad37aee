"""Tileable patterns of living surfaces: noise of a given roughness, vessel webs, lobules.

Patterns are expensive next to a clip, so a :class:`TextureBank` holds a few large periodic ones; patients take
shifted and mirrored windows of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from cineloop.seeds import generator

Field = NDArray[np.float32]

#: Extent of a pattern in units of the scene: once around a lumen of radius 1, and longer than any.
LENGTH, WIDTH = 16, 2 * np.pi
#: Side of a pattern of lobules, and of one lobule, in the pattern's own texels.
LOBULE_SIZE, LOBULE_CELL = 256, 16


@dataclass(frozen=True)
class TextureBank:
    """Periodic patterns, all float32.

    Attributes:
        clouds: ``[n, R, C]`` smooth blotches, mean 0, deviation 1.
        grain: ``[n, R, C]`` fine relief, mean 0, deviation 1.
        vessels: ``[n, R, C]`` webs of vessels in [0, 1], 1 in the middle of a vessel.
        lobules: ``[n, LOBULE_SIZE, LOBULE_SIZE]`` packed cells of 1 with grooves of 0 between.
        softened: The same as a recording shows them, whose pixels and subsampled colours mix cells and grooves.
    """

    clouds: Field
    grain: Field
    vessels: Field
    lobules: Field
    softened: Field

    def window(self, stack: Field, rng: np.random.Generator, rows: int, columns: int) -> Field:
        """Return a random ``[rows, columns]`` window of one pattern of ``stack``, periodic where it is larger."""
        pattern = stack[rng.integers(len(stack))]
        start_row, start_column = (int(rng.integers(size)) for size in pattern.shape)
        step = 1 if rng.random() < 0.5 else -1
        row_index = (start_row + np.arange(rows)) % pattern.shape[0]
        column_index = (start_column + step * np.arange(columns)) % pattern.shape[1]
        window: Field = pattern[row_index[:, None], column_index[None, :]]
        return window


def noise(rng: np.random.Generator, shape: tuple[int, int], roughness: float, low: float = 0.0) -> Field:
    """Return periodic noise with spectrum ``frequency ** -roughness``, mean 0 and deviation 1.

    Args:
        rng: Source of the phases.
        shape: Rows and columns.
        roughness: Exponent; 0 is white, 2 is cloudy.
        low: Cycles per side below which there is nothing.
    """
    rows = np.fft.fftfreq(shape[0], 1 / max(shape))[:, None]
    columns = np.fft.rfftfreq(shape[1], 1 / max(shape))[None, :]
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = 1.0
    gain = frequency**-roughness * (frequency > low)
    gain[0, 0] = 0.0
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * gain, s=shape)
    scaled: Field = (field / field.std()).astype(np.float32)
    return scaled


def vessel_web(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Return a branching web: thick and thin ridges along the zero lines of smooth noise, broken up."""
    web = np.zeros(shape, dtype=np.float32)
    for low, width, weight in ((3.0, 0.055, 1.0), (9.0, 0.09, 0.7)):
        ridges = noise(rng, shape, 2.2, low)
        presence = np.clip(noise(rng, shape, 1.8, 2.0) * 0.8 + 0.4, 0, 1)
        web = np.maximum(web, weight * presence * np.exp(-((ridges / width) ** 2)))
    return web


def _lobule_cells(rng: np.random.Generator) -> Field:
    """Return jittered hexagonal cells, bright in the middle and dark along their borders."""
    side, cell = LOBULE_SIZE, LOBULE_CELL
    row, column = np.mgrid[0 : side // cell, 0 : side // cell].astype(np.float64)
    centres = np.stack([row + 0.5, (column + 0.5 * (row % 2)) % (side // cell)], axis=-1).reshape(-1, 2) * cell
    centres = (centres + rng.normal(0, 0.14 * cell, centres.shape)) % side
    tree = cKDTree(centres, boxsize=side)
    grid = np.indices((side, side)).reshape(2, -1).T.astype(np.float64)
    near, _ = tree.query(grid, k=2)
    groove = (near[:, 1] - near[:, 0]).reshape(side, side) / cell
    cells: Field = np.clip((groove - 0.18) / 0.3, 0, 1).astype(np.float32)
    return cells


@lru_cache(maxsize=2)
def texture_bank(seed: int, texels: int) -> TextureBank:
    """Return the bank of a phantom's seed at ``texels`` per unit, made once a process."""
    rng = generator("phantom", seed, "textures", texels)
    shape = (LENGTH * texels, round(WIDTH * texels))
    lobules = np.stack([_lobule_cells(rng) for _ in range(3)])
    return TextureBank(
        clouds=np.stack([noise(rng, shape, 1.9, 1.0) for _ in range(3)]),
        grain=np.stack([noise(rng, shape, 0.9, 20.0) for _ in range(3)]),
        vessels=np.stack([vessel_web(rng, shape) for _ in range(4)]),
        lobules=lobules,
        softened=gaussian_filter(lobules, (0, 1.0, 1.0), mode="wrap"),
    )
