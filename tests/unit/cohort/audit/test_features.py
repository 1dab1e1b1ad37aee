"""Features are found again where the picture went, and mirrored codes are those of the mirrored picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cineloop.cohort.audit.features import LIMIT, SIDE, features
from cineloop.cohort.audit.fingerprint import Fingerprint, fingerprint, sampled, scene_box
from moving_clips import clip, surface, write


@pytest.fixture(scope="module")
def picture():
    grey = Image.fromarray(clip(surface(0), 0, frames=1, size=(400, 400))[0]).convert("L")
    return np.asarray(grey, np.float32)


def square(picture, box=None):
    return np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box), np.float32)


EVERYWHERE = np.ones((SIDE, SIDE), bool)


def distance(one, other):
    return np.bitwise_count(one[:, None] ^ other[None]).sum(axis=-1)


def test_mirrored_codes_are_the_codes_of_the_mirrored_picture(picture):
    straight = features(square(picture), EVERYWHERE)
    mirrored = features(np.ascontiguousarray(square(picture)[:, ::-1]), EVERYWHERE)
    places = mirrored.places * [-1, 1] + [1, 0]
    same = np.abs(straight.places[:, None] - places[None]).max(axis=2) < 0.004
    assert same.sum() >= 20
    assert distance(straight.mirrored, mirrored.codes)[same].max() <= 4
    # Unlike those of the picture as it was.
    assert np.median(distance(straight.codes, mirrored.codes)[same]) > 30


def test_places_follow_scale_and_crop(picture):
    whole = features(square(picture), EVERYWHERE)
    box = (40, 20, 360, 390)
    part = features(square(picture, box), EVERYWHERE)
    there = part.places * [(box[2] - box[0]) / 400, (box[3] - box[1]) / 400] + [box[0] / 400, box[1] / 400]
    same = np.abs(whole.places[:, None] - there[None]).max(axis=2) < 0.02
    assert same.any(axis=1).sum() >= 8
    near = distance(whole.codes, part.codes)
    assert np.median(near[same]) <= 20
    assert np.percentile(near[~same], 1) > 20


def test_few_strong_and_only_where_there_is_a_scene(picture):
    found = features(square(picture), EVERYWHERE)
    assert len(found.scales) <= LIMIT
    half = EVERYWHERE.copy()
    half[:, : SIDE // 2] = False
    assert (features(square(picture), half).places[:, 0] > 0.49).all()
    nothing = features(np.full((SIDE, SIDE), 80, np.float32), EVERYWHERE)
    assert nothing.codes.shape == (0, 2)


def test_sampled_frames():
    keyframes = np.arange(0, 100_000, 50)
    assert sampled(5, 0.2, keyframes).tolist() == [0, 1, 2, 3, 4]
    assert len(sampled(100, 4.0, keyframes)) == 12
    grid = sampled(1500, 60.0, keyframes)
    assert len(grid) == 32
    assert set(np.diff(grid)) <= {46, 47}
    # A long video has keyframes looked at in between, and the same places as a copy with others.
    long = sampled(100_000, 4000.0, keyframes)
    assert len(long) == 96
    assert set(sampled(100_000, 4000.0, keyframes + 7)) & set(long) >= set(sampled(100_000, 4000.0, keyframes[:0]))
    assert max(np.diff(long)) < 100_000 / 40


def test_borders_are_cut_off_and_lettering_in_them_does_not_count():
    pictures = np.zeros((2, 100, 200), np.uint8)
    pictures[:, 20:80, 50:170] = 100
    pictures[:, 5:9, 4:10] = 255
    assert scene_box(pictures).tolist() == pytest.approx([0.25, 0.2, 0.85, 0.8])
    assert scene_box(np.zeros((1, 10, 10), np.uint8)).tolist() == [0, 0, 1, 1]


def test_a_fingerprint_survives_the_cache(tmp_path):
    path = write(tmp_path / "a.mp4", clip(surface(1), 1, frames=20))
    found = fingerprint(path, 20, 20 / 12)
    again = Fingerprint.from_bytes(found.to_bytes())
    assert all(np.array_equal(getattr(found, name), getattr(again, name)) for name in vars(found))
    assert len(found.to_bytes()) < 40_000
