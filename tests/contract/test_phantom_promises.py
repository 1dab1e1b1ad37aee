"""What the phantom is for: a model that looks for lesions solves it, and nothing else does."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from program import cineloop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo, run as a user does."""
    folder = tmp_path_factory.mktemp("demo")
    done = cineloop("demo", "--out", "demo", cwd=folder, timeout=2400)
    assert done.returncode == 0, done.stderr
    return folder / "demo"


def test_the_demo_solves_the_phantom_and_shortcuts_do_not(demo):
    summary = json.loads((demo / "demo.json").read_text())
    auroc = summary["auroc"]
    assert auroc["n_patients"] >= 60
    assert auroc["value"] >= 0.95
    assert auroc["low"] > 0.88
    assert len(summary["baselines"]) == 5
    assert max(summary["baselines"].values()) <= 0.70, summary["baselines"]
    (report,) = demo.glob("run/evaluation/*/test/report.html")
    assert report.stat().st_size > 10_000


def test_the_demo_analyses_a_procedure_as_it_was(demo):
    summary = json.loads((demo / "demo.json").read_text())
    assert summary["gate"]["auroc"]["value"] >= 0.95
    caecum, withdrawal = (summary["analysis"][name] for name in ("caecum_reached", "withdrawal_seconds"))
    assert caecum["found"] == caecum["true"] == 1.0
    assert abs(withdrawal["found"] - withdrawal["true"]) <= 5.0
    assert (demo / "analysis" / "deidentified.mp4").stat().st_size > 10_000


def shuffled(phantom, out, seed):
    """Link a phantom with the labels of each split dealt out anew among its patients."""
    rng = random.Random(seed)
    (out / "splits").mkdir(parents=True)
    (out / "videos").symlink_to(phantom / "videos")
    for split in ("train", "val", "test"):
        rows = [line.rsplit(",", 1) for line in (phantom / "splits" / f"{split}.txt").read_text().split()]
        labels = {name.split("/")[0]: label for name, label in rows}
        dealt = list(labels.values())
        rng.shuffle(dealt)
        anew = dict(zip(labels, dealt, strict=True))
        lines = [f"{name},{anew[name.split('/')[0]]}\n" for name, _ in rows]
        (out / "splits" / f"{split}.txt").write_text("".join(lines))
    return out


def test_shuffled_labels_teach_nothing(demo, tmp_path):
    found = []
    for seed in range(3):
        root = shuffled(demo / "phantom", tmp_path / f"shuffled{seed}", seed)
        words = [f"data.root={root}", f"train.seed={seed}", "train.epochs=4", "--out", tmp_path / f"run{seed}"]
        done = cineloop("train", "clip-classification/phantom", *words, timeout=1200)
        assert done.returncode == 0, done.stderr
        (metrics,) = tmp_path.glob(f"run{seed}/evaluation/*/test/metrics.json")
        found.append(json.loads(metrics.read_text())["headline"]["auroc"]["value"])
    assert 0.4 <= np.mean(found) <= 0.6, found
