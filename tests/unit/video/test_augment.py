from __future__ import annotations

import colorsys
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from cineloop.errors import RecipeError
from cineloop.schema import validate
from cineloop.video.augment import (
    AugmentConfig,
    Draw,
    appear,
    blur,
    compress,
    draw,
    jittered_box,
    place,
    recolour,
    resized_box,
    rotate,
)

LUMA = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


def pictures(frames: int = 2, size: int = 24) -> torch.Tensor:
    return torch.rand(frames, 3, size, size, generator=torch.Generator().manual_seed(0))


sides = st.integers(1, 300)
unit = st.floats(0, 1, exclude_max=True)


@given(sides, sides, st.floats(0.01, 1), st.floats(0.2, 5), unit, unit)
def test_a_resized_box_lies_in_the_picture_and_has_the_area_and_aspect_asked_for(height, width, area, aspect, u, v):
    x, y, w, h = resized_box(height, width, area, aspect, u, v)
    assert 0 <= x <= width - w
    assert 0 <= y <= height - h
    assert w >= 1
    assert h >= 1
    exact_w, exact_h = (area * height * width * aspect) ** 0.5, (area * height * width / aspect) ** 0.5
    if exact_w <= width and exact_h <= height:
        assert abs(w - max(exact_w, 1)) <= 0.51
        assert abs(h - max(exact_h, 1)) <= 0.51
    elif min(w, h) > 20:
        assert w / h == pytest.approx(aspect, rel=0.06)


@given(sides, sides, st.floats(1, 3), unit, unit)
def test_a_jittered_box_is_a_square_of_the_short_side_over_the_scale(height, width, scale, u, v):
    x, y, w, h = jittered_box(height, width, scale, u, v)
    assert w == h
    assert abs(w - max(min(height, width) / scale, 1)) <= 0.51
    assert x + w <= width
    assert y + h <= height


def test_boxes_reach_every_border_and_every_corner():
    drawn = [draw(AugmentConfig(area=(0.3, 0.3)), 40, 60, np.random.default_rng(seed)).box for seed in range(400)]
    assert min(x for x, _, _, _ in drawn) == 0
    assert max(x + w for x, _, w, _ in drawn) == 60
    assert min(y for _, y, _, _ in drawn) == 0
    assert max(y + h for _, y, _, h in drawn) == 40
    sides = [(x / (60 - w), y / (40 - h)) for x, y, w, h in drawn]
    assert abs(np.corrcoef(np.array(sides).T)[0, 1]) < 0.2


def test_a_draw_takes_the_same_from_the_generator_whatever_is_configured():
    states = []
    for config in (AugmentConfig(), AugmentConfig(crop="none", colour=0), AugmentConfig(jpeg=1, noise=1, blur=1)):
        rng = np.random.default_rng(3)
        draw(config, 40, 60, rng)
        states.append(rng.bit_generator.state)
    assert states[0] == states[1] == states[2]


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({"blur": 1.0}, {"blur_sigma"}),
        ({"noise": 1.0}, {"noise_sigma"}),
        ({"jpeg": 1.0}, {"jpeg_quality"}),
        ({"grayscale": 1.0}, {"grayscale"}),
        ({"flip_vertical": 1.0}, {"flip_vertical"}),
        ({"rotation": 30.0}, {"angle"}),
        ({"hue": 0.2}, {"hue"}),
        ({"crop": "jittered"}, {"box"}),
    ],
)
def test_switching_one_augmentation_on_moves_no_other(change, moved):
    for seed in range(20):
        without = draw(AugmentConfig(colour=1.0), 40, 60, np.random.default_rng(seed))
        with_it = draw(AugmentConfig(colour=1.0, **change), 40, 60, np.random.default_rng(seed))
        differing = {f.name for f in fields(Draw) if getattr(without, f.name) != getattr(with_it, f.name)}
        assert differing == moved


def test_draws_keep_to_their_probabilities_and_ranges():
    config = AugmentConfig(
        flip_horizontal=0.3, rotation=10, colour=0.5, brightness=0.4, jpeg=0.5, jpeg_quality=(40, 42), blur=1.0
    )
    drawn = [draw(config, 40, 60, np.random.default_rng(seed)) for seed in range(2000)]
    assert np.mean([d.flip_horizontal for d in drawn]) == pytest.approx(0.3, abs=0.04)
    assert np.mean([d.brightness != 1 for d in drawn]) == pytest.approx(0.5, abs=0.04)
    assert {d.jpeg_quality for d in drawn} == {0, 40, 41, 42}
    for values, low, high in (
        ([d.angle for d in drawn], -10, 10),
        ([d.brightness for d in drawn], 0.6, 1.4),
        ([d.blur_sigma for d in drawn], 0.1, 1.5),
    ):
        assert low <= min(values) < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < max(values) <= high


def test_flips_and_quarter_turns_are_exact():
    x = pictures()
    assert torch.equal(place(x, Draw(flip_horizontal=True)), x.flip(-1))
    assert torch.equal(place(x, Draw(flip_vertical=True)), x.flip(-2))
    assert torch.equal(place(x, Draw(quarter_turns=1)), torch.rot90(x, 1, (-2, -1)))
    assert place(x, Draw()) is x


