"""``cineloop cohort sampling`` as a user meets it: plans, files, mistakes."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from cineloop.identity import identity_salt, pseudonym
from cineloop.schema import dump_yaml
from program import call
from tiny_cohort import tiny_recipe


@pytest.fixture(scope="module")
def recipe(tiny_cohort, tmp_path_factory):
    plain = tiny_recipe(tiny_cohort)
    plain["data"]["sampling"] |= {"seed": 5, "train": {"mode": "random", "redraw": "epoch"}}
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    path.write_text(dump_yaml(plain))
    return path


def test_a_folder_is_planned_without_decoding(tiny_cohort, tmp_path):
    done = call(
        "cohort", "sampling", tiny_cohort, "--modes", "uniform,random", "--clock", "steady", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["kind"] == "planned"
    assert said["files"] == ["sampling.html"]
    rows = {(row["method"], row["split"]): row for row in said["summary"]}
    assert rows.keys() == {(mode, split) for mode in ("uniform", "random") for split in ("train", "val", "test")}
    assert rows["uniform", "train"]["videos"] == 10
    html = (tmp_path / "sampling.html").read_text()
    assert "Nothing was decoded or trained" in html
    assert not re.search(r"P\d{3}/", html)
    again = call("cohort", "sampling", tiny_cohort, cwd=tmp_path)
    assert again.returncode == 2
    assert "A page is there already" in again.stderr


def test_every_output_names_videos_alike(tiny_cohort, tmp_path):
    outputs = (
        "--out",
        "p.html",
        "--csv",
        "csv",
        "--parquet",
        "rows.parquet",
        "--sheets",
        "1",
        "--sheet-files",
        "sheets",
    )
    words = ("cohort", "sampling", tiny_cohort, "--modes", "random_window", "--rounds", "1:2", "--split", "train")
    done = call(*words, *outputs, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    names = {pseudonym(f"P{number:03d}/clip.mp4", identity_salt()) for number in range(10)}
    records = pl.read_parquet(tmp_path / "rows.parquet")
    assert set(records["item"]) == names
    (file,) = (tmp_path / "csv").iterdir()
    assert re.fullmatch(r"sampling_indices_[\w-]+_random_window_train_augstep1.csv", file.name)
    assert set(re.findall(r"^(\w{12}),", file.read_text(), re.MULTILINE)) == names
    (sheet,) = (tmp_path / "sheets").iterdir()
    assert sheet.name.split("_")[0] in names
    plain = call(*words, "--identifiers", "plain", "--out", "q.html", "--csv", "plain", "--csv-dataset", "ucf101",
                 "--csv-layout", "helper", cwd=tmp_path)  # fmt: skip
    assert plain.returncode == 0, plain.stderr
    assert "P000/clip.mp4" in (tmp_path / "plain/sampling_indices_ucf101_random_window_train_augstep1.csv").read_text()
    assert "P000/clip.mp4" in (tmp_path / "q.html").read_text()


def test_what_is_written_can_be_looked_at_again(tiny_cohort, tmp_path):
    words = (
        "cohort",
        "sampling",
        tiny_cohort,
        "--out",
        "p.html",
        "--csv",
        "csv",
        "--parquet",
        "rows.parquet",
        "--json",
    )
    first = json.loads(call(*words, cwd=tmp_path).stdout)["summary"]
    for source, kind in (("csv", "read"), ("rows.parquet", "planned")):
        done = call("cohort", "sampling", source, "--out", "again.html", "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert said["kind"] == kind
        key = ("method", "split", "rows", "videos", "span", "windows", "gap", "variation", "repeated", "distinct")
        assert [[row[name] for name in key] for row in said["summary"]] == [
            [row[name] for name in key] for row in first
        ]


def test_a_recipe_is_one_method_more_and_gives_the_defaults(recipe, tmp_path):
    words = ("cohort", "sampling", recipe, "--epochs", "3", "--out", "p.html", "--json")
    done = call(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = {(row["method"], row["split"]): row for row in json.loads(done.stdout)["summary"]}
    assert {method for method, _ in rows} == {"recipe", "uniform", "random", "random_window", "clip"}
    assert rows["recipe", "train"]["rows"] == 30
    assert rows["uniform", "train"]["frames"] == 4
    assert "random, 4 frames, seed 5, drawn anew in every epoch" in (tmp_path / "p.html").read_text()
    assert call(*words, "data.sampling.train.mode=uniform", cwd=tmp_path).returncode == 0
    assert "train: uniform, 4 frames, seed 5, drawn anew in every epoch" in (tmp_path / "p.html").read_text()


def test_a_file_with_a_data_section_is_planned(tiny_cohort, tmp_path):
    section = {"root": str(tiny_cohort), "identifiers": "plain", "sampling": {"frames": 4}}
    (tmp_path / "data.yaml").write_text(dump_yaml({"data": section}))
    done = call("cohort", "sampling", "data.yaml", "--split", "val", "--out", "p.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "P010/clip.mp4" in (tmp_path / "p.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "No data is named"),
        (["nowhere"], "no recipe called 'nowhere'"),
        (["{data}", "--modes", "unifrom"], "Did you mean 'uniform'"),
        (["{data}", "--modes", ","], "No method is named"),
        (["{data}", "--frames", "-3"], "frames"),
        (["{data}", "--rounds", "0"], "STEP:CAP"),
        (["{data}", "--rounds", "2:x"], "STEP:CAP"),
        (["{data}", "--split", "extra"], "no split 'extra'"),
        (["{data}", "--clock", "atomic"], "auto, true, steady"),
        (["{data}", "--csv-layout", "mine"], "active, helper"),
        (["{data}", "--identifiers", "none"], "salted, plain"),
        (["{csv}", "--frames", "4"], "shown as it is"),
        (["{csv}", "--sheets", "2"], "nothing to decode for sheets"),
        (["{csv}", "--parquet", "rows.parquet"], "Frame times are not known"),
        (["{csv}", "--split", "val"], "There is no split 'val'"),
        (["{broken}"], "line 2"),
        (["{text}"], "not a Parquet file"),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(tiny_cohort, tmp_path, words, message):
    (tmp_path / "csv").mkdir()
    csv = tmp_path / "csv" / "sampling_indices_a_b_train.csv"
    csv.write_text("video_path,total_frames,indices\na,9,[0 4]\n")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / csv.name).write_text("video_path,total_frames,indices\na,9,[0 40]\n")
    (tmp_path / "text.parquet").write_text("no table")
    places = {
        "{data}": tiny_cohort,
        "{csv}": csv.parent,
        "{broken}": tmp_path / "broken",
        "{text}": tmp_path / "text.parquet",
    }
    named = [str(places.get(word, word)) for word in words]
    done = call("cohort", "sampling", *named, "--out", tmp_path / "p.html", cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "p.html").exists()
