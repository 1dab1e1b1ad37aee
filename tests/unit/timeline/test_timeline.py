"""The timeline: what it holds, what it refuses, and its files."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cineloop.errors import TimelineError
from cineloop.timeline import storage
from cineloop.timeline.storage import SUFFIXES
from cineloop.timeline.timeline import COLUMNS, Timeline
from timelines import made_timeline

PRINTABLE = st.characters(exclude_categories=["C", "Z"], exclude_characters='"')
NAMES = st.text(PRINTABLE, min_size=1, max_size=8).filter(str.isprintable)
SIGNAL_NAMES = NAMES.filter(lambda name: name not in COLUMNS and not name.startswith(("p_", "filtered_")))


@st.composite
def timelines(draw):
    count = draw(st.integers(1, 12))
    steps = st.lists(st.integers(1, 9), min_size=count, max_size=count)
    times = st.lists(st.floats(1e-3, 1e4), min_size=count, max_size=count)

    def rows(names, values, kind):
        row = st.lists(values, min_size=count, max_size=count)
        return {name: np.array(draw(row), kind) for name in draw(st.lists(names, max_size=3, unique=True))}

    scores = rows(NAMES, st.floats(0, 1, width=32), np.float32)
    known = draw(st.lists(st.sampled_from(list(scores)), unique=True)) if scores else []
    return Timeline(
        source=draw(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)),
        frames=np.cumsum(draw(steps)) - 1,
        seconds=np.cumsum(draw(times)),
        frame_rate=draw(st.floats(1e-3, 1e4)),
        scores=scores,
        signals=rows(SIGNAL_NAMES, st.integers(-1, 127), np.int8),
        filtered=rows(SIGNAL_NAMES, st.integers(-1, 127), np.int8),
        thresholds={name: draw(st.floats(0, 1)) for name in known},
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=40, deadline=None)
@given(timeline=timelines())
def test_a_file_gives_the_same_timeline_back(suffix, timeline):
    with tempfile.TemporaryDirectory() as folder:
        back = Timeline.read(timeline.write(Path(folder) / f"t{suffix}"))
    assert back.equals(timeline)
    assert back.frames.dtype == np.int64
    assert back.seconds.dtype == np.float64
    assert all(row.dtype == np.float32 for row in back.scores.values())
    assert all(row.dtype == np.int8 for row in [*back.signals.values(), *back.filtered.values()])


@settings(max_examples=40, deadline=None)
@given(timeline=timelines(), piece=st.integers(1, 13))
def test_json_that_is_written_in_pieces_is_the_json_of_the_whole(timeline, piece):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "_PIECE", piece)
        text = timeline.write(Path(folder) / "t.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), ensure_ascii=False) + "\n"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_frames_that_could_not_be_decoded_have_no_score(suffix, tmp_path):
    hole = float("nan")
    timeline = Timeline(
        source="a",
        frames=[0, 1, 2],
        seconds=[0, 0.2, 0.4],
        frame_rate=5,
        scores={"outside": [0.1, hole, 0.75], "polyp": [0.2, hole, hole]},
        signals={"outside": [0, -1, 1]},
        filtered={"outside": [0, 0, 1]},
    )
    assert timeline.seen.tolist() == [True, False, True]
    back = Timeline.read(timeline.write(tmp_path / f"t{suffix}"))
    assert back.equals(timeline)
    assert not back.equals(replace(timeline, scores={**timeline.scores, "polyp": [0.2, hole, 0.3]}))
    text = (tmp_path / f"t{suffix}").read_bytes()
    if suffix == ".csv":
        assert b"1,0.2,,,-1,0,a,5.0" in text
    if suffix == ".json":
        assert b"[0.1, null, 0.75]" in text


@pytest.mark.parametrize("cell", ["", "NaN", "nan"])
def test_a_table_of_ones_own_may_leave_scores_out(cell, tmp_path):
    (tmp_path / "t.csv").write_text(f"frame,seconds,p_a\n0,0,0.5\n1,1,{cell}\n2,2,1\n")
    assert Timeline.read(tmp_path / "t.csv").seen.tolist() == [True, False, True]


def test_columns_are_plain(tmp_path):
    table = pl.read_csv(made_timeline(20).write(tmp_path / "t.csv"))
    labels = ["outside", "nonsense", "ileocecal", "bbps0", "bbps1", "bbps2", "bbps3"]
    signals = ["outside", "nonsense", "ileocecal", "bbps"]
    wanted = [
        "frame",
        "seconds",
        *(f"p_{name}" for name in labels),
        *signals,
        *(f"filtered_{name}" for name in signals),
    ]
    assert table.columns == [*wanted, "source", "frame_rate"]
    assert table["seconds"][3] == 0.12
    assert table["source"].unique().to_list() == ["a.mp4"]


def test_values_are_compared_one_by_one():
    timeline = made_timeline(20)
    assert timeline.equals(made_timeline(20))
    other = timeline.signals["bbps"].copy()
    other[5] = 1 - other[5]
    for changed in (
        {"source": "b.mp4"},
        {"frame_rate": 24},
        {"frames": timeline.frames + 1},
        {"filtered": {}},
        {"signals": {**timeline.signals, "bbps": other}},
        {"scores": dict(reversed(timeline.scores.items()))},
        {"thresholds": {"outside": 0.5}},
    ):
        assert not timeline.equals(replace(timeline, **changed))


def test_arrays_are_copies_that_cannot_be_changed():
    frames = np.arange(3)
    timeline = Timeline(source="a", frames=frames, seconds=frames / 25, frame_rate=25, signals={"x": frames})
    frames[:] = 7
    assert timeline.frames.tolist() == timeline.signals["x"].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="read-only"):
        timeline.frames[0] = 1


def test_rows_stand_for_the_frames_up_to_the_next():
    timeline = made_timeline(100, stride=5)
    assert (timeline.stride, timeline.rate, len(timeline)) == (5, 5.0, 20)
    assert timeline.end == pytest.approx(4.0)
    single = replace(timeline, frames=[3], seconds=[0.12], scores={}, signals={}, filtered={})
    assert (single.stride, single.end) == (1, pytest.approx(0.16))
    assert timeline.shown is timeline.filtered
    assert replace(timeline, filtered={}).shown["bbps"].tolist() == timeline.signals["bbps"].tolist()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"source": ""}, "names its recording"),
        ({"frame_rate": 0}, "above 0"),
        ({"frame_rate": float("nan")}, "above 0"),
        ({"frames": np.zeros(0, int), "seconds": []}, "at least one"),
        ({"frames": [0, 1]}, "as many of both"),
        ({"frames": [0, 2, 2]}, "do not increase"),
        ({"frames": [-1, 2, 3]}, "from 0"),
        ({"frames": [0.0, 1.0, 2.0]}, "whole numbers"),
        ({"seconds": [0, 0.2, 0.2]}, "times do not increase"),
        ({"seconds": [0, 0.2, float("inf")]}, "times do not increase"),
        ({"scores": {"a": [0, 0.5, 1.1]}}, r"in \[0, 1\]"),
        ({"scores": {"a": [0, 0.5, float("inf")]}}, r"in \[0, 1\]"),
        ({"scores": {"a": [0, 0.5, float("nan")]}, "signals": {"a": [0, 1, 0]}}, "no score is known of"),
        ({"scores": {"a": [0.5]}}, "1 values for 3"),
        ({"signals": {"a": [0, 1, -2]}}, "below -1"),
        ({"signals": {"a": [0, 1, 300]}}, "8 bits"),
        ({"signals": {"p_a": [0, 1, 1]}}, "names another column"),
        ({"filtered": {"frame": [0, 1, 1]}}, "names another column"),
        ({"signals": {"": [0, 1, 1]}}, "name of a column"),
        ({"scores": {"a\nb": [0, 1, 1]}}, "name of a column"),
        ({"filtered": {'"': [0, 1, 1]}}, "name of a column"),
        ({"thresholds": {"a": 0.5}}, "no such score"),
        ({"scores": {"a": [0, 0.5, 1]}, "thresholds": {"a": 1.5}}, r"1.5, not in \[0, 1\]"),
        ({"scores": {"a": [0, 0.5, 1]}, "thresholds": {"a": float("nan")}}, r"not in \[0, 1\]"),
        (
            {"scores": {"a": [0, 0.5, 1]}, "thresholds": {"a": 0.5}, "signals": {"threshold_a": [0, 1, 1]}},
            "names a threshold",
        ),
    ],
)
def test_what_is_no_timeline_is_refused(change, told):
    with pytest.raises(ValueError, match=told):
        Timeline(**{"source": "a", "frames": [0, 1, 2], "seconds": [0, 0.04, 0.08], "frame_rate": 25} | change)


def test_a_table_of_ones_own_needs_only_frames_and_times(tmp_path):
    path = tmp_path / "visit 3.csv"
    path.write_text("frame,seconds,in_body,p_in_body\n0,0.0,0,0.25\n10,0.4,1,0.75\n20,0.8,-1,0.5\n")
    timeline = Timeline.read(path)
    assert (timeline.source, timeline.frame_rate, timeline.stride) == ("visit 3", pytest.approx(25), 10)
    assert timeline.signals["in_body"].tolist() == [0, 1, -1]
    assert timeline.scores["in_body"].tolist() == [0.25, 0.75, 0.5]


def test_thresholds_stand_in_the_file_and_older_files_have_none(tmp_path):
    timeline = replace(made_timeline(20), thresholds={"outside": 0.3, "ileocecal": 0.875})
    table = pl.read_csv(timeline.write(tmp_path / "t.csv"))
    assert table["threshold_outside"].unique().to_list() == [0.3]
    assert json.loads(timeline.write(tmp_path / "t.json").read_text())["thresholds"] == timeline.thresholds
    for suffix in SUFFIXES:
        old = made_timeline(20).write(tmp_path / f"old{suffix}")
        assert Timeline.read(old).thresholds == {}
        assert Timeline.read(timeline.write(tmp_path / f"t{suffix}")).thresholds == timeline.thresholds
    # A signal that only sounds like a threshold, without its score, stays one.
    (tmp_path / "own.csv").write_text("frame,seconds,threshold_x\n0,0,1\n1,0.1,0\n")
    own = Timeline.read(tmp_path / "own.csv")
    assert (list(own.signals), own.thresholds) == (["threshold_x"], {})


HEAD = "frame,seconds,source,frame_rate\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,label\na,b\n", "no column frame and seconds"),
        ("frame,outside\n0,1\n", "no column seconds"),
        ("frame,seconds,outside\n0,0,maybe\n1,1,0\n", "'outside' holds something that is not a whole number"),
        ("frame,seconds,p_outside\n0,0,high\n1,1,0\n", "'p_outside' holds something that is not a probability"),
        ("frame,seconds,outside\n0,0,1\n1,1,\n", "'outside' has 1 empty cells"),
        ("frame,seconds,outside\n0,0,1.5\n1,1,0\n", "'outside'"),
        ("frame,seconds\n1.5,0\n2,1\n", "'frame'"),
        ("frame,seconds\n0,soon\n2,1\n", "'seconds' holds something that is not a number"),
        ("frame,seconds\n0,0\n", "frame rate is not known"),
        ("frame,seconds\n0,1\n2,1\n", "frame rate is not known"),
        (HEAD + "0,0,a,25\n1,1,b,25\n", "'source' has 2 different values"),
        (HEAD + "0,0,a,fast\n1,1,a,fast\n", "'frame_rate' holds no number"),
        ("frame,seconds,p_a,threshold_a\n0,0,0,0.5\n1,1,0,0.6\n", "'threshold_a' has 2 different values"),
        ("frame,seconds,p_a,threshold_a\n0,0,0,half\n1,1,0,half\n", "'threshold_a' holds no number"),
        ("frame,seconds,p_a,threshold_a\n0,0,0,2\n1,1,0,2\n", "2.0, not in [0, 1]"),
        (HEAD + "1,0,a,25\n0,1,a,25\n", "do not increase"),
        (HEAD, "has no row"),
        ("", "not a CSV file"),
        ("frame,seconds,p_a\n0,0,2\n1,1,0\n", "in [0, 1]"),
    ],
)
def test_a_foreign_table_is_told_in_words(text, told, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(TimelineError) as error:
        Timeline.read(path)
    assert told in error.value.what
    assert error.value.where == str(path)
    assert error.value.mend


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "not a JSON file"),
        ("[" * 100_000, "not a JSON file"),
        ("3", "holds no timeline"),
        ('{"kind": "cineloop timeline"}', "lacks source, frame_rate"),
        ({"frames": "many"}, "frames"),
        ({"frames": [[0], [1, 2]]}, "no timeline"),
        ({"signals": [1, 2]}, "no timeline"),
        ({"signals": {"a": [0, None]}}, "whole numbers"),
        ({"frame_rate": None}, "frame_rate a number"),
        ({"source": 5}, "source is a text"),
        ({"thresholds": [0.5]}, "thresholds are numbers by name"),
        ({"thresholds": {"a": "high"}}, "thresholds are numbers by name"),
        ({"seconds": [1, 0]}, "times do not increase"),
    ],
)
def test_foreign_json_is_told_in_words(content, told, tmp_path):
    path = tmp_path / "t.json"
    if isinstance(content, dict):
        plain = {"kind": "cineloop timeline", "source": "a", "frame_rate": 25, "frames": [0, 1], "seconds": [0, 1]}
        content = json.dumps({**plain, "scores": {}, "signals": {}, "filtered": {}, **content})
    path.write_text(content)
    with pytest.raises(TimelineError) as error:
        Timeline.read(path)
    assert told in error.value.what
    assert error.value.where == str(path)


def test_numbers_of_another_type_are_taken_if_they_are_whole(tmp_path):
    table = pl.DataFrame({"frame": [0.0, 1.0], "seconds": [0, 1], "outside": [True, False]})
    table.write_parquet(tmp_path / "t.parquet")
    timeline = Timeline.read(tmp_path / "t.parquet")
    assert timeline.frames.tolist() == [0, 1]
    assert timeline.signals["outside"].tolist() == [1, 0]
    table.with_columns(frame=pl.Series([0.0, 1.5])).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(TimelineError, match="not a whole number"):
        Timeline.read(tmp_path / "t.parquet")


def test_other_files_are_told(tmp_path):
    (tmp_path / "t.parquet").write_text("no Parquet")
    with pytest.raises(TimelineError, match="not a Parquet file"):
        Timeline.read(tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_bytes(b"frame,seconds\n\xff\xfe,1\n")
    with pytest.raises(TimelineError):
        Timeline.read(tmp_path / "t.csv")
    with pytest.raises(TimelineError, match="no such file"):
        Timeline.read(tmp_path / "absent.csv")
    for path in (tmp_path / "t.xlsx", tmp_path / "t"):
        with pytest.raises(TimelineError, match="A timeline is no"):
            Timeline.read(path)
        with pytest.raises(TimelineError, match="A timeline is no"):
            made_timeline(5).write(path)
