"""Frames as inputs: resizing, cutting, values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch.nn import functional

from cineloop.models import _torchvision
from cineloop.video.frame_input import FrameInput, centre, z_score


def _pixels(height, width, count=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def test_squash_shows_the_whole_picture():
    pixels = _pixels(90, 160)
    found = FrameInput(size=(32, 48), arithmetic="float").tensor(pixels)
    given_ = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    expected = functional.interpolate(given_, size=(32, 48), mode="bilinear", antialias=True)
    assert torch.allclose(found, expected, atol=1e-6)


def test_integers_are_the_rounded_floats():
    pixels = _pixels(90, 160)
    fast = FrameInput(size=(32, 48)).pictures(pixels)
    exact = FrameInput(size=(32, 48), arithmetic="float").pictures(pixels)
    assert torch.equal(fast, fast.round())
    assert (fast - exact).abs().max() <= 1.0


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_the_middle_is_torchvisions(height, width, wanted_height, wanted_width):
    _torchvision.load()
    from torchvision.transforms.v2.functional import center_crop

    pictures = torch.from_numpy(_pixels(height, width)).permute(0, 3, 1, 2)
    wanted = (wanted_height, wanted_width)
    assert torch.equal(centre(pictures, wanted), center_crop(pictures, list(wanted)))


@given(st.integers(8, 80), st.integers(8, 80), st.integers(4, 40))
@settings(max_examples=40, deadline=None)
def test_the_short_side_is_torchvisions(height, width, short):
    _torchvision.load()
    from torchvision.transforms.v2.functional import resize

    pictures = torch.from_numpy(_pixels(height, width)).permute(0, 3, 1, 2).float()
    config = FrameInput(size=(short, short), resize="short_side", arithmetic="float")
    assert tuple(resize(pictures, [short]).shape[2:]) == config.target(height, width)


def test_nothing_is_resized_under_none():
    pixels = _pixels(20, 10)
    found = FrameInput(size=(12, 14), resize="none").pictures(pixels)
    assert torch.equal(found[0, :, :, 2:12], torch.from_numpy(pixels).permute(0, 3, 1, 2)[0, :, 4:16].float())
    assert found[0, :, :, :2].abs().sum() == found[0, :, :, 12:].abs().sum() == 0


def test_values_are_scaled_then_normalised():
    pixels = np.full((1, 4, 4, 3), 51, np.uint8)
    found = FrameInput(size=(4, 4), mean=(0.1, 0.2, 0.4), std=(0.5, 1.0, 2.0)).tensor(pixels)
    assert torch.allclose(found[0, :, 0, 0], torch.tensor([0.2, 0.0, -0.1]), atol=1e-6)


def test_z_scores_leave_black_pixels_out():
    pictures = torch.from_numpy(_pixels(12, 9, 2)).permute(0, 3, 1, 2).float()
    pictures[0, 0, :5] = 0
    pictures[1, 1] = 7
    pictures[1, 2] = 0
    found = z_score(pictures)
    held = found[0, 0, 5:]
    assert abs(float(held.mean())) < 1e-5
    assert abs(float(held.std(unbiased=False)) - 1) < 1e-5
    assert found[0, 0, :5].abs().max() == 0
    assert found[1, 1].abs().max() == found[1, 2].abs().max() == 0


def test_transposing_swaps_the_axes_and_nothing_else():
    pixels = _pixels(30, 50)
    plain = FrameInput(size=(16, 24), values="z-score").tensor(pixels)
    turned = FrameInput(size=(16, 24), values="z-score", transposed=True).tensor(pixels)
    assert torch.allclose(turned, plain.transpose(2, 3), atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"resize": "short_side", "resize_to": [3, 4]},
        {"resize": "squash", "resize_to": 5},
        {"resize": "none", "resize_to": 5},
        {"antialias": False},
        {"std": [1, 0, 1]},
        {"size": [0, 4]},
    ],
)
def test_contradictions_are_refused(options):
    with pytest.raises(ValidationError):
        FrameInput.model_validate(options)
