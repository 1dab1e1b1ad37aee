"""Rectangles of a picture: as a user gives them, and placed in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import model_validator

from cineloop.errors import PrivacyError
from cineloop.schema import Section


@dataclass(frozen=True, order=True)
class Box:
    """A rectangle in pixels of an upright frame as it is stored.

    Attributes:
        x: Its first column.
        y: Its first row.
        width: Columns.
        height: Rows.
    """

    x: int
    y: int
    width: int
    height: int

    @property
    def rows(self) -> slice:
        """The rows that it covers."""
        return slice(self.y, self.y + self.height)

    @property
    def columns(self) -> slice:
        """The columns that it covers."""
        return slice(self.x, self.x + self.width)

    def scaled(self, size: tuple[int, int], to: tuple[int, int]) -> Box:
        """Return the smallest box that covers this one when frames of ``size`` (width, height) are scaled to ``to``."""
        by_x, by_y = to[0] / size[0], to[1] / size[1]
        return Box.covering(
            self.x * by_x, self.y * by_y, (self.x + self.width) * by_x, (self.y + self.height) * by_y, to
        )

    @staticmethod
    def covering(left: float, top: float, right: float, bottom: float, size: tuple[int, int]) -> Box:
        """Return the smallest box of whole pixels within a frame of ``size`` (width, height) that covers an area."""
        x, y = max(0, math.floor(left + 1e-9)), max(0, math.floor(top + 1e-9))
        return Box(x, y, min(size[0], math.ceil(right - 1e-9)) - x, min(size[1], math.ceil(bottom - 1e-9)) - y)


class Region(Section):
    """A rectangle that a user gives.

    Attributes:
        x: Its left edge.
        y: Its top edge.
        width: How wide it is.
        height: How high it is.
        unit: ``pixels`` of the frame, or ``shares`` of its width and height.
    """

    x: float
    y: float
    width: float
    height: float
    unit: Literal["pixels", "shares"] = "pixels"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.x < 0 or self.y < 0 or self.width <= 0 or self.height <= 0:
            raise ValueError("a region begins at 0 or later and is wider and higher than 0")
        if self.unit == "shares" and max(self.x + self.width, self.y + self.height) > 1 + 1e-9:
            raise ValueError("a region in shares ends at 1 at the latest")
        return self

    @classmethod
    def parse(cls, text: str) -> Region:
        """Read ``x,y,w,h``: whole numbers are pixels; with a decimal point or a percent sign all four are shares.

        Raises:
            PrivacyError: It is no such text, or no possible rectangle.
        """
        words = [word.strip() for word in text.split(",")]
        shares = any("." in word or "%" in word for word in words)
        if not shares and words[2:] == ["1", "1"]:
            raise PrivacyError(
                f"{text!r} may mean one pixel or the whole frame",
                where="--mask",
                mend="Write 0,0,100%,100% for the whole frame; a region in pixels is larger than one.",
            )
        try:
            values = [float(word.removesuffix("%")) / (100 if word.endswith("%") else 1) for word in words]
            x, y, width, height = values
            return cls(x=x, y=y, width=width, height=height, unit="shares" if shares else "pixels")
        except ValueError:
            raise PrivacyError(
                f"{text!r} is no region of a picture",
                where="--mask",
                mend="Give left, top, width and height: 0,0,320,40 in pixels, or 0,0,0.25,0.05 in shares of the frame.",
            ) from None

    def placed(self, size: tuple[int, int]) -> Box:
        """Return the region in a frame of ``size`` (width, height).

        Raises:
            PrivacyError: It does not lie in the frame, so that it is meant for another.
        """
        by_x, by_y = size if self.unit == "shares" else (1, 1)
        box = Box.covering(
            self.x * by_x, self.y * by_y, (self.x + self.width) * by_x, (self.y + self.height) * by_y, size
        )
        right, bottom = self.x + self.width, self.y + self.height
        if box.width < 1 or box.height < 1 or (self.unit == "pixels" and (right > size[0] or bottom > size[1])):
            raise PrivacyError(
                f"The region {self.x:g},{self.y:g} to {right:g},{bottom:g} is not within {size[0]}x{size[1]} pixels",
                where="--mask",
                mend="Give a region of this recording; shares fit every size.",
            )
        return box
