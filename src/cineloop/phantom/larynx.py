"""A laryngoscopy clip: the folds at work and the scope above them."""

from __future__ import annotations

import numpy as np

from cineloop.phantom import glottis
from cineloop.phantom.camera import Passage, wander
from cineloop.phantom.patient import Traits
from cineloop.phantom.residue import blow_foam
from cineloop.phantom.target import CLUTTER, draw_growth, target_pattern
from cineloop.phantom.texture import TextureBank
from cineloop.phantom.view import Grid, View
from cineloop.phantom.wall import PackedWall

REACH = 0.45


def build(
    shared: Traits,
    passage: Passage,
    lesion: bool,
    bank: TextureBank,
    texels: int,
    grid: Grid,
    frames: int,
    seconds: float,
    rng: np.random.Generator,
) -> tuple[PackedWall, View]:
    """Return the wall of one clip and what each of its frames sees.

    Args:
        shared: What the patient's clips have in common.
        passage: When the target is in view.
        lesion: Whether the target is a lesion.
        bank: Patterns.
        texels: Texels of the wall to a unit of the scene.
        grid: The pixels of the content area.
        frames: How many.
        seconds: How long they take.
        rng: Decides everything else.
    """
    density = round(texels * 1.4)
    wall = shared.mucosa.spread(bank, rng, *glottis.wall_shape(density), density, False)
    glottis.raise_larynx(wall, rng, rng.uniform(0.4, 0.9))
    side = -1 if rng.random() < 0.5 else 1
    u, y = rng.uniform(0.06, 0.2), rng.uniform(-0.6, 0.4)
    size = rng.uniform(0.27, 0.36)
    target = draw_growth(
        rng,
        y + glottis.LENGTH,
        glottis.fold_column(u, side),
        size,
        rng.uniform(0.1, 0.2),
        0.12,
        target_pattern(rng, lesion),
    )
    for _ in range(shared.clutter):
        row, column = rng.uniform(0.6, 4.6), rng.uniform(0.4, 2.3)
        column = column if rng.random() < 0.5 else 2 * (glottis.SIDE + glottis.AIRWAY) - column
        if rng.random() < 0.4:
            blow_foam(wall, rng, row, column, int(rng.integers(4, 12)))
        else:
            pattern = CLUTTER[int(rng.integers(len(CLUTTER)))]
            draw_growth(rng, row, column, rng.uniform(0.08, 0.2), rng.uniform(0.03, 0.15), 0.12, pattern).paint(
                wall, bank, 2
            )
    target.paint(wall, bank, 1)
    time = np.linspace(0, 1, frames)
    track = passage.track(time, rng.uniform(5, 8), REACH)
    span = rng.uniform(0.5, 0.6) * (1 + wander(rng, frames, seconds, 0.08, 0.3))
    breath = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(0.2, 0.6) * np.linspace(0, seconds, frames) + rng.random()))
    opening = rng.uniform(0.03, 0.1) + rng.uniform(0.15, 0.4) * breath
    # Along the folds, or from one fold to the other: the glottis stays in view.
    forwards = np.pi / 2 if y < -0.1 else -np.pi / 2
    across = 0.0 if side < 0 else np.pi
    direction = forwards if passage.motion == "pass" or rng.random() < 0.5 else across
    direction += rng.uniform(-0.4, 0.4) - (0 if passage.side > 0 else np.pi)
    away = (span + 0.75 * size) * track
    edge = opening * float(glottis.gap_shape(np.full(1, y, np.float32))[0])
    home = np.stack([side * (edge + u), np.full(frames, y)], axis=1)
    centre = home + away[:, None] * np.asarray([np.cos(direction), np.sin(direction)])
    # Across its way the scope is free to look aside.
    aside = wander(rng, frames, seconds, 0.15, 0.4)[:, None] * np.asarray([-np.sin(direction), np.cos(direction)])
    roll = rng.normal(0, 0.25) + wander(rng, frames, seconds, 0.2, 0.3)
    moves = glottis.Glottis(opening=opening, centre=centre + aside, span=span, roll=roll)
    packed = wall.pack()
    return packed, glottis.look(packed, grid, moves)
