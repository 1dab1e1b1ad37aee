"""Where a model looked, as pictures: each frame beside itself under a map of its attention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_BAND = 28
_GAP = 4
_PAPER = (18, 18, 20)
_INK = (235, 235, 235)


@cache
def _colours() -> Pixels:
    from matplotlib import colormaps

    table: Pixels = (colormaps["inferno"](np.arange(256))[:, :3] * 255).round().astype(np.uint8)
    return table


def strength(maps: Floats) -> Floats:
    """Return attention on a scale of 0 to 1 that all frames of a video share.

    0 is what a place would get if all places of all frames were looked at alike (or less), 1 the largest value but for
    the highest half per cent.

    Args:
        maps: float32 [..., T, h, w], each clip's places with a sum above 0.
    """
    relative = maps / maps.mean(axis=(-3, -2, -1), keepdims=True) - 1.0
    top = float(np.quantile(relative, 0.995))
    scaled: Floats = np.clip(relative / top, 0.0, 1.0).astype(np.float32) if top > 0 else np.zeros_like(maps)
    return scaled


def _under_heat(picture: Image.Image, heat: Floats) -> Image.Image:
    """Return a picture, dimmed where it was not looked at, with the map's colours over it."""
    values = Image.fromarray((heat * 255).round().astype(np.uint8)).resize(picture.size, Image.Resampling.BICUBIC)
    colours = Image.fromarray(_colours()[np.asarray(values)])
    grey = picture.convert("L").convert("RGB")
    mask = values.point([round(40 + 140 * value / 255) for value in range(256)])
    return Image.composite(colours, grey, mask)


def size_of(side: int) -> tuple[int, int]:
    """Return the width and height of the frames that :func:`overlaid` gives for pictures of ``side`` pixels."""
    return 2 * side + _GAP + (_GAP % 2), side + _BAND


def overlaid(pictures: Pixels, heat: Floats, captions: Sequence[str], *, side: int = 448) -> Iterator[Pixels]:
    """Yield each frame beside itself under its attention, with a line of text below.

    Args:
        pictures: uint8 RGB [N, S, S, 3].
        heat: From 0 to 1, float32 [N, h, w]; see :func:`strength`.
        captions: One a frame.
        side: Of a picture in the result, in pixels; even.

    Yields:
        uint8 RGB [side + 28, 2 * side + 4, 3].
    """
    font = ImageFont.load_default(15)
    for pixels, values, caption in zip(pictures, heat, captions, strict=True):
        picture = Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS)
        sheet = Image.new("RGB", size_of(side), _PAPER)
        sheet.paste(picture, (0, 0))
        sheet.paste(_under_heat(picture, values), (side + _GAP, 0))
        ImageDraw.Draw(sheet).text((8, side + 5), caption, fill=_INK, font=font)
        yield np.asarray(sheet)