def test_rotation_turns_counter_clockwise_about_the_middle_with_black_corners():
    x = pictures()
    torch.testing.assert_close(rotate(x, 0.0), x)
    torch.testing.assert_close(rotate(x, 90.0), torch.rot90(x, 1, (-2, -1)), atol=1e-4, rtol=0)
    white = rotate(torch.ones(1, 3, 40, 40), 45.0)
    assert white[0, :, 0, 0].max() == 0
    assert white[0, :, 20, 20].min() == pytest.approx(1)


@pytest.mark.parametrize("sigma", [0.3, 0.8, 1.5])
def test_blur_is_the_gaussian_of_scipy(sigma):
    x = pictures()
    radius = max(1, int(np.ceil(3 * sigma)))
    expected = gaussian_filter(x.numpy(), sigma, axes=(2, 3), mode="mirror", radius=radius)
    np.testing.assert_allclose(blur(x, sigma).numpy(), expected, atol=1e-6)


def test_blur_of_a_tiny_picture():
    for size in (1, 2):
        torch.testing.assert_close(blur(torch.ones(1, 3, size, size), 2.0), torch.ones(1, 3, size, size))


def test_each_colour_change_is_what_it_says():
    x = pictures()
    luma = (x * LUMA).sum(1, keepdim=True)
    close = {"atol": 1e-5, "rtol": 0}
    torch.testing.assert_close(recolour(x, Draw(brightness=1.3)), 1.3 * x, **close)
    mean = luma.mean()
    torch.testing.assert_close(recolour(x, Draw(contrast=0.7)), mean + 0.7 * (x - mean), **close)
    torch.testing.assert_close(recolour(x, Draw(saturation=0.2)), luma + 0.2 * (x - luma), **close)
    torch.testing.assert_close(recolour(x, Draw(grayscale=True)), luma.expand_as(x), **close)
    torch.testing.assert_close(recolour(x, Draw(hue=1 / 3)), x[:, [2, 0, 1]], **close)
    together = recolour(x, Draw(brightness=1.3, contrast=0.7, saturation=0.2))
    bright = 1.3 * x
    grey_level = 1.3 * mean
    contrasted = grey_level + 0.7 * (bright - grey_level)
    grey = (contrasted * LUMA).sum(1, keepdim=True)
    torch.testing.assert_close(together, grey + 0.2 * (contrasted - grey), **close)


def test_a_small_turn_of_the_hue_has_the_sign_of_hsv():
    red = torch.tensor([0.8, 0.2, 0.2]).view(1, 3, 1, 1)
    turned = recolour(red, Draw(hue=0.05)).flatten().tolist()
    assert 0 < colorsys.rgb_to_hsv(*turned)[0] < 0.15


def test_contrast_is_about_the_mean_of_the_clip_not_of_a_frame():
    dark_then_bright = torch.cat([torch.full((1, 3, 4, 4), 0.2), torch.full((1, 3, 4, 4), 0.6)])
    out = recolour(dark_then_bright, Draw(contrast=0.5))
    assert out[0, 0, 0, 0] == pytest.approx(0.3)
    assert out[1, 0, 0, 0] == pytest.approx(0.5)


def test_compression_is_mild_at_high_and_strong_at_low_quality():
    smooth = torch.linspace(0, 1, 32).expand(2, 3, 32, 32).contiguous()
    before = smooth.clone()
    good, bad = (compress(smooth, quality).sub(smooth).abs().mean() for quality in (98, 5))
    assert good < 0.01
    assert bad > 2 * good
    assert torch.equal(smooth, before)


def test_nothing_drawn_leaves_the_pictures_alone():
    raw = (pictures() * 255).to(torch.uint8)
    assert appear(raw, Draw()) is raw


def test_appearance_keeps_to_the_range_of_pixels():
    raw = (pictures() * 255).to(torch.uint8)
    base = Draw(brightness=1.9, contrast=1.9, noise_sigma=0.5, noise_seed=5)
    for drawn in (base, replace(base, jpeg_quality=50), replace(base, angle=30.0, blur_sigma=1.0)):
        out = appear(raw, drawn)
        assert out.dtype == torch.float32
        assert out.min() == 0
        assert out.max() == 255


def test_noise_has_the_spread_asked_for_and_follows_its_seed():
    grey = torch.full((8, 3, 32, 32), 128, dtype=torch.uint8)
    out = appear(grey, Draw(noise_sigma=0.02, noise_seed=1)) / 255
    assert out.std() == pytest.approx(0.02, rel=0.05)
    assert torch.equal(out, appear(grey, Draw(noise_sigma=0.02, noise_seed=1)) / 255)
    assert not torch.equal(out, appear(grey, Draw(noise_sigma=0.02, noise_seed=2)) / 255)


@pytest.mark.parametrize(
    "wrong",
    [
        {"area": [0.9, 0.5]},
        {"area": [0.5, 1.2]},
        {"aspect": [0, 1]},
        {"flip_horizontal": 1.5},
        {"jpeg_quality": [0, 5]},
        {"jitter": [0.9, 1.2]},
    ],
)
def test_impossible_augmentations_are_refused(wrong):
    with pytest.raises(RecipeError, match=next(iter(wrong))):
        validate(AugmentConfig, wrong, where="recipe")
