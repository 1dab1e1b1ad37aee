"""What is kept of a frame besides what models say: how sharp it is, what it looks like, a small picture."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from cineloop.video.frame import Pixels

SMALL, BEST = (160, 70), (480, 80)
"""Pixels across and the quality of JPEG: of small pictures along a timeline, and of those worth looking at."""

_WORKING = 192
_SIDE = 8


def sharpness_of(pixels: Pixels) -> float:
    """Return how sharp a frame is: the energy of its Laplacian against that of its grey values.

    Measured on a reduced picture, so that noise and compression count less; of a flat picture it is 0.

    Args:
        pixels: RGB uint8 [H, W, 3].
    """
    grey = _reduced(pixels, _WORKING)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    spread = float(inner.var())
    return float(np.square(laplacian).mean()) / (spread + 25.0)


def _reduced(pixels: Pixels, side: int) -> npt.NDArray[np.float32]:
    height, width = pixels.shape[:2]
    factor = max(1, max(height, width) // side)
    image = Image.fromarray(pixels)
    grey = (image.reduce(factor) if factor > 1 else image).convert("L")
    return np.asarray(grey, dtype=np.float32)


def signature_of(pixels: Pixels) -> Pixels:
    """Return what a frame looks like from afar: uint8 [8, 8, 3]."""
    small = Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(small, dtype=np.uint8)


def thumbnail(pixels: Pixels, width: int, quality: int) -> tuple[bytes, int, int]:
    """Return a small picture as JPEG without metadata, and its width and height in pixels.

    Args:
        pixels: RGB uint8 [H, W, 3].
        width: Pixels across; a narrower frame keeps its own.
        quality: Of JPEG, 1 to 95.
    """
    tall, wide = pixels.shape[:2]
    across = min(width, wide)
    down = max(1, round(tall * across / wide))
    image = Image.fromarray(pixels).resize((across, down), Image.Resampling.BILINEAR, reducing_gap=2.0)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality, optimize=True)
    return stream.getvalue(), across, down
