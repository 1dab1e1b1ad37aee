"""Two processes on one host against one, with the same global batch."""

from __future__ import annotations

import polars as pl
import pytest

from cineloop.runs import read_lines
from cineloop.schema import dump_yaml
from program import cineloop
from tiny_cohort import tiny_recipe


@pytest.mark.slow
@pytest.mark.parametrize("accumulate", [1, 2])
def test_two_processes_train_as_one(tmp_path, tiny_cohort, accumulate):
    # Ten training videos in batches of three: the first process gets an empty slice of the last one.
    losses, metrics, samples = [], [], []
    for devices in (1, 2):
        recipe = tiny_recipe(
            tiny_cohort,
            epochs=3,
            batch_size=3,
            accumulate=accumulate,
            devices=devices,
            accelerator="cpu",
            loss={"name": "cross-entropy", "class_weight": "balanced"},
        )
        recipe["model"]["drop_path_rate"] = 0.0
        path = tmp_path / f"recipe-{devices}.yaml"
        path.write_text(dump_yaml(recipe))
        run = tmp_path / f"run-{devices}"
        done = cineloop("train", path, "--out", run)
        assert done.returncode == 0, done.stderr
        records = read_lines(run / "metrics.jsonl")
        losses.append([r["loss"] for r in records if r["kind"] == "step"])
        metrics.append([{k: v for k, v in r.items() if k.startswith("val_")} for r in records if r["kind"] == "epoch"])
        assert {"curves.svg", "best_roc.svg"} <= {path.name for path in (run / "figures").iterdir()}
        rows = pl.concat([pl.read_parquet(part) for part in sorted((run / "samples").glob("train-*.parquet"))])
        samples.append(sorted(rows.select("epoch", "item", "indices").rows(), key=str))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert samples[0] == samples[1]
    for one, two in zip(*metrics, strict=True):
        assert one.pop("val_confusion") == two.pop("val_confusion")
        assert one == pytest.approx(two, abs=1e-5)
