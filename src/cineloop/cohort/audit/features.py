"""Local features of a picture: places that are found again after scaling, cropping and compression, and their codes.

Places are extrema of a difference-of-Gaussians pyramid (Lowe, IJCV 2004). A code is a histogram of gradient
directions around the place, without rotation invariance (an endoscope's picture is copied upright or mirrored),
turned into 128 bits by the signs of fixed random projections. A mirrored picture's histogram is a permutation of the
original's, so both codes come from one computation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.floating[Any]]
Codes = npt.NDArray[np.uint64]

#: Side of the square picture that features are found in.
SIDE = 160
#: Features of a picture at most.
LIMIT = 24

_SCALES = 2.0 * 2.0 ** (np.arange(8) / 3)
_CELLS, _DIRECTIONS, _SAMPLES = 4, 8, 16
# Half the width of the described patch, in units of the feature's scale.
_REACH = 4.0
# Grey levels by which a place must stand out: above what a codec adds to a flat region.
_CONTRAST = 1.2
# Ratio of principal curvatures beyond which a place lies on an edge and slides along it.
_EDGE = 8.0


@dataclass(frozen=True, slots=True)
class Features:
    """Features of one picture.

    Attributes:
        places: Float32 [N, 2], x and y as shares of the picture's width and height.
        scales: Float32 [N], radius as a share of the picture's width.
        codes: Uint64 [N, 2].
        mirrored: Uint64 [N, 2], the codes of the same places in the mirrored picture.
    """

    places: Floats
    scales: Floats
    codes: Codes
    mirrored: Codes


def features(picture: Floats, usable: npt.NDArray[np.bool_]) -> Features:
    """Find and describe the features of a picture.

    Args:
        picture: Float32 [SIDE, SIDE], grey levels 0 to 255.
        usable: Bool [SIDE, SIDE], False where there is no scene (borders, black corners).

    Returns:
        At most ``LIMIT`` features, the strongest first.
    """
    blur = _blur()
    levels = np.matmul(np.matmul(blur, picture), blur.transpose(0, 2, 1))
    row, column, level = _extrema(levels[1:] - levels[:-1], usable)
    histograms = _describe(levels, row, column, level)
    return Features(
        places=np.stack([(column + 0.5) / SIDE, (row + 0.5) / SIDE], axis=1).astype(np.float32),
        scales=(_SCALES[level] / SIDE).astype(np.float32),
        codes=_codes(histograms),
        mirrored=_codes(histograms[:, _mirror()]),
    )


def _extrema(response: Floats, usable: npt.NDArray[np.bool_]) -> tuple[Floats, Floats, npt.NDArray[np.intp]]:
    """Return sub-pixel rows and columns, and the levels, of the strongest extrema of a response [L, H, W]."""
    inner = response[1:-1, 1:-1, 1:-1]
    highest, lowest = response, response
    for axis in range(3):
        highest = _along(np.maximum, highest, axis)
        lowest = _along(np.minimum, lowest, axis)
    peak = ((inner >= _CONTRAST) & (inner == highest)) | ((inner <= -_CONTRAST) & (inner == lowest))
    level, row, column = (index + 1 for index in np.nonzero(peak))
    here = response[level, row, column]
    dyy = response[level, row + 1, column] + response[level, row - 1, column] - 2 * here
    dxx = response[level, row, column + 1] + response[level, row, column - 1] - 2 * here
    dxy = 0.25 * (
        response[level, row + 1, column + 1]
        - response[level, row + 1, column - 1]
        - response[level, row - 1, column + 1]
        + response[level, row - 1, column - 1]
    )
    determinant = dxx * dyy - dxy * dxy
    round_enough = (determinant > 0) & ((dxx + dyy) ** 2 * _EDGE < (_EDGE + 1) ** 2 * determinant)
    reach = np.ceil(_REACH * 0.75 * _SCALES[level]).astype(int)
    inside = (row >= reach) & (row < SIDE - reach) & (column >= reach) & (column < SIDE - reach) & usable[row, column]
    strength = np.where(round_enough & inside, np.abs(here), 0)
    keep = np.argsort(-strength, kind="stable")[:LIMIT]
    keep = keep[strength[keep] > 0]
    level, row, column, here = level[keep], row[keep], column[keep], here[keep]
    dy = response[level, row + 1, column] - response[level, row - 1, column]
    dx = response[level, row, column + 1] - response[level, row, column - 1]
    lower = np.clip(-0.5 * dy / dyy[keep], -0.5, 0.5).astype(np.float32)
    righter = np.clip(-0.5 * dx / dxx[keep], -0.5, 0.5).astype(np.float32)
    return row.astype(np.float32) + lower, column.astype(np.float32) + righter, level


def _along(extreme: np.ufunc, values: Floats, axis: int) -> Floats:
    """Return the extreme of each value and its two neighbours on an axis, without the first and last."""
    values = np.moveaxis(values, axis, 0)
    return np.moveaxis(extreme(extreme(values[:-2], values[1:-1]), values[2:]), 0, axis)


@lru_cache(maxsize=1)
def _blur() -> Floats:
    """Return Gaussian blurs as matrices [levels, SIDE, SIDE], the border mirrored: BLAS is faster than convolution."""
    identity = np.eye(SIDE, dtype=np.float64)
    return np.stack([ndimage.gaussian_filter1d(identity, sigma, axis=0) for sigma in _SCALES]).astype(np.float32)


def _describe(levels: Floats, row: Floats, column: Floats, level: npt.NDArray[np.intp]) -> Floats:
    """Return histograms of gradient directions [N, cells * cells * directions], of unit length."""
    step = (np.arange(_SAMPLES + 2) - (_SAMPLES + 1) / 2) * (2 * _REACH / _SAMPLES)
    offset = step[None, :] * _SCALES[level][:, None]
    rows = (row[:, None] + offset)[:, :, None]
    columns = (column[:, None] + offset)[:, None, :]
    patch = _sample(levels, level, rows, columns)
    gx = patch[:, 1:-1, 2:] - patch[:, 1:-1, :-2]
    gy = patch[:, 2:, 1:-1] - patch[:, :-2, 1:-1]
    angles = np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS)
    directed = np.maximum(
        0, gx[..., None] * np.cos(angles).astype(np.float32) + gy[..., None] * np.sin(angles).astype(np.float32)
    )
    pool = _pool()
    histogram: Floats = np.einsum("ai,nijk,bj->nabk", pool, directed, pool, optimize=True)
    histogram = histogram.reshape(len(row), _CELLS * _CELLS * _DIRECTIONS)
    for _ in range(2):
        histogram = histogram / np.maximum(np.linalg.norm(histogram, axis=1, keepdims=True), 1e-6)
        histogram = np.minimum(histogram, 0.25)
    return histogram.astype(np.float32)


def _sample(levels: Floats, level: npt.NDArray[np.intp], rows: Floats, columns: Floats) -> Floats:
    """Sample level images bilinearly at rows [N, S, 1] and columns [N, 1, S]; outside, the border continues."""
    rows, columns = np.clip(rows, 0, SIDE - 1.001), np.clip(columns, 0, SIDE - 1.001)
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    down, right = (rows - top).astype(np.float32), (columns - left).astype(np.float32)
    at = level[:, None, None]
    upper = levels[at, top, left] * (1 - right) + levels[at, top, left + 1] * right
    lower = levels[at, top + 1, left] * (1 - right) + levels[at, top + 1, left + 1] * right
    return upper * (1 - down) + lower * down


@lru_cache(maxsize=1)
def _pool() -> Floats:
    """Return weights [cells, samples] that share a sample between the two cells next to it."""
    centres = (np.arange(_CELLS) + 0.5) * (_SAMPLES / _CELLS) - 0.5
    distance = np.abs(np.arange(_SAMPLES)[None, :] - centres[:, None]) / (_SAMPLES / _CELLS)
    return np.maximum(0, 1 - distance).astype(np.float32)


@lru_cache(maxsize=1)
def _mirror() -> npt.NDArray[np.intp]:
    """Return the permutation that turns a histogram into that of the mirrored picture."""
    index = np.arange(_CELLS * _CELLS * _DIRECTIONS).reshape(_CELLS, _CELLS, _DIRECTIONS)
    # x changes sign: the direction a becomes pi - a.
    directions = (_DIRECTIONS // 2 - np.arange(_DIRECTIONS)) % _DIRECTIONS
    return index[:, ::-1, directions].reshape(-1)


@lru_cache(maxsize=1)
def _projection() -> Floats:
    """Return fixed directions [128, D]; each sums to zero over the cells, so what all patches share is not coded."""
    rng = np.random.Generator(np.random.PCG64(20240229))
    directions = rng.standard_normal((128, _CELLS * _CELLS, _DIRECTIONS))
    directions -= directions.mean(axis=1, keepdims=True)
    return directions.reshape(128, -1).astype(np.float32)


def _codes(histograms: Floats) -> Codes:
    bits = histograms @ _projection().T > 0
    return np.ascontiguousarray(np.packbits(bits, axis=1)).view(np.uint64).reshape(len(histograms), 2)
