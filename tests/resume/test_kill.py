"""SIGKILL at any moment, then --resume: the same bytes as the uninterrupted run."""

from __future__ import annotations

import os
import random
import signal
import time

import polars as pl
import pytest

from cineloop.runs import read_lines
from cineloop.schema import dump_yaml
from program import cineloop, start
from tiny_cohort import tiny_recipe


def recipe_file(folder, root, workers):
    recipe = tiny_recipe(
        root, epochs=4, workers=workers, checkpoint={"every_steps": 2}, loss={"name": "focal", "alpha": 0.5}
    )
    recipe["model"] |= {"dropout": 0.2, "drop_path_rate": 0.2}
    recipe["data"]["sampling"]["train"] = {"mode": "random_window", "redraw": "epoch", "rounds": {"step": 1, "cap": 1}}
    path = folder / "recipe.yaml"
    path.write_text(dump_yaml(recipe))
    return path


def kill_at_step(process, metrics, step):
    """Kill the whole process group once ``step`` is recorded; return whether it was still running."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        if metrics.exists() and any(record["step"] >= step for record in read_lines(metrics)):
            break
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


def samples(run):
    parts = sorted((run / "samples").glob("train-*.parquet"))
    return pl.concat([pl.read_parquet(part) for part in parts]).drop("time_base")


def check(tmp_path, root, workers, steps):
    recipe = recipe_file(tmp_path, root, workers)
    whole = tmp_path / "whole"
    done = cineloop("train", recipe, "--out", whole)
    assert done.returncode == 0, done.stderr
    for number, step in enumerate(steps):
        run = tmp_path / f"killed-{number}"
        process = start("train", recipe, "--out", run)
        killed = kill_at_step(process, run / "metrics.jsonl", step)
        assert killed or step >= steps[-1], process.stderr.read()
        resumed = cineloop("train", run, "--resume")
        assert resumed.returncode == 0, resumed.stderr
        assert (run / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()
        assert samples(run).equals(samples(whole))
        assert (run / "sampling.html").read_bytes() == (whole / "sampling.html").read_bytes()
        drawn = sorted(path.name for path in (whole / "figures").iterdir())
        assert sorted(path.name for path in (run / "figures").iterdir()) == drawn
        assert "confusion_epoch_004.svg" in drawn
        for name in drawn:
            assert (run / "figures" / name).read_bytes() == (whole / "figures" / name).read_bytes(), name
        strip = lambda path: [  # noqa: E731
            {k: v for k, v in r.items() if "seconds" not in k} for r in read_lines(path / "metrics.jsonl")
        ]
        assert strip(run) == strip(whole)


def test_killed_once(tmp_path, tiny_cohort):
    check(tmp_path, tiny_cohort, workers=2, steps=[7])


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_killed_at_random_steps(tmp_path, tiny_cohort, workers):
    check(tmp_path, tiny_cohort, workers, steps=sorted(random.Random(workers).sample(range(1, 19), 6)))
