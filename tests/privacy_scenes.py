"""Pictures of a scene that moves, with or without text burned into them."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from cineloop.report.render.text import sprite

WHITE = (255, 255, 255)


def scene(size: tuple[int, int] = (320, 240), *, seed: int = 0) -> np.ndarray:
    """Return a large picture of folds and vessels, uint8 [2H, 2W, 3], of which frames are windows."""
    rng = np.random.default_rng(seed)
    height, width = 2 * size[1], 2 * size[0]
    coarse = gaussian_filter(rng.normal(size=(height, width)), 14)
    fine = gaussian_filter(rng.normal(size=(height, width)), 1.2)
    level = 0.5 + 0.22 * coarse / coarse.std() + 0.07 * fine / fine.std()
    return np.clip(level[..., None] * np.array([205, 110, 90]), 0, 255).astype(np.uint8)


def moving(count: int, size: tuple[int, int] = (320, 240), *, seed: int = 0, first: int = 0) -> np.ndarray:
    """Return frames of a scene that wanders, uint8 [T, H, W, 3]."""
    width, height = size
    whole = scene(size, seed=seed)
    steps = np.arange(first, first + count)
    left = ((0.5 + 0.5 * np.sin(steps / 2.9)) * width).astype(int)
    top = ((0.5 + 0.5 * np.sin(steps / 3.7 + 1)) * height).astype(int)
    return np.stack([whole[y : y + height, x : x + width] for x, y in zip(left, top, strict=True)])


def write_on(
    frame: np.ndarray, text: str, place: tuple[int, int], *, size: int = 14, colour=WHITE, opacity: float = 1.0
):
    """Draw text into a frame [H, W, 3]; return which of its pixels are letters, bool [H, W]."""
    letters = sprite(text, "Medium", size, WHITE, (0, 0, 0), 2 * size)[..., 0] / 255.0
    height, width = letters.shape
    x, y = place
    area = (slice(y, y + height), slice(x, x + width))
    share = letters[..., None] * opacity
    frame[area] = np.rint(frame[area] * (1 - share) + np.array(colour) * share)
    drawn = np.zeros(frame.shape[:2], dtype=bool)
    drawn[area] = letters > 0.3
    return drawn


def round_picture(frames: np.ndarray, radius: float = 0.45) -> np.ndarray:
    """Return frames whose picture is a disc on black, uint8 [T, H, W, 3]."""
    height, width = frames.shape[1:3]
    y, x = np.mgrid[:height, :width] + 0.5
    inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 <= (radius * height) ** 2
    return np.where(inside[..., None], frames, np.uint8(0))
