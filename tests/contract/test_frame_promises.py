"""What phantom procedures are for: frame classifiers solve them in minutes, and shortcuts do not."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from program import cineloop

LEAST = {"outside": 0.98, "nonsense": 0.98, "ileocecal": 0.95, "bbps": 0.85}


def run(folder, *words):
    done = cineloop(*words, cwd=folder, timeout=2400)
    assert done.returncode == 0, done.stderr
    return done.stdout


def trained(folder, recipe):
    run(folder, "train", recipe, "--out", recipe)
    (metrics,) = (folder / recipe).glob("evaluation/*/test/metrics.json")
    return metrics.parent, json.loads(metrics.read_text())


def sensitivity(score, positive, specificity):
    """Return the share of the positive above the threshold that leaves so many of the others below it."""
    rest = np.sort(score[~positive])
    return (score[positive] > rest[int(np.ceil(specificity * len(rest))) - 1]).mean()


@pytest.mark.slow
def test_frame_classifiers_solve_procedures_and_shortcuts_do_not(tmp_path):
    told = run(tmp_path, "phantom", "data/procedures", "--preset", "procedures", "--baselines", "--json")
    shortcuts = json.loads(told)["baselines"]
    best = {name: max(found.values(), key=lambda one: one["value"])["high"] for name, found in shortcuts.items()}

    _, metrics = trained(tmp_path, "frame-quality/phantom")
    assert metrics["n_patients"] >= 60
    for question, least in LEAST.items():
        figure = metrics["questions"][question]["headline"]["quadratic_kappa" if question == "bbps" else "auroc"]
        assert figure["value"] >= least, (question, figure)
        assert figure["low"] > best[question], (question, figure, best)

    out, metrics = trained(tmp_path, "inbody/phantom")
    assert metrics["headline"]["auroc"]["low"] > best["outside"]
    rows = pl.read_parquet(out / "predictions.parquet")
    outside = (rows["label"] == "out_of_body").to_numpy()
    assert sensitivity(rows["p_out_of_body"].to_numpy(), outside, 0.99) >= 0.99
