"""Small pictures of masked frames, taken as they pass by."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

import numpy as np
from PIL import Image

from cineloop.analysis.privacy.doubts import FrameKey
from cineloop.analysis.privacy.part import Part
from cineloop.errors import FrameDecodeError
from cineloop.report.html import Picture
from cineloop.video.frame import Pixels

SMALL, LARGE = 168, 480
"""Pixels across: of pictures beside a decision, and of those in which leftover text is to be seen."""


class Thumbnails:
    """Keeps small pictures of chosen frames.

    Args:
        small: Frames to keep a small picture of.
        large: Frames to keep a larger one of.
    """

    def __init__(self, small: Iterable[FrameKey], large: Iterable[FrameKey] = ()) -> None:
        self._wanted = {**dict.fromkeys(small, SMALL), **dict.fromkeys(large, LARGE)}
        self._kept: dict[FrameKey, tuple[bytes, int, int]] = {}

    def watch(self, part: Part, frame: int, pixels: Pixels) -> None:
        """Look at a frame that passes by, RGB uint8 ``[H, W, 3]``, already masked."""
        width = self._wanted.get((part.number, frame))
        if width is not None:
            self._kept[part.number, frame] = jpeg(pixels, width)

    def add_removed(self, parts: Iterable[Part], frames: Iterable[FrameKey]) -> None:
        """Read frames that were removed; those that cannot be decoded are left out."""
        by_number = {part.number: part for part in parts}
        for number, frame in frames:
            part = by_number[number]
            try:
                pixels = part.video.frames([frame], size=part.mask.size).pixels[0]
            except FrameDecodeError:
                continue
            self._kept[number, frame] = jpeg(part.mask.fill(pixels), SMALL)

    def picture(self, key: FrameKey, alt: str, caption: str) -> Picture | None:
        """Return a frame's picture; None where it did not pass by."""
        if key not in self._kept:
            return None
        data, width, height = self._kept[key]
        return Picture(data, alt, width, height, caption=caption)


def jpeg(pixels: Pixels, width: int) -> tuple[bytes, int, int]:
    """Return a picture as the bytes of a JPEG of at most some width, with its width and height."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.BILINEAR)
    stream = BytesIO()
    image.save(stream, "JPEG", quality=72)
    return stream.getvalue(), image.width, image.height
