"""Every shipped recipe runs, shrunk: train, evaluate, predict."""

from __future__ import annotations

import json

import pytest

from cineloop.schema import dump_yaml
from cineloop.tasks.recipe import load_recipe, shipped
from cineloop.testing import shrink
from program import call


@pytest.mark.parametrize("name", shipped())
def test_a_recipe_trains_evaluates_and_predicts(tmp_path, tiny_cohort, name):
    (tmp_path / "recipe.yaml").write_text(dump_yaml(shrink(load_recipe(name), tiny_cohort)))
    trained = call("train", "recipe.yaml", "--out", "run", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    evaluated = call("evaluate", "run", "--split", "val", "--json", cwd=tmp_path)
    assert evaluated.returncode == 0, evaluated.stderr
    assert json.loads(evaluated.stdout)["n_items"] == 6
    predicted = call("predict", "run", tiny_cohort / "videos" / "P000", "--json", cwd=tmp_path)
    assert predicted.returncode == 0, predicted.stderr
    (row,) = json.loads(predicted.stdout)["rows"]
    assert row["p_dark"] + row["p_bright"] == pytest.approx(1.0) if "p_dark" in row else row["confidence"] > 0
