"""What a run leaves for people: figures, examples, tables for spreadsheets, answers in JSON."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import jsonschema
import polars as pl
import pytest
from PIL import Image

from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.scorer import figures
from cineloop.inference.answer import json_schema
from cineloop.runs import read_lines
from cineloop.schema import dump_yaml
from program import call
from tiny_cohort import tiny_recipe, write_video

BEST = ("best_confusion", "best_confusion_normalised", "best_precision_recall", "best_roc")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_cohort):
    folder = tmp_path_factory.mktemp("outputs")
    (folder / "recipe.yaml").write_text(dump_yaml(tiny_recipe(tiny_cohort, epochs=3)))
    done = call("train", "recipe.yaml", "evaluate.positive=dark", "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "figures  run/figures" in done.stdout
    return folder / "run"


@pytest.fixture(scope="module")
def evaluation(trained):
    (folder,) = trained.glob("evaluation/*/test")
    return folder


def texts(path):
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    return ["".join(one.itertext()).strip() for one in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_figures_of_a_training_show_its_records(trained):
    names = {path.name for path in (trained / "figures").iterdir()}
    singles = {f"confusion_epoch_{epoch:03d}.svg" for epoch in (1, 2, 3)}
    assert names == {"curves.svg", "confusion_epochs.svg", *singles, *(f"{name}.svg" for name in BEST)}
    records = [one for one in read_lines(trained / "metrics.jsonl") if one["kind"] == "epoch"]
    kept = json.loads((trained / "run.json").read_text())["training"]["best_epoch"]
    sheet = texts(trained / "figures" / "confusion_epochs.svg")
    counts = []
    for record in records:
        epoch, table = record["epoch"], record["val_confusion"]
        assert f"epoch {epoch}{', kept' if epoch == kept else ''}" in sheet
        flat = [str(count) for row in table for count in row]
        counts += flat
        said = texts(trained / "figures" / f"confusion_epoch_{epoch:03d}.svg")
        assert [text for text in said if text.isdigit()] == flat
        shares = [f"{100 * count / sum(row):.1f}%" for row in table for count in row]
        assert [float(text[:-1]) for text in said if text.endswith("%")] == [float(text[:-1]) for text in shares]
        # The positive class is the last, as in the records.
        assert [text for text in said if text in ("dark", "bright")] == ["bright", "dark"] * 4
    assert [text for text in sheet if text.isdigit()] == counts
    curves = texts(trained / "figures" / "curves.svg")
    for title in ("Loss", "Validation AUROC", "Learning rate", "AUPRC", "Sensitivity", "MCC", "Brier score"):
        assert title in curves
    assert "kept epoch" in curves


def test_the_kept_epoch_is_drawn_from_its_predictions(trained):
    kept = Predictions.read(trained / "checkpoints" / "best_validation.parquet")
    wanted = figures(kept)
    assert f"dark, AUROC {wanted['auroc']:.3f}" in texts(trained / "figures" / "best_roc.svg")
    assert f"dark, AP {wanted['auprc']:.3f}" in texts(trained / "figures" / "best_precision_recall.svg")
    epoch = json.loads((trained / "run.json").read_text())["training"]["best_epoch"]
    records = {one["epoch"]: one for one in read_lines(trained / "metrics.jsonl") if one["kind"] == "epoch"}
    flat = [str(count) for row in records[epoch]["val_confusion"] for count in row]
    assert [text for text in texts(trained / "figures" / "best_confusion.svg") if text.isdigit()] == flat


def test_figures_as_pixels_or_not_at_all(trained, tiny_cohort, tmp_path):
    (tmp_path / "recipe.yaml").write_text(dump_yaml(tiny_recipe(tiny_cohort, epochs=1)))
    words = ("train.figures=png", "evaluate.figures=none", "evaluate.examples=0")
    done = call("train", "recipe.yaml", *words, "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.suffix for path in (tmp_path / "run" / "figures").iterdir()} == {".png"}
    with Image.open(tmp_path / "run" / "figures" / "best_roc.png") as picture:
        assert picture.size == (1000, 980)
    (evaluation,) = tmp_path.glob("run/evaluation/*/test")
    assert not (evaluation / "figures").exists()
    assert not (evaluation / "examples.html").exists()
    assert call("evaluate", trained, "evaluate.figures=none", "--out", tmp_path / "none").returncode == 0
    assert (tmp_path / "none" / "examples.html").exists()
    assert not (tmp_path / "none" / "figures").exists()
    for out in ("one", "two"):
        assert call("evaluate", trained, "evaluate.figures=both", "--out", tmp_path / out).returncode == 0
    for path in (tmp_path / "one" / "figures").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / "figures" / path.name).read_bytes()
    assert (tmp_path / "one" / "figures" / "panel.png").exists()
    assert (tmp_path / "one" / "figures" / "panel.svg").exists()


def test_no_figures_of_a_training_that_wants_none(tiny_cohort, tmp_path):
    (tmp_path / "recipe.yaml").write_text(dump_yaml(tiny_recipe(tiny_cohort, epochs=1, figures="none")))
    assert call("train", "recipe.yaml", "--out", "run", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "run" / "figures").exists()


def test_figures_that_cannot_be_written_do_not_fail_the_run(tiny_cohort, tmp_path, monkeypatch):
    from cineloop.api import training

    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    (tmp_path / "recipe.yaml").write_text(dump_yaml(tiny_recipe(tiny_cohort, epochs=1)))
    monkeypatch.setattr(training, "write_figures", refuse)
    done = call("train", "recipe.yaml", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "No space left" in json.loads((tmp_path / "run" / "run.json").read_text())["figures"]
    assert "No space left" in done.stderr


def test_a_leak_that_was_allowed_stands_on_every_figure(tiny_cohort, tmp_path):
    import shutil

    shutil.copytree(tiny_cohort, tmp_path / "data")
    shutil.copytree(tmp_path / "data" / "videos" / "P000", tmp_path / "data" / "videos" / "P900")
    with (tmp_path / "data" / "splits" / "test.txt").open("a") as stream:
        stream.write("P900/clip.mp4,0\n")
    recipe = tiny_recipe(tmp_path / "data", epochs=1)
    recipe["data"]["allow_leakage"] = "plumbing"
    (tmp_path / "recipe.yaml").write_text(dump_yaml(recipe))
    done = call("train", "recipe.yaml", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    drawn = [*tmp_path.glob("run/figures/*.svg"), *tmp_path.glob("run/evaluation/*/test/figures/*.svg")]
    assert len(drawn) > 10
    for path in drawn:
        assert "plumbing" in " ".join(texts(path)), path.name
    assert "plumbing" in next(tmp_path.glob("run/evaluation/*/test/examples.html")).read_text()
    write_video(tmp_path / "new.mp4", 1, seed=500)
    answer = json.loads(call("predict", "run", "new.mp4", "--json", cwd=tmp_path).stdout)
    assert any("plumbing" in text for text in answer["warnings"])


def test_the_table_for_spreadsheets_is_the_other_one(evaluation):
    wanted = pl.read_parquet(evaluation / "predictions.parquet")
    assert pl.read_csv(evaluation / "predictions.csv", schema=wanted.schema).equals(wanted)


def test_examples_show_the_frames_that_were_looked_at(trained, evaluation):
    html = (evaluation / "examples.html").read_text()
    table = pl.read_parquet(evaluation / "predictions.parquet")
    records = {row["item"]: row for row in pl.read_parquet(evaluation / "samples.parquet").iter_rows(named=True)}
    strips = re.findall(r'<article class="strip">(.*?)</article>', html, re.DOTALL)
    shown = {re.search(r"<h3>(\w+)</h3>", strip)[1]: strip for strip in strips}
    assert set(shown) == set(table["id"])
    for row in table.iter_rows(named=True):
        strip = shown[row["id"]]
        assert f"{row['p_dark']:.3f}" in strip
        assert f"{row['p_bright']:.3f}" in strip
        captions = re.findall(r"<figcaption>(.*?)</figcaption>", strip)
        assert captions == [f"{second:.2f} s" for second in records[row["id"]]["seconds"]]
        assert strip.count("data:image/jpeg") == 4
    pictures = {path.name for path in (evaluation / "figures").glob("prediction_*.png")}
    assert len(pictures) == 4
    assert pictures <= {f"prediction_{item}.png" for item in table["id"]}
    everything = [html, (evaluation / "report.html").read_text(), (evaluation / "predictions.csv").read_text()]
    everything += [path.read_text() for path in trained.glob("figures/*.svg")]
    assert not any(re.search(r"P0\d{2}", text) for text in everything)


def test_the_report_shows_what_each_epoch_decided(evaluation):
    html = (evaluation / "report.html").read_text()
    assert "What each epoch decided on validation" in html
    assert len(re.findall(r"<h3>Epoch \d(?:, kept)?</h3>", html)) == 3


def test_one_video_gets_a_complete_answer(trained, evaluation, tmp_path):
    write_video(tmp_path / "one.mp4", 1, seed=500)
    said = call("predict", trained, "one.mp4", "--json", "--out", "answer.json", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    document = json.loads(said.stdout)
    (answer,) = json.loads((tmp_path / "answer.json").read_text())
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.validate(document)
    validator.validate([answer])
    assert answer["video"] == answer["path"] == "one.mp4"
    assert answer["class"] == answer["label"] == "bright"
    assert answer["probabilities"] == {name: answer[f"p_{name}"] for name in ("bright", "dark")}
    assert answer["confidence"] == answer["probabilities"]["bright"]
    assert list(zip(answer["frames"], answer["seconds"], strict=True)) == [(0, 0.0), (3, 0.3), (7, 0.7), (11, 1.1)]
    metrics = json.loads((evaluation / "metrics.json").read_text())
    assert answer["threshold"] == {
        "value": metrics["threshold"]["value"],
        "positive": "dark",
        "source": "validation",
        "tuned": True,
    }
    assert answer["model"]["weights_sha256"] == metrics["provenance"]["weights SHA-256"]
    assert (answer["model"]["run"], answer["model"]["architecture"]) == ("run", "timesformer-tiny")
    assert answer["warnings"] == ["Research software, not a medical device."]
    assert {key: answer[key] for key in document["rows"][0]} == document["rows"][0]
    assert {key: answer[key] for key in ("model", "threshold", "software", "warnings")} == {
        key: document[key] for key in ("model", "threshold", "software", "warnings")
    }


def test_an_answer_says_when_its_threshold_is_untuned_or_given(trained, tmp_path):
    write_video(tmp_path / "one.mp4", 1, seed=500)
    validator = jsonschema.Draft202012Validator(json_schema())
    for words, source in (((), "untuned"), (("--threshold", 0.2), "given")):
        done = call("predict", trained / "weights.safetensors", "one.mp4", *words, "--json", cwd=tmp_path)
        answer = json.loads(done.stdout)
        validator.validate(answer)
        assert (answer["threshold"]["source"], answer["threshold"]["tuned"]) == (source, False)
        assert answer["model"]["run"] is None
        assert any("untuned" in text for text in answer["warnings"]) == (source == "untuned")


def test_the_schema_refuses_what_is_no_answer(trained, tmp_path):
    printed = call("predict", "--schema")
    assert json.loads(printed.stdout) == json_schema()
    jsonschema.Draft202012Validator.check_schema(json_schema())
    write_video(tmp_path / "one.mp4", 1, seed=500)
    answer = json.loads(call("predict", trained, "one.mp4", "--json", cwd=tmp_path).stdout)
    validator = jsonschema.Draft202012Validator(json_schema())
    for key in answer:
        assert not validator.is_valid({name: value for name, value in answer.items() if name != key}), key
    assert not validator.is_valid({**answer, "more": 1})
    assert not validator.is_valid({**answer, "threshold": {**answer["threshold"], "value": 2}})
