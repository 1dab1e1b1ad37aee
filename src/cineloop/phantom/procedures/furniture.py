"""What the walls outside of the body show: panels, cupboards, lamps, tiles, screens with lines of writing, drapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom.texture import TextureBank
from cineloop.phantom.wall import Wall

_LETTER = (5, 3)


class Panel:
    """A rectangle of a wall.

    Attributes:
        rows: Of the wall.
        columns: Of the wall.
    """

    def __init__(self, wall: Wall, top: float, left: float, height: float, width: float) -> None:
        self.wall = wall
        t = wall.texels
        self.rows = slice(max(0, round(top * t)), max(0, round((top + height) * t)))
        self.columns = slice(max(0, round(left * t)), max(0, round((left + width) * t)))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns that lie on the wall."""
        shape = self.wall.height[self.rows, self.columns].shape
        return shape[0], shape[1]

    def paint(self, value: float, tint: float, gloss: float | None = None) -> None:
        """Give it one reflectance, tint and gloss, with the fine structure of the wall left."""
        at = self.rows, self.columns
        self.wall.albedo[at] *= np.float32(value / max(float(self.wall.albedo[at].mean()), 1e-3)) if self.filled else 1
        assert self.wall.tint is not None
        self.wall.tint[at] = self.wall.tint[at] % 0.2 + tint
        if gloss is not None:
            self.wall.gloss[at] = gloss

    @property
    def filled(self) -> bool:
        """Whether any of it lies on the wall."""
        return min(self.shape) > 0

    def edge(self, depth: float) -> None:
        """Let it stand out, so that its edges catch the light."""
        self.wall.relief[self.rows, self.columns] += np.float32(depth)

    def times(self, pattern: NDArray[np.float32]) -> None:
        """Multiply its reflectance by a pattern of its shape."""
        self.wall.albedo[self.rows, self.columns] *= pattern[..., None]


def draw_tint(rng: np.random.Generator) -> float:
    """Return how foreign a thing is: one of a few degrees a fifth apart, of which a wall's own is added."""
    return float(rng.integers(0, 5)) / 5


def bare_wall(
    rng: np.random.Generator,
    bank: TextureBank,
    shape: tuple[int, int],
    texels: int,
    grey: float,
    *,
    periodic: bool,
) -> Wall:
    """Return a flat wall of one material, a little uneven.

    Args:
        rng: Decides where.
        bank: Patterns.
        shape: Rows and columns.
        texels: Texels to a unit.
        grey: Mean reflectance.
        periodic: Whether the last column touches the first.
    """
    tone = 1 + np.float32(0.05) * bank.window(bank.clouds, rng, *shape)
    return Wall(
        texels=texels,
        albedo=np.repeat((tone * np.float32(grey))[..., None], 3, axis=2),
        height=np.zeros(shape, dtype=np.float32),
        relief=np.float32(0.0015) * bank.window(bank.grain, rng, *shape),
        gloss=np.full(shape, rng.uniform(0.1, 0.5), dtype=np.float32),
        owner=np.zeros(shape, dtype=np.uint8),
        periodic=periodic,
        tint=np.float32(0.1) + np.float32(0.04) * np.tanh(bank.window(bank.clouds, rng, *shape)),
    )


def furnish_sides(
    wall: Wall,
    rng: np.random.Generator,
    sides: Sequence[tuple[float, float, bool]],
    length: float,
    grey: float,
) -> None:
    """Paint long sides: panels that follow each other, and rails along them.

    Args:
        wall: Changed in place.
        rng: Decides what.
        sides: Of each the first column and the width, units, and whether it is tiled like a floor.
        length: Units.
        grey: Mean reflectance.
    """
    for left, width, tiled in sides:
        place = -rng.uniform(0, 0.5)
        while place < length:
            run = rng.uniform(0.45, 0.95)
            panel = Panel(wall, max(place, 0.0), left, min(place + run, length) - max(place, 0.0), width)
            if panel.filled:
                _cover(panel, rng, tiled, grey)
                panel.edge(rng.choice((-1, 1)) * rng.uniform(0.01, 0.04))
            place += run
        for _ in range(int(rng.integers(0, 3))):
            # Rails and pipes along the room.
            rail = Panel(wall, 0.0, left + rng.uniform(0, 0.9) * width, length, rng.uniform(0.04, 0.12))
            if rail.filled:
                rail.paint(grey * float(rng.choice((0.4, 1.8))), draw_tint(rng), 0.6)
                rail.edge(rng.uniform(0.02, 0.05))


def furnish_end(wall: Wall, rng: np.random.Generator, top: float, size: tuple[float, float], grey: float) -> None:
    """Paint a far end.

    Args:
        wall: Changed in place.
        rng: Decides what.
        top: Its first row, units.
        size: Its height and width, units.
        grey: Mean reflectance.
    """
    high, wide = size
    end = Panel(wall, top, 0.0, high, wide)
    end.paint(grey * rng.uniform(0.9, 1.3), draw_tint(rng))
    for _ in range(round(rng.uniform(4, 7) * high * wide)):
        row, column = top + rng.uniform(0, 0.85) * high, rng.uniform(0, 0.85) * wide
        size = min(rng.uniform(0.15, 0.5), top + high - row), min(rng.uniform(0.2, 0.6), wide - column)
        part = Panel(wall, row, column, *size)
        if part.filled:
            _thing(part, rng, grey)
            part.edge(rng.choice((-1, 1)) * rng.uniform(0.02, 0.06))


