"""Things that sit on a wall and stand out from it: one shape, many natures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.texture import LOBULE_CELL, LOBULE_SIZE, TextureBank
from cineloop.phantom.wall import Field, Wall

Pattern = Literal["lobules", "patches", "plain"]


@dataclass(frozen=True)
class Growth:
    """A raised patch with an irregular outline.

    Attributes:
        row: Place along the wall's rows, in units.
        column: Place along the wall's columns, in units.
        radius: Mean radius in units.
        aspect: Length over width.
        angle: Direction of the length, radians.
        lobes: ``[n]`` complex amplitudes of the outline's harmonics 2, 3, ...: how irregular it is.
        elevation: Height of its top in units.
        tint: ``[3]`` colour relative to the mucosa around it.
        pattern: What its surface shows: packed lobules, the same values without structure, or the mucosa itself.
        pattern_seed: Which part of the pattern.
        cells: Lobules per radius.
        contrast: Relative brightness deviation of the pattern.
        relief: Depth of the pattern's grooves in units.
        gloss: Wetness, 0 to 1.
    """

    row: float
    column: float
    radius: float
    aspect: float
    angle: float
    lobes: tuple[complex, ...]
    elevation: float
    tint: tuple[float, float, float]
    pattern: Pattern
    pattern_seed: int
    cells: float
    groove: tuple[float, float, float]
    relief: float
    gloss: float

    def paint(self, wall: Wall, bank: TextureBank, number: int) -> None:
        """Raise, colour and mark the wall where the growth sits.

        Args:
            wall: Changed in place.
            bank: Patterns.
            number: What the wall's ``owner`` becomes.
        """
        reach = self.radius * max(self.aspect, 1.0) * (1 + sum(abs(lobe) for lobe in self.lobes)) + 2 / wall.texels
        rows, columns = self._window(wall, reach)
        along = (rows[:, None] / wall.texels - self.row).astype(np.float32)
        across = (columns[None, :] / wall.texels - self.column).astype(np.float32)
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        a = (along * cos + across * sin) / np.float32(self.radius * self.aspect)
        b = (across * cos - along * sin) / np.float32(self.radius)
        direction = np.arctan2(b, a)
        outline = np.ones_like(a)
        for order, lobe in enumerate(self.lobes, start=2):
            outline += np.float32(abs(lobe)) * np.cos(order * direction + np.float32(np.angle(lobe)))
        rho = np.hypot(a, b) / outline
        inside = np.clip(1 - rho * rho, 0, 1)
        cover = np.clip((1 - rho) * 5, 0, 1)

        window = np.ix_(rows.clip(0, wall.height.shape[0] - 1), columns % wall.height.shape[1])
        albedo, height = wall.albedo[window], wall.height[window]
        pattern = self._pattern(bank, a.astype(np.float32), b.astype(np.float32), rho < 1)
        weight = cover[..., None]
        middle = np.average(albedo.reshape(-1, 3), axis=0, weights=inside.ravel() + 1e-6)
        if pattern is None:
            painted = albedo * np.asarray(self.tint, np.float32)
            relief = np.zeros_like(cover)
        else:
            pale, dark = (middle * np.asarray(tone) for tone in (self.tint, self.groove))
            painted = (dark + (pale - dark) * pattern[..., None]).astype(np.float32)
            relief = np.float32(self.relief) * pattern * cover
        wall.albedo[window] = albedo + weight * (painted - albedo)
        wall.height[window] = height + np.float32(self.elevation) * np.sqrt(inside)
        wall.relief[window] = wall.relief[window] * (1 - cover) + relief
        wall.gloss[window] += cover * (np.float32(self.gloss) - wall.gloss[window])
        owner = wall.owner[window]
        owner[rho < 1] = number
        wall.owner[window] = owner

    def _window(self, wall: Wall, reach: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows and (unwrapped) columns within reach."""
        first, last = (int(np.floor((self.row + sign * reach) * wall.texels)) for sign in (-1, 1))
        left, right = (int(np.floor((self.column + sign * reach) * wall.texels)) for sign in (-1, 1))
        limit_rows, limit_columns = wall.height.shape
        rows = np.arange(max(first, 0), min(last + 1, limit_rows))
        if not wall.periodic:
            left, right = max(left, 0), min(right, limit_columns - 1)
        return rows, np.arange(left, right + 1)

    def _pattern(self, bank: TextureBank, a: Field, b: Field, inside: NDArray[np.bool_]) -> Field | None:
        """Return how pale each texel is, 0 to 1; None where the mucosa shows.

        Patches are the lobules' values within the outline, put in the order of a smooth field: the same colours in the
        same amounts, without the structure.
        """
        if self.pattern == "plain":
            return None
        rng = np.random.default_rng(self.pattern_seed)
        stack = bank.lobules if self.pattern == "lobules" else bank.softened
        offset = rng.integers(LOBULE_SIZE, size=2)
        scale = np.float32(self.cells * LOBULE_CELL)
        row = (a * (scale * np.float32(self.aspect)) + offset[0]).astype(np.int64) % LOBULE_SIZE
        column = (b * scale + offset[1]).astype(np.int64) % LOBULE_SIZE
        values: Field = stack[int(rng.integers(len(stack)))][row, column]
        if self.pattern == "patches":
            smooth = np.zeros_like(a)
            for _ in range(4):
                wave, phase = rng.normal(0, 2.2, 2), rng.uniform(0, 2 * np.pi)
                smooth += np.sin(np.float32(wave[0]) * a + np.float32(wave[1]) * b + np.float32(phase))
            held = values[inside]
            held.sort()
            ordered = np.empty_like(held)
            ordered[np.argsort(smooth[inside])] = held
            values[inside] = ordered
        return values
