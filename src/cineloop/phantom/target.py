"""The thing a clip is about: a lesion, or something harmless of the same size, colour and place in time."""

from __future__ import annotations

import numpy as np

from cineloop.phantom.growth import Growth, Pattern

# A target that is no lesion shows a lesion's very colours, in patches: colour alone tells nothing.
HARMLESS: tuple[Pattern, ...] = ("patches",)
CLUTTER: tuple[Pattern, ...] = ("patches", "plain", "plain")


def draw_growth(
    rng: np.random.Generator,
    row: float,
    column: float,
    radius: float,
    elevation: float,
    ragged: float,
    pattern: Pattern,
) -> Growth:
    """Draw a growth whose shape, size and colour do not depend on its pattern."""
    lobes = rng.normal(0, ragged, 3) + 1j * rng.normal(0, ragged, 3)
    pallor = rng.normal(0.10, 0.10)
    yellow = rng.normal(0, 0.08)
    tint = (1.2 + 0.3 * pallor, 1.9 + pallor + yellow, 1.6 + pallor - yellow)
    depth = rng.uniform(0.85, 1.15)
    return Growth(
        row=row,
        column=column,
        radius=radius,
        aspect=rng.uniform(1.0, 1.35),
        angle=rng.uniform(0, np.pi),
        lobes=tuple(complex(lobe) for lobe in lobes),
        elevation=elevation,
        tint=tint,
        pattern=pattern,
        pattern_seed=int(rng.integers(1 << 31)),
        cells=rng.uniform(1.1, 1.5),
        groove=(0.60 * depth, 0.13 * depth, 0.30 * depth),
        relief=rng.uniform(0.03, 0.05),
        gloss=rng.uniform(0.3, 0.8),
    )


def target_pattern(rng: np.random.Generator, lesion: bool) -> Pattern:
    """Return what the target shows; one draw in either case, so that all later draws stay the same."""
    harmless = HARMLESS[int(rng.integers(len(HARMLESS)))]
    return "lobules" if lesion else harmless
