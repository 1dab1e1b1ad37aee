"""Frames as small JPEGs inside a page, bounded in size as a whole."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from cineloop.report.html import Bar, Gallery, Picture, Strip, Tone

Pixels: TypeAlias = npt.NDArray[np.uint8]

_ATTEMPTS = ((160, 82), (160, 70), (128, 70), (112, 60), (96, 50), (72, 45), (56, 40), (40, 30))
"""Heights in pixels and JPEG qualities, tried in turn until all frames fit."""


@dataclass(frozen=True, eq=False)
class FrameStrip:
    """Frames of one item to be shown.

    Attributes:
        title: The item.
        frames: uint8 RGB [T, H, W, 3], or T of [H, W, 3] where they are of different sizes.
        captions: A few words below each frame (its time), [T] or empty.
        detail: What is to be said about the item.
        tone: Of the detail.
        bars: Above the frames.
    """

    title: str
    frames: Pixels | Sequence[Pixels]
    captions: tuple[str, ...] = field(default=())
    detail: str = ""
    tone: Tone = "plain"
    bars: tuple[Bar, ...] = ()


def encode(frame: Pixels, *, height: int = 160, quality: int = 82) -> tuple[bytes, int, int]:
    """Return a frame as JPEG, scaled down to ``height`` pixels at most.

    Args:
        frame: uint8 RGB [H, W, 3], or grey [H, W].
        height: Of the picture.
        quality: Of the JPEG, 1 to 95.

    Returns:
        The bytes, the width and the height.
    """
    picture = Image.fromarray(frame).convert("RGB")
    if picture.height > height:
        width = max(1, round(picture.width * height / picture.height))
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    stream = io.BytesIO()
    picture.save(stream, format="JPEG", quality=quality, optimize=True)
    return stream.getvalue(), picture.width, picture.height


def gallery(strips: Sequence[FrameStrip], *, budget: int = 1_200_000) -> Gallery:
    """Return strips of frames whose JPEGs together take at most ``budget`` bytes.

    Frames get smaller and coarser until they fit; if even the smallest do not, the last strips are left out.
    """
    shown = list(strips)
    n_frames = sum(len(strip.frames) for strip in shown)
    encoded: list[list[tuple[bytes, int, int]]] = []
    for height, quality in _ATTEMPTS:
        first = [encode(strip.frames[0], height=height, quality=quality) for strip in shown if len(strip.frames)]
        # The first frames tell a hopeless attempt from one that is worth encoding all; the last is always made.
        hopeless = sum(len(data) for data, _, _ in first) / max(1, len(first)) * n_frames > 1.3 * budget
        if hopeless and (height, quality) != _ATTEMPTS[-1]:
            continue
        encoded = [[encode(frame, height=height, quality=quality) for frame in strip.frames] for strip in shown]
        if sum(len(data) for strip in encoded for data, _, _ in strip) <= budget:
            break
    else:
        sizes = np.cumsum([sum(len(data) for data, _, _ in strip) for strip in encoded])
        shown = shown[: int(np.searchsorted(sizes, budget, side="right"))]
    return Gallery(tuple(_strip(strip, pictures) for strip, pictures in zip(shown, encoded, strict=False)))


def _strip(strip: FrameStrip, pictures: Sequence[tuple[bytes, int, int]]) -> Strip:
    captions = strip.captions or ("",) * len(pictures)
    return Strip(
        title=strip.title,
        pictures=tuple(
            Picture(
                data,
                alt=f"{strip.title}, frame {place} of {len(pictures)}{f', {caption}' if caption else ''}",
                width=width,
                height=height,
                caption=caption,
            )
            for place, ((data, width, height), caption) in enumerate(zip(pictures, captions, strict=True), start=1)
        ),
        detail=strip.detail,
        tone=strip.tone,
        bars=strip.bars,
    )
