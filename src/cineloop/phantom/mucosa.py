"""The living surface: its colour, blotches, relief and vessels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cineloop.phantom.texture import TextureBank
from cineloop.phantom.wall import Wall


@dataclass(frozen=True)
class Mucosa:
    """How a patient's mucosa looks.

    Attributes:
        colour: ``[3]`` linear reflectance.
        blotches: Relative deviation of slow changes of brightness.
        grain: Height of the fine relief, units.
        vessels: How strongly vessels show, 0 to 1.
        gloss: Wetness, 0 to 1.
    """

    colour: tuple[float, float, float]
    blotches: float
    grain: float
    vessels: float
    gloss: float

    def spread(
        self, bank: TextureBank, rng: np.random.Generator, rows: int, columns: int, texels: float, periodic: bool
    ) -> Wall:
        """Return a flat wall of this mucosa."""
        clouds = bank.window(bank.clouds, rng, rows, columns)
        grain = bank.window(bank.grain, rng, rows, columns)
        web = bank.window(bank.vessels, rng, rows, columns)
        tone = 1 + np.float32(self.blotches) * clouds + np.float32(0.03) * grain
        albedo = tone[..., None] * np.asarray(self.colour, np.float32)
        albedo *= 1 - np.float32(self.vessels) * web[..., None] * np.asarray((0.25, 0.6, 0.5), np.float32)
        gloss = np.clip(np.float32(self.gloss) * (1 + np.float32(0.5) * clouds[::-1]), 0, 1)
        return Wall(
            texels=texels,
            albedo=albedo,
            height=np.zeros((rows, columns), dtype=np.float32),
            relief=np.float32(self.grain) * grain,
            gloss=gloss,
            owner=np.zeros((rows, columns), dtype=np.uint8),
            periodic=periodic,
        )
