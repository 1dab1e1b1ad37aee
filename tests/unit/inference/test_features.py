"""Features, tokens and attention of real videos, from a run, a passport or a foreign checkpoint."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

import cineloop
from cineloop import api, models
from cineloop.errors import ModelError, VideoError, WeightsError
from cineloop.models.passport import Passport
from cineloop.models.weights import save_weights
from cineloop.report.attention import overlaid, size_of, strength
from program import call
from tiny_cohort import tiny_recipe, write_video

NETWORK = {"img_size": 32, "patch_size": 8, "num_frames": 4, "embed_dim": 32, "depth": 2, "num_heads": 2}


@pytest.fixture(scope="module")
def run(tiny_cohort, tmp_path_factory):
    return api.train(tiny_recipe(tiny_cohort, epochs=1), out=tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for number in range(2):
        write_video(folder / f"case{number}" / "clip.mp4", number, seed=50 + number, frames=20)
    return folder


def test_features_are_those_that_the_head_decides_by(run, videos):
    found = cineloop.features(run.path, [videos], views=3)
    assert found.items == ("case0/clip.mp4", "case1/clip.mp4")
    assert found.features.shape == (2, 3, 32)
    predictor = cineloop.load(run.path).predictor
    logits = predictor.module.head(torch.from_numpy(found.features)).double()
    expected = [row.probabilities for row in cineloop.predict(run.path, [videos], temporal_views=3).rows]
    np.testing.assert_allclose(torch.softmax(logits, -1).mean(1).detach().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_files_hold_what_was_computed(run, videos, tmp_path, suffix):
    path = tmp_path / f"features{suffix}"
    found = cineloop.features(run.path, [videos], views=2, out=path)
    if suffix == ".npz":
        stored = dict(np.load(path))
        assert stored["items"].tolist() == list(found.items)
        features, frames = stored["features"], stored["frames"]
    else:
        table = pl.read_parquet(path)
        assert table["id"].to_list() == [item for item in found.items for _ in range(2)]
        assert table["view"].to_list() == [0, 1, 0, 1]
        features = table["feature"].to_numpy().reshape(2, 2, 32)
        frames = np.array(table["frames"].to_list()).reshape(2, 2, 4)
    np.testing.assert_array_equal(features, found.features)
    np.testing.assert_array_equal(frames, found.frames)
    assert (np.diff(found.seconds, axis=-1) > 0).all()


def test_tokens_and_attention_from_the_command_line(run, videos, tmp_path):
    result = call(
        "features", run.path, videos, "--views", "3", "--tokens", "tokens", "--attention", "shown", cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    stored = np.load(tmp_path / "tokens" / "case1" / "clip.mp4.npz")
    assert stored["tokens"].shape == (3, 1 + 16 * 4, 32)
    video = cineloop.Video(tmp_path / "shown" / "case1" / "clip.mp4.attention.mp4")
    # Every frame that any view saw, once, at its own time.
    shown = np.unique(stored["frames"])
    assert len(video) == len(shown) > 4
    seconds = np.unique(stored["seconds"])
    np.testing.assert_allclose(
        [ref.seconds for ref in video.frames(range(len(video))).refs], seconds - seconds[0], atol=1e-3
    )
    assert video.frames([0]).pixels.shape == (1, 476, 900, 3)


def test_a_bare_passport_and_a_foreign_checkpoint_give_the_same(videos, tmp_path):
    name = "timesformer-vitb16"
    module = models.create(name, **NETWORK)
    save_weights(tmp_path / "bare.safetensors", module, Passport.of(models.spec(name), models.configure(name, NETWORK)))
    torch.save({"teacher": {f"backbone.{k}": v for k, v in module.state_dict().items()}}, tmp_path / "theirs.pth")
    ours = cineloop.features(tmp_path / "bare.safetensors", [videos])
    theirs = cineloop.features(tmp_path / "theirs.pth", [videos], architecture=name, config=NETWORK)
    np.testing.assert_array_equal(ours.features, theirs.features)
    with pytest.raises(WeightsError, match="does not say what model"):
        cineloop.features(tmp_path / "theirs.pth", [videos])


def test_what_cannot_be_given_is_told(run, videos, tmp_path):
    with pytest.raises(VideoError, match=r"\.parquet or \.npz"):
        cineloop.features(run.path, [videos], out=tmp_path / "features.csv")
    small = {"img_size": 32, "num_frames": 4}
    name = "r2plus1d-tiny"
    bare = tmp_path / "bare.safetensors"
    save_weights(bare, models.create(name, **small), Passport.of(models.spec(name), models.configure(name, small)))
    with pytest.raises(ModelError, match="no tokens and no attention"):
        cineloop.features(bare, [videos], attention=tmp_path / "shown")
    nothing = call("features", run.path, videos, cwd=tmp_path)
    assert nothing.returncode == 2
    assert "--attention DIR" in nothing.stderr


def test_a_broken_video_is_skipped_where_asked(run, videos, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    with pytest.raises(VideoError):
        cineloop.features(run.path, [broken, videos])
    found = cineloop.features(run.path, [broken, videos], on_error="skip")
    assert len(found.items) == 2
    assert [item for item, _ in found.failed] == ["broken.mp4"]


def test_strength_is_above_an_even_look_and_shared_by_frames():
    maps = np.full((2, 4, 4), 0.01, dtype=np.float32)
    maps[0, 1, 2] = 0.5
    maps[1, 0, 0] = 0.1
    heat = strength(maps)
    assert heat[0, 1, 2] == 1.0
    assert 0 < heat[1, 0, 0] < 1
    assert (heat.ravel() > 0).sum() == 2
    # Frames that give nothing stay dark.
    maps = np.zeros((1, 2, 4, 4), dtype=np.float32)
    maps[0, 1, 0, 0] = 1.0
    assert np.flatnonzero(strength(maps)).tolist() == [16]
    assert (strength(np.ones((1, 2, 2), dtype=np.float32)) == 0).all()


def test_only_what_was_looked_at_is_coloured():
    heat = np.zeros((1, 4, 4), dtype=np.float32)
    heat[0, 0, 0] = 1.0
    (sheet,) = overlaid(np.full((1, 8, 8, 3), (200, 60, 60), dtype=np.uint8), heat, ["frame 0"], side=64)
    assert sheet.shape[1::-1] == size_of(64)
    beside = sheet[:64, 68:].astype(int)
    spread = beside.max(axis=2) - beside.min(axis=2)
    assert spread[:8, :8].mean() > 60
    assert spread[40:, 40:].max() < 10
