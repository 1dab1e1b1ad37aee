"""A picture of which only what has changed is drawn anew."""

from __future__ import annotations

from collections.abc import Hashable

from cineloop.report.render.colours import GROUND
from cineloop.report.render.text import OWN, Box, Colour, Letters, Pixels, Weight, stamp


class Panel:
    """Pixels that hold pieces of text and bars at fixed places.

    Args:
        pixels: Where to draw, RGB uint8 [H, W, 3]; it is changed in place and holds the finished ground.
        letters: In which fonts.
    """

    def __init__(self, pixels: Pixels, letters: Letters = OWN) -> None:
        self.pixels = pixels
        self._letters = letters
        self._ground = pixels.copy()
        self._shown: dict[tuple[int, int], Hashable] = {}
        self._cursor: int | None = None

    def text(
        self,
        box: Box,
        text: str,
        size: int,
        colour: Colour,
        *,
        weight: Weight = "Medium",
        right: bool = False,
    ) -> None:
        """Write a line of text into a box, cut where it is too long."""
        if self._same(box[:2], (text, colour)):
            return
        self._clear(box)
        stamp(self.pixels, box, text, size, colour, GROUND, weight=weight, right=right, letters=self._letters)

    def bar(self, box: Box, share: float, colour: Colour) -> None:
        """Fill a box from the left to a share of its width, in [0, 1]; the rest shows the ground."""
        left, top, width, height = box
        filled = round(share * width)
        if self._same((left, top), (filled, colour)):
            return
        self._clear(box)
        self.pixels[top : top + height, left : left + filled] = colour

    def cursor(self, left: int, top: int, height: int, width: int, colour: Colour) -> None:
        """Draw an upright line at ``left``, after taking away the one before."""
        if self._cursor == left:
            return
        if self._cursor is not None:
            self._clear((self._cursor, top, width, height))
        self.pixels[top : top + height, left : left + width] = colour
        self._cursor = left

    def _same(self, place: tuple[int, int], what: Hashable) -> bool:
        if self._shown.get(place) == what:
            return True
        self._shown[place] = what
        return False

    def _clear(self, box: Box) -> None:
        left, top, width, height = box
        self.pixels[top : top + height, left : left + width] = self._ground[top : top + height, left : left + width]