def _weave(panel: Panel, rng: np.random.Generator) -> None:
    """Give it the fine, even structure of cloth, perforated sheet or slots."""
    pitch = rng.uniform(4.5, 7.0)
    row, column = (np.arange(extent) * (2 * np.pi / pitch) for extent in panel.shape)
    across = float(rng.random() < 0.6)
    pattern = np.cos(row)[:, None] * np.cos(across * column)[None, :]
    panel.times((1 + rng.uniform(0.2, 0.4) * pattern).astype(np.float32))


def _cover(panel: Panel, rng: np.random.Generator, tiled: bool, grey: float) -> None:
    panel.paint(grey * rng.uniform(0.7, 1.3), draw_tint(rng), rng.uniform(0.1, 0.7))
    if rng.random() < 0.5:
        _weave(panel, rng)
    if tiled and rng.random() < 0.7:
        _tiles(panel, rng)
        return
    if rng.random() < 0.25:
        _drape(panel, rng)
        return
    for _ in range(int(rng.integers(1, 3))):
        rows, columns = panel.shape
        t = panel.wall.texels
        top = (panel.rows.start + rng.uniform(0, 0.5) * rows) / t
        left = (panel.columns.start + rng.uniform(0, 0.6) * columns) / t
        part = Panel(panel.wall, top, left, rng.uniform(0.3, 0.6) * rows / t, rng.uniform(0.25, 0.5) * columns / t)
        if part.filled:
            _thing(part, rng, grey)


def _thing(panel: Panel, rng: np.random.Generator, grey: float) -> None:
    """Paint a lamp, a screen, a door or a shelf."""
    kind = rng.choice(("lamp", "screen", "door", "shelf", "plate"))
    if kind == "lamp":
        panel.paint(min(grey * rng.uniform(1.8, 2.1), 1.0), draw_tint(rng), 1.0)
    elif kind == "screen":
        panel.paint(grey * rng.choice((0.25, 1.7)), draw_tint(rng), 0.8)
        _write(panel, rng)
    elif kind == "shelf":
        panel.paint(grey * rng.uniform(0.4, 1.5), draw_tint(rng))
        pitch = int(rng.integers(6, 12))
        stripes = np.where(np.arange(panel.shape[0]) % pitch < 2, 0.45, 1.0).astype(np.float32)
        panel.times(np.broadcast_to(stripes[:, None], panel.shape))
    elif kind == "door":
        panel.paint(grey * rng.uniform(0.5, 1.6), draw_tint(rng))
        panel.edge(0.05)
    else:
        panel.paint(grey * rng.uniform(0.3, 1.9), draw_tint(rng))
        _tiles(panel, rng)


def _tiles(panel: Panel, rng: np.random.Generator) -> None:
    """Paint a board of squares."""
    pitch = int(rng.integers(7, 16))
    row, column = np.ogrid[: panel.shape[0], : panel.shape[1]]
    board = ((row // pitch + column // pitch) % 2).astype(np.float32)
    panel.times(1 + rng.uniform(0.25, 0.6) * (2 * board - 1).astype(np.float32))


def _write(panel: Panel, rng: np.random.Generator) -> None:
    """Write lines of marks that look like letters."""
    size = int(rng.integers(1, 3))
    rows, columns = (extent // (cells + 2) // size for extent, cells in zip(panel.shape, _LETTER, strict=True))
    if not rows or not columns:
        return
    marks = rng.random((rows, columns, *_LETTER)) < 0.5
    marks &= (rng.random((rows, columns)) < 0.8)[..., None, None]
    page = np.pad(marks, ((0, 0), (0, 0), (1, 1), (1, 1))).transpose(0, 2, 1, 3)
    page = page.reshape(rows * (_LETTER[0] + 2), columns * (_LETTER[1] + 2)).repeat(size, 0).repeat(size, 1)
    pattern = np.ones(panel.shape, dtype=np.float32)
    dark = float(panel.wall.albedo[panel.rows, panel.columns].mean()) > 0.45
    pattern[: page.shape[0], : page.shape[1]][page] = 0.25 if dark else 4.0
    panel.times(pattern)


def _drape(panel: Panel, rng: np.random.Generator) -> None:
    """Hang a cloth with folds."""
    rows, columns = panel.shape
    turns = rng.uniform(2.5, 6) * columns / panel.wall.texels
    across = np.linspace(0, 2 * np.pi * turns, columns) + rng.uniform(0, 6)
    wave = np.sin(across + 0.4 * np.sin(0.37 * across + 1.0))
    slack = np.linspace(0.6, 1.0, rows)[:, None]
    panel.wall.relief[panel.rows, panel.columns] += (0.05 * slack * wave).astype(np.float32)
    panel.times((1 + 0.3 * slack * wave).astype(np.float32))
