"""Text as pixels, in the font that comes with the package."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from io import BytesIO
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Pixels: TypeAlias = npt.NDArray[np.uint8]
Colour: TypeAlias = tuple[int, int, int]
Weight: TypeAlias = Literal["Medium", "Bold"]
Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, width and height, in pixels."""


def unit_of(width: int, height: int) -> int:
    """Return the size of letters that suits a picture, in pixels: 20 at 720 lines, and never less than 12."""
    return max(12, min(60, round(min(width, height) / 36)))


def font_bytes(weight: Weight) -> bytes:
    """Return the file of a font: ``Cineloop Sans``, a subset of Noto Sans SC under the SIL Open Font License."""
    return resources.files("cineloop.report").joinpath("fonts", f"CineloopSans-{weight}.ttf").read_bytes()


@lru_cache(maxsize=64)
def font(weight: Weight, size: int) -> ImageFont.FreeTypeFont:
    """Return a font of a size in pixels, at least 1."""
    return ImageFont.truetype(BytesIO(font_bytes(weight)), size, layout_engine=ImageFont.Layout.BASIC)


def width_of(text: str, weight: Weight, size: int) -> int:
    """Return how many pixels a line of text is wide."""
    return int(np.ceil(font(weight, size).getlength(text)))


@lru_cache(maxsize=1024)
def shortened(text: str, weight: Weight, size: int, width: int) -> str:
    """Return a text that is at most ``width`` pixels wide, its end replaced by an ellipsis where it is cut."""
    if width_of(text, weight, size) <= width:
        return text
    kept = text
    while kept and width_of(f"{kept}…", weight, size) > width:
        kept = kept[:-1].rstrip()
    return f"{kept}…" if kept else ""


@lru_cache(maxsize=2048)
def sprite(text: str, weight: Weight, size: int, colour: Colour, ground: Colour, height: int) -> Pixels:
    """Return a line of text on a plain ground, RGB uint8 [height, width of the text, 3], read-only.

    Digits and letters stand on the same line whatever the text is, so that a changing one does not jump.
    """
    drawn = font(weight, size)
    image = Image.new("RGB", (max(1, width_of(text, weight, size)), height), ground)
    # The middle of a capital letter in the middle of the line.
    top = drawn.getbbox("H", anchor="ls")[1]
    ImageDraw.Draw(image).text((0, (height - top) / 2), text, colour, drawn, anchor="ls")
    pixels = np.asarray(image).copy()
    pixels.setflags(write=False)
    return pixels


def stamp(
    onto: Pixels,
    box: Box,
    text: str,
    size: int,
    colour: Colour,
    ground: Colour,
    *,
    weight: Weight = "Medium",
    right: bool = False,
) -> None:
    """Write a line of text into a box of a picture, to its left or right side, cut where it is too long."""
    left, top, width, height = box
    drawn = sprite(shortened(text, weight, size, width), weight, size, colour, ground, height)[:, :width]
    begin = left + width - drawn.shape[1] if right else left
    onto[top : top + height, begin : begin + drawn.shape[1]] = drawn
