from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cineloop.report.gallery import FrameStrip, encode, gallery
from cineloop.report.html import Page, Section


def noise(count, height=240, width=320):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def opened(data):
    return Image.open(io.BytesIO(data))


def test_a_frame_is_a_jpeg_of_the_height_asked_for():
    data, width, height = encode(noise(1)[0], height=120)
    assert (width, height) == opened(data).size == (160, 120)
    assert opened(data).format == "JPEG"


def test_small_frames_are_not_enlarged_and_grey_ones_are_shown():
    assert encode(noise(1, 20, 30)[0])[1:] == (30, 20)
    assert opened(encode(noise(1)[0, :, :, 0])[0]).mode == "RGB"


def test_colours_keep_their_order():
    red = np.zeros((50, 50, 3), np.uint8)
    red[..., 0] = 255
    r, g, b = opened(encode(red)[0]).getpixel((25, 25))
    assert r > 240
    assert max(g, b) < 15


@pytest.mark.parametrize(("budget", "strips"), [(7_000, 4), (50_000, 6), (150_000, 6), (1_000_000, 6)])
def test_frames_fit_the_budget(budget, strips):
    shown = gallery([FrameStrip(f"item {i}", noise(4, 180, 240)) for i in range(6)], budget=budget)
    assert sum(len(picture.data) for strip in shown.strips for picture in strip.pictures) <= budget
    # Everything stays, only smaller, until not even the smallest pictures fit.
    assert len(shown.strips) == strips


def test_a_large_budget_spares_quality():
    (coarse,) = gallery([FrameStrip("x", noise(8))], budget=30_000).strips
    (fine,) = gallery([FrameStrip("x", noise(8))], budget=3_000_000).strips
    assert fine.pictures[0].height == 160
    assert coarse.pictures[0].height < 160


def test_no_strips_make_an_empty_gallery():
    assert gallery([]).strips == ()


def test_pictures_say_what_they_are():
    (strip,) = gallery([FrameStrip("clip.mp4", noise(2), ("0.0 s", "1.5 s"), "wrong", "bad")]).strips
    assert [picture.alt for picture in strip.pictures] == [
        "clip.mp4, frame 1 of 2, 0.0 s",
        "clip.mp4, frame 2 of 2, 1.5 s",
    ]
    page = Page(title="x", sections=(Section("Mistakes", (gallery([FrameStrip("clip.mp4", noise(2))]),)),)).render()
    assert page.count("data:image/jpeg;base64,/9j/") == 2
