"""From a decoded frame to the input of a network that looks at single frames."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import AfterValidator, Field, PositiveInt, model_validator
from torch import Tensor
from torch.nn import functional

from cineloop.schema import Section
from cineloop.video.spatial import positive_std

Size = tuple[PositiveInt, PositiveInt]


class FrameInput(Section):
    """How a frame becomes a network's input.

    Attributes:
        size: Height and width of the input, in pixels: what is cut from the middle of the resized frame. Where that is
            smaller, black is put around it.
        resize: ``squash`` gives up the aspect ratio; ``short_side`` keeps it and loses the ends of the long side;
            ``none`` cuts from the frame as it is.
        resize_to: Height and width to squash to, or the short side to resize to, where that is not ``size``.
        antialias: Smooth before shrinking.
        arithmetic: ``integer`` rounds after resizing, as most tools do, and is several times faster; ``float`` does
            not, as the published colonoscopy and in-body tools.
        values: ``scaled``: from 0 to 1, then mean and std. ``z-score``: each channel's pixels that are not 0 get mean 0
            and standard deviation 1, as in the published in-body bundle; mean and std are not used.
        mean: Of each channel (R, G, B), on the scale from 0 to 1.
        std: Of each channel (R, G, B), on the scale from 0 to 1.
        transposed: Swap height and width, as a reader does that takes a picture for [W, H].
    """

    size: Size = (224, 224)
    resize: Literal["squash", "short_side", "none"] = "squash"
    resize_to: Size | PositiveInt | None = None
    antialias: bool = True
    arithmetic: Literal["integer", "float"] = "integer"
    values: Literal["scaled", "z-score"] = "scaled"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: Annotated[tuple[float, float, float], AfterValidator(positive_std)] = Field(default=(1.0, 1.0, 1.0))
    transposed: bool = False

    @model_validator(mode="after")
    def _check(self) -> FrameInput:
        wanted = {"squash": tuple, "short_side": int}.get(self.resize)
        if self.resize_to is not None and (wanted is None or not isinstance(self.resize_to, wanted)):
            raise ValueError(
                "resize_to is [height, width] for squash, one number for short_side, and not given for none"
            )
        if self.arithmetic == "integer" and not self.antialias and self.resize != "none":
            raise ValueError("antialias: false needs arithmetic: float")
        return self

    def target(self, height: int, width: int) -> Size:
        """Return the height and width that a frame is resized to before the middle is cut out."""
        if self.resize == "none":
            return height, width
        if self.resize == "squash":
            return self.resize_to if isinstance(self.resize_to, tuple) else self.size
        short = self.resize_to if isinstance(self.resize_to, int) else min(self.size)
        return (short, short * width // height) if height <= width else (short * height // width, short)

    def pictures(self, pixels: npt.NDArray[np.uint8]) -> Tensor:
        """Resize and cut, uint8 [N, H, W, 3] to float32 [N, 3, h, w] with values 0 to 255, upright."""
        resized = _resized(pixels, self.target(pixels.shape[1], pixels.shape[2]), self)
        return centre(resized, self.size).float()

    def normalise(self, pictures: Tensor) -> Tensor:
        """Return what the network gets of float32 [N, 3, h, w] with values 0 to 255."""
        if self.transposed:
            pictures = pictures.transpose(2, 3)
        if self.values == "z-score":
            return z_score(pictures)
        mean, std = (torch.tensor(values, dtype=torch.float32).view(3, 1, 1) for values in (self.mean, self.std))
        return pictures.div(255).sub_(mean).div_(std)

    def tensor(self, pixels: npt.NDArray[np.uint8]) -> Tensor:
        """Return the input of frames of one size.

        Args:
            pixels: RGB uint8 [N, H, W, 3].

        Returns:
            float32 [N, 3, h, w]; [N, 3, w, h] where ``transposed``.
        """
        return self.normalise(self.pictures(pixels))


def _resized(pixels: npt.NDArray[np.uint8], size: Size, config: FrameInput) -> Tensor:
    # A view whose strides are those of torch's channels-last layout, which has the fast kernel.
    pictures = torch.from_numpy(np.require(pixels, requirements="W")).permute(0, 3, 1, 2)
    if tuple(pictures.shape[2:]) == size:
        return pictures
    if config.arithmetic == "float":
        pictures = pictures.float()
    return functional.interpolate(pictures, size=size, mode="bilinear", antialias=config.antialias)


def centre(pictures: Tensor, size: Size) -> Tensor:
    """Cut [N, 3, H, W] to the middle ``size``, with black around what is smaller."""
    height, width = pictures.shape[2:]
    missing = max(size[0] - height, 0), max(size[1] - width, 0)
    if any(missing):
        top, left = missing[0] // 2, missing[1] // 2
        pictures = functional.pad(pictures, (left, missing[1] - left, top, missing[0] - top))
        height, width = pictures.shape[2:]
    # Half a pixel goes to the even number, as in torchvision.
    top, left = round((height - size[0]) / 2), round((width - size[1]) / 2)
    return pictures[:, :, top : top + size[0], left : left + size[1]]


def z_score(pictures: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
    """Give the non-zero pixels of each channel of float32 [N, 3, h, w] mean 0 and standard deviation 1.

    Pixels that are 0 stay so; a channel whose pixels are all equal is only shifted. ``dtype`` is that of the sums.
    """
    flat = pictures.flatten(2).to(dtype)
    held = flat != 0
    count = held.sum(dim=2, keepdim=True).clamp_min(1)
    mean = flat.sum(dim=2, keepdim=True) / count
    gap = torch.where(held, flat - mean, 0.0)
    std = (gap.square().sum(dim=2, keepdim=True) / count).sqrt()
    return (gap / torch.where(std > 0, std, 1.0)).float().view(pictures.shape)
