"""Dividing cohorts: hold-out, folds, kept splits, carving."""

from __future__ import annotations

import pytest

from cineloop.cohort.division import carve
from cineloop.errors import CohortError

PATIENT = {"regex": r"(P\d+)/"}


def rows(patients, clips=2, split="train", first=0):
    return [
        (split, f"P{first + patient}", f"c{first + patient}_{clip}", (patient + clip * (patient % 3 == 0)) % 2)
        for patient in range(patients)
        for clip in range(clips)
    ]


def sides(cohort):
    found = {}
    for split, patient in cohort.rows.select("split", "patient").iter_rows():
        found.setdefault(patient, set()).add(split)
    return found


def test_hold_out_is_by_patient(endofm, read):
    cohort = read(format="endofm", root=endofm(rows(20)), patient=PATIENT, split={"test": 0.25, "val": 0.15})
    assert all(len(splits) == 1 for splits in sides(cohort).values())
    sizes = {split: len(cohort.items_of(split)) for split in cohort.split_names}
    assert sizes == {"train": 24, "val": 6, "test": 10}
    assert cohort.notes == ("divided by patient (seed 0)",)
    assert cohort.splits["fold"].null_count() == 40


def test_without_validation(endofm, read):
    cohort = read(format="endofm", root=endofm(rows(10)), patient=PATIENT, split={"test": 0.3, "val": 0})
    assert cohort.split_names == ("train", "test")


def test_folds_partition_the_patients(endofm, read):
    root = endofm(rows(20))
    tested = []
    for fold in range(4):
        cohort = read(format="endofm", root=root, patient=PATIENT, split={"folds": 4, "fold": fold, "val": 0.2})
        assert all(len(splits) == 1 for splits in sides(cohort).values())
        assert {item.id for item in cohort.items_of("test")} == set(
            cohort.splits.filter(cohort.splits["fold"] == fold)["item"]
        )
        assert 6 <= len(cohort.items_of("val")) <= 10
        tested += [item.id for item in cohort.items_of("test")]
    assert sorted(tested) == sorted(cohort.items["id"])


def test_identical_bytes_stay_together(endofm, read):
    # The same recording under five patients' names, which only its bytes give away.
    extra = [("train", f"P{100 + number}", "twin", 0) for number in range(5)]
    cohort = read(format="endofm", root=endofm(rows(20) + extra, twin=b"one"), patient=PATIENT, split={})
    twins = {split for item, split in cohort.splits.select("item", "split").iter_rows() if "twin" in item}
    assert len(twins) == 1


def test_a_published_test_set_stays(endofm, read):
    root = endofm(rows(10) + rows(4, split="test", first=50))
    cohort = read(format="endofm", root=root, patient=PATIENT, split={"keep": ["test"], "val": 0.2})
    assert {item.patient for item in cohort.items_of("test")} == {"P50", "P51", "P52", "P53"}
    # Of the rest: 0.2 for validation to 0.6 for training.
    assert len(cohort.items_of("val")) == 6 - 2 * (len(cohort.items_of("val")) == 4)
    with pytest.raises(CohortError, match="no split 'tset' to keep"):
        read(format="endofm", root=root, patient=PATIENT, split={"keep": ["tset"]})
    root = endofm([*rows(10), ("test", "P0", "z", 1)], root="leaky")
    with pytest.raises(CohortError, match="kept split stands outside it too"):
        read(format="endofm", root=root, patient=PATIENT, split={"keep": ["test"]})


def test_by_procedure_or_video(endofm, read):
    root = endofm(rows(2, clips=10))
    with pytest.raises(CohortError, match=r"2 groups .* cannot fill 3 splits"):
        read(format="endofm", root=root, patient=PATIENT, split={})
    cohort = read(format="endofm", root=root, patient=PATIENT, split={"by": "video"})
    assert cohort.split_names == ("train", "val", "test")
    cohort = read(format="endofm", root=root, patient=PATIENT, procedure={"regex": r"_(\d)"}, split={"by": "procedure"})
    procedures = {}
    for item in cohort.items_of():
        procedures.setdefault(item.procedure, set()).update([item.id])
    assert len(procedures) == 20


def test_carving_takes_whole_patients_of_one_split(endofm, read):
    cohort = read(format="endofm", root=endofm(rows(20) + rows(4, split="test", first=50)), patient=PATIENT)
    carved = carve(cohort, share=0.2, seed=3)
    assert all(len(splits) == 1 for splits in sides(carved).values())
    assert len(carved.items_of("val")) == 8
    assert carved.items_of("test") == cohort.items_of("test")
    with pytest.raises(CohortError, match="exists already"):
        carve(carved, share=0.2)
    assert "carved" in carved.notes[-1]


def test_patients_that_share_black_pictures_are_told_why_they_cannot_be_divided(layout, read):
    files = {f"a/P{patient}_{number}.jpg": None for patient in range(8) for number in range(3)}
    files |= {f"b/P{patient}_9.jpg": b"black" for patient in range(8)}
    root = layout(files)
    options = {"format": "folder", "root": root, "patient": {"regex": r"(P\d)_"}}
    for split in ({"test": 0.2, "val": 0.2}, {"folds": 3}):
        with pytest.raises(CohortError, match="8 patients are bound together by files with identical bytes") as error:
            read(**options, split=split)
        assert "b/P0_9.jpg ~ b/P1_9.jpg" in error.value.what
    for patient in range(2, 8):
        (root / f"b/P{patient}_9.jpg").unlink()
    assert read(**options, split={"test": 0.2, "val": 0.2}).split_names == ("train", "val", "test")
