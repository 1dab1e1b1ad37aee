"""Every shipped recipe runs, shrunk: train, evaluate, predict."""

from __future__ import annotations

import json

import pytest

from cineloop.schema import dump_yaml
from cineloop.tasks.recipe import load_recipe, shipped
from cineloop.testing import shrink
from program import call
from tiny_frames import write_index, write_table, write_tree

# Of each format: what writes a small cohort of it, how many items its validation has, and something to predict.
FRAMES = {
    "uihnj": (write_index, 24, "P000/0.png"),
    "inbody-tree": (write_tree, 8, "outbody/P000/0.png"),
    "table": (write_table, 24, "P000/0.png"),
}


@pytest.mark.parametrize("name", shipped())
def test_a_recipe_trains_evaluates_and_predicts(tmp_path, tiny_cohort, name):
    recipe = load_recipe(name)
    root, items, source = tiny_cohort, 6, tiny_cohort / "videos" / "P000"
    if recipe.data.format in FRAMES:
        write, items, one = FRAMES[recipe.data.format]
        root = write(tmp_path / "data")
        source = root / one
    (tmp_path / "recipe.yaml").write_text(dump_yaml(shrink(recipe, root)))
    trained = call("train", "recipe.yaml", "--out", "run", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    evaluated = call("evaluate", "run", "--split", "val", "--json", cwd=tmp_path)
    assert evaluated.returncode == 0, evaluated.stderr
    assert json.loads(evaluated.stdout)["n_items"] == items
    predicted = call("predict", "run", source, "--json", cwd=tmp_path)
    assert predicted.returncode == 0, predicted.stderr
    (row,) = json.loads(predicted.stdout)["rows"]
    assert row["p_dark"] + row["p_bright"] == pytest.approx(1.0) if "p_dark" in row else row["confidence"] > 0
