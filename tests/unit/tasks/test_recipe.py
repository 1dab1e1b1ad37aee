import json

import jsonschema
import pytest

from cineloop.errors import CineloopError, PluginError, RecipeError
from cineloop.schema import dump_yaml, parse_yaml, read_yaml
from cineloop.tasks.commented import commented
from cineloop.tasks.recipe import compose, json_schema, load_recipe, shipped, shipped_folder
from tiny_cohort import tiny_recipe


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_recipe_is_valid_and_says_what_it_is_for(name):
    recipe = load_recipe(name)
    assert recipe.about
    assert load_recipe(recipe.plain()) == recipe


@pytest.mark.parametrize("name", shipped())
def test_a_printed_recipe_reads_back_equal_and_is_commented(name):
    recipe = load_recipe(name)
    text = commented(recipe)
    assert load_recipe(parse_yaml(text, where="x")) == recipe
    lines = [line for line in text.splitlines() if ":" in line]
    without = [line for line in lines if "#" not in line]
    assert len(without) <= 0.1 * len(lines), "\n".join(without)


def test_the_resolved_recipe_names_what_the_model_decides(tmp_path):
    recipe = tiny_recipe(tmp_path)
    del recipe["data"]["spatial"], recipe["data"]["sampling"]
    data = load_recipe(recipe).data
    assert data.spatial.size == 32
    assert data.sampling.frames == 4
    kept = load_recipe(recipe, ["data.spatial.size=24", "data.sampling.frames=6"]).data
    assert (kept.spatial.size, kept.sampling.frames) == (24, 6)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("data.formt=endofm", ["data.formt", "format"]),
        ("data.format=endofn", ["endofn", "endofm"]),
        ("model.name=timesformer-tny", ["timesformer-tny", "timesformer-tiny"]),
        ("model.dept=3", ["model.dept", "depth"]),
        ("model.wieghts=x", ["model.wieghts", "weights"]),
        ("model.name=[1]", ["model"]),
        ("train.loss={name: focal, gama: 1}", ["train.loss.gama", "gamma"]),
        ("train.loss={name: focl}", ["focl", "focal"]),
        ("train.optimizer.name=adam", ["train.optimizer.name"]),
        ("train.lr=0.1", ["train.lr"]),
        ("task=clip-clasification", ["clip-clasification", "clip-classification"]),
        ("schema=2", ["version 2"]),
        ("data.sampling.train.mode=windows", ["windows"]),
        ("data.sampling.test={rounds: {step: 2}}", ["rounds"]),
        ("data.allow_leakage=' '", ["reason"]),
        ("train.batch_size=1 ", []),
    ],
)
def test_a_mistake_names_the_key_and_the_nearest_valid_one(tmp_path, override, words):
    recipe = tiny_recipe(tmp_path)
    if not words:
        load_recipe(recipe, [override])
        return
    with pytest.raises(CineloopError) as caught:
        load_recipe(recipe, [override])
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_plugin_that_is_not_enabled_is_named(tmp_path):
    with pytest.raises(PluginError, match="acme"):
        load_recipe(tiny_recipe(tmp_path), ["model={name: acme/net}"])


@pytest.mark.parametrize("key", ["_target_", "$import", "__class__", "os.system"])
def test_a_recipe_cannot_name_code(tmp_path, key):
    recipe = tiny_recipe(tmp_path)
    recipe["model"][key] = "os.system"
    with pytest.raises(RecipeError, match="unknown key"):
        load_recipe(recipe)


def test_recipes_extend_each_other_in_order(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "base.yaml").write_text("schema: 1\ntrain: {epochs: 3, seed: 1}\n")
    (tmp_path / "data" / "x.yaml").write_text("data: {root: a}\ntrain: {epochs: 4}\n")
    (tmp_path / "mine.yaml").write_text("extends: [base, data/x]\ntrain: {seed: 9}\n")
    assert compose(tmp_path / "mine.yaml") == {
        "schema": 1,
        "train": {"epochs": 4, "seed": 9},
        "data": {"root": "a"},
    }


def test_a_circle_and_a_missing_part_are_told(tmp_path):
    (tmp_path / "a.yaml").write_text("extends: b\n")
    (tmp_path / "b.yaml").write_text("extends: a\n")
    with pytest.raises(RecipeError, match="circle"):
        compose(tmp_path / "a.yaml")
    (tmp_path / "c.yaml").write_text("extends: nowhere\n")
    with pytest.raises(RecipeError, match="nowhere"):
        compose(tmp_path / "c.yaml")


def test_the_file_is_named_in_the_error(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(dump_yaml({**tiny_recipe(tmp_path), "tasks": 1}))
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert caught.value.where == str(path)
    for missing in ("absent.yaml", "clip-classification/timesformer-tny"):
        with pytest.raises(RecipeError):
            load_recipe(missing)


def complaints(recipe):
    """Return the places that an editor would underline."""
    validator = jsonschema.Draft202012Validator(json.loads(json_schema()))
    found = set()
    waiting = list(validator.iter_errors(recipe))
    while waiting:
        error = waiting.pop()
        found.add(error.json_path)
        waiting.extend(error.context)
    return found


def test_the_json_schema_accepts_what_the_program_accepts(tmp_path):
    jsonschema.Draft202012Validator.check_schema(json.loads(json_schema()))
    for name in shipped():
        assert not complaints(read_yaml(shipped_folder() / f"{name}.yaml")), name
        assert not complaints(load_recipe(name).plain()), name
    assert not complaints(json.loads(json.dumps(tiny_recipe(tmp_path))))
    assert not complaints({"extends": "timesformer-tiny", "schema": 1, "train": {"loss": {"gamma": 1.0}}})


def test_the_json_schema_refuses_what_the_program_refuses(tmp_path):
    whole = json.loads(json.dumps(tiny_recipe(tmp_path)))
    assert "$.train" in complaints({**whole, "train": {"epochz": 3}})
    assert "$.model" in complaints({**whole, "model": {"name": "timesformer-tiny", "depht": 3}})
    assert "$.data" in complaints({**whole, "data": {"format": "endofm"}})
    assert "$.model" in complaints({**whole, "model": {"depth": 3}})
    assert "$" in complaints({key: value for key, value in whole.items() if key != "data"})


def test_an_option_of_another_choice_names_it():
    words = ["train.loss.name=cross-entropy", "train.loss.gamma=2"]
    with pytest.raises(RecipeError, match="option of focal, upstream-focal, not of cross-entropy") as caught:
        load_recipe("clip-classification/timesformer-tiny", words)
    assert "train.loss.name=focal" in caught.value.mend
    with pytest.raises(RecipeError, match=r"unknown key 'train\.loss\.gama'"):
        load_recipe("clip-classification/timesformer-tiny", ["train.loss.gama=2"])
