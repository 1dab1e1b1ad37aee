"""The phantom: deterministic, patient-disjoint, true to its pixels, and read back like any other folder."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest

from cineloop import phantom
from cineloop.cohort import Cohort
from cineloop.errors import CohortError
from cineloop.phantom.patient import roster
from cineloop.phantom.scene import film
from cineloop.video import Video

CONFIG = phantom.PhantomConfig(train=4, val=2, test=4, frames=(16, 20), height=64)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return phantom.write(tmp_path_factory.mktemp("phantom") / "out", CONFIG, workers=1)


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".parquet")
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing(written, tmp_path):
    assert digest(phantom.write(tmp_path / "two", CONFIG, workers=2)) == digest(written)


def test_pixels_follow_from_the_seed():
    patient = roster(CONFIG)[0]
    one, again = film(CONFIG, patient, 0), film(CONFIG, patient, 0)
    assert np.array_equal(one.frames, again.frames)
    other = CONFIG.model_copy(update={"seed": 1})
    assert not np.array_equal(one.frames[:8], film(other, roster(other)[0], 0).frames[:8])


def test_it_reads_back_as_an_ordinary_cohort(written):
    cohort = Cohort.read(format="endofm", root=written, patient={"regex": r"(P\d+)"}, classes=["normal", "lesion"])
    patients = {split: {item.patient for item in cohort.items_of(split)} for split in cohort.split_names}
    assert {split: len(found) for split, found in patients.items()} == {"train": 4, "val": 2, "test": 4}
    assert not patients["train"] & patients["test"] | patients["train"] & patients["val"]
    truth = pl.read_csv(written / "patients.csv")
    labels = dict(truth.select("patient", "label").rows())
    assert all(item.label == labels[item.patient] for item in cohort.items_of())


def test_classes_are_even_and_names_tell_nothing(written):
    people = roster(phantom.preset("demo"))
    for split in ("train", "val", "test"):
        found = [patient.lesion for patient in people if patient.split == split]
        assert abs(np.mean(found) - 0.5) < 0.03
    numbers = np.array([patient.number for patient in people])
    lesions = np.array([patient.lesion for patient in people])
    assert abs(np.corrcoef(numbers, lesions)[0, 1]) < 0.15


def test_truth_has_a_row_a_frame(written):
    truth = pl.read_parquet(written / "truth.parquet")
    for (name,), rows in truth.group_by("video"):
        with Video(written / "videos" / name) as video:
            assert rows["frame"].sort().to_list() == list(range(len(video)))
        assert rows["visible"].any()
        assert not rows["visible"].all()


def test_an_interrupted_phantom_goes_on(tmp_path, monkeypatch):
    import cineloop.phantom.writer as writer

    done = []

    def fail_later(task):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(task)
        writer._write_patient(*task)

    monkeypatch.setattr(writer, "_work", fail_later)
    with pytest.raises(KeyboardInterrupt):
        phantom.write(tmp_path / "out", CONFIG, workers=1)
    assert not (tmp_path / "out" / "phantom.json").exists()
    monkeypatch.undo()
    again = []
    monkeypatch.setattr(writer, "_work", lambda task: (again.append(task), writer._write_patient(*task)))
    phantom.write(tmp_path / "out", CONFIG, workers=1)
    assert len(again) == 7
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "patients.csv",
        "phantom.json",
        "splits",
        "truth.parquet",
        "videos",
    ]


def test_nothing_is_overwritten(written, tmp_path):
    before = digest(written)
    assert phantom.write(written, CONFIG) == written
    with pytest.raises(CohortError, match="another description"):
        phantom.write(written, CONFIG.model_copy(update={"seed": 5}))
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(CohortError, match="not empty"):
        phantom.write(tmp_path, CONFIG)
    assert digest(written) == before


def test_an_unknown_preset_is_told():
    with pytest.raises(CohortError, match="demoo"):
        phantom.preset("demoo")
