"""Tables with named columns."""

from __future__ import annotations

import json

import polars as pl
import pytest

from cineloop.cohort import Cohort
from cineloop.cohort.format import FORMATS, FormatRequest
from cineloop.cohort.schema import Columns
from cineloop.errors import CohortError
from cineloop.video import Video
from video_codes import variable_times, write_coded_video

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


def test_the_published_table_of_pictures_is_read_as_it_is(layout, read):
    names = [f"{number:04d}-uuid.jpg" for number in range(12)]
    rows = "".join(f"{name};{('cecum', 'bbps-0-1')[n % 2]};{n % 2}\n" for n, name in enumerate(names))
    files = {f"labeled-images/{('cecum', 'bbps-0-1')[n % 2]}/{name}": None for n, name in enumerate(names)}
    root = layout({**files, "2_fold_split.csv": "file-name;class-name;split-index\n" + rows})
    cohort = read(format="table", root=root, path="2_fold_split.csv", split={"fold": 1, "val": 0})
    assert cohort.classes == ("bbps-0-1", "cecum")
    assert {item.id for item in cohort.items_of("test")} == set(names[1::2])
    assert all(item.path.is_file() for item in cohort.items_of())
    with pytest.raises(CohortError, match="12 of 12 files do not exist"):
        read(format="table", root=root, path="2_fold_split.csv", format_options={"search": False})


def test_a_name_that_several_files_have_is_told(layout, read):
    root = layout(
        {"images/a.jpg": None, "masks/a.jpg": None, "images/b.jpg": None, "t.csv": "file,label\nb.jpg,0\na.jpg,1\n"}
    )
    with pytest.raises(CohortError, match=r"Several files are called 'a.jpg': images/a.jpg, masks/a.jpg") as error:
        read(format="table", root=root, path="t.csv")
    assert error.value.where.endswith("t.csv:3")
    cohort = read(format="table", root=root, path="t.csv", format_options={"videos": "images"})
    assert {item.path.parent.name for item in cohort.items_of()} == {"images"}
    # A path says where a file is; only a bare name is looked for.
    (root / "t.csv").write_text("file,label\nother/b.jpg,0\n")
    with pytest.raises(CohortError, match="do not exist"):
        read(format="table", root=root, path="t.csv")


@pytest.mark.parametrize("column", ["frame", "frame_index", "Frame Index"])
def test_frames_of_videos(layout, read, column):
    root = layout({"a.mp4": None, "b.mp4": None, "t.csv": f"video,{column},label\na.mp4,0,x\na.mp4,99,y\nb.mp4,,x\n"})
    cohort = read(format="table", root=root, path="t.csv")
    assert [(item.id, item.start, item.stop) for item in cohort.items_of()] == [
        ("a.mp4#0-1", 0, 1),
        ("a.mp4#99-100", 99, 100),
        ("b.mp4", None, None),
    ]
    assert cohort.media.height == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.mp4,0,100,,,", "leaves the video of 100 frames"),
        ("a.mp4,0,-1,,,", "'frame' is not a frame number"),
        ("a.mp4,0,3,0,,", "one frame and a clip at once"),
        ("a.mp4,0,3,,0.5,", "one frame and a clip at once"),
        ("a.mp4,0,3,,,x", "'pts' is not a whole number"),
    ],
)
def test_frames_that_cannot_be(layout, read, row, message):
    root = layout({"a.mp4": None, "t.csv": f"path,label,frame,start,stop_seconds,pts\n{row}\n"})
    with pytest.raises(CohortError, match=message) as error:
        read(format="table", root=root, path="t.csv")
    assert "t.csv:2" in error.value.where


def test_a_frame_is_the_one_with_its_time_stamp(tmp_path):
    write_coded_video(tmp_path / "a.mp4", 12, times=variable_times(12))
    video = Video(tmp_path / "a.mp4")
    stamps = video.clock.pts.tolist()
    rows = "".join(f"a.mp4,{n},{n % 2},{stamps[n]}\n" for n in (0, 3, 11))
    (tmp_path / "t.csv").write_text("path,frame,label,pts\n" + rows + "a.mp4,5,1,\n")
    for _ in range(2):
        assert Cohort.read(format="table", root=tmp_path, path="t.csv").items.height == 4
    (tmp_path / "t.csv").write_text(f"path,frame,label,pts\na.mp4,0,0,{stamps[0]}\na.mp4,4,1,{stamps[5]}\n")
    with pytest.raises(
        CohortError, match=f"Frame 4 has the time stamp {stamps[4]}, and the row says {stamps[5]}"
    ) as error:
        Cohort.read(format="table", root=tmp_path, path="t.csv")
    assert error.value.mend == "That is frame 5; correct the row."
    assert error.value.where.endswith("t.csv:3")


def test_an_object_with_a_key_twice_is_refused(layout, read):
    root = layout({"a.mp4": None, "t.json": '[{"path": "a.mp4", "label": 0, "label": 1}]'})
    with pytest.raises(CohortError, match="'label' stands twice"):
        read(format="table", root=root, path="t.json")
    (root / "t.jsonl").write_text('{"path": "a.mp4", "label": 0}\n{"path": "a.mp4", "path": "b.mp4"}\n')
    with pytest.raises(CohortError, match="'path' stands twice") as error:
        read(format="table", root=root, path="t.jsonl")
    assert error.value.where.endswith("t.jsonl:2")
