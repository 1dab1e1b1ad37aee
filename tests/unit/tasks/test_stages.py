"""A second stage starts from the first, by values, and cannot be judged on what the first has learned from."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from cineloop import api
from cineloop.cohort import Cohort
from cineloop.errors import CohortError, RecipeError
from cineloop.models.weights import read_passport
from cineloop.tasks.clip_classification.learner import ClipLearner
from cineloop.tasks.recipe import load_recipe
from cineloop.tasks.stages import trained_on
from tiny_cohort import tiny_recipe, write_cohort, write_video

COUNTS = {"train": 4, "val": 2, "test": 2}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The first stage's cohort."""
    return write_cohort(tmp_path_factory.mktemp("source"), COUNTS)


@pytest.fixture(scope="module")
def first(source, tmp_path_factory):
    """The first stage's run."""
    return api.train(tiny_recipe(source, epochs=1), out=tmp_path_factory.mktemp("runs") / "first")


def write_target(root):
    """Write a cohort of other videos: numbers, and so seeds, begin at 100."""
    (root / "splits").mkdir(parents=True)
    for number, split in enumerate(("train", "val", "test")):
        lines = []
        for label in (0, 1):
            name = f"P{100 + 2 * number + label}/clip.mp4"
            write_video(root / "videos" / name, label, seed=100 + 2 * number + label)
            lines.append(f"{name},{label}")
        (root / "splits" / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return root


def backbone(tensors):
    return {key: value for key, value in tensors.items() if key.startswith("backbone.")}


def second_recipe(root, weights, **train):
    plain = tiny_recipe(root, epochs=1, **train)
    plain["model"]["weights"] = str(weights)
    return plain


def test_a_second_stage_begins_with_the_first_one_s_values_and_a_new_head(tmp_path, first):
    recipe = load_recipe(second_recipe(write_target(tmp_path / "target"), first.path))
    learner = ClipLearner(recipe, Cohort.read(recipe.data))
    kept, begun = load_file(first.weights_file), learner.module.state_dict()
    assert backbone(kept)
    for key, value in backbone(kept).items():
        assert torch.equal(begun[key], value), key
    assert not torch.equal(begun["head.weight"], kept["head.weight"])
    scratch = load_recipe(tiny_recipe(tmp_path / "target"))
    random = ClipLearner(scratch, Cohort.read(scratch.data)).module.state_dict()
    assert not torch.equal(random["backbone.blocks.0.attn.qkv.weight"], kept["backbone.blocks.0.attn.qkv.weight"])


@pytest.mark.parametrize("form", ["run", "weights file", "published pair"])
def test_a_whole_second_stage_moves_away_from_the_first_and_not_from_noise(tmp_path, first, form):
    kept = load_file(first.weights_file)
    weights = {"run": first.path, "weights file": first.weights_file}.get(form)
    if weights is None:
        weights = tmp_path / "checkpoint.pth.tar"
        theirs = {f"module.{key.removeprefix('backbone.')}": value for key, value in backbone(kept).items()}
        linear = {"module.linear.weight": kept["head.weight"], "module.linear.bias": kept["head.bias"]}
        torch.save({"epoch": 3, "state_dict": linear, "backbone_state_dict": theirs}, weights)
    # A step so small that what it began with can still be read off.
    recipe = second_recipe(write_target(tmp_path / "target"), weights, optimizer={"lr": 1e-9, "weight_decay": 0.0})
    second = api.train(recipe, out=tmp_path / "second")
    for key, value in backbone(load_file(second.weights_file)).items():
        torch.testing.assert_close(value, kept[key], rtol=0, atol=1e-7)
    assert "100.0% of the model's" in second.ledger()["first_weights"]


def _with_a_file_of(source, target, split):
    """Put a file of the source's training split into a split of the target, under another name."""
    shutil.copy(source / "videos" / "P000" / "clip.mp4", target / "videos" / "P900.mp4")
    with (target / "splits" / f"{split}.txt").open("a") as stream:
        stream.write("P900.mp4,0\n")
    return target


def _patients(recipe):
    recipe["data"]["patient"]["regex"] = r"(P\d+)"
    return recipe


def test_what_the_first_stage_learned_from_cannot_judge_the_second(tmp_path, source, first):
    target = _with_a_file_of(source, write_target(tmp_path / "target"), "test")
    recipe = _patients(second_recipe(target, first.path))
    with pytest.raises(CohortError, match=r"1 files of the splits test were trained on in the first stage"):
        api.train(recipe, out=tmp_path / "second")
    with pytest.raises(CohortError, match="trained on in the first stage"):
        api.plan(recipe)
    assert not (tmp_path / "second").exists()
    recipe["data"]["allow_leakage"] = "only a test of the plumbing"
    second = api.train(recipe, out=tmp_path / "second")
    metrics = json.loads(next(second.path.glob("evaluation/*/test/metrics.json")).read_text())
    assert metrics["watermark"] == "only a test of the plumbing"
    # Weights that leave their run, and what is exported from them, carry it.
    assert read_passport(second.weights_file).leak == "only a test of the plumbing"
    assert api.load(second.path).passport.leak == "only a test of the plumbing"
    assert read_passport(first.weights_file).leak is None


def test_it_may_be_trained_on_again(tmp_path, source, first):
    target = _with_a_file_of(source, write_target(tmp_path / "target"), "train")
    second = api.train(_patients(second_recipe(target, first.path)), out=tmp_path / "second")
    assert second.ledger()["cohort"]["allow_leakage"] is None


def test_a_third_stage_remembers_the_first(tmp_path, source, first):
    second = api.train(second_recipe(write_target(tmp_path / "target"), first.path), out=tmp_path / "second")
    assert trained_on(first) < trained_on(second)
    target = _with_a_file_of(source, write_target(tmp_path / "other"), "val")
    with pytest.raises(CohortError, match="splits val"):
        api.plan(_patients(second_recipe(target, second.path)))
    # Nor is a cohort external that holds such a file.
    data = {"format": "endofm", "root": str(target), "patient": {"regex": r"(P\d+)"}, "classes": ["dark", "bright"]}
    with pytest.raises(CohortError, match="trained on"):
        api.evaluate(second.path, data={"data": data}, split="val")


def test_first_weights_that_are_not_there_are_missed_before_anything_else(tmp_path):
    recipe = load_recipe("laryngeal/bagls", [f"data.root={tmp_path / 'nowhere'}"])
    with pytest.raises(RecipeError, match=r"not there: checkpoints/endo_fm\.pth") as caught:
        api.plan(recipe.plain())
    assert "model.weights=null" in caught.value.mend


def test_a_copy_of_weights_that_were_trained_says_that_nothing_could_be_checked(tmp_path, source, first):
    shutil.copy(first.weights_file, tmp_path / "copied.safetensors")
    recipe = second_recipe(write_target(tmp_path / "target"), tmp_path / "copied.safetensors")
    second = api.train(recipe, out=tmp_path / "second")
    (warning,) = second.ledger()["cohort"]["warnings"]
    assert "whose files are not known here" in warning
    metrics = json.loads(next(second.path.glob("evaluation/*/test/metrics.json")).read_text())
    assert warning in metrics["warnings"]
    foreign = tmp_path / "theirs.pth"
    kept = backbone(load_file(first.weights_file))
    torch.save({key.removeprefix("backbone."): value for key, value in kept.items()}, foreign)
    assert api.plan(second_recipe(tmp_path / "target", foreign)).prepared.warnings == ()


def test_a_run_is_not_compared_with_one_that_has_learned_from_the_items(tmp_path, source, first):
    lines = (source / "splits" / "test.txt").read_text()
    target = write_target(tmp_path / "target")
    for name in lines.split():
        path = name.split(",")[0]
        (target / "videos" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / "videos" / path, target / "videos" / path)
    with (target / "splits" / "train.txt").open("a") as stream:
        stream.write(lines)
    other = api.train(tiny_recipe(target, epochs=1), out=tmp_path / "other")
    with pytest.raises(CohortError, match="other was trained on 2 of the files that it would be compared on"):
        api.evaluate(first.path, against=other.path, out=tmp_path / "out")
    third = api.train(second_recipe(write_target(tmp_path / "more"), other.path), out=tmp_path / "third")
    with pytest.raises(CohortError, match="third was trained on 2"):
        api.evaluate(first.path, against=third.path, out=tmp_path / "out")
    # The other way round nothing is shared.
    compared = api.evaluate(other.path, against=first.path, out=tmp_path / "out")
    assert compared.evaluation is not None


def test_a_class_without_training_items_is_told(tmp_path, source):
    recipe = tiny_recipe(source)
    recipe["data"]["classes"] = ["dark", "bright", "glare"]
    warnings = api.plan(recipe).prepared.warnings
    assert any("No training item is 'glare'" in warning for warning in warnings)
