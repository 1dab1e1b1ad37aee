from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from cineloop.errors import RecipeError
from cineloop.schema import validate
from cineloop.video.augment import AugmentConfig
from cineloop.video.spatial import SpatialConfig, crop, cut, normalise, resize, short_side_size
from cineloop.video.transforms import EvalTransform, TrainTransform


def clip(frames: int = 3, height: int = 40, width: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)


def still(frames: int = 4, height: int = 40, width: int = 60) -> np.ndarray:
    return np.repeat(clip(1, height, width), frames, axis=0)


def coordinates(height: int, width: int) -> np.ndarray:
    """A clip whose red is x and whose green is y."""
    pixels = np.zeros((1, height, width, 3), dtype=np.uint8)
    pixels[..., 0] = np.arange(width)
    pixels[..., 1] = np.arange(height)[:, None]
    return pixels


UNIT = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def test_normalising_gives_the_scale_and_the_layout_of_a_model():
    config = SpatialConfig(size=4, mean=(0.1, 0.2, 0.3), std=(0.5, 1.0, 2.0))
    pixels = clip(2, 4, 5)
    out = normalise(torch.from_numpy(pixels).permute(0, 3, 1, 2), config)
    assert out.shape == (3, 2, 4, 5)
    assert out.dtype == torch.float32
    assert out.is_contiguous()
    expected = (pixels.astype(np.float64) / 255 - [0.1, 0.2, 0.3]) / [0.5, 1.0, 2.0]
    np.testing.assert_allclose(out.numpy(), expected.transpose(3, 0, 1, 2), atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(20, 30), (55, 33), (90, 120)])
def test_antialiased_resizing_equals_pillow(height, width):
    pixels = clip(2)
    out = resize(pixels, height, width, antialias=True)
    assert out.dtype == torch.uint8
    for got, frame in zip(out, pixels, strict=True):
        expected = np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR))
        assert np.abs(got.permute(1, 2, 0).numpy().astype(int) - expected.astype(int)).max() <= 1


def test_plain_resizing_interpolates_between_pixel_centres():
    ramp = coordinates(8, 64)
    out = resize(ramp, 8, 32, antialias=False)
    np.testing.assert_allclose(out[0, 0, 0].numpy(), np.arange(32) * 2 + 0.5, atol=1e-5)


@pytest.mark.parametrize("antialias", [True, False])
def test_resizing_a_part_equals_resizing_its_copy(antialias):
    part = cut(clip(), (7, 3, 41, 30))
    assert not part.flags.c_contiguous
    here = resize(part, 17, 19, antialias=antialias)
    assert torch.equal(here, resize(part.copy(), 17, 19, antialias=antialias))


def test_the_short_side_is_met_and_the_long_one_floored():
    assert short_side_size(120, 160, 224) == (224, 298)
    assert short_side_size(160, 120, 224) == (298, 224)
    assert short_side_size(50, 50, 7) == (7, 7)


@pytest.mark.parametrize(
    ("shape", "fit", "x", "y"),
    [
        ((10, 21), "left_or_top", 0, 0),
        ((10, 21), "centre", 6, 0),
        ((10, 21), "right_or_bottom", 11, 0),
        ((21, 10), "left_or_top", 0, 0),
        ((21, 10), "centre", 0, 6),
        ((21, 10), "right_or_bottom", 0, 11),
        ((14, 21), "left_or_top", 0, 2),
        ((14, 14), "right_or_bottom", 4, 2),
    ],
)
def test_crops_lie_where_they_say(shape, fit, x, y):
    pixels = coordinates(*shape)
    corner = crop(torch.from_numpy(pixels).permute(0, 3, 1, 2), 10, fit)
    assert corner.shape == (1, 3, 10, 10)
    assert corner[0, :2, 0, 0].tolist() == [x, y]


def test_evaluation_is_a_resized_crop():
    pixels = coordinates(32, 64)
    out = EvalTransform(SpatialConfig(size=16, short_side=32, **UNIT))(pixels)
    assert out.shape == (3, 1, 16, 16)
    np.testing.assert_allclose(out[0, 0, 0].numpy() * 255, np.arange(24, 40), atol=1e-4)
    np.testing.assert_allclose(out[1, 0, :, 0].numpy() * 255, np.arange(8, 24), atol=1e-4)


def test_stretching_shows_the_whole_picture():
    out = EvalTransform(SpatialConfig(size=16, fit="stretch", **UNIT))(coordinates(32, 64))
    assert out[0, 0, 0, 0] * 255 < 4
    assert out[0, 0, 0, -1] * 255 > 59


