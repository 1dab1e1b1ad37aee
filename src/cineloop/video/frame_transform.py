"""Random changes of single frames in training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from cineloop.schema import Section
from cineloop.video.augment import AugmentConfig, Probability, appear, draw, place
from cineloop.video.frame import Pixels
from cineloop.video.frame_input import FrameInput
from cineloop.video.spatial import cut, resize


class ValueJitter(Section):
    """How the values that a network gets are varied, after normalisation, as the published in-body bundle does.

    Attributes:
        scale: Multiply by a factor within 1 ± this.
        scale_probability: How often.
        shift: Add a number within ± this.
        shift_probability: How often.
        noise: Standard deviation of Gaussian noise.
        noise_probability: How often.
    """

    scale: Annotated[float, Field(ge=0, lt=1)] = 0.0
    scale_probability: Probability = 0.5
    shift: Annotated[float, Field(ge=0)] = 0.0
    shift_probability: Probability = 0.5
    noise: Annotated[float, Field(ge=0)] = 0.0
    noise_probability: Probability = 0.15

    def apply(self, values: Tensor, rng: np.random.Generator) -> Tensor:
        """Return float32 values changed at random; always takes the same amount from ``rng``."""
        u = rng.random(5).tolist()
        seed = int(rng.integers(2**63))
        if self.scale and u[0] < self.scale_probability:
            values = values * (1 + self.scale * (2 * u[1] - 1))
        if self.shift and u[2] < self.shift_probability:
            values = values + self.shift * (2 * u[3] - 1)
        if self.noise and u[4] < self.noise_probability:
            noise = torch.randn(values.shape, generator=torch.Generator().manual_seed(seed))
            values = values.add(noise, alpha=self.noise)
        return values


@dataclass(frozen=True)
class FrameTransform:
    """Crops at random, augments and normalises a frame; everything random comes from the generator.

    Attributes:
        input: The network's input.
        augment: What varies in the picture.
        jitter: What varies in the values.
    """

    input: FrameInput = field(default_factory=FrameInput)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    jitter: ValueJitter = field(default_factory=ValueJitter)

    def __call__(self, pixels: Pixels, rng: np.random.Generator) -> Tensor:
        """Return an augmented frame.

        Args:
            pixels: RGB uint8 ``[H, W, 3]``.
            rng: Decides the augmentation. The result is a function of the pixels and its state.

        Returns:
            Normalised float32 ``[3, h, w]``.
        """
        drawn = draw(self.augment, pixels.shape[0], pixels.shape[1], rng)
        if drawn.box is None:
            pictures = self.input.pictures(pixels[np.newaxis])
        else:
            part = cut(pixels[np.newaxis], drawn.box)
            pictures = resize(part, *self.input.size, antialias=self.input.antialias).float()
        values = self.input.normalise(appear(place(pictures, drawn), drawn))
        return self.jitter.apply(values[0], rng)
