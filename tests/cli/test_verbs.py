"""The verbs, one after another, on real videos."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from cineloop.schema import dump_yaml, read_yaml
from program import call, cineloop
from support import ROOT
from tiny_cohort import tiny_recipe, write_video

ACME = ROOT / "examples" / "plugin" / "acme.py"


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_cohort):
    """A finished run, made by the command line."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "recipe.yaml").write_text(dump_yaml(tiny_recipe(tiny_cohort, epochs=4)))
    done = call("train", "recipe.yaml", "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stdout
    return folder / "run"


def test_a_run_holds_what_it_promises(trained):
    for name in (
        "recipe.yaml",
        "run.json",
        "metrics.jsonl",
        "metrics.csv",
        "train.log",
        "checkpoints/last.pt",
        "checkpoints/best.safetensors",
        "weights.safetensors",
        "sampling.html",
    ):
        assert (trained / name).stat().st_size > 0, name
    (evaluation,) = trained.glob("evaluation/*/test")
    for name in ("metrics.json", "predictions.parquet", "report.html"):
        assert (evaluation / name).stat().st_size > 0, name
    ledger = json.loads((trained / "run.json").read_text())
    assert ledger["state"] == "finished"
    assert ledger["cohort"]["patients_known"] is True
    metrics = json.loads((evaluation / "metrics.json").read_text())
    assert metrics["headline"]["auroc"]["value"] == 1.0
    assert metrics["provenance"]["weights SHA-256"]


def test_no_identifier_stands_in_the_outputs(trained):
    (evaluation,) = trained.glob("evaluation/*/test")
    table = pl.read_parquet(evaluation / "predictions.parquet")
    assert table["patient"].n_unique() == table["id"].n_unique() == 6
    assert "path" not in table.columns
    tables = [evaluation / "predictions.parquet", trained / "checkpoints" / "best_validation.parquet"]
    tables += [evaluation / "samples.parquet", *trained.glob("samples/*.parquet")]
    for path in tables:
        assert not re.search(r"P\d{3}", str(pl.read_parquet(path).to_dicts())), path
    for path in (evaluation / "report.html", evaluation / "metrics.json", trained / "metrics.jsonl"):
        assert not re.search(r"P0\d{2}/", path.read_text()), path


def test_an_evaluation_records_its_frames(trained):
    (evaluation,) = trained.glob("evaluation/*/test")
    records = pl.read_parquet(evaluation / "samples.parquet")
    assert records["indices"].to_list() == [[0, 3, 7, 11]] * 6
    assert set(records["item"]) == set(pl.read_parquet(evaluation / "predictions.parquet")["id"])


def test_an_evaluation_with_more_views_looks_at_more_frames(trained, tmp_path):
    done = call("evaluate", trained, "evaluate.temporal_views=3", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    records = pl.read_parquet(tmp_path / "out" / "samples.parquet")
    assert records.height == 18
    assert sorted(records["view"].unique()) == [0, 1, 2]


def test_the_page_of_samples_shows_what_was_decoded(trained, tmp_path):
    html = (trained / "sampling.html").read_text()
    assert "These frames were decoded" in html
    assert '"labels":["bright","dark"]' in html
    assert not re.search(r"P0\d{2}", html)
    done = call("cohort", "sampling", trained, "--out", "again.html", "--csv", "csv", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.html").read_text() == html
    rows = {(row["method"], row["split"]): row for row in json.loads(done.stdout)["summary"]}
    assert {name: row["rows"] for name, row in rows.items()} == {
        ("random_window", "train"): 40,
        ("uniform", "val"): 6,
        ("uniform", "test"): 6,
    }
    assert len(list((tmp_path / "csv").iterdir())) == 3


def test_a_plan_is_what_training_then_decodes(trained, tmp_path):
    words = ("cohort", "sampling", trained / "recipe.yaml", "--modes", "uniform", "--epochs", "4", "--split", "train")
    done = call(*words, "--out", tmp_path / "p.html", "--parquet", tmp_path / "planned.parquet")
    assert done.returncode == 0, done.stderr
    planned = pl.read_parquet(tmp_path / "planned.parquet").filter(pl.col("mode") == "recipe")
    decoded = pl.concat([pl.read_parquet(path) for path in trained.glob("samples/train-*.parquet")])
    key = ("epoch", "item", "round", "indices")
    assert sorted(planned.select(key).rows(), key=str) == sorted(decoded.select(key).rows(), key=str)
    assert planned.height == 40


def test_a_page_that_cannot_be_written_does_not_fail_the_run(tiny_cohort, tmp_path, monkeypatch):
    from cineloop.api import training

    def refuse(*_):
        raise OSError(28, "No space left on device")

    (tmp_path / "recipe.yaml").write_text(dump_yaml(tiny_recipe(tiny_cohort, epochs=1)))
    monkeypatch.setattr(training, "sampling_page", refuse)
    done = call("train", "recipe.yaml", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ledger = json.loads((tmp_path / "run" / "run.json").read_text())
    assert ledger["state"] == "finished"
    assert "No space left" in ledger["sampling_page"]
    assert "No space left" in done.stderr


def test_a_pseudonym_is_found_again(trained):
    (evaluation,) = trained.glob("evaluation/*/test")
    first = pl.read_parquet(evaluation / "predictions.parquet").row(0, named=True)
    done = call("cohort", "find", trained, first["id"], first["patient"], "--json")
    assert done.returncode == 0, done.stderr
    item, patient = json.loads(done.stdout)
    assert item["kind"] == "item"
    assert item["name"] == "P016/clip.mp4"
    assert (patient["kind"], patient["name"], patient["files"]) == ("patient", "P016", item["files"])
    unknown = call("cohort", "find", trained, "0123456789ab")
    assert unknown.returncode == 2
    assert "0123456789ab" in unknown.stderr


def test_plain_names_when_asked(tiny_cohort, tmp_path):
    (tmp_path / "recipe.yaml").write_text(dump_yaml(tiny_recipe(tiny_cohort, epochs=1)))
    done = call("train", "recipe.yaml", "data.identifiers=plain", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (evaluation,) = tmp_path.glob("run/evaluation/*/test")
    table = pl.read_parquet(evaluation / "predictions.parquet")
    assert table["id"][0] == "P016/clip.mp4"
    assert table["patient"][0] == "P016"
    assert pl.read_parquet(evaluation / "samples.parquet")["media"][0] == "P016/clip.mp4"
    train = pl.read_parquet(next(tmp_path.glob("run/samples/train-*.parquet")))
    assert train["item"].str.contains("P0").all()


def test_the_recipe_of_a_run_gives_the_same_run(trained, tmp_path):
    done = call("train", trained / "recipe.yaml", "--out", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again" / "weights.safetensors").read_bytes() == (trained / "weights.safetensors").read_bytes()
    assert read_yaml(tmp_path / "again" / "recipe.yaml") == read_yaml(trained / "recipe.yaml")


def test_resuming_a_finished_run_changes_nothing(trained):
    before = (trained / "run.json").read_bytes()
    done = call("train", trained, "--resume")
    assert done.returncode == 0, done.stderr
    assert (trained / "run.json").read_bytes() == before


def test_predictions_of_anything(trained, tmp_path):
    from PIL import Image

    write_video(tmp_path / "new.mp4", 1, seed=500)
    write_video(tmp_path / "more" / "dark.mp4", 0, seed=501, frames=3)
    Image.new("RGB", (60, 50), (200, 200, 200)).save(tmp_path / "still.png")
    for name in ("rows.csv", "rows.parquet", "rows.json"):
        done = call("predict", trained, "new.mp4", "more", "still.png", "--out", name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [(row["id"], row["label"]) for row in rows[:2]] == [("new.mp4", "bright"), ("more/dark.mp4", "dark")]
    assert rows[0]["p_dark"] + rows[0]["p_bright"] == pytest.approx(1.0)
    assert rows[0]["frames"] == [0, 3, 7, 11]
    assert rows[0]["seconds"] == pytest.approx([0, 0.3, 0.7, 1.1])
    assert pl.read_csv(tmp_path / "rows.csv")["id"].to_list() == [row["id"] for row in rows]
    assert pl.read_parquet(tmp_path / "rows.parquet")["frames"].to_list() == [row["frames"] for row in rows]
    again = call("predict", trained, "new.mp4", "--out", "rows.csv", cwd=tmp_path)
    assert again.returncode == 2


def test_more_views_look_at_more_frames(trained, tmp_path):
    write_video(tmp_path / "new.mp4", 1, seed=500)
    done = call("predict", trained, "new.mp4", "--temporal-views", 3, "--spatial-views", 3, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert len(row["frames"]) > 4


def test_weights_alone_predict_the_same(trained, tmp_path):
    write_video(tmp_path / "new.mp4", 1, seed=500)
    answers = [
        json.loads(call("predict", source, "new.mp4", "--threshold", 0.5, "--json", cwd=tmp_path).stdout)["rows"]
        for source in (trained, trained / "weights.safetensors")
    ]
    assert answers[0] == answers[1]


def test_what_cannot_be_read_is_told_or_skipped(trained, tmp_path):
    write_video(tmp_path / "good.mp4", 1, seed=500)
    (tmp_path / "bad.mp4").write_text("no video")
    refused = call("predict", trained, ".", cwd=tmp_path)
    assert refused.returncode == 2
    assert "bad.mp4" in refused.stderr
    skipped = call("predict", trained, ".", "--skip-errors", "--json", cwd=tmp_path)
    assert skipped.returncode == 0, skipped.stderr
    answer = json.loads(skipped.stdout)
    assert [row["id"] for row in answer["rows"]] == ["good.mp4"]
    assert [row["id"] for row in answer["failed"]] == ["bad.mp4"]


def test_a_dry_run_writes_nothing(tmp_path, tiny_cohort):
    (tmp_path / "recipe.yaml").write_text(dump_yaml(tiny_recipe(tiny_cohort)))
    done = call("train", "recipe.yaml", "--dry-run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["shapes"]["input"] == [4, 3, 4, 32, 32]
    assert answer["trainable"] == answer["parameters"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]
    text = call("train", "recipe.yaml", "--dry-run", cwd=tmp_path)
    assert "samples an epoch 10\nsteps an epoch   3, of 4 samples\nlearning rate    0.002" in text.stdout


def test_comparison_and_another_split(trained, tmp_path):
    done = call("evaluate", trained, "--split", "val", "--against", trained, "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["comparison"]["differences"]["auroc"]["difference"] == 0.0
    assert (tmp_path / "out" / "report.html").exists()


def test_external_validation(trained, tmp_path):
    root = tmp_path / "elsewhere"
    for number, name in enumerate(["dark", "bright"] * 3):
        write_video(root / "test" / name / f"Q{number}.mp4", number % 2, seed=900 + number)
    data = tmp_path / "data.yaml"
    data.write_text(dump_yaml({"format": "folder", "root": str(root), "patient": {"regex": r"(Q\d+)"}}))
    done = call("evaluate", trained, "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["cohort"] == "elsewhere"
    assert answer["n_items"] == 6
    assert answer["headline"]["auroc"]["value"] == 1.0


def test_an_external_cohort_that_was_trained_on_is_refused(trained, tiny_cohort, tmp_path):
    import shutil

    known = tiny_cohort / "videos" / "P000" / "clip.mp4"
    (tmp_path / "elsewhere" / "test" / "dark").mkdir(parents=True)
    shutil.copy(known, tmp_path / "elsewhere" / "test" / "dark" / "renamed.mp4")
    write_video(tmp_path / "elsewhere" / "test" / "bright" / "new.mp4", 1, seed=950)
    section = {"root": str(tmp_path / "elsewhere"), "classes": ["dark", "bright"]}
    data = tmp_path / "data.yaml"
    data.write_text(dump_yaml(section))
    done = call("evaluate", trained, "--data", data, "--json")
    assert done.returncode == 2
    assert "renamed.mp4" in done.stderr
    data.write_text(dump_yaml({**section, "allow_leakage": "a test of the plumbing"}))
    done = call("evaluate", trained, "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["watermark"] == "a test of the plumbing"
    assert "NOT A VALID RESULT" in call("evaluate", trained, "--data", data).stderr


def test_folds_and_seeds_are_pooled(tiny_cohort, tmp_path):
    recipe = tiny_recipe(tiny_cohort, epochs=2)
    (tmp_path / "seeds.yaml").write_text(dump_yaml(recipe))
    recipe["data"]["split"] = {"folds": 3, "val": 0.2}
    (tmp_path / "folds.yaml").write_text(dump_yaml(recipe))
    for number in range(3):
        overrides = {"folds": f"data.split.fold={number}", "seeds": f"train.seed={number}"}
        for kind, override in overrides.items():
            done = call("train", f"{kind}.yaml", override, "--out", f"{kind}{number}", cwd=tmp_path)
            assert done.returncode == 0, done.stderr

    def pooled(kind):
        more = [word for number in (1, 2) for word in ("--pool", f"{kind}{number}")]
        done = call("evaluate", f"{kind}0", *more, "--out", f"{kind}-pooled", "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"{kind}-pooled" / "report.html").stat().st_size > 0
        return json.loads(done.stdout)

    folds = pooled("folds")
    assert folds["n_items"] == folds["n_patients"] == 22
    assert folds["threshold"]["tuned"] is False
    seeds = pooled("seeds")
    assert seeds["n_items"] == 6
    assert seeds["threshold"]["tuned"] is True
    auroc = next(one for one in folds["spread"]["figures"] if one["metric"] == "auroc")
    assert len(auroc["values"]) == 3
    refused = call("evaluate", "folds0", "--pool", "seeds1", "--out", "odd", cwd=tmp_path)
    assert refused.returncode == 2
    assert not (tmp_path / "odd").exists()
    assert call("evaluate", "folds0", "--pool", "folds1", cwd=tmp_path).returncode == 2


def _without_bright(root, *splits):
    for split in splits:
        path = root / "splits" / f"{split}.txt"
        path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if line.endswith(",0\n")))


def test_one_class_in_validation_is_refused_where_no_epoch_could_be_chosen_and_told_elsewhere(tiny_cohort, tmp_path):
    import shutil

    shutil.copytree(tiny_cohort, tmp_path / "data")
    _without_bright(tmp_path / "data", "val", "test")
    (tmp_path / "recipe.yaml").write_text(dump_yaml(tiny_recipe(tmp_path / "data", epochs=2)))
    for words in (("--dry-run",), ("--out", "run")):
        refused = call("train", "recipe.yaml", *words, cwd=tmp_path)
        assert refused.returncode == 2
        assert "auroc is undefined on the validation split, which has no item of 'bright'" in refused.stderr
        assert "  val: 3 dark (3 patients), 0 bright" in refused.stderr
        assert "data.split={keep: [test], val: 0.2}" in refused.stderr
        assert "train.select={metric: loss, mode: min}" in refused.stderr
    assert not (tmp_path / "run").exists()
    select = "train.select={metric: loss, mode: min}"
    planned = call("train", "recipe.yaml", select, "--dry-run", cwd=tmp_path)
    assert "No validation item is 'bright'" in planned.stderr
    done = call("train", "recipe.yaml", select, "--resume", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "there is no run in run" in done.stderr
    assert "best     loss" in done.stdout
    # A test split without a class is told before the first epoch, after the last, and on the page.
    before, _, after = done.stderr.partition("epoch 1/2")
    for text in (before, after, next(tmp_path.glob("run/evaluation/*/test/report.html")).read_text()):
        assert "No test item is" in text
    assert "WARNING: No test item is 'bright'" in before


def test_changed_data_is_refused(tmp_path, tiny_cohort):
    import shutil

    shutil.copytree(tiny_cohort, tmp_path / "data")
    (tmp_path / "recipe.yaml").write_text(dump_yaml(tiny_recipe(tmp_path / "data", epochs=1)))
    assert call("train", "recipe.yaml", "--out", "run", cwd=tmp_path).returncode == 0
    test = tmp_path / "data" / "splits" / "test.txt"
    test.write_text("\n".join(test.read_text().splitlines()[:-1]) + "\n")
    done = call("evaluate", "run", cwd=tmp_path)
    assert done.returncode == 2
    assert "changed" in done.stderr


def test_recipes_are_listed_and_printed():
    listed = call("recipes", "--json")
    assert listed.returncode == 0, listed.stderr
    names = [row["name"] for row in json.loads(listed.stdout)]
    assert "clip-classification/timesformer-tiny" in names
    printed = call("recipes", names[0], "train.epochs=3")
    assert printed.returncode == 0, printed.stderr
    assert "epochs: 3" in printed.stdout
    assert call("recipes", "--schema").returncode == 0


@pytest.fixture
def acme_project(tmp_path, tiny_cohort):
    lines = ["patient\tfile\tfinding\tsplit"]
    for split in ("train", "val", "test"):
        for row in (tiny_cohort / "splits" / f"{split}.txt").read_text().splitlines():
            name, label = row.split(",")
            lines.append(f"{name.split('/')[0]}\tvideos/{name}\t{['dark', 'bright'][int(label)]}\t{split}")
    (tmp_path / "cases.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / "videos").symlink_to(tiny_cohort / "videos")
    recipe = tiny_recipe(tmp_path)
    recipe["data"] |= {"format": "acme/list", "patient": {"column": "patient"}}
    recipe["model"] = {"name": "acme/net", "width": 16}
    (tmp_path / "recipe.yaml").write_text(dump_yaml(recipe))
    return tmp_path


def test_a_plugin_trains_resumes_and_loads_by_name(acme_project):
    without = cineloop("train", "recipe.yaml", "--out", "run", cwd=acme_project)
    assert without.returncode == 2
    assert "acme" in without.stderr
    with_it = cineloop("train", "recipe.yaml", "--out", "run", "--plugin", ACME, cwd=acme_project)
    assert with_it.returncode == 0, with_it.stderr
    source = "videos/P000/clip.mp4"
    for words in (["predict", "run", source], ["evaluate", "run"], ["train", "run", "--resume"]):
        refused = cineloop(*words, cwd=acme_project)
        assert refused.returncode == 2, words
        assert "--plugin acme" in refused.stderr
        assert cineloop("--plugin", ACME, *words, cwd=acme_project).returncode == 0, words
    changed = acme_project / "acme.py"
    changed.write_text(ACME.read_text() + "\n# another\n")
    other = cineloop("predict", "run", source, "--plugin", "./acme.py", cwd=acme_project)
    assert other.returncode == 2
    assert "not the code" in other.stderr
