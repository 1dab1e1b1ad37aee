"""Real laryngoscopy through Endo-FM's network at full size, on a CPU, from a file in the form it is released in."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import cineloop
from cineloop import models
from program import cineloop as program
from program import start
from support import shared

RECIPE = """
schema: 1
extends: laryngeal/adamw
data:
  format: table
  root: {root}
  path: clips.json
  columns: {{path: file, label: phase}}
  procedure: {{column: sequence}}
  split: {{by: procedure, test: 0.25, val: 0.25}}
  classes: [post-op, pre-op]
  allow_leakage: "one patient only; plumbing test"
model:
  weights: endo_fm.pth
train:
  epochs: 3
  batch_size: 2
  accumulate: 1
  workers: 0
  select: {{metric: accuracy}}
  log: {{tensorboard: false}}
evaluate:
  positive: pre-op
  temporal_views: 1
  replicates: 100
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the published network, filled by the rule of the reference material, as ``endo_fm.pth``."""
    spec = importlib.util.spec_from_file_location("parity_weights", shared("parity", "weights.py"))
    rule = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rule)
    folder = tmp_path_factory.mktemp("laryngeal")
    with torch.device("meta"):
        shapes = models.create("timesformer-vitb16").state_dict()
    state = {f"backbone.{key}": rule.tensor_for(key, value.shape) for key, value in shapes.items()}
    projection = {f"head.mlp.{index}.weight": torch.zeros(4, 4) for index in (0, 2, 4)}
    torch.save({"teacher": {**state, **projection}}, folder / "endo_fm.pth")
    (folder / "mine.yaml").write_text(RECIPE.format(root=shared("data", "laryngoscopy")))
    return folder


def run(folder, *words):
    done = program(*words, cwd=folder, timeout=1500)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_a_released_file_of_full_size(folder):
    told = json.loads(
        run(folder, "weights", "inspect", "endo_fm.pth", "--model", "timesformer-vitb16", "--json").stdout
    )
    assert told["match"]["counts"]["matched"] == 247
    assert told["match"]["counts"]["ignored"] == 3
    assert told["match"]["share"] == 1.0
    assert told["parameters"] > 121_258_752


@pytest.mark.slow
def test_it_trains_resumes_evaluates_predicts_and_shows_where_it_looked(folder):
    began = start("train", "mine.yaml", "--out", "run", cwd=folder)
    last = folder / "run" / "checkpoints" / "last.pt"
    deadline = time.monotonic() + 1200
    while not last.exists() and began.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    assert began.poll() is None
    os.killpg(began.pid, signal.SIGKILL)
    began.communicate()
    run(folder, "train", "run", "--resume")
    ledger = json.loads((folder / "run" / "run.json").read_text())
    assert ledger["state"] == "finished"
    assert ledger["training"]["epochs"] == 3
    assert "100.0% of the model's 247 keys" in ledger["first_weights"]

    # It moved away from what it began with, a little.
    kept, begun = load_file(folder / "run" / "weights.safetensors"), torch.load(folder / "endo_fm.pth")["teacher"]
    name = "blocks.11.mlp.fc2.weight"
    moved = float((kept[f"backbone.{name}"] - begun[f"backbone.{name}"]).abs().max())
    assert 0 < moved < 0.01

    evaluated = json.loads(run(folder, "evaluate", "run", "--split", "test", "--json").stdout)
    assert evaluated["n_items"] == 1
    assert "one patient only" in evaluated["watermark"]

    clip = shared("data", "laryngoscopy", "clips", "patient1_seq3.mp4")
    row = json.loads(run(folder, "predict", "run", clip, "--json").stdout)["rows"][0]
    assert row["p_post-op"] + row["p_pre-op"] == pytest.approx(1.0)
    run(folder, "features", "run", clip, "--out", "features.npz", "--attention", "looked")
    features = np.load(folder / "features.npz")["features"]
    assert features.shape == (1, 1, 768)
    assert np.isfinite(features).all()
    shown = cineloop.Video(folder / "looked" / "patient1_seq3.mp4.attention.mp4")
    assert len(shown) == 8
