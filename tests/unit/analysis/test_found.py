"""How much the pictures of a procedure change, and that ways in and out depend on it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import cineloop
from cineloop.analysis import assemble
from cineloop.analysis.found import Looks, stillness_of, timeline_of
from cineloop.video import VideoWriter
from frame_models import frame_weights
from moving_clips import clip, surface


def looks(levels, frames):
    """Return looks at flat pictures of these levels of grey."""
    pictures = np.broadcast_to(np.array(levels, np.uint8)[:, None, None, None], (len(levels), 8, 8, 3))
    return Looks(np.array(frames), np.zeros(len(levels)), pictures)


def test_it_is_relative_to_what_usually_changes():
    found = stillness_of(looks([10, 10, 40, 30, 30], [0, 5, 10, 15, 20]), np.array([0, 5, 10, 15, 20]))
    usual = np.sqrt((0 + 900 + 100 + 0) / 4)
    np.testing.assert_allclose(found, [0.5, 1, max(0, 1 - 30 / (2 * usual)), 1 - 10 / (2 * usual), 1])


def test_of_a_frame_that_was_not_decoded_nothing_is_known():
    found = stillness_of(looks([10, 40, 90, 90], [0, 10, 15, 20]), np.array([0, 5, 10, 15, 20]))
    assert found[:3].tolist() == [0.5, 0.5, 0.5]
    assert found[3] < 0.5 < found[4]
    assert stillness_of(looks([], []), np.array([0, 5])).tolist() == [0.5, 0.5]
    assert stillness_of(looks([7, 7], [0, 5]), np.array([0, 5])).tolist() == [0.5, 0.5]


def test_hours_are_compared_a_block_at_a_time(monkeypatch):
    rng = np.random.default_rng(0)
    some = Looks(np.arange(50), np.zeros(50), rng.integers(0, 256, (50, 8, 8, 3), dtype=np.uint8))
    whole = stillness_of(some, np.arange(50))
    monkeypatch.setattr("cineloop.analysis.found._BLOCK", 7)
    np.testing.assert_array_equal(stillness_of(some, np.arange(50)), whole)
    change = np.sqrt(np.square(np.diff(some.signatures.astype(float), axis=0)).mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(whole[1:], np.clip(1 - change / (2 * np.sqrt((change**2).mean())), 0, 1), rtol=1e-6)


@pytest.mark.parametrize("causal", [False, True])
def test_an_analysis_puts_ways_out_where_its_pictures_change(tmp_path, monkeypatch, causal):
    scenes = [clip(surface(seed), 1, frames=2, size=(64, 48))[:1].repeat(80, axis=0) for seed in (1, 2)]
    with VideoWriter(tmp_path / "a.mkv", 10, (64, 48), codec="ffv1") as writer:
        for picture in np.concatenate(scenes):
            writer.write(picture)
    model = frame_weights(
        tmp_path / "gate.safetensors", img_size=32, widths=(8, 8, 16, 16), labels="exclusive", positive="out_of_body"
    )

    def doubting(model, *others, **names):
        line = timeline_of(model, *others, **names)
        score = np.array([0.02] * 40 + [0.9] * 2 + [0.1] * 4 + [0.99] * 34, np.float32)
        return dataclasses.replace(line, scores=dict.fromkeys(line.scores, score))

    monkeypatch.setattr(assemble, "timeline_of", doubting)
    done = cineloop.analyze(tmp_path / "a.mkv", inbody=model, out=tmp_path / "out", settings={"causal": causal})
    (place,) = np.flatnonzero(np.diff(done.analysis.timeline.filtered["outside"])) + 1
    assert place == 40 if not causal else place > 46
