from __future__ import annotations

import json

import pytest
import torch

from cineloop import models
from cineloop.cli.main import main
from cineloop.models.passport import Passport
from cineloop.models.weights import open_weights, read_passport, save_weights

NAME = "timesformer-tiny"
SMALL = {"img_size": 32, "embed_dim": 16, "depth": 1, "num_heads": 2, "num_frames": 2}
OVERRIDES = [f"{key}={value}" for key, value in SMALL.items()]


@pytest.fixture
def module():
    torch.manual_seed(0)
    return models.create(NAME, **SMALL)


@pytest.fixture
def foreign(tmp_path, module):
    path = tmp_path / "foreign.pth"
    state = {f"module.{key}": value for key, value in module.state_dict().items()}
    torch.save({"model": {**state, "module.head.bias": torch.zeros(2)}, "epoch": 3}, path)
    return path


@pytest.fixture
def own(tmp_path, module):
    path = tmp_path / "own.safetensors"
    passport = Passport.of(models.spec(NAME), models.configure(NAME, SMALL))
    save_weights(path, module, passport.model_copy(update={"licence": "CC0-1.0", "classes": ("no", "yes")}))
    return path


def test_inspect_tells_what_a_foreign_file_holds(foreign, capsys):
    assert main(["weights", "inspect", str(foreign)]) == 0
    out = capsys.readouterr().out
    assert "none: a foreign file" in out
    assert "model" in out
    assert "epoch" in out


def test_inspect_shows_a_passport(own, capsys):
    assert main(["weights", "inspect", str(own)]) == 0
    out = capsys.readouterr().out
    for text in (NAME, "CC0-1.0", "no, yes", read_passport(own).sha256, "16 features"):
        assert text in out


def test_inspect_sets_the_keys_against_a_model(foreign, capsys):
    assert main(["weights", "inspect", str(foreign), *OVERRIDES, "--model", NAME]) == 0
    out = capsys.readouterr().out
    assert "100.0% of the model's" in out
    assert "head.bias" in out


def test_inspect_against_the_wrong_options_says_which_are_right(foreign, own, capsys):
    assert main(["weights", "inspect", str(foreign), "--model", NAME]) == 0
    assert "They look like those of the model with embed_dim=16" in capsys.readouterr().out
    assert main(["weights", "inspect", str(own), "--model", NAME, "embed_dim=32", "--json"]) == 0
    assert "embed_dim=16" in json.loads(capsys.readouterr().out)["advice"]


def test_inspect_answers_programs(foreign, own, capsys):
    assert main(["weights", "inspect", str(foreign), *OVERRIDES, "--model", NAME, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["form"], answer["beside"], answer["passport"]) == ("model", ["epoch"], None)
    assert (answer["match"]["share"], answer["match"]["prefix"]) == (1.0, "module.")
    assert main(["weights", "inspect", str(own), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["match"] is None
    assert answer["passport"]["classes"] == ["no", "yes"]


def test_inspect_of_our_own_file_knows_its_options(own, capsys):
    assert main(["weights", "inspect", str(own), "--model", NAME]) == 0
    assert "100.0%" in capsys.readouterr().out


def test_convert_writes_safetensors_that_the_model_loads(foreign, tmp_path, module, capsys):
    out = tmp_path / "out.safetensors"
    words = ["--model", NAME, "--licence", "MIT", "--origin", "a lab"]
    assert main(["weights", "convert", str(foreign), str(out), *OVERRIDES, *words]) == 0
    passport = read_passport(out)
    assert (passport.licence, passport.origin, passport.config["embed_dim"]) == ("MIT", "a lab", 16)
    assert passport.sha256 in capsys.readouterr().out
    loaded = models.create(NAME, weights=out).state_dict()
    assert all(torch.equal(value, loaded[key]) for key, value in module.state_dict().items())


def test_convert_of_our_own_file_keeps_what_is_known_and_its_bytes_are_reproducible(own, tmp_path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    for out in (one, two):
        assert main(["weights", "convert", str(own), str(out), "--model", NAME]) == 0
    assert one.read_bytes() == two.read_bytes()
    assert read_passport(one).licence == "CC0-1.0"


def test_convert_does_not_overwrite(foreign, own, capsys):
    before = own.read_bytes()
    assert main(["weights", "convert", str(foreign), str(own), *OVERRIDES, "--model", NAME]) == 2
    assert own.read_bytes() == before
    assert "exists" in capsys.readouterr().err


def test_convert_leaves_nothing_when_the_weights_do_not_fit(foreign, tmp_path, capsys):
    out = tmp_path / "out.safetensors"
    assert main(["weights", "convert", str(foreign), str(out), "--model", NAME]) == 2
    assert not out.exists()
    assert "do not fit" in capsys.readouterr().err


def test_convert_leaves_out_strangers_when_told_to(foreign, tmp_path, capsys):
    contents = torch.load(foreign, weights_only=True)
    contents["model"]["module.stranger"] = torch.zeros(1)
    torch.save(contents, foreign)
    words = [str(foreign), str(tmp_path / "out.safetensors"), *OVERRIDES, "--model", NAME]
    assert main(["weights", "convert", *words]) == 2
    assert "stranger" in capsys.readouterr().err
    assert main(["weights", "convert", *words, "--allow-unexpected"]) == 0
    assert "stranger" not in open_weights(tmp_path / "out.safetensors").tensors


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["inspect", "missing.pth"], "cannot be read"),
        (["inspect", "{foreign}", "--model", "timesformer-tyni"], "Did you mean 'timesformer-tiny'"),
        (["inspect", "{foreign}", "embed_dims=3", "--model", NAME], "Did you mean 'embed_dim'"),
        (["convert", "{foreign}", "out.safetensors", "embed_dim", "--model", NAME], "Not an override"),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(foreign, words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["weights", *(word.format(foreign=foreign) for word in words)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert [path.name for path in tmp_path.iterdir()] == [foreign.name]
