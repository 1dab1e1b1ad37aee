"""Video files whose every frame shows its own number, in blocks that survive lossy coding and resizing.

``write_coded_video`` writes one, ``read_code`` reads the number off a decoded frame, whatever its size.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from cineloop.video.writer import VideoWriter

ROWS, COLUMNS = 4, 5
NUMBER_BITS = 14  # the other six cells hold a checksum


def _checksum(number: int) -> int:
    return (number * 41 + 29) % 61


def code_cells(number: int, size: tuple[int, int]) -> np.ndarray:
    """Return grey levels [H, W], 50 or 205, whose cells show ``number``."""
    if not 0 <= number < 1 << NUMBER_BITS:
        raise ValueError(f"{number} does not fit {NUMBER_BITS} bits")
    width, height = size
    word = number << 6 | _checksum(number)
    bits = np.array([word >> i & 1 for i in range(ROWS * COLUMNS)]).reshape(ROWS, COLUMNS)
    rows, columns = np.arange(height) * ROWS // height, np.arange(width) * COLUMNS // width
    return 50 + 155 * bits[rows[:, None], columns]


def coded_picture(number: int, size: tuple[int, int] = (160, 120)) -> np.ndarray:
    """Return RGB uint8 [H, W, 3] showing ``number`` as dark and bright cells under a texture that moves."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    texture = 14 * np.sin((x + 3 * number) / 7) + 14 * np.cos((y - 2 * number) / 5)
    grey = code_cells(number, size) + texture
    return np.clip(grey[..., None] + [6, 0, -6], 0, 255).astype(np.uint8)


def read_code(pixels: np.ndarray) -> int:
    """Return the number that a picture [H, W, 3] shows; ValueError when it shows none."""
    height, width = pixels.shape[:2]
    word = 0
    for i in range(ROWS * COLUMNS):
        row, column = divmod(i, COLUMNS)
        top, left = (row + 0.25) * height / ROWS, (column + 0.25) * width / COLUMNS
        cell = pixels[
            round(top) : max(round(top + height / ROWS / 2), round(top) + 1),
            round(left) : max(round(left + width / COLUMNS / 2), round(left) + 1),
        ]
        level = float(cell.mean())
        if abs(level - 127) < 35:
            raise ValueError(f"cell {i} is neither dark nor bright: {level:.0f}")
        word |= (level > 127) << i
    number, checksum = word >> 6, word & 63
    if checksum != _checksum(number):
        raise ValueError(f"the cells show no code: number {number}, checksum {checksum}")
    return number


def variable_times(frames: int, start: float = 0.0) -> list[Fraction]:
    """Return times whose steps vary between 20 and 140 ms."""
    steps = np.random.default_rng(0).integers(2, 15, frames)
    return [Fraction(start) + Fraction(int(step), 100) for step in np.cumsum(steps) - steps[0]]


def write_coded_video(
    path: Path,
    frames: int = 48,
    *,
    size: tuple[int, int] = (160, 120),
    fps: float | Fraction = 25,
    times: list[Fraction] | None = None,
    turns: int = 0,
    **writer: Any,
) -> Path:
    """Write a video whose frame ``i`` shows ``i``.

    Args:
        path: Where; the suffix chooses the container.
        frames: How many.
        size: Width and height as stored.
        fps: Rate, when ``times`` is not given.
        times: Seconds of each frame: a variable rate, or a start other than 0.
        turns: Quarter turns clockwise in storage, with a tag that makes players turn them back.
        writer: Arguments of ``VideoWriter`` (codec, keyint, bframes, open_gop, pixel_format, ...).
    """
    upright = size if turns % 2 == 0 else size[::-1]
    with VideoWriter(path, fps, size, explicit_times=times is not None, rotation=90 * turns % 360, **writer) as out:
        for number in range(frames):
            picture = np.ascontiguousarray(np.rot90(coded_picture(number, upright), -turns))
            out.write(picture, seconds=None if times is None else times[number])
    return path
