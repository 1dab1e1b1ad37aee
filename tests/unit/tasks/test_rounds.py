"""Augmentation rounds: copies of training videos that show other frames, as many as the page of the task says."""

from __future__ import annotations

import polars as pl
import pytest

from cineloop import api
from cineloop.tasks.recipe import load_recipe
from cineloop.tasks.task import TASKS
from cineloop.video.records import read_records
from tiny_cohort import tiny_recipe, write_video

# Frames of each training video, and how many rounds 1, 17, 33, ... its length allows with 4 frames:
# uniform has (N - 1) / 3 - 1 places in a chunk, the draws N / 4 and never more than ten.
LENGTHS = {200: {"uniform": 5, "random": 1, "random_window": 1}, 60: {"uniform": 2, "random": 1, "random_window": 1}}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    root = tmp_path_factory.mktemp("rounds")
    (root / "splits").mkdir()
    splits = {"train": [200, 200, 60, 60], "val": [12, 12], "test": [12, 12]}
    number = 0
    for split, lengths in splits.items():
        lines = []
        for index, frames in enumerate(lengths):
            name = f"P{number:03d}/clip.mp4"
            write_video(root / "videos" / name, index % 2, seed=number, frames=frames)
            lines.append(f"{name},{index % 2}")
            number += 1
        (root / "splits" / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return root


def recipe(root, mode, **rounds):
    plain = tiny_recipe(root, epochs=2, batch_size=4)
    plain["data"]["sampling"] |= {"train": {"mode": mode, "rounds": rounds}}
    plain["data"]["identifiers"] = "plain"
    return plain


@pytest.mark.parametrize("mode", ["uniform", "random", "random_window"])
def test_rounds_enlarge_the_epoch_as_documented(cohort, tmp_path, mode):
    run = api.train(recipe(cohort, mode, step=16), out=tmp_path / "run")
    records = read_records(run.samples).filter(pl.col("split") == "train")
    expected = 4 + 2 * LENGTHS[200][mode] + 2 * LENGTHS[60][mode]
    for epoch in (1, 2):
        rows = records.filter(pl.col("epoch") == epoch)
        assert rows.height == expected
        assert not rows.select("item", "round").is_duplicated().any()
        for (item,), shown in rows.group_by("item"):
            (total,) = shown["total"].unique()
            wanted = [None, *(1 + 16 * step for step in range(LENGTHS[total][mode]))]
            assert sorted(shown["round"].to_list(), key=lambda round: round or 0) == wanted, item
            # No copy shows the frames of the original row, nor those of another copy.
            assert shown["indices"].n_unique() == shown.height
    # Without asking for new draws, an epoch shows what the one before showed.
    frames = records.sort("item", "round", nulls_last=False).partition_by("epoch")
    assert frames[0]["indices"].to_list() == frames[1]["indices"].to_list()


def test_a_cap_ends_the_rounds_and_steps_count_the_longer_epoch(cohort):
    for rounds, expected in (({"step": 16, "cap": 17}, 4 + 2 * 2 + 2 * 2), ({"step": 16, "cap": 1}, 4 + 4)):
        resolved = load_recipe(recipe(cohort, "uniform", **rounds))
        planned = api.plan(recipe(cohort, "uniform", **rounds))
        learner = TASKS.get(resolved.task).learner(resolved, planned.prepared.cohort)
        assert len(learner.entries()) == expected
        assert planned.dry_run.steps_per_epoch == -(-expected // 4)
