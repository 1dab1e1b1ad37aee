"""The content area: found within a pixel or two on what endoscopes show, and never where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cineloop.video import Video, VideoWriter, detect_content, find_content
from cineloop.video.content import ContentArea

WIDTH, HEIGHT = 320, 240


def scene(shape: np.ndarray, seed: int, *, frames: int = 8, dark: int = 2, noise: float = 3.0) -> np.ndarray:
    """Return frames [T, H, W, 3] of a lit scene within ``shape`` [H, W], a dark hole moving in it, and black around."""
    generator = np.random.default_rng(seed)
    height, width = shape.shape
    y, x = np.mgrid[:height, :width]
    result = np.zeros((frames, height, width, 3))
    for t in range(frames):
        grey = 120 + 40 * np.sin(x / 31 + t) + 30 * np.cos(y / 23 - t)
        hole = np.hypot(x - width / 2 - 40 * np.sin(t), y - height / 2 - 30 * np.cos(t)) < height / 5
        grey[hole] = 12
        result[t] = (grey * (0.05 if t < dark else 1.0))[..., None] * [1.0, 0.7, 0.6]
    result[:, ~shape] = 0
    result += generator.normal(0, noise, result.shape)
    return np.clip(result, 0, 255).astype(np.uint8)


def grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return x + 0.5, y + 0.5


def overlap(area: ContentArea, shape: np.ndarray) -> float:
    mask = area.mask()
    return (mask & shape).sum() / (mask | shape).sum()


@settings(max_examples=8, deadline=None)
@given(cx=st.integers(140, 180), cy=st.integers(105, 135), radius=st.integers(80, 150), seed=st.integers(0, 99))
def test_circles_also_where_the_frame_cuts_them(cx, cy, radius, seed):
    x, y = grid()
    shape = np.hypot(x - cx, y - cy) <= radius
    area = find_content(scene(shape, seed))
    assert area.shape == "circle"
    assert overlap(area, shape) > 0.97
    rows, columns = np.flatnonzero(shape.any(1)), np.flatnonzero(shape.any(0))
    assert abs(area.x - columns[0]) <= 3
    assert abs(area.y - rows[0]) <= 3
    assert abs(area.x + area.width - 1 - columns[-1]) <= 3
    assert abs(area.y + area.height - 1 - rows[-1]) <= 3


@settings(max_examples=8, deadline=None)
@given(left=st.integers(10, 60), top=st.integers(4, 20), cut=st.integers(35, 70), seed=st.integers(0, 99))
def test_octagons(left, top, cut, seed):
    x, y = grid()
    right, bottom = WIDTH - left - 10, HEIGHT - top
    shape = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    shape &= (x + y >= left + top + cut) & (x + y <= right + bottom - cut)
    shape &= (x - y <= right - top - cut) & (x - y >= left - bottom + cut)
    area = find_content(scene(shape, seed))
    assert area.shape == "octagon"
    assert overlap(area, shape) > 0.97


@settings(max_examples=8, deadline=None)
@given(left=st.integers(8, 80), top=st.integers(8, 40), seed=st.integers(0, 99))
def test_rectangles(left, top, seed):
    x, y = grid()
    shape = (x > left) & (x < WIDTH - 12) & (y > top) & (y < HEIGHT - 8)
    area = find_content(scene(shape, seed))
    assert area.shape == "rectangle"
    assert overlap(area, shape) > 0.97


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 999))
def test_a_full_frame_stays_whole(seed):
    area = find_content(scene(np.ones((HEIGHT, WIDTH), bool), seed))
    assert area.shape == "full"
    assert area.box == (0, 0, WIDTH, HEIGHT)
    assert area.mask().all()


def test_burned_in_text_is_left_outside():
    x, y = grid()
    shape = np.hypot(x - 210, y - 120) <= 100
    frames = scene(shape, 1)
    generator = np.random.default_rng(2)
    for row in range(20, 220, 14):
        strokes = generator.random((7, 80)) < 0.4
        frames[:, row : row + 7, 8:88][:, strokes] = 230
    area = find_content(frames)
    assert area.shape == "circle"
    assert overlap(area, shape) > 0.95


def test_a_dark_side_of_a_scene_is_no_border():
    x, _ = grid()
    frames = scene(np.ones((HEIGHT, WIDTH), bool), 3)
    fading = np.clip((x - 60) / 160, 0, 1)
    shaded = (frames * fading[None, ..., None]).astype(np.uint8)
    assert find_content(shaded).shape == "full"


@pytest.mark.parametrize("level", [0, 5, 30, 200])
def test_blank_frames_are_whole(level):
    assert find_content(np.full((3, HEIGHT, WIDTH, 3), level, np.uint8)).shape == "full"
    assert find_content(np.full((1, 4, 4, 3), level, np.uint8)).shape == "full"


def test_a_video_is_measured_in_its_own_pixels(tmp_path):
    y, x = np.mgrid[:480, :640]
    shape = np.hypot(x - 340, y - 236) <= 220
    with VideoWriter(tmp_path / "a.mp4", 25, (640, 480), keyint=10, preset="ultrafast") as writer:
        for picture in scene(shape, 5, frames=30, dark=4):
            writer.write(picture)
    video = Video(tmp_path / "a.mp4", threads=1)
    area = detect_content(video)
    assert area.shape == "circle"
    assert (area.frame_width, area.frame_height) == (640, 480)
    assert np.abs(np.array(area.box) - [120, 16, 440, 440]).max() <= 6
    assert area.crop(video.frames([9]).pixels).shape == (1, area.height, area.width, 3)
