"""What phantom procedures are for: models solve them in minutes and shortcuts do not, and analyses find the truth."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from cineloop.analysis.report import read_report
from program import cineloop

LEAST = {"outside": 0.98, "nonsense": 0.98, "ileocecal": 0.95, "bbps": 0.85}
# Longer than what the models learned from, at other rates, and of other patients.
RECORDINGS = ("--preset", "procedures", "--seed", "8", "rates=[5, 6]", "seconds=[120, 200]")


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


def analysed(folder, count):
    """Analyse recordings of as many patients, and return the truth of each beside what was found."""
    run(folder, "phantom", "recordings", *RECORDINGS, "--patients", f"0,0,{count}")
    for truth in pl.read_csv(folder / "recordings" / "procedures.csv").iter_rows(named=True):
        models = ("--inbody", "inbody/phantom", "--quality", "frame-quality/phantom")
        out = folder / "analyses" / truth["procedure"]
        run(folder, "analyze", f"recordings/{truth['path']}", *models, "--out", out, "--name", truth["procedure"])
        yield truth, {one.definition.name: one.value for one in read_report(out).indicators}


def check_analyses(folder, count):
    """Hold analyses to the truth: the caecum where it was reached, and when the withdrawal began and ended."""
    missed, invented, apart = 0, 0, []
    for truth, found in analysed(folder, count):
        reached = found["caecum_reached"] == 1.0
        missed += truth["caecum_reached"] and not reached
        invented += reached and not truth["caecum_reached"]
        if truth["caecum_reached"] and reached:
            # The withdrawal begins between when the scope begins to leave and when the landmark goes out of view.
            whole = truth["withdrawal_end"] - truth["withdrawal_start"]
            seen = truth["withdrawal_end"] - truth["landmark_lost"]
            off = max(seen - found["withdrawal_seconds"], found["withdrawal_seconds"] - whole, 0.0)
            apart.append(off / max(3.0, 0.02 * whole))
    assert missed <= 0.05 * len(apart)
    assert not invented
    return np.array(apart)


@pytest.mark.long
def test_models_solve_procedures_shortcuts_do_not_and_analyses_find_the_truth(tmp_path):
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

    # Within 3 s or 2% of the truth.
    apart = check_analyses(tmp_path, 6)
    assert (apart <= 1).all(), apart
