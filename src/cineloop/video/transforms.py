"""From decoded frames to a model's input: one callable for training, one for evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from cineloop.video.augment import AugmentConfig, appear, draw, place
from cineloop.video.frame import Pixels
from cineloop.video.spatial import Box, Fit, SpatialConfig, crop, cut, normalise, resize, short_side_size

_THREE: tuple[Fit, ...] = ("left_or_top", "centre", "right_or_bottom")


def _fitted(pixels: Pixels, config: SpatialConfig) -> Tensor:
    """Return ``[T, 3, H, W]`` resized so that every crop of ``size`` can be taken from it."""
    if config.fit == "stretch":
        return resize(pixels, config.size, config.size, antialias=config.antialias)
    height, width = short_side_size(pixels.shape[1], pixels.shape[2], config.short_side or config.size)
    return resize(pixels, height, width, antialias=config.antialias)


@dataclass(frozen=True)
class EvalTransform:
    """Resizes, crops and normalises; nothing is random.

    Attributes:
        spatial: The model's input.
    """

    spatial: SpatialConfig = field(default_factory=SpatialConfig)

    def __call__(self, pixels: Pixels, rng: np.random.Generator | None = None, *, box: Box | None = None) -> Tensor:
        """Return the part of a clip that ``fit`` names.

        Args:
            pixels: RGB uint8 ``[T, H, W, 3]``.
            rng: Not used; so that both transforms are called alike.
            box: The part of the picture to look at, such as an endoscope's content area.

        Returns:
            Normalised float32 ``[3, T, S, S]``.
        """
        pictures = _fitted(cut(pixels, box), self.spatial)
        return normalise(crop(pictures, self.spatial.size, self.spatial.fit), self.spatial)

    def views(self, pixels: Pixels, *, box: Box | None = None) -> Tensor:
        """Return all spatial views of a clip for multi-view testing.

        Args:
            pixels: RGB uint8 ``[T, H, W, 3]``.
            box: The part of the picture to look at.

        Returns:
            Normalised float32 ``[V, 3, T, S, S]``; three views are ordered left (or top), centre, right (or bottom).
        """
        pictures = _fitted(cut(pixels, box), self.spatial)
        fits = _THREE if self.spatial.crops == 3 else (self.spatial.fit,)
        return torch.stack([normalise(crop(pictures, self.spatial.size, fit), self.spatial) for fit in fits])


@dataclass(frozen=True)
class TrainTransform:
    """Crops at random, augments and normalises; everything random comes from the generator it is called with.

    Attributes:
        spatial: The model's input.
        augment: What varies.
    """

    spatial: SpatialConfig = field(default_factory=SpatialConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __call__(self, pixels: Pixels, rng: np.random.Generator, *, box: Box | None = None) -> Tensor:
        """Return an augmented clip; all frames are changed alike.

        Args:
            pixels: RGB uint8 ``[T, H, W, 3]``.
            rng: Decides the augmentation. The result is a function of the pixels and its state.
            box: The part of the picture to look at, such as an endoscope's content area.

        Returns:
            Normalised float32 ``[3, T, S, S]``.
        """
        size = self.spatial.size
        pixels = cut(pixels, box)
        drawn = draw(self.augment, pixels.shape[1], pixels.shape[2], rng)
        if drawn.box is None:
            pictures = crop(_fitted(pixels, self.spatial), size, self.spatial.fit)
        else:
            pictures = resize(cut(pixels, drawn.box), size, size, antialias=self.spatial.antialias)
        return normalise(appear(place(pictures, drawn), drawn), self.spatial)