def test_three_views_lie_along_the_long_side_and_one_view_is_the_evaluation():
    pixels = clip(2, 32, 64)
    views = EvalTransform(SpatialConfig(size=32, crops=3)).views(pixels)
    assert views.shape == (3, 3, 2, 32, 32)
    for view, fit in zip(views, ("left_or_top", "centre", "right_or_bottom"), strict=True):
        one = EvalTransform(SpatialConfig(size=32, fit=fit))
        assert torch.equal(view, one(pixels))
        assert torch.equal(one.views(pixels), view[None])


def test_a_box_is_all_that_is_seen():
    pixels = clip(2, 40, 60)
    box = (10, 4, 32, 32)
    inside = pixels[:, 4:36, 10:42]
    for transform in (EvalTransform(SpatialConfig(size=16)), TrainTransform(SpatialConfig(size=16))):
        assert torch.equal(
            transform(pixels, np.random.default_rng(1), box=box), transform(inside, np.random.default_rng(1))
        )
    assert EvalTransform(SpatialConfig(size=16)).views(pixels, box=box).shape == (1, 3, 2, 16, 16)


@pytest.mark.parametrize("box", [(0, 0, 61, 10), (0, 31, 10, 10), (-1, 0, 10, 10), (0, 0, 0, 5)])
def test_a_box_beyond_the_picture_is_refused(box):
    with pytest.raises(ValueError, match="60 x 40"):
        cut(clip(), box)


EVERYTHING = AugmentConfig(
    flip_vertical=0.5,
    quarter_turns=True,
    rotation=20,
    colour=1,
    hue=0.1,
    grayscale=0.3,
    blur=0.7,
    noise=0.5,
    jpeg=0.5,
)


@pytest.mark.parametrize("crop_mode", ["resized", "jittered", "none"])
@pytest.mark.parametrize("antialias", [True, False])
def test_training_is_a_function_of_pixels_and_generator(crop_mode, antialias):
    transform = TrainTransform(
        SpatialConfig(size=24, antialias=antialias), EVERYTHING.model_copy(update={"crop": crop_mode})
    )
    pixels = clip()
    before = pixels.copy()
    numpy_state, torch_state = np.random.get_state()[1].tolist(), torch.get_rng_state()
    seen = []
    for seed in range(12):
        out = transform(pixels, np.random.default_rng(seed))
        assert out.shape == (3, 3, 24, 24)
        assert out.dtype == torch.float32
        assert torch.isfinite(out).all()
        low, high = (-0.45 / 0.225, (1 - 0.45) / 0.225)
        assert out.min() >= low - 1e-5
        assert out.max() <= high + 1e-5
        assert torch.equal(out, transform(pixels, np.random.default_rng(seed)))
        seen.append(out)
    assert all(not torch.equal(one, other) for i, one in enumerate(seen) for other in seen[:i])
    assert np.array_equal(pixels, before)
    assert np.random.get_state()[1].tolist() == numpy_state
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_all_frames_of_a_clip_are_changed_alike_but_for_noise():
    still_clip = still()
    quiet = TrainTransform(SpatialConfig(size=24), EVERYTHING.model_copy(update={"noise": 0.0}))
    noisy = TrainTransform(SpatialConfig(size=24), AugmentConfig(noise=1.0))
    for seed in range(10):
        out = quiet(still_clip, np.random.default_rng(seed))
        assert torch.equal(out, out[:, :1].expand_as(out))
        out = noisy(still_clip, np.random.default_rng(seed))
        assert not torch.equal(out[:, 0], out[:, 1])


def test_training_without_augmentation_is_evaluation():
    plain = AugmentConfig(crop="none", flip_horizontal=0, colour=0)
    for spatial in (SpatialConfig(size=24, fit="right_or_bottom"), SpatialConfig(size=24, antialias=False)):
        trained = TrainTransform(spatial, plain)(clip(), np.random.default_rng(0))
        assert torch.equal(trained, EvalTransform(spatial)(clip()))


def test_read_only_frames_pass_without_a_warning():
    pixels = clip()
    pixels.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TrainTransform(SpatialConfig(size=16))(pixels, np.random.default_rng(0))
        EvalTransform(SpatialConfig(size=16))(pixels)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": 64, "short_side": 32}, "short_side 32 is smaller than size 64"),
        ({"std": [0.2, 0.0, 0.2]}, "above 0"),
        ({"fit": "stretch", "crops": 3}, "stretch"),
        ({"fit": "center"}, "fit"),
        ({"crops": 2}, "crops"),
    ],
)
def test_impossible_inputs_are_refused(wrong, message):
    with pytest.raises(RecipeError, match=message):
        validate(SpatialConfig, wrong, where="recipe")
