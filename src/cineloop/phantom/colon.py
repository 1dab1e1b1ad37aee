"""A colonoscopy clip: the wall of a stretch of colon and the scope's way through it."""

from __future__ import annotations

import numpy as np

from cineloop.phantom import lumen
from cineloop.phantom.camera import Passage, wander
from cineloop.phantom.haustra import raise_folds, raise_guard
from cineloop.phantom.patient import Traits
from cineloop.phantom.residue import blow_foam
from cineloop.phantom.target import CLUTTER, draw_growth, target_pattern
from cineloop.phantom.texture import TextureBank
from cineloop.phantom.view import Grid, View
from cineloop.phantom.wall import PackedWall

MIDDLE, HALF, REACH, HURRY = 1.1, 0.5, 2.6, 2.2


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
    furthest = HALF * (1 + HURRY * REACH)
    place = MIDDLE + furthest + 0.2
    length = place - MIDDLE + furthest + lumen.FAR + 0.2
    wall = shared.mucosa.spread(bank, rng, round(length * texels), round(2 * np.pi * texels), texels, True)
    raise_folds(wall, rng, rng.uniform(0.9, 1.4), rng.uniform(0.22, 0.38))
    angle = rng.uniform(0, 2 * np.pi)
    size = rng.uniform(0.58, 0.75)
    elevation = rng.uniform(0.35, 0.45)
    raise_guard(wall, place - rng.uniform(0.2, 0.3) - size, angle, elevation + rng.uniform(0.16, 0.22))
    target = draw_growth(rng, place, angle, size, elevation, 0.05, target_pattern(rng, lesion))
    for _ in range(shared.clutter):
        row, column = rng.uniform(0.5, length - 1), rng.uniform(0, 2 * np.pi)
        if rng.random() < 0.4:
            blow_foam(wall, rng, row, column, int(rng.integers(4, 12)))
        else:
            pattern = CLUTTER[int(rng.integers(len(CLUTTER)))]
            draw_growth(rng, row, column, rng.uniform(0.15, 0.3), rng.uniform(0.08, 0.3), 0.08, pattern).paint(
                wall, bank, 2
            )
    target.paint(wall, bank, 1)
    time = np.linspace(0, 1, frames)
    track = passage.track(time, rng.uniform(5, 8), REACH)
    near = np.clip(track, -1, 1)
    depth = place - MIDDLE + HALF * (near + HURRY * (track - near))
    depth += wander(rng, frames, seconds, 0.06, 0.8)
    roll = rng.uniform(0, 2 * np.pi) + wander(rng, frames, seconds, 0.7, 0.15)
    # The endoscopist turns towards what is in view.
    interest = 0.4 * np.exp(-(track**2))
    heading = angle - roll
    pan = np.stack([-interest * np.cos(heading), -interest * np.sin(heading)], axis=1)
    pan += np.stack([wander(rng, frames, seconds, 0.18, 0.4) for _ in range(2)], axis=1)
    bend = np.stack([wander(rng, frames, seconds, 0.25, 0.1) for _ in range(2)], axis=1)
    packed = wall.pack()
    return packed, lumen.look(packed, wall.height, grid, depth, pan, roll, bend)
