"""The cohort as a value: its fingerprints, its items, and its way to disk and back."""

from __future__ import annotations

import json
import pickle
import shutil

import polars as pl
import pytest

from cineloop.cohort import Cohort, Item
from cineloop.cohort.cohort import split_table
from cineloop.cohort.tables import table_fingerprint
from cineloop.errors import CohortError

ROWS = [("train", "P1", "a", 0), ("train", "P2", "b", 1), ("val", "P3", "c", 0), ("test", "P4", "d", 1)]
PATIENT = {"regex": r"(P\d)/"}


def test_fingerprint_ignores_order_place_name_and_time(endofm, read):
    one = read(format="endofm", root=endofm(ROWS, root="here"), patient=PATIENT)
    other = read(format="endofm", root=endofm(ROWS[::-1], root="deep/there"), patient=PATIENT, name="else")
    assert one.fingerprint == other.fingerprint
    assert one.table_fingerprints == other.table_fingerprints
    assert one.name == "here"


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        ([*ROWS[:3], ("test", "P4", "d", 0)], {}),
        ([*ROWS[:3], ("val", "P4", "d", 1)], {}),
        (ROWS[:3], {}),
        (ROWS, {"patient": {"regex": r"(P)\d/"}}),
        (ROWS, {"patient": None}),
        (ROWS, {"classes": ["x", "y"]}),
        # As long as what it replaces: the bytes count, not their number.
        (ROWS, {"a": b"other of videos/P1/a.mp4"}),
    ],
    ids=["label", "split", "item", "patient", "unknown", "classes", "bytes"],
)
def test_fingerprint_sees_what_matters(endofm, read, rows, options):
    bytes_of = {name: options.pop(name) for name in list(options) if len(name) == 1}
    one = read(format="endofm", root=endofm(ROWS, root="one"), patient=PATIENT)
    other = read(format="endofm", root=endofm(rows, root="other", **bytes_of), **{"patient": PATIENT, **options})
    assert one.fingerprint != other.fingerprint


def test_fingerprint_of_a_table_ignores_the_order_of_its_rows_and_columns():
    table = pl.DataFrame({"a": ["x", "y", "z"], "b": [3, None, 1]})
    known = table_fingerprint(table, ["a", "b"])
    assert table_fingerprint(table.reverse(), ["b", "a"]) == known
    assert table_fingerprint(table.with_columns(b=pl.col("b").fill_null(2)), ["a", "b"]) != known


def test_items(endofm, read):
    root = endofm(ROWS)
    cohort = read(format="endofm", root=root, patient=PATIENT, classes=["normal", "polyp"])
    assert cohort.split_names == ("train", "val", "test")
    (item,) = cohort.items_of("test")
    assert item == Item(
        id="P4/d.mp4",
        media="P4/d.mp4",
        path=root / "videos/P4/d.mp4",
        patient="P4",
        procedure="P4/d.mp4",
        label="polyp",
        target=1,
        start=None,
        stop=None,
        frames=100,
    )
    assert pickle.loads(pickle.dumps(item)) == item
    assert len(pickle.dumps(cohort.items_of())) < 300 * 4 + 200
    assert [(row.split, row.label, row.items, row.patients) for row in cohort.counts()] == [
        ("train", "normal", 1, 1),
        ("train", "polyp", 1, 1),
        ("val", "normal", 1, 1),
        ("test", "polyp", 1, 1),
    ]
    with pytest.raises(CohortError, match="no split 'tets'") as error:
        cohort.items_of("tets")
    assert "train, val, test" in error.value.mend


def test_unusable_files_are_refused_or_left_out(endofm, read):
    root = endofm([*ROWS, ("val", "P5", "broken", 1), ("train", "P6", "truncated", 0)])
    with pytest.raises(CohortError, match="2 of 6 files cannot be read") as error:
        read(format="endofm", root=root)
    assert "train.txt:3: P6/truncated.mp4 (it is cut short)" in error.value.where
    cohort = read(format="endofm", root=root, on_error="skip")
    assert [(skipped.media, skipped.reason) for skipped in cohort.skipped] == [
        ("P5/broken.mp4", "it is broken"),
        ("P6/truncated.mp4", "it is cut short"),
    ]
    assert len(cohort.items_of()) == 4
    assert sum(row.items for row in cohort.counts()) == 4
    rows = [("train", "P1", f"broken{number}", 0) for number in range(3)]
    with pytest.raises(CohortError, match="3 of 3 files cannot be read"):
        read(format="endofm", root=endofm(rows, root="bad"), on_error="skip")


