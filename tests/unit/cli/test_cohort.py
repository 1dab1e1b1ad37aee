"""``cineloop cohort`` as a user meets it."""

from __future__ import annotations

import json

import pytest

from cineloop.schema import dump_yaml
from moving_clips import clip, surface, write
from program import call


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder of two data sets: one clean, one with a copy across splits."""
    folder = tmp_path_factory.mktemp("data")
    for number in range(8):
        pictures = clip(surface(number), number, frames=10, size=(96, 80))
        split, label = ("train", "test")[number >= 4], ("normal", "polyp")[number % 2]
        write(folder / f"clean/{split}/{label}/P{number}_a.mp4", pictures)
        other = ("train", "test")[number % 4 >= 2]
        write(folder / f"leaky/{other}/{label}/P{number}_a.mp4", pictures, crf=27)
        if number == 0:
            write(folder / f"leaky/test/{label}/P9_a.mp4", pictures[:, :, ::-1], crf=30)
    return folder


PATIENT = ("--patient", r"regex:(P\d)")


def test_check_a_clean_cohort(data):
    done = call("cohort", "check", data / "clean", *PATIENT)
    assert done.returncode == 0, done.stderr
    assert "0 errors" in done.stdout
    assert "looking for copies" in done.stderr


def test_check_finds_a_copy_and_exits_with_1(data, tmp_path):
    done = call("cohort", "check", data / "leaky", *PATIENT, "--json", "--html", tmp_path / "audit.html")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert found["clean"] is False
    (leak,) = [finding for finding in found["findings"] if finding["severity"] == "error"]
    assert leak["kind"] == "near-duplicate"
    assert {leak["pairs"][0]["one"], leak["pairs"][0]["other"]} == {
        "train/normal/P0_a.mp4",
        "test/normal/P9_a.mp4",
    }
    assert "data:image/jpeg" in (tmp_path / "audit.html").read_text()
    assert call("cohort", "check", data / "leaky", "--no-pictures").returncode == 0


def test_an_accepted_leak_or_a_reviewed_pair_exits_with_0(data):
    done = call("cohort", "check", data / "leaky", *PATIENT, "allow_leakage='a plumbing test'")
    assert done.returncode == 0
    assert "leaks are accepted: a plumbing test" in done.stderr
    pair = "reviewed_pairs=[[train/normal/P0_a.mp4, test/normal/P9_a.mp4]]"
    done = call("cohort", "check", data / "leaky", *PATIENT, pair)
    assert done.returncode == 0
    assert "reviewed" in done.stdout


def test_a_recipe_a_section_and_options_name_the_same_data(data, tmp_path):
    section = {"format": "folder", "root": str(data / "clean"), "patient": {"regex": r"(P\d)"}}
    (tmp_path / "data.yaml").write_text(dump_yaml({"data": {**section, "sampling": {"frames": 8}}}))
    (tmp_path / "bare.yaml").write_text(dump_yaml(section))
    ways = [
        [tmp_path / "data.yaml"],
        [tmp_path / "bare.yaml"],
        [data / "clean", *PATIENT],
        [data / "clean", r"patient.regex=(P\d)"],
        [data / "clean", r"data.patient.regex=(P\d)"],
        ["--root", data / "clean", "--format", "folder", *PATIENT],
        ["--root", data / "clean", r"patient.regex=(P\d)"],
    ]
    prints = set()
    for words in ways:
        done = call("cohort", "stats", *words, "--json")
        assert done.returncode == 0, done.stderr
        prints.add(json.loads(done.stdout)["fingerprint"])
    assert len(prints) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "No data is named"),
        (["nowhere"], "no recipe called 'nowhere'"),
        (["{data}"], "No known layout"),
        (["{data}/clean", "--format", "foldr"], "Did you mean 'folder'"),
        (["{data}/clean", "--patient", "P1"], "column:NAME, regex:PATTERN or mapping:FILE"),
        (["{data}/clean", "--patient", "regex:P"], "needs a group"),
        (["{data}/clean", "pateint.regex=(P)"], "Did you mean 'patient'"),
        (["--root", "{data}/gone"], "does not exist"),
        (["{data}/clean", "classes=[a, b]"], "Unknown label"),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(data, words, message):
    done = call("cohort", "check", *(word.replace("{data}", str(data)) for word in words))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_check_tells_broken_files_and_goes_on(data, tmp_path):
    folder = tmp_path / "mixed/train/normal"
    write(folder / "ok.mp4", clip(surface(0), 0, frames=6, size=(96, 80)))
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("no video")
    done = call("cohort", "check", tmp_path / "mixed")
    assert done.returncode == 1
    assert "unreadable" in done.stdout
    assert "empty.mp4" in done.stdout


def test_split_writes_a_lock_that_training_reads(data, tmp_path):
    out = tmp_path / "split.json"
    words = ("cohort", "split", data / "clean", *PATIENT, "--test", "0.25", "--val", "0.25", "--out", out)
    done = call(*words, "--json")
    assert done.returncode == 0, done.stderr
    (made,) = json.loads(done.stdout)
    assert {row["split"] for row in made["counts"]} == {"train", "val", "test"}
    done = call("cohort", "stats", data / "clean", *PATIENT, f"lock={out}", "--json")
    assert json.loads(done.stdout)["fingerprint"] == made["fingerprint"]
    assert call(*words).returncode == 0
    done = call(*words, "--seed", "7")
    assert done.returncode == 2
    assert "Another split lock" in done.stderr
    out.write_text(out.read_text().replace('"train"', '"test"', 1))
    done = call("cohort", "check", data / "clean", *PATIENT, f"lock={out}")
    assert done.returncode == 2
    assert "changed after it was written" in done.stderr


def test_split_into_folds_writes_a_lock_a_fold(data, tmp_path):
    done = call("cohort", "split", data / "clean", *PATIENT, "--folds", 4, "--val", 0, "--out", tmp_path / "cv.json")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"cv-fold{fold}.json" for fold in range(4)]
    done = call("cohort", "split", data / "clean", "--folds", 20, "--out", tmp_path / "x.json")
    assert done.returncode == 2
    assert "cannot fill 20 splits" in done.stderr


def test_merge_balance_and_read_back(data, tmp_path):
    for name in ("clean", "leaky"):
        section = {"format": "folder", "root": str(data / name), "patient": {"regex": r"(P\d)"}}
        (tmp_path / f"{name}.yaml").write_text(dump_yaml({"data": section}))
    out = tmp_path / "both"
    sources = (tmp_path / "clean.yaml", tmp_path / "leaky.yaml")
    done = call("cohort", "merge", *sources, "--out", out, "--balance", "--label", "leaky:polyp=Polyp")
    assert done.returncode == 0, done.stderr
    done = call("cohort", "stats", out / "data.yaml", "--json")
    stats = json.loads(done.stdout)
    assert stats["name"] == "both"
    assert stats["classes"] == ["normal", "polyp"]
    sizes = {(row["split"], row["label"]): row["items"] for row in stats["counts"]}
    assert sizes["train", "normal"] == sizes["train", "polyp"]
    assert sizes["test", "normal"] == sizes["test", "polyp"]
    done = call("cohort", "merge", *sources, "--out", out, "--label", "polyp=Polyp")
    assert done.returncode == 2
    assert "COHORT:OLD=NEW" in done.stderr


@pytest.mark.parametrize("target", ["table", "saved"])
def test_convert(data, tmp_path, target):
    out = tmp_path / "out"
    words = ("cohort", "convert", data / "clean", *PATIENT, "--out", out, "--to", target)
    assert call(*words).returncode == 0
    source = out if target == "saved" else out / "data.yaml"
    stats = [
        json.loads(call("cohort", "stats", *words, "--json").stdout) for words in ([source], [data / "clean", *PATIENT])
    ]
    assert stats[0]["fingerprint"] == stats[1]["fingerprint"]
    assert call("cohort", "check", source).returncode == 0
    again = call(*words)
    assert again.returncode == (0 if target == "table" else 2)
    assert call("cohort", "convert", data / "clean", "--out", out, "--to", "zip").returncode == 2
