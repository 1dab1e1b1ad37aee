"""Names and numbers planted in all that a run is made of are nowhere in the archive that is shared."""

from __future__ import annotations

import io
import json
import shutil
import zipfile

import numpy as np
import polars as pl
import pytest

import cineloop
from cineloop import api
from cineloop.errors import EvaluationError, RecipeError, RunError
from cineloop.packing import pack
from program import call
from secrets_search import find_secrets
from tiny_cohort import tiny_recipe, write_cohort

NAME, NUMBER, TOWN, REASON = "Quibbleworth", "48213377", "Ankh-Morpork", "Zephyrine"
SECRETS = [NAME, NUMBER, TOWN, REASON]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run with names in its folder, its recipe's paths and remarks, its files, patients and labels' tables."""
    folder = tmp_path_factory.mktemp("packed") / NAME / TOWN
    root = write_cohort(folder / f"data {NUMBER}")
    for old in sorted((root / "videos").iterdir()):
        new = old.with_name(f"{NAME}_{old.name}")
        old.rename(new)
    for split in (root / "splits").iterdir():
        lines = split.read_text().splitlines()
        split.write_text("".join(f"{NAME}_{line}\n" for line in lines))
    recipe = tiny_recipe(root, epochs=1)
    recipe["about"] = f"for {NAME} of {TOWN}"
    recipe["data"] |= {"name": f"{TOWN} {NUMBER}", "identifiers": "plain", "allow_leakage": f"{REASON} said so"}
    recipe["evaluate"] = {**recipe.get("evaluate", {}), "replicates": 100}
    return api.train(recipe, out=folder / f"run of {NAME}").path


@pytest.fixture(scope="module")
def packed(folder, tmp_path_factory):
    return pack(folder, tmp_path_factory.mktemp("out") / "shared.zip")


def content(packed):
    with zipfile.ZipFile(packed.path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def test_the_secrets_are_in_the_run(folder):
    whole = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert {secret.partition(" as ")[0] for secret in find_secrets(whole, SECRETS)} >= {NAME, NUMBER, TOWN}


def test_none_survives_in_any_byte(packed):
    assert not find_secrets(packed.path.read_bytes(), SECRETS)
    for name, data in content(packed).items():
        assert not find_secrets(name.encode() + b"\n" + data, SECRETS), name
        if name.endswith(".parquet"):
            rows = pl.read_parquet(io.BytesIO(data))
            assert not find_secrets(rows.write_csv().encode(), SECRETS)


def test_the_reason_of_a_leak_stays_and_that_there_was_one_does_not(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "run")
    ledger = json.loads((copy / "run.json").read_text())
    ledger["cohort"]["allow_leakage"] = f"{REASON} said so"
    (copy / "run.json").write_text(json.dumps(ledger))
    from cineloop.models.weights import open_weights, read_passport, save_weights

    weights = open_weights(copy / "weights.safetensors")
    save_weights(
        copy / "weights.safetensors", weights.tensors, weights.passport.model_copy(update={"leak": f"{REASON} said so"})
    )
    archive = pack(copy, tmp_path / "a.zip")
    assert not find_secrets(archive.path.read_bytes(), SECRETS)
    shutil.unpack_archive(archive.path, tmp_path / "there")
    assert "a leak between splits was allowed" in read_passport(tmp_path / "there" / "a" / "weights.safetensors").leak
    assert json.loads((tmp_path / "there" / "a" / "run.json").read_text())["cohort"]["allow_leakage"]


def test_it_holds_no_pixels_and_nothing_else_than_it_says(packed):
    found = content(packed)
    assert set(found) == {
        f"shared/{name}"
        for name in (
            "README.txt",
            "MANIFEST.json",
            "recipe.yaml",
            "run.json",
            "metrics.jsonl",
            "weights.safetensors",
            "evaluation/cohort/test/metrics.json",
            "evaluation/cohort/test/predictions.parquet",
        )
    }
    assert not any(data[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0") or b"<svg" in data for data in found.values())


def test_unpacked_it_is_a_run_that_says_the_same(packed, folder, tmp_path):
    shutil.unpack_archive(packed.path, tmp_path)
    video = next(folder.parent.glob("data*/videos/*"))
    one, two = (cineloop.predict(run, [video]).rows for run in (folder, tmp_path / "shared"))
    assert [row.probabilities for row in one] == [row.probabilities for row in two]
    from cineloop.inference.measured import chosen_threshold

    assert chosen_threshold(cineloop.load(folder)) == chosen_threshold(cineloop.load(tmp_path / "shared"))


def test_unpacked_it_can_be_judged_on_another_cohort_as_the_run_itself(packed, folder, tmp_path):
    shutil.unpack_archive(packed.path, tmp_path)
    data = tiny_recipe(write_cohort(tmp_path / "other", frames=14), epochs=1)["data"]
    one, two = (
        api.evaluate(run, data={"data": data}, out=tmp_path / out)
        for run, out in ((folder, "own"), (tmp_path / "shared", "packed"))
    )
    figures = [
        {each.key.metric: (each.value, each.low, each.high) for each in of.evaluation.headline} for of in (one, two)
    ]
    assert figures[0] == figures[1]
    assert two.evaluation.threshold.value == one.evaluation.threshold.value
    assert two.evaluation.threshold.source == "fixed"
    assert any("cannot be checked" in text for text in two.evaluation.warnings)
    assert not any("cannot be checked" in text for text in one.evaluation.warnings)
    compared = api.evaluate(folder, data={"data": data}, against=tmp_path / "shared", out=tmp_path / "compared")
    assert any("shared was packed" in text for text in compared.evaluation.warnings)
    assert all(each.difference == 0 for each in compared.evaluation.comparison.differences)
    given = ["evaluate.threshold={rule: fixed, at: 0.125}"]
    fixed = api.evaluate(tmp_path / "shared", data={"data": data}, overrides=given, out=tmp_path / "fixed")
    assert fixed.evaluation.threshold.value == 0.125
    with pytest.raises(EvaluationError, match="no validation items"):
        api.evaluate(tmp_path / "shared", data={"data": data}, overrides=["evaluate.threshold.rule=f1"])
    (tmp_path / "table.csv").write_text("path,label\n")
    with pytest.raises(RecipeError, match="A table alone"):
        api.evaluate(tmp_path / "shared", data=tmp_path / "table.csv")
    video = next((tmp_path / "other" / "videos").rglob("*.mp4"))
    analysed = api.analyze(
        video, classify=tmp_path / "shared", out=tmp_path / "a", settings={"window": 0.2, "step": 0.2}
    )
    assert any("classify was packed" in text for text in analysed.analysis.warnings)
    done = call("evaluate", tmp_path / "shared")
    assert done.returncode == 2
    assert "--data" in done.stderr


def test_what_needs_its_cohort_says_so(packed, tmp_path):
    shutil.unpack_archive(packed.path, tmp_path)
    for work in (api.evaluate, lambda run: api.train(run, resume=True), api.plan):
        with pytest.raises(RunError, match="packed to be shared"):
            work(tmp_path / "shared")
    for words in (["find", tmp_path / "shared", "0123456789ab"], ["stats", tmp_path / "shared"]):
        done = call("cohort", *words)
        assert (done.returncode, "packed to be shared" in done.stderr) == (2, True), done.stderr
    done = call("cohort", "stats", tmp_path / "shared", "root=nowhere")
    assert (done.returncode, "nowhere" in done.stderr) == (2, True), done.stderr
    with pytest.raises(RunError, match="This is an archive"):
        api.load(packed.path)


def test_figures_can_be_computed_again_from_its_rows(packed, folder):
    found = content(packed)
    rows = pl.read_parquet(io.BytesIO(found["shared/evaluation/cohort/test/predictions.parquet"]))
    own = pl.read_parquet(next(folder.glob("evaluation/*/test/predictions.parquet")))
    assert rows["patient"].n_unique() == own["patient"].n_unique()
    np.testing.assert_array_equal(np.sort(rows["p_bright"]), np.sort(own["p_bright"]))
    assert (rows["label"] == rows["predicted"]).sum() == (own["label"] == own["predicted"]).sum()
    figures = json.loads(found["shared/evaluation/cohort/test/metrics.json"])
    assert figures["headline"]["auroc"]["value"] == pytest.approx(
        json.loads(next(folder.glob("evaluation/*/test/metrics.json")).read_text())["headline"]["auroc"]["value"]
    )


def test_it_is_the_same_bytes_again_and_nothing_is_overwritten(packed, folder, tmp_path):
    again = pack(folder, tmp_path / "again" / "shared.zip")
    assert again.path.read_bytes() == packed.path.read_bytes()
    with pytest.raises(RunError, match="already there"):
        pack(folder, again.path)
    with pytest.raises(RunError, match=r"\.zip"):
        pack(folder, tmp_path / "again.tar")


def test_the_command(folder, tmp_path):
    done = call("pack", folder, "--out", tmp_path / "a.zip")
    assert done.returncode == 0, done.stderr
    assert "weights.safetensors" in done.stdout
    assert "samples" in done.stdout
    assert call("pack", tmp_path, "--out", tmp_path / "b.zip").returncode == 2
