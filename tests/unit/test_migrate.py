"""The tables for those who come from a published system: nothing of theirs is left out, nothing of ours made up."""

from __future__ import annotations

import re

import pytest

from cineloop.errors import RecipeError
from cineloop.schema import set_dotted
from cineloop.tasks.recipe import compose, find_recipe, load_recipe
from support import ROOT, shared

PAGE = "docs/migrate/laryngeal.md"
COHORTS = ("balanced", "bagls", "duke", "polypdiag")


def rows(page=PAGE):
    text = (ROOT / page).read_text(encoding="utf-8")
    found = [line.strip().strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [
        [cell.strip() for cell in row] for row in found if row[0].strip() not in ("published", "the published scripts")
    ]


def published():
    """Return every name that stands in code in a first column."""
    return {name for row in rows() for name in re.findall(r"`([^`]+)`", row[0])}


def keys():
    """Return the recipe keys of the second columns."""
    cells = [row[1] for row in rows() if len(row) > 1]
    return sorted({key for cell in cells for key in re.findall(r"`((?:data|model|train|evaluate)\.[\w.]+)`", cell)})


def test_every_flag_variable_and_tool_of_the_mission_has_a_row():
    text = (shared("mission") / "laryngeal-video-classifier.md").read_text(encoding="utf-8")
    wanted = set(re.findall(r"(?<![\w-])(--[a-z_]+)", text)) - {"--nproc"}
    wanted |= set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    wanted |= set(re.findall(r"`(DATA\.[A-Z_]+)`", text))
    assert len(wanted) > 25
    assert wanted <= published()
    tools = set(re.findall(r"\b(\w+\.py)\b", text)) - {"eval_finetune_new.py"}
    named = " ".join(published())
    assert {tool for tool in tools if tool not in named} == set()


@pytest.mark.parametrize("key", keys())
def test_every_key_is_one(key):
    plain = compose(find_recipe("laryngeal/upstream"))
    set_dotted(plain, "data.sampling.train.rounds", {"step": 16})
    known = load_recipe(plain).plain()
    for part in key.split("."):
        assert part in known, key
        known = known[part]


@pytest.mark.parametrize("cohort", COHORTS)
@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize("frames", [8, 32])
def test_the_four_methods_on_four_cohorts_with_8_and_32_frames(cohort, augmented, stages, frames):
    name = f"laryngeal/{cohort}{'-augmented' if augmented else ''}"
    second = ["model.weights=runs/first"] if stages == 2 else []
    recipe = load_recipe(name, [f"data.sampling.frames={frames}", *second])
    assert str(recipe.data.root).startswith("data/downstream/")
    assert (recipe.data.sampling.train.rounds is not None) == augmented
    assert str(recipe.model.weights) == ("runs/first" if stages == 2 else "checkpoints/endo_fm.pth")
    assert recipe.data.sampling.frames == frames
    # The published arithmetic: 0.001 x 2 / 256.
    assert recipe.train.learning_rate == pytest.approx(7.8125e-6)
    assert (recipe.train.loss.name, recipe.train.loss.config.gamma, recipe.train.loss.config.alpha) == ("focal", 1, 0.5)


def test_the_upstream_recipe_does_what_the_script_does():
    recipe = load_recipe("laryngeal/upstream")
    sampling = recipe.data.sampling
    assert {sampling.train.mode, sampling.val.mode, sampling.test.mode} == {"clip"}
    assert (sampling.train.clip.start, sampling.val.clip.start) == ("random", "spread")
    assert recipe.data.spatial.fit == "left_or_top"
    assert recipe.data.spatial.short_side == recipe.data.spatial.size == 224
    assert recipe.train.select.rule == "upstream"
    with pytest.raises(RecipeError, match="rule"):
        load_recipe("laryngeal/upstream", ["train.select.rule=upstreem"])
