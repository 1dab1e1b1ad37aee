"""The wall of a whole colon, from the anus to the end of the caecum."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cineloop.phantom import lumen
from cineloop.phantom.haustra import raise_folds
from cineloop.phantom.patient import Traits
from cineloop.phantom.procedures.anatomy import Anatomy
from cineloop.phantom.procedures.landmark import raise_pole, ridge
from cineloop.phantom.procedures.soiling import soil
from cineloop.phantom.residue import blow_foam
from cineloop.phantom.target import draw_growth
from cineloop.phantom.texture import TextureBank
from cineloop.phantom.wall import Field, PackedWall, Wall

GREY = 0.45
"""Reflectance of a wall; its colour is the camera's affair."""

_GROWTH = 2
# Folds along the lumen, to a unit of its length.
_BANDS = 1.8
_SPACING = (1.0, 1.4)


@dataclass(frozen=True)
class Gut:
    """A finished colon.

    Attributes:
        wall: Its surface.
        height: ``[R, C]`` elevation of the surface, which hides what lies behind.
    """

    wall: PackedWall
    height: Field


def build(anatomy: Anatomy, shared: Traits, bank: TextureBank, texels: int, rng: np.random.Generator) -> Gut:
    """Return the wall of a procedure.

    Args:
        anatomy: Its length, its segments' scores and its poles.
        shared: What belongs to the patient.
        bank: Patterns.
        texels: Texels to a unit.
        rng: Decides everything else.
    """
    rows, columns = round((anatomy.length + lumen.FAR + 0.5) * texels), round(2 * np.pi * texels)
    mucosa = replace(shared.mucosa, colour=(GREY, GREY, GREY))
    wall = mucosa.spread(bank, rng, rows, columns, texels, True)
    raise_folds(wall, rng, rng.uniform(*_SPACING), rng.uniform(0.22, 0.36))
    _raise_bands(wall, rng, anatomy.length)
    for _ in range(int(rng.integers(6, 14))):
        row, column = rng.uniform(0.5, anatomy.length - 3), rng.uniform(0, 2 * np.pi)
        if rng.random() < 0.6:
            blow_foam(wall, rng, row, column, int(rng.integers(4, 12)))
        else:
            size = rng.uniform(0.15, 0.35)
            draw_growth(rng, row, column, size, rng.uniform(0.08, 0.3), 0.08, "plain").paint(wall, bank, _GROWTH)
    spare = np.zeros((rows, columns), dtype=bool)
    discs = []
    for pole in anatomy.poles:
        disc, kept = raise_pole(wall, rng, pole)
        discs.append(disc)
        spare |= kept
    ahead = np.arange(rows) / texels
    scores = np.asarray(anatomy.scores)[sum((ahead >= border).astype(int) for border in anatomy.borders)]
    soil(wall, rng, scores, spare, discs)
    return Gut(wall.pack(), wall.height)


def _raise_bands(wall: Wall, rng: np.random.Generator, length: float) -> None:
    """Raise short folds along the lumen, like those that meet at the orifice, but meeting nothing."""
    turn = np.arange(wall.height.shape[1]) * (2 * np.pi / wall.height.shape[1])
    for _ in range(round(_BANDS * length)):
        start, run = rng.uniform(0, length), rng.uniform(0.6, 1.5)
        rows = slice(round(start * wall.texels), round((start + run) * wall.texels))
        along = (np.arange(rows.start, rows.stop) / wall.texels - start)[:, None]
        across = (turn - rng.uniform(0, 2 * np.pi) + rng.uniform(-0.3, 0.3) * along + np.pi) % (2 * np.pi) - np.pi
        band = ridge(across) * np.clip(along * 8, 0, 1) * np.clip((run - along) * 8, 0, 1)
        wall.relief[rows] += (0.08 * band).astype(np.float32)
        wall.albedo[rows] *= (1 + 0.5 * band)[..., None].astype(np.float32)
