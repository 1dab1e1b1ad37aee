"""A first stage on a larger cohort of another kind helps a small one: colonoscopy first, then a few larynges."""

from __future__ import annotations

import json

import pytest

from program import cineloop

SOURCE, TARGET = "200,30,8", "16,16,100"


def run(folder, *words):
    done = cineloop(*words, cwd=folder, timeout=2400)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "seed", [pytest.param(1, marks=pytest.mark.slow), *(pytest.param(seed, marks=pytest.mark.long) for seed in (0, 2))]
)
def test_two_stages_beat_one(tmp_path, seed):
    run(tmp_path, "phantom", "source", "--look", "colonoscopy", "--patients", SOURCE, "--seed", 10 + seed)
    run(tmp_path, "phantom", "target", "--look", "laryngoscopy", "--patients", TARGET, "--seed", 20 + seed)
    train = ("train", "clip-classification/phantom", f"train.seed={seed}", "train.workers=0")
    run(tmp_path, *train, "data.root=source", "evaluate.after_training=[]", "--out", "first")
    run(tmp_path, *train, "data.root=target", "train.epochs=30", "model.weights=first", "--out", "two")
    run(tmp_path, *train, "data.root=target", "train.epochs=30", "--out", "one")
    compared = json.loads(run(tmp_path, "evaluate", "two", "--against", "one", "--out", "compared", "--json"))
    assert compared["n_patients"] == 100
    difference = compared["comparison"]["differences"]["auroc"]
    assert difference["low"] > 0, difference
    assert compared["headline"]["auroc"]["value"] > 0.85
