"""Fitting pictures to a model's input: resizing, cropping, and the values that a model expects."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import AfterValidator, Field, PositiveInt, model_validator
from torch import Tensor
from torch.nn import functional

from cineloop.schema import Section
from cineloop.video.frame import Pixels

# A part of a picture: x and y of its upper left corner, its width and its height, in pixels.
Box = tuple[int, int, int, int]
Fit = Literal["centre", "left_or_top", "right_or_bottom", "stretch"]


def positive_std(values: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return the standard deviations of channels when all are above 0."""
    if min(values) <= 0:
        raise ValueError("every channel's standard deviation must be above 0")
    return values


class SpatialConfig(Section):
    """How a picture becomes a model's input.

    Attributes:
        size: Height and width of the input, in pixels.
        short_side: The short side of the resized picture from which the input is cropped; None for ``size``.
        fit: Which part evaluation sees: the ``centre`` of the long side, its beginning (``left_or_top``), its end
            (``right_or_bottom``), or all of it, with its aspect ratio given up (``stretch``).
        crops: How many parts multi-view testing sees: the one of ``fit``, or three along the long side.
        antialias: Smooth before shrinking. Without it pictures are resized in floating point as the published
            Endo-FM tools do, with aliasing.
        mean: Of each channel (R, G, B), on the scale from 0 to 1.
        std: Of each channel (R, G, B), on the scale from 0 to 1.
    """

    size: PositiveInt = 224
    short_side: PositiveInt | None = None
    fit: Fit = "centre"
    crops: Literal[1, 3] = 1
    antialias: bool = True
    mean: tuple[float, float, float] = (0.45, 0.45, 0.45)
    std: Annotated[tuple[float, float, float], AfterValidator(positive_std)] = Field(default=(0.225, 0.225, 0.225))

    @model_validator(mode="after")
    def _check(self) -> SpatialConfig:
        if self.short_side is not None and self.short_side < self.size:
            raise ValueError(f"short_side {self.short_side} is smaller than size {self.size}")
        if self.fit == "stretch" and (self.crops != 1 or self.short_side is not None):
            raise ValueError("fit: stretch shows the whole picture, so it takes neither short_side nor crops")
        return self


def cut(pixels: Pixels, box: Box | None) -> Pixels:
    """Return the part of uint8 ``[T, H, W, 3]`` inside ``box``, without copying; all of it for None.

    Raises:
        ValueError: The box is empty or reaches beyond the picture.
    """
    if box is None:
        return pixels
    x, y, width, height = box
    if x < 0 or y < 0 or width < 1 or height < 1 or y + height > pixels.shape[1] or x + width > pixels.shape[2]:
        raise ValueError(f"box {box} in a picture of {pixels.shape[2]} x {pixels.shape[1]}")
    return pixels[:, y : y + height, x : x + width]


def resize(pixels: Pixels, height: int, width: int, *, antialias: bool) -> Tensor:
    """Resize uint8 ``[T, H, W, 3]`` bilinearly (pixel centres at half coordinates).

    Returns:
        ``[T, 3, height, width]`` with values 0 to 255: uint8 with ``antialias``, else float32, not rounded.
    """
    # A view: the strides of [T, H, W, 3] are those of torch's channels-last layout, which has the fast kernel. Torch
    # wants memory that may be written, though nothing here writes to it.
    pictures = torch.from_numpy(np.require(pixels, requirements="W")).permute(0, 3, 1, 2)
    if antialias:
        if pictures.shape[2:] == (height, width):
            return pictures
        return functional.interpolate(pictures, size=(height, width), mode="bilinear", antialias=True)
    # One at a time, so that a long clip of large pictures never exists as floats.
    result = torch.empty(len(pictures), 3, height, width)
    for target, picture in zip(result, pictures, strict=True):
        target.copy_(functional.interpolate(picture[None].float(), size=(height, width), mode="bilinear")[0])
    return result


def short_side_size(height: int, width: int, short: int) -> tuple[int, int]:
    """Return the height and width of a picture resized so that its short side is ``short``; the long one is floored."""
    if width < height:
        return math.floor(height / width * short), short
    return short, math.floor(width / height * short)


def crop_offset(long: int, size: int, fit: Fit) -> int:
    """Return where a crop of ``size`` begins on a side of ``long`` pixels."""
    if fit == "left_or_top":
        return 0
    if fit == "right_or_bottom":
        return long - size
    return math.ceil((long - size) / 2)


def crop(pictures: Tensor, size: int, fit: Fit) -> Tensor:
    """Return the ``size`` x ``size`` part of ``[..., H, W]`` that ``fit`` names: centred on the short side.

    On a square picture ``left_or_top`` is left and ``right_or_bottom`` is right.
    """
    height, width = pictures.shape[-2:]
    y = crop_offset(height, size, fit if height > width else "centre")
    x = crop_offset(width, size, fit if height <= width else "centre")
    return pictures[..., y : y + size, x : x + size]


def normalise(pictures: Tensor, config: SpatialConfig, *, top: float = 255.0) -> Tensor:
    """Return float32 ``[3, T, H, W]``, ``(x / top - mean) / std`` of ``[T, 3, H, W]`` with values 0 to ``top``."""
    # permute before the conversion: one pass makes the layout and the type.
    values = pictures.permute(1, 0, 2, 3).to(torch.float32, memory_format=torch.contiguous_format, copy=True)
    std = torch.tensor(config.std).view(3, 1, 1, 1)
    mean = torch.tensor(config.mean).view(3, 1, 1, 1)
    return values.div_(top).sub_(mean).div_(std)
