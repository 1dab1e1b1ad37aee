"""Tables with named columns."""

from __future__ import annotations

import json

import polars as pl
import pytest

from cineloop.cohort.format import FORMATS, FormatRequest
from cineloop.cohort.schema import Columns
from cineloop.errors import CohortError

ROWS = [
    {"path": "v/a.mp4", "label": "polyp", "split": "train", "patient": "P1"},
    {"path": "v/b.mp4", "label": "normal", "split": "Validation", "patient": "P2"},
    {"path": "v/c.mp4", "label": None, "split": "test", "patient": "P3"},
]


def write(path, rows):
    columns = list(rows[0])
    if path.suffix == ".parquet":
        pl.DataFrame(rows).write_parquet(path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows))
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    else:
        delimiter = {".tsv": "\t", ".csv": ",", ".txt": ";"}[path.suffix]
        lines = [columns, *([("" if row[name] is None else str(row[name])) for name in columns] for row in rows)]
        path.write_text("\n".join(delimiter.join(line) for line in lines))
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".json", ".jsonl", ".parquet"])
def test_every_kind_of_table_reads_alike(layout, read, suffix):
    root = layout(["v/a.mp4", "v/b.mp4", "v/c.mp4"])
    write(root / f"mine{suffix}", ROWS)
    cohort = read(format="table", root=root, path=f"mine{suffix}")
    assert cohort.split_names == ("train", "val", "test")
    assert cohort.classes == ("normal", "polyp")
    assert cohort.items["label"].to_list() == ["polyp", "normal", None]
    assert cohort.media["patient"].to_list() == ["P1", "P2", "P3"]
    assert cohort.identity_known.patient


def test_named_columns_and_numbers_of_numbers(layout, read):
    root = layout(["a.mp4", "b.mp4"])
    rows = [{"clip": "a.mp4", "grade": 1.0, "who": 7.0}, {"clip": "b.mp4", "grade": 0.0, "who": 8.0}]
    write(root / "t.parquet", rows)
    with pytest.raises(CohortError, match="no column of paths") as error:
        read(format="table", root=root, path="t.parquet")
    assert "clip, grade, who" in error.value.mend
    cohort = read(
        format="table",
        root=root,
        path="t.parquet",
        columns={"path": "clip", "label": "grade"},
        patient={"column": "who"},
        classes=["none", "some"],
    )
    assert cohort.items["label"].to_list() == ["some", "none"]
    assert cohort.media["patient"].to_list() == ["7", "8"]
    with pytest.raises(CohortError, match="no column 'clips'") as error:
        read(format="table", root=root, path="t.parquet", columns={"path": "clips"})
    assert "'clip'" in error.value.mend


def test_clips_by_frame_and_by_time(layout, read):
    root = layout(["a.mp4"])
    header = "path,label,start,stop,start_seconds,stop_seconds\n"
    (root / "clips.csv").write_text(header + "a.mp4,0,0,10,,\na.mp4,1,50,,,\na.mp4,0,,,0.41,1.2\na.mp4,1,,,,\n")
    cohort = read(format="table", root=root)
    spans = {item.id: (item.start, item.stop, item.frames) for item in cohort.items_of()}
    assert spans == {
        "a.mp4": (None, None, 100),
        "a.mp4#0-10": (0, 10, 100),
        "a.mp4#50-end": (50, None, 100),
        # 0.41 s at 25 frames a second: the first frame that appears then or later is number 11.
        "a.mp4#11-30": (11, 30, 100),
    }
    assert cohort.media.height == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.mp4,0,x,", "'start' is not a frame number"),
        ("a.mp4,0,-1,", "'start' is not a frame number"),
        ("a.mp4,0,20,20", "ends at frame 20 but begins at 20"),
        ("a.mp4,0,0,101", "leaves the video of 100 frames"),
        ("a.mp4,0,100,", "leaves the video of 100 frames"),
        (",0,,", "no path"),
        ("a.mp4,0,,,", "5 fields, the header 4"),
    ],
)
def test_rows_that_cannot_be(layout, read, row, message):
    root = layout({"a.mp4": None, "clips.csv": f"path,label,start,stop\n{row}\n"})
    with pytest.raises(CohortError, match=message) as error:
        read(format="table", root=root)
    assert "clips.csv:2" in error.value.where


def test_numbered_splits_are_folds(layout, read):
    names = [f"{number}.mp4" for number in range(12)]
    rows = "".join(f"{name};{number % 2};{number % 3}\n" for number, name in enumerate(names))
    root = layout({**dict.fromkeys(names), "table.csv": "file-name;class-name;split-index\n" + rows})
    columns = {"path": "file-name", "label": "class-name", "split": "split-index"}
    cohort = read(format="table", root=root, columns=columns)
    assert set(cohort.splits["fold"]) == {0, 1, 2}
    assert {item.id for item in cohort.items_of("test")} == {name for name in names if int(name[:-4]) % 3 == 0}
    other = read(format="table", root=root, columns=columns, split={"fold": 2, "val": 0.25})
    assert {item.id for item in other.items_of("test")} == {name for name in names if int(name[:-4]) % 3 == 2}
    assert other.split_names == ("train", "val", "test")
    with pytest.raises(CohortError, match="no fold 3"):
        read(format="table", root=root, columns=columns, split={"fold": 3})


def test_half_a_split_column(layout, read):
    root = layout({"a.mp4": None, "b.mp4": None, "table.csv": "path,label,split\na.mp4,0,train\nb.mp4,1,\n"})
    with pytest.raises(CohortError, match="1 of 2 rows have no split"):
        read(format="table", root=root)


def test_a_table_of_labels_without_pixels_reads(layout):
    root = layout({"labels.csv": "file-name;class-name\n" + "".join(f"{n}.jpg;c{n % 23}\n" for n in range(100))})
    spec = FORMATS.get("table")
    columns = Columns(path="file-name", label="class-name")
    records = list(spec.read(FormatRequest(root, root / "labels.csv", columns, spec.Config())))
    assert len(records) == 100
    assert records[41].label == "c18"
    assert records[41].place.endswith("labels.csv:43")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "path,label,label\na,1,2\n", "different names: 'label'"),
        ("t.csv", "path,,label\na,1,2\n", "different names"),
        ("t.csv", "path,label\n", "no rows"),
        ("t.json", '{"path": "a"}', "not a list of objects"),
        ("t.json", '[{"path": "a"', "not JSON"),
        ("t.json", "[" * 100_000, "nested too deeply|not JSON"),
        ("t.parquet", "PAR1 nonsense", "not a Parquet table"),
    ],
)
def test_broken_tables(layout, read, name, content, message):
    root = layout({name: content, "a": None})
    with pytest.raises(CohortError, match=message):
        read(format="table", root=root, path=name)


def test_no_table(layout, read):
    root = layout(["a.mp4"])
    with pytest.raises(CohortError, match="not named"):
        read(format="table", root=root)
    with pytest.raises(CohortError, match="does not exist"):
        read(format="table", root=root, path="gone.csv")
