"""What covers the wall: residue, which hides it, and stain, which does not. Both have the same colours.

The share of the wall that is of a foreign colour is the same everywhere; how clean the bowel is decides which part of
it is residue. So colour tells nothing of cleanliness: residue is raised, granular, wet and has sharp edges; stain is
flat, lets the mucosa show through and fades out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from cineloop.phantom.procedures.landmark import Disc
from cineloop.phantom.texture import noise
from cineloop.phantom.wall import Field, Wall

RESIDUE = 4
"""The bit of a wall's ``owner`` that marks residue."""

FOREIGN = 0.45
"""The share of a wall that is of a foreign colour."""

BANDS = (0.33, 0.18, 0.06)
"""The shares of a picture that residue covers from which on its BBPS is 0, 1 and 2; below the last it is 3."""

_PARTS = (0.97, 0.57, 0.27, 0.03)
_BLOB, _PEBBLE = 0.8, 0.13


def bbps(residue: Field) -> NDArray[np.int8]:
    """Return the BBPS, 0 to 3, of pictures of which residue covers the given shares."""
    score: NDArray[np.int8] = (np.asarray(residue)[..., None] < np.asarray(BANDS)).sum(axis=-1).astype(np.int8)
    return score


def soil(
    wall: Wall,
    rng: np.random.Generator,
    scores: NDArray[np.int64],
    spare: NDArray[np.bool_],
    discs: Sequence[Disc],
) -> None:
    """Cover a wall.

    Args:
        wall: Changed in place; it gets a tint.
        rng: Decides where.
        scores: ``[R]`` BBPS that each row is meant to have.
        spare: ``[R, C]`` texels that stay free.
        discs: The ends of the lumen.
    """
    shape = wall.height.shape
    units = max(shape) / wall.texels
    part = np.asarray(_PARTS)[scores]
    # Segments go over into each other.
    width = int(0.4 * wall.texels)
    part = np.convolve(np.pad(part, width, mode="edge"), np.full(2 * width + 1, 1 / (2 * width + 1)), mode="valid")
    heap, shade = (noise(rng, shape, 1.9, units / _BLOB) for _ in range(2))
    pebbles = noise(rng, shape, 1.2, units / _PEBBLE)
    for disc in discs:
        for field in (heap, shade, pebbles):
            disc.flatten(field, wall.texels)
    heap[spare], shade[spare] = -9.0, -9.0

    rise = heap - ndtri(1 - FOREIGN * part).astype(np.float32)[:, None]
    lying = rise > 0
    rest = FOREIGN * (1 - part) / (1 - FOREIGN * part)
    stain = np.tanh((shade - ndtri(1 - np.maximum(rest, 1e-4)).astype(np.float32)[:, None]) / 0.7)
    # Residue is foreign for sure, stain more or less; both in degrees, since cameras tell shares apart by rank.
    wall.tint = np.where(lying, 0.9 + 0.1 * np.tanh(shade), 0.4 + 0.4 * stain).astype(np.float32)
    shown = np.where(lying, np.float32(1), np.clip(0.5 + 1.5 * stain, 0, 1))
    hill = np.sqrt(np.clip(rise / 0.6, 0, 1))
    tone = np.float32(rng.uniform(0.75, 0.9))
    wall.albedo *= (1 - (1 - tone) * shown)[..., None]
    level = wall.albedo.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    grain = 1 + np.float32(0.32) * pebbles
    wall.albedo[lying] = level * tone * grain[lying, None]
    wall.height += np.float32(rng.uniform(0.06, 0.1)) * hill
    wall.relief[lying] = np.float32(0.014) * pebbles[lying]
    wall.gloss[lying] = np.maximum(wall.gloss[lying], np.float32(0.8))
    wall.owner[lying] |= RESIDUE
