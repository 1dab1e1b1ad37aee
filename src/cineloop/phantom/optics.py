"""Between the scene and the recording: content area, lens, sensor, burned-in marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.view import Grid
from cineloop.phantom.wall import Field

Shape = Literal["circle", "octagon"]
_GLYPH = (5, 3)
MARGIN = 9


@dataclass(frozen=True)
class Optics:
    """The picture: its size, the part that shows the scene, and how sharply.

    Attributes:
        height: Pixels, even.
        width: Pixels, even.
        shape: Shape of the content area.
        overfill: Radius of the content area relative to half of the height.
        shift: Horizontal place of its middle relative to the picture's, in half-heights.
        marks: How many lines of text-like marks are burned into the left border.
        blur: Passes of a small binomial filter on every frame.
        unsharp: Share of the clip in which the picture is out of focus.
        noise: Deviation of the sensor's noise in grey levels.
        vignette: How much darker the edge is than the middle, 0 to 1.
    """

    height: int
    width: int
    shape: Shape
    overfill: float
    shift: float
    marks: int
    blur: int
    unsharp: float
    noise: float
    vignette: float

    def grid(self) -> Grid:
        """Return the pixels of the content area."""
        scale = self.height / 2 * self.overfill
        centre = self.width / 2 + self.shift * self.height / 2
        y, x = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32)
        x = (x + 0.5 - centre) / scale
        y = (y + 0.5 - self.height / 2) / scale
        if self.shape == "circle":
            inside = x * x + y * y < 1
        else:
            inside = (np.abs(x) < 0.96) & (np.abs(y) < 0.96) & (np.abs(x) + np.abs(y) < 1.36)
        pixel = np.flatnonzero(inside)
        return Grid(x.ravel()[pixel], y.ravel()[pixel], pixel, self.height, self.width, scale)

    def record(self, colour: Field, grid: Grid, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Turn linear light into frames.

        Args:
            colour: ``[T, P, 3]`` linear RGB of the content pixels; used up.
            grid: Where they lie.
            rng: Source of noise, focus and marks.

        Returns:
            ``[T, H, W, 3]`` RGB uint8.
        """
        frames = len(colour)
        if self.vignette:
            colour *= (1 - np.float32(self.vignette) * (grid.x**2 + grid.y**2))[:, None]
        flat = np.zeros((frames, self.height * self.width, 3), dtype=np.uint8)
        flat[:, grid.pixel] = _develop(colour)
        result = flat.reshape(frames, self.height, self.width, 3)
        if self.blur:
            smooth(result, self.blur)
        soft = (int(rng.integers(frames)) + np.arange(round(self.unsharp * frames))) % frames
        if len(soft):
            blurred = result[soft]
            smooth(blurred, 6)
            result[soft] = blurred
        self.add_noise(result, grid, rng)
        self.burn_in(result, rng)
        return result

    def add_noise(self, frames: NDArray[np.uint8], grid: Grid, rng: np.random.Generator) -> None:
        """Add the sensor's noise where the scene is shown: one large tile of it, shifted from frame to frame.

        Args:
            frames: uint8 [T, H, W, 3], ``MARGIN`` away from both ends of the scale; changed in place.
            grid: Where the scene is shown.
            rng: Source of the noise.
        """
        tile = rng.normal(0, self.noise, (2 * self.height, 2 * self.width))
        # Frames leave a margin at both ends of the scale, so adding modulo 256 neither wraps nor needs a wider type.
        grains = np.clip(np.round(tile), -MARGIN, MARGIN).astype(np.int8).view(np.uint8)
        flat = np.zeros(self.height * self.width, dtype=np.uint8)
        flat[grid.pixel] = 255
        shown = flat.reshape(self.height, self.width)
        for frame in frames:
            row, column = int(rng.integers(self.height)), int(rng.integers(self.width))
            frame += (grains[row : row + self.height, column : column + self.width] & shown)[..., None]

    def burn_in(self, frames: NDArray[np.uint8], rng: np.random.Generator) -> None:
        """Write lines of glyph-like marks at the left edge of frames uint8 [T, H, W, 3], in place, the same in all."""
        size = max(1, self.height // 96)
        row = int(0.3 * self.height)
        for _ in range(self.marks):
            letters = rng.random((int(rng.integers(2, 6)), *_GLYPH)) < 0.55
            line = np.concatenate([np.pad(letter, ((0, 0), (0, 1))) for letter in letters], axis=1)
            line = line.repeat(size, 0).repeat(size, 1)
            patch = frames[:, row : row + line.shape[0], size : size + line.shape[1]]
            patch[:, line[: patch.shape[1], : patch.shape[2]]] = 215
            row += (_GLYPH[0] + 2) * size


def _develop(colour: Field) -> NDArray[np.uint8]:
    """Return linear light (used up) as display values: a shoulder for highlights, then a gamma of 2."""
    np.maximum(colour, 0, out=colour)
    colour /= colour + 1
    colour *= np.float32(1.35 * 255**2)
    np.sqrt(colour, out=colour)
    np.clip(colour, MARGIN, 255 - MARGIN, out=colour)
    return colour.astype(np.uint8)


def smooth(frames: NDArray[np.uint8], passes: int) -> None:
    """Apply the binomial filter 1-2-1 along rows and columns in place; the picture's border is left as it is."""
    values = frames.astype(np.uint16)
    for axis in (1, 2) * passes:
        view = np.moveaxis(values, axis, 0)
        middle = view[1:-1] * 2
        middle += view[:-2]
        middle += view[2:]
        middle += 2
        middle >>= 2
        view[1:-1] = middle
    frames[:] = values


def draw_optics(rng: np.random.Generator, height: int) -> tuple[str, Optics]:
    """Draw a scope: its name and its picture."""
    scope = int(rng.integers(4))
    shape: Shape = "circle" if scope < 2 else "octagon"
    aspect = (1.0, 1.25, 1.125, 1.333)[scope]
    width = round(height * aspect / 2) * 2
    return f"scope-{'ABCD'[scope]}", Optics(
        height=height,
        width=width,
        shape=shape,
        overfill=rng.uniform(0.94, 1.12),
        shift=(aspect - 1) * rng.uniform(0.0, 0.8),
        marks=int(rng.integers(0, 4)) if aspect > 1.2 else 0,
        blur=int(rng.integers(0, 2)),
        unsharp=float(rng.choice([0.0, rng.uniform(0.04, 0.1)])),
        noise=rng.uniform(1.0, 3.0),
        vignette=rng.uniform(0.0, 0.35),
    )