def test_a_split_of_unusable_files_is_empty(endofm, read):
    root = endofm([*ROWS[:2], ("test", "P5", "broken", 1)])
    with pytest.raises(CohortError, match="split 'test' is empty") as error:
        read(format="endofm", root=root, on_error="skip").items_of("test")
    assert "1 files were left out" in error.value.mend


def test_labelled_items_only(endofm, read):
    cohort = read(format="endofm", root=endofm([*ROWS, ("train", "P9", "z", -1)]), patient=PATIENT)
    assert len(cohort.items_of("train")) == 3
    assert len(cohort.items_of("train", labelled=True)) == 2


def test_save_and_load(endofm, read, tmp_path):
    cohort = read(format="endofm", root=endofm(ROWS), patient=PATIENT, classes=["normal", "polyp"])
    cohort.save(tmp_path / "saved")
    loaded = Cohort.load(tmp_path / "saved")
    assert loaded.fingerprint == cohort.fingerprint
    assert loaded.items_of("train") == cohort.items_of("train")
    assert loaded.root == cohort.root
    # Both folders moved together: the root is kept relative.
    (tmp_path / "moved").mkdir()
    for name in ("saved", "data"):
        shutil.move(tmp_path / name, tmp_path / "moved" / name)
    assert Cohort.load(tmp_path / "moved/saved").items_of()[0].path.is_file()


def test_a_saved_cohort_shows_changes(endofm, read, tmp_path):
    cohort = read(format="endofm", root=endofm(ROWS), patient=PATIENT)
    folder = tmp_path / "saved"
    cohort.save(folder)
    moved = cohort.splits.with_columns(split=pl.lit("train"))
    moved.write_parquet(folder / "splits.parquet")
    with pytest.raises(CohortError, match="changed after it was written"):
        Cohort.load(folder)
    cohort.save(folder)
    head = json.loads((folder / "cohort.json").read_text())
    (folder / "cohort.json").write_text(json.dumps({**head, "classes": ["1", "0"]}))
    with pytest.raises(CohortError, match="changed after it was written"):
        Cohort.load(folder)
    cohort.save(folder)
    cohort.media.drop("patient").write_parquet(folder / "media.parquet")
    with pytest.raises(CohortError, match="another column 'patient'"):
        Cohort.load(folder)
    (folder / "items.parquet").write_bytes(b"PAR1")
    with pytest.raises(CohortError, match="no saved cohort"):
        Cohort.load(folder)
    with pytest.raises(CohortError, match="no saved cohort"):
        Cohort.load(tmp_path / "nowhere")


def test_a_division_covers_every_item_once(endofm, read):
    cohort = read(format="endofm", root=endofm(ROWS))
    items = cohort.items["id"].to_list()
    with pytest.raises(CohortError, match="does not cover"):
        cohort.with_splits(split_table(items[:-1], ["train"] * 3, [None] * 3))
    with pytest.raises(CohortError, match="repeats"):
        cohort.with_splits(split_table([*items, items[0]], ["train"] * 5, [None] * 5))


def test_read_takes_keywords_or_a_section(layout):
    with pytest.raises(TypeError):
        Cohort.read(object(), format="endofm")


def test_two_files_of_one_name(layout, read, monkeypatch):
    from cineloop.cohort import FORMATS, FormatSpec, Record
    from cineloop.schema import Section

    # The format is gone again after the test.
    for name in ("_specs", "_origins"):
        FORMATS.names()
        monkeypatch.setattr(FORMATS, name, dict(getattr(FORMATS, name)))

    root = layout(["a/x.mp4", "b/x.mp4"])
    spec = FormatSpec(
        name="acme/twins",
        Config=Section,
        read=lambda request: [Record("x", root / "a/x.mp4", "0", None), Record("x", root / "b/x.mp4", "1", None)],
    )
    FORMATS.add(spec, origin="acme")
    with pytest.raises(CohortError, match="Two files are called 'x'"):
        read(format="acme/twins", root=root)
