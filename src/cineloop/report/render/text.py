"""Text as pixels, in the font that comes with the package, and in others where it lacks a letter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont, features

from cineloop.report.typefaces import lacking, letters_of, opened

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


@lru_cache(maxsize=1)
def _own() -> FT2Font:
    return FT2Font(BytesIO(font_bytes("Medium")))


@lru_cache(maxsize=16)
def _face(file: Path) -> FT2Font | None:
    return opened(file)


@dataclass(frozen=True)
class Letters:
    """The fonts that text is drawn in: the package's own, and others where it lacks a letter.

    Attributes:
        others: Font files, in the order in which they are asked.
    """

    others: tuple[Path, ...] = ()

    def lacking(self, text: str) -> frozenset[str]:
        """Return the letters of a text that none of the fonts has."""
        left = lacking(_own(), letters_of(text))
        for file in self.others:
            face = _face(file)
            left = left if face is None or not left else lacking(face, left)
        return left

    def parts(self, text: str) -> tuple[tuple[Path | None, str], ...]:
        """Cut a text into pieces of one font each, None for the package's own.

        A font that has the whole text draws it alone, so that a name is not of several hands.
        """
        needed = letters_of(text)
        if not self.others or not lacking(_own(), needed):
            return ((None, text),)
        faces = [(file, face) for file in self.others if (face := _face(file)) is not None]
        for file, face in faces:
            if not lacking(face, needed):
                return ((file, text),)

        def first(letter: str) -> Path | None:
            if not lacking(_own(), letters_of(letter)):
                return None
            return next((file for file, face in faces if not lacking(face, letter)), None)

        return tuple((file, "".join(run)) for file, run in groupby(text, key=first))


OWN = Letters()
"""The package's own font alone."""


@lru_cache(maxsize=64)
def font(weight: Weight, size: int, file: Path | None = None) -> ImageFont.FreeTypeFont:
    """Return a font of a size in pixels, at least 1: the package's own in a weight, or that of a file as it is."""
    if file is None:
        return ImageFont.truetype(BytesIO(font_bytes(weight)), size, layout_engine=ImageFont.Layout.BASIC)
    # Other scripts may need their letters joined, or be written from the right.
    engine = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(file), size, layout_engine=engine)


class _Piece(NamedTuple):
    font: ImageFont.FreeTypeFont
    text: str
    left: float


@lru_cache(maxsize=2048)
def _laid(text: str, weight: Weight, size: int, letters: Letters) -> tuple[_Piece, ...]:
    """Return the pieces of a line of text; the last one is empty, behind the others."""
    laid, left = [], 0.0
    for file, part in letters.parts(text):
        drawn = font(weight, size, file)
        laid.append(_Piece(drawn, part, left))
        left += drawn.getlength(part)
    return (*laid, _Piece(font(weight, size), "", left))


def width_of(text: str, weight: Weight, size: int, letters: Letters = OWN) -> int:
    """Return how many pixels a line of text is wide."""
    return int(np.ceil(_laid(text, weight, size, letters)[-1].left))


@lru_cache(maxsize=1024)
def shortened(text: str, weight: Weight, size: int, width: int, letters: Letters = OWN) -> str:
    """Return a text that is at most ``width`` pixels wide, its end replaced by an ellipsis where it is cut."""
    if width_of(text, weight, size, letters) <= width:
        return text
    kept = text
    while kept and width_of(f"{kept}…", weight, size, letters) > width:
        kept = kept[:-1].rstrip()
    return f"{kept}…" if kept else ""


@lru_cache(maxsize=2048)
def sprite(
    text: str, weight: Weight, size: int, colour: Colour, ground: Colour, height: int, letters: Letters = OWN
) -> Pixels:
    """Return a line of text on a plain ground, RGB uint8 [height, width of the text, 3], read-only.

    Digits and letters stand on the same line whatever the text is, so that a changing one does not jump.
    """
    image = Image.new("RGB", (max(1, width_of(text, weight, size, letters)), height), ground)
    # The middle of a capital letter in the middle of the line.
    top = font(weight, size).getbbox("H", anchor="ls")[1]
    for piece in _laid(text, weight, size, letters):
        ImageDraw.Draw(image).text((piece.left, (height - top) / 2), piece.text, colour, piece.font, anchor="ls")
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
    letters: Letters = OWN,
) -> None:
    """Write a line of text into a box of a picture, to its left or right side, cut where it is too long."""
    left, top, width, height = box
    short = shortened(text, weight, size, width, letters)
    drawn = sprite(short, weight, size, colour, ground, height, letters)[:, :width]
    begin = left + width - drawn.shape[1] if right else left
    onto[top : top + height, begin : begin + drawn.shape[1]] = drawn
