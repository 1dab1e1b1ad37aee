"""What shortcuts look at: the colours, the coarse layout and the edges of small pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]

SIDE = 48
"""Height and width of the pictures that shortcuts see."""

_BINS = 6


def colour_histogram(pixels: NDArray[np.uint8]) -> Features:
    """Return the share of each of 6x6x6 colours over all pixels [..., 3], on a scale that brings out the rare ones."""
    cells = (pixels.reshape(-1, 3).astype(np.int64) * _BINS) // 256
    counts = np.bincount(cells @ np.array([_BINS * _BINS, _BINS, 1]), minlength=_BINS**3)
    return np.asarray(np.sqrt(counts / counts.sum()), dtype=np.float64)


def _gradients(grey: Features) -> Features:
    """Histograms of edge directions in a grid of cells (Dalal and Triggs 2005), without their block normalisation."""
    down, right = np.gradient(grey)
    strength, direction = np.hypot(down, right), (np.arctan2(down, right) % np.pi) / np.pi
    cells = SIDE // 8
    rows, columns = np.mgrid[:SIDE, :SIDE] // 8
    index = (rows * cells + columns) * 8 + np.minimum((direction * 8).astype(np.int64), 7)
    return np.sqrt(np.bincount(index.ravel(), weights=strength.ravel(), minlength=cells * cells * 8))


def pixels_and_edges(pixels: NDArray[np.uint8]) -> Features:
    """Return the pixels of a picture [SIDE, SIDE, 3], small, and its edges."""
    frame = pixels.astype(np.float64) / 255
    small = frame.reshape(SIDE // 4, 4, SIDE // 4, 4, 3).mean((1, 3))
    return np.concatenate([small.ravel(), _gradients(frame.mean(2))])
