"""The preparation of frames and clips as part of a graph: whole tensors in, no size known beforehand."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from cineloop.video.frame_input import FrameInput, z_score
from cineloop.video.spatial import SpatialConfig


def _half(excess: int) -> int:
    """Return half of an excess of pixels, half a pixel to the even number, for sizes that are not known yet."""
    half = excess // 2
    return half + (excess % 2) * (half % 2)


def _least(one: int, other: int) -> int:
    """Return the smaller of two sizes that are not known yet."""
    least: int = torch.sym_min(one, other)  # type: ignore[no-untyped-call]
    return least


def _resize(pictures: Tensor, size: tuple[int, int], *, antialias: bool, integer: bool) -> Tensor:
    """Resize float [B, 3, H, W] bilinearly; ``integer`` rounds as torch does on uint8: along the width, then again."""
    if not integer:
        return functional.interpolate(pictures, size=size, mode="bilinear", antialias=antialias)
    narrow = (pictures.shape[2], size[1])
    pictures = torch.round(functional.interpolate(pictures, size=narrow, mode="bilinear", antialias=antialias))
    return torch.round(functional.interpolate(pictures, size=size, mode="bilinear", antialias=antialias))


class FramePreparation(nn.Module):
    """What :meth:`cineloop.video.frame_input.FrameInput.tensor` does, with sizes that are known when it runs.

    Args:
        config: How a frame becomes the network's input.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: FrameInput) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.tensor(config.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(config.std).view(3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the network's input float32 [B, 3, h, w] of RGB uint8 [B, H, W, 3]."""
        config = self.config
        pictures = pixels.permute(0, 3, 1, 2).to(torch.float32)
        if config.resize != "none":
            size = self._target(pictures.shape[2], pictures.shape[3])
            integer = config.arithmetic == "integer"
            pictures = _resize(pictures, size, antialias=config.antialias, integer=integer)
        pictures = self._centre(pictures)
        if config.transposed:
            pictures = pictures.transpose(2, 3)
        if config.values == "z-score":
            return z_score(pictures, dtype=torch.float32)
        return (pictures / 255.0 - self.mean) / self.std

    def _target(self, height: int, width: int) -> tuple[int, int]:
        config = self.config
        if config.resize == "squash":
            return config.resize_to if isinstance(config.resize_to, tuple) else config.size
        short = config.resize_to if isinstance(config.resize_to, int) else min(config.size)
        # The short side over itself is 1, so no branch is needed to know which one it is.
        least = _least(height, width)
        return short * height // least, short * width // least

    def _centre(self, pictures: Tensor) -> Tensor:
        config = self.config
        if config.resize == "squash" and config.resize_to in (None, config.size):
            return pictures
        height, width = config.size
        top, left = _half(pictures.shape[2] - height), _half(pictures.shape[3] - width)
        return pictures[:, :, top : top + height, left : left + width]


class ClipPreparation(nn.Module):
    """What :class:`cineloop.video.transforms.EvalTransform` does with one view, with sizes known when it runs.

    Args:
        config: The network's input; its middle crop, or the whole picture where it is stretched.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: SpatialConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.tensor(config.mean).view(3, 1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(config.std).view(3, 1, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the network's input float32 [B, 3, T, S, S] of RGB uint8 [B, T, H, W, 3]."""
        config = self.config
        batch, frames, height, width = pixels.shape[0], pixels.shape[1], pixels.shape[2], pixels.shape[3]
        pictures = pixels.reshape(batch * frames, height, width, 3).permute(0, 3, 1, 2).to(torch.float32)
        size = (config.size, config.size)
        if config.fit != "stretch":
            short = config.short_side or config.size
            least = _least(height, width)
            size = (short * height // least, short * width // least)
        pictures = _resize(pictures, size, antialias=config.antialias, integer=config.antialias)
        if config.fit != "stretch":
            top, left = ((side - config.size + 1) // 2 for side in (pictures.shape[2], pictures.shape[3]))
            pictures = pictures[:, :, top : top + config.size, left : left + config.size]
        clips = pictures.reshape(batch, frames, 3, config.size, config.size).permute(0, 2, 1, 3, 4)
        return (clips / 255.0 - self.mean) / self.std
