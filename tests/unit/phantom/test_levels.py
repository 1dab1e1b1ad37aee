"""The camera's levels: whatever a frame shows, its brightness and its colours are spread alike."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from cineloop.phantom.optics import MARGIN
from cineloop.phantom.procedures.levels import Mood, draw_levels, draw_moods

LEVELS = draw_levels(np.random.default_rng(3))
SIDE = 64
y, x = np.mgrid[:SIDE, :SIDE]
CONTENT = np.hypot(y - SIDE / 2, x - SIDE / 2) < SIDE / 2
PLAIN = Mood(1.0, 1.0, 1.0, 0.45)


def field(seed, smooth, scale, shift):
    """Return a scene of any smoothness, brightness and contrast."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(SIDE, SIDE)), smooth)
    return np.maximum(shift + scale * noise / noise.std(), 0).astype(np.float32)


SCENES = st.builds(field, st.integers(0, 99), st.floats(2, 10), st.floats(0.01, 0.5), st.floats(1, 9))


@settings(deadline=None, max_examples=30)
@given(SCENES, SCENES)
def test_brightness_and_colours_are_spread_alike(light, tint):
    brightness, foreign = LEVELS.settle(light, tint, CONTENT, PLAIN)
    assert abs(foreign[CONTENT].mean() - 0.45) < 0.02
    wanted = np.quantile(LEVELS.curve, [0.1, 0.3, 0.5, 0.7, 0.9])
    # In the foreign colour and in the other alike.
    for part in (foreign > 0.5, foreign <= 0.5):
        found = np.quantile(brightness[CONTENT & part], [0.1, 0.3, 0.5, 0.7, 0.9])
        assert np.abs(found - wanted).max() < 0.15
    assert brightness.min() >= LEVELS.curve[0]
    assert brightness.max() <= LEVELS.curve[-1]


@settings(deadline=None, max_examples=30)
@given(SCENES, st.floats(0.3, 20))
def test_exposure_does_not_show(light, gain):
    tint = field(1, 3, 0.2, 1)
    one, other = (LEVELS.settle(part, tint, CONTENT, PLAIN)[0] for part in (light, np.float32(gain) * light))
    assert np.abs(one - other)[CONTENT].mean() < 0.01


def test_a_frame_without_any_structure_has_levels_too():
    flat = np.ones((SIDE, SIDE), dtype=np.float32)
    brightness, foreign = LEVELS.settle(flat, flat, CONTENT, PLAIN)
    assert np.isfinite(brightness).all()
    assert np.isfinite(foreign).all()


def test_moods_stay_within_reason_and_colours_off_the_ends():
    moods = draw_moods(np.random.default_rng(0), 100.0, 0.1 * (np.arange(500) < 250))
    # Three deviations of what wanders, and the ends of what is bounded.
    assert all(1.4**-3 < one.gamma < 1.4**3 and 0.66 <= one.contrast <= 1 for one in moods)
    assert all(0.45 <= one.foreign <= 0.65 for one in moods[:250])
    assert all(0.35 <= one.foreign <= 0.55 for one in moods[250:])
    assert len({one.gamma for one in moods}) > 400
    pixels = LEVELS.paint(np.linspace(-1, 2, 50, dtype=np.float32), np.linspace(2, -1, 50, dtype=np.float32))
    assert pixels.min() >= MARGIN
    assert pixels.max() <= 255 - MARGIN
