"""A whole procedure through models to its folder: what is written, what is refused, what goes on after a kill."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import av
import numpy as np
import polars as pl
import pytest

import cineloop
from cineloop.analysis import passing
from cineloop.analysis.models import open_model
from cineloop.analysis.report import read_report
from cineloop.cohort.pseudonyms import among_files
from cineloop.errors import CineloopError, EmptyVideoError, ModelError, RecipeError, VideoError
from cineloop.timeline import Timeline
from cineloop.video import VideoWriter
from frame_models import clip_weights, frame_weights
from moving_clips import clip, surface
from program import call

FPS = 10
FILES = {"report.html", "report.json", "timeline.parquet", "timeline.json", "segments.parquet", "events.parquet"}
CLIPS = {"window": 2.0, "step": 1.0}


@pytest.fixture(scope="module")
def pictures():
    return clip(surface(1), 2, frames=160, size=(96, 80))


def write(path, pictures):
    with VideoWriter(path, FPS, (pictures.shape[2], pictures.shape[1]), codec="ffv1") as writer:
        for one in pictures:
            writer.write(one)
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory, pictures):
    return write(tmp_path_factory.mktemp("video") / "Mueller_1961.mkv", pictures)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    quality = frame_weights(folder / "quality.safetensors", img_size=32, widths=(8, 8, 16, 16))
    gate = frame_weights(
        folder / "gate.safetensors", img_size=32, widths=(8, 8, 16, 16), labels="exclusive", positive="out_of_body"
    )
    return {"inbody": gate, "quality": quality, "classify": clip_weights(folder / "clips.safetensors")}


@pytest.fixture(scope="module")
def done(tmp_path_factory, video, models):
    out = tmp_path_factory.mktemp("out") / "whole"
    return cineloop.analyze(video, **models, out=out, settings=CLIPS, engine={"chunk": 4.0})


def same_results(one, two):
    for name in ("timeline", "segments", "events", "windows"):
        assert pl.read_parquet(one / f"{name}.parquet").equals(pl.read_parquet(two / f"{name}.parquet")), name
    first, second = (json.loads((folder / "report.json").read_text()) for folder in (one, two))
    assert {**first, "made": ""} == {**second, "made": ""}


def test_everything_is_written_and_nothing_unfinished_is_left(done):
    assert {path.name for path in done.folder.iterdir()} == {*FILES, "windows.parquet"}
    report = read_report(done.folder)
    assert report.frames == 160
    assert report.rows == 80
    assert [stage.looked for stage in report.stages] == [80, 80, 15]
    assert report.seconds == pytest.approx(16.0)
    timeline = Timeline.read(done.folder / "timeline.parquet")
    assert set(timeline.scores) >= {"out_of_body", "outside", "nonsense", "ileocecal", "bbps0"}
    assert set(timeline.filtered) == {"outside", "nonsense", "ileocecal", "bbps", "course"}
    assert timeline.equals(Timeline.read(done.folder / "timeline.json"))


def test_a_pause_beyond_the_end_is_told(tmp_path, video, models):
    done = cineloop.analyze(video, inbody=models["inbody"], out=tmp_path / "a", settings={"pauses": [[100.0, 110.0]]})
    assert any("00:01:40 lies beyond the end" in text for text in done.analysis.warnings)


def test_names_of_files_stand_in_no_output(done, video):
    needles = [form.encode(code) for form in ("Mueller", "1961") for code in ("utf-8", "utf-16-le")]
    for path in done.folder.iterdir():
        content = path.read_bytes()
        assert not any(needle in content for needle in needles[:2]), path.name
    assert str(video.parent).encode() not in (done.folder / "report.json").read_bytes()


def test_pseudonyms_of_an_analysis_are_turned_back_by_the_folder_of_recordings(tmp_path, done, video, models):
    report = read_report(done.folder)
    names = [report.parts[0].name, report.procedure, "0123456789ab"]
    found = among_files(names, video.parent)
    assert [(one.pseudonym, one.kind, one.name) for one in found] == [
        (names[0], "recording", video.name),
        (names[1], "recording", video.name),
    ]
    assert {path for one in found for path in one.files} == {video.resolve().as_posix()}
    assert among_files(names, video.resolve()) == found
    (case := tmp_path / "Mueller").mkdir()
    shutil.copy(video, case / "a.mkv")
    whole = cineloop.analyze(case, inbody=models["inbody"], out=tmp_path / "a").analysis.name
    assert [(one.kind, one.name) for one in among_files([whole], tmp_path)] == [("folder", "Mueller")]
    Path(os.fsdecode(bytes(tmp_path / "M") + b"\xfc.mp4")).touch()
    told = call("cohort", "find", tmp_path, whole, "0123456789ab")
    assert (told.returncode, "Mueller" in told.stdout, "'0123456789ab'" in told.stderr) == (2, True, True)
    told = call("cohort", "find", case, "0123456789ab")
    assert (told.returncode, "no cohort" in told.stderr) == (2, True)
    told = call("cohort", "find", video.resolve(), names[0])
    assert (told.returncode, video.name in told.stdout) == (0, True)
    told = call("cohort", "find", video.resolve(), "0123456789ab")
    assert (told.returncode, "Nothing here has the pseudonym" in told.stderr) == (2, True)


def test_of_two_classes_the_one_with_a_threshold_raises_the_alarm(tmp_path, monkeypatch):
    clips = clip_weights(tmp_path / "clips.safetensors", positive=None)
    bare = open_model("classify", clips)
    assert (bare.positive, dict(bare.thresholds)) == (None, {})
    monkeypatch.setattr("cineloop.analysis.models.chosen_threshold", lambda loaded: 0.66)
    judged = open_model("classify", clips)
    assert judged.positive == judged.outputs[1]
    assert (dict(judged.thresholds), judged.tuned) == ({judged.outputs[1]: 0.66}, True)
    other = open_model("classify", clips, positive=judged.outputs[0])
    assert dict(other.thresholds) == {judged.outputs[0]: pytest.approx(0.34)}


def test_plain_names_are_written_when_asked_for(tmp_path, video, models):
    out = cineloop.analyze(video, inbody=models["inbody"], out=tmp_path / "a", plain_names=True).folder
    report = read_report(out)
    assert (report.procedure, report.parts[0].name) == ("Mueller_1961", "Mueller_1961.mkv")


def test_scores_are_those_of_predict(done, video, models):
    rows = cineloop.predict(models["quality"], [video], rate=5).rows
    timeline = Timeline.read(done.folder / "timeline.parquet")
    assert [row.frames[0] for row in rows] == timeline.frames.tolist()
    expected = np.array([row.probabilities for row in rows])
    found = np.stack([timeline.scores[name] for name in ("outside", "nonsense", "ileocecal")], axis=1)
    np.testing.assert_allclose(found, expected[:, :3], atol=1e-5)


@pytest.mark.parametrize("spans", [1, 3])
def test_an_interrupted_analysis_goes_on_to_the_same_result(tmp_path, video, models, done, monkeypatch, spans):
    given = []
    original = passing.Store.write

    def failing(self, span, arrays):
        if len(given) == spans:
            raise KeyboardInterrupt
        given.append(span)
        original(self, span, arrays)

    arguments = {**models, "out": tmp_path / "cut", "settings": CLIPS, "engine": {"chunk": 4.0}}
    with monkeypatch.context() as patch:
        patch.setattr(passing.Store, "write", failing)
        with pytest.raises(KeyboardInterrupt):
            cineloop.analyze(video, **arguments)
    assert {path.name for path in (tmp_path / "cut").iterdir()} == {"work"}
    went_on = cineloop.analyze(video, **arguments)
    same_results(done.folder, went_on.folder)


def test_where_a_recorder_cut_the_files_changes_no_figure(tmp_path, pictures, models, done):
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, (start, stop) in enumerate([(0, 70), (70, 160)], start=9):
        write(folder / f"part {number}.mkv", pictures[start:stop])
    parts = cineloop.analyze(folder, **models, out=tmp_path / "out", settings=CLIPS)
    assert [part.frames for part in parts.analysis.parts] == [70, 90]
    one, two = (Timeline.read(out / "timeline.parquet") for out in (done.folder, parts.folder))
    for kind in ("scores", "signals", "filtered"):
        for name, row in getattr(one, kind).items():
            np.testing.assert_array_equal(row, getattr(two, kind)[name])
    windows = [pl.read_parquet(out / "windows.parquet") for out in (done.folder, parts.folder)]
    assert windows[0].equals(windows[1])
    assert [one.value for one in done.analysis.indicators] == [one.value for one in parts.analysis.indicators]


def test_a_causal_analysis_never_reads_the_future(tmp_path, pictures, models):
    changed = pictures.copy()
    changed[100:] = 255 - changed[100:]
    outs = []
    for name, frames in (("as it was", pictures), ("poisoned", changed), ("cut", pictures[:100])):
        video = write(tmp_path / f"{name}.mkv", frames)
        settings = {**CLIPS, "causal": True, "kernels": [1.0, 0.6, 0.6, 0.6]}
        outs.append(cineloop.analyze(video, **models, out=tmp_path / name, settings=settings))
    lines = [Timeline.read(one.folder / "timeline.parquet") for one in outs]
    rows = lines[2].seconds < 10.0
    assert rows.sum() == 50
    for other in lines[1:]:
        for kind in ("scores", "signals", "filtered"):
            for name, row in getattr(lines[0], kind).items():
                np.testing.assert_array_equal(row[:50], getattr(other, kind)[name][:50], err_msg=f"{kind} {name}")
    known = [[event for event in one.analysis.events if event.known_at <= 10.0] for one in outs]
    assert known[0] == known[1] == known[2]


def test_finished_work_is_not_overwritten(done, video, models):
    with pytest.raises(CineloopError, match="finished analysis"):
        cineloop.analyze(video, inbody=models["inbody"], out=done.folder)


def test_a_folder_of_somebody_else_is_left_alone(tmp_path, video, models):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CineloopError, match="not empty"):
        cineloop.analyze(video, inbody=models["inbody"], out=tmp_path)


def test_a_folder_called_work_is_not_taken_for_ours(tmp_path, video, models):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("mine")
    with pytest.raises(CineloopError, match="not empty"):
        cineloop.analyze(video, inbody=models["inbody"], out=tmp_path)
    assert (tmp_path / "work" / "thesis.txt").exists()


def test_work_with_other_settings_is_not_mixed(tmp_path, video, models, monkeypatch):
    def failing(self, span, arrays):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(passing.Store, "write", failing)
        with pytest.raises(KeyboardInterrupt):
            cineloop.analyze(video, inbody=models["inbody"], out=tmp_path / "a")
    with pytest.raises(CineloopError, match="differs in settings"):
        cineloop.analyze(video, inbody=models["inbody"], out=tmp_path / "a", settings={"rate": 2.0})


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({}, ModelError, "No model is given"),
        ({"inbody": "quality"}, ModelError, "--inbody needs a model of two classes"),
        ({"quality": "inbody"}, ModelError, "--quality needs a model of the labels"),
        ({"classify": "inbody"}, ModelError, "--classify needs a model of clips"),
        ({"inbody": "inbody", "outside_class": "outdoors"}, ModelError, "no class 'outdoors'"),
        ({"classify": "classify", "settings": {"window": 60}}, VideoError, "looks at clips of 60 s"),
        ({"inbody": "inbody", "settings": {"rates": 2}}, RecipeError, "rate"),
        ({"inbody": "inbody", "settings": {"pauses": [[5, 2]]}}, RecipeError, "a pause ends after it begins"),
        ({"inbody": "inbody", "settings": {"guideline": "asge"}}, CineloopError, "asge"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(tmp_path, video, models, arguments, error, text):
    given = {name: models.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()}
    with pytest.raises(error, match=text):
        cineloop.analyze(video, out=tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_a_file_without_pictures_is_refused(tmp_path, models):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 48000), dtype=np.float32), format="fltp", layout="mono")
        silence.sample_rate = 48000
        for packet in [*stream.encode(silence), *stream.encode(None)]:
            container.mux(packet)
    with pytest.raises(EmptyVideoError):
        cineloop.analyze(path, inbody=models["inbody"], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_no_half_written_report(tmp_path, video, models, monkeypatch):
    from cineloop.analysis.report import write

    def full(path, value, **options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(write, "write_json", full)
        with pytest.raises(OSError, match="No space left"):
            cineloop.analyze(video, inbody=models["inbody"], out=tmp_path / "a")
    assert not (tmp_path / "a" / "report.json").exists()
    assert (tmp_path / "a" / "work").is_dir()
    assert (cineloop.analyze(video, inbody=models["inbody"], out=tmp_path / "a").folder / "report.json").exists()


def test_a_broken_middle_is_told_and_survived(tmp_path, pictures, models):
    path = tmp_path / "broken.mp4"
    with VideoWriter(path, FPS, (96, 80), keyint=10, bframes=0) as writer:
        for one in pictures:
            writer.write(one)
    data = bytearray(path.read_bytes())
    middle = data.find(b"mdat") + 4 + (len(data) - data.find(b"mdat")) // 2
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)
    done = cineloop.analyze(path, **models, out=tmp_path / "out", settings=CLIPS)
    analysis = done.analysis
    assert analysis.gaps
    seen = analysis.timeline.seen
    assert 0 < (~seen).sum() < len(seen) / 2
    lost = analysis.timeline.seconds[~seen]
    assert all(any(gap.start <= second < gap.end for gap in analysis.gaps) for second in lost)
    some_clips_are_not_judged(done)


def some_clips_are_not_judged(done):
    windows = done.analysis.windows
    unjudged = windows.decided < 0
    assert 0 < unjudged.sum() < len(unjudged) / 2
    classes = list(windows.probabilities)
    told = read_report(done.folder).windows.decided
    assert told == tuple(None if place < 0 else classes[place] for place in windows.decided.tolist())
    assert "Classifier" in (done.folder / "report.html").read_text()


def test_parts_of_different_size_are_told_and_clips_over_both_are_not_judged(tmp_path, pictures, models):
    parts = [
        write(tmp_path / "a.mkv", pictures[:75]),
        write(tmp_path / "b.mkv", np.ascontiguousarray(pictures[75:, :64, :80])),
    ]
    done = cineloop.analyze(parts, **models, out=tmp_path / "out", settings=CLIPS)
    assert [(part.width, part.height) for part in done.analysis.parts] == [(96, 80), (80, 64)]
    assert done.analysis.timeline.seen.all()
    some_clips_are_not_judged(done)


def test_a_copy_of_work_goes_on_elsewhere(tmp_path, video, models, monkeypatch):
    # What is kept of a pass does not depend on where it lies.
    given = []
    original = passing.Store.write

    def failing(self, span, arrays):
        if len(given) == 2:
            raise KeyboardInterrupt
        given.append(span)
        original(self, span, arrays)

    arguments = {"inbody": models["inbody"], "engine": {"chunk": 4.0}}
    with monkeypatch.context() as patch:
        patch.setattr(passing.Store, "write", failing)
        with pytest.raises(KeyboardInterrupt):
            cineloop.analyze(video, out=tmp_path / "here", **arguments)
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    assert isinstance(cineloop.analyze(video, out=tmp_path / "there", **arguments).folder, Path)


def test_a_report_plays_what_identifies_nobody(tmp_path, pictures, models):
    parts = [
        write(tmp_path / f"Mueller {number}.mkv", pictures[half])
        for number, half in enumerate((slice(80), slice(80, 160)))
    ]
    done = cineloop.analyze(parts, inbody=models["inbody"], out=tmp_path / "out", overlay=True, privacy={})
    names = {path.name for path in done.folder.iterdir()}
    videos = {f"{kind}-00{number}.mp4" for kind in ("overlay", "deidentified") for number in (0, 1)}
    assert names == {*FILES, *videos, "audit.json", "audit.csv", "review.html"}
    assert done.analysis.videos == {0: "deidentified-000.mp4", 1: "deidentified-001.mp4"}
    assert "deidentified-001.mp4" in (done.folder / "report.html").read_text()
    assert {title for title, _ in done.files()} == {"report", "data", "timeline", "overlay", "deidentified", "review"}
    for path in done.folder.iterdir():
        assert b"Mueller" not in path.read_bytes(), path.name


def test_videos_that_are_done_are_kept_by_an_interrupted_analysis(tmp_path, video, models, monkeypatch):
    from cineloop.api import analyzing

    def failing(analysis, folder):
        raise KeyboardInterrupt

    arguments = {"inbody": models["inbody"], "out": tmp_path / "a", "overlay": True, "privacy": {}}
    with monkeypatch.context() as patch:
        patch.setattr(analyzing, "write_tables", failing)
        with pytest.raises(KeyboardInterrupt):
            cineloop.analyze(video, **arguments)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a").glob("*.mp4")}
    (tmp_path / "a" / "audit.json").unlink()
    done = cineloop.analyze(video, **arguments)
    after = {path.name: path.stat().st_mtime_ns for path in done.folder.glob("*.mp4")}
    # What has no log is written again, as nobody knows whether it is whole.
    assert [name for name, when in after.items() if when == before[name]] == ["overlay.mp4"]
    assert done.analysis.videos == {0: "deidentified.mp4"}


def test_nothing_is_removed_where_no_model_tells_what_is_outside(tmp_path, video, models):
    with pytest.raises(ModelError, match="no model tells what is out of the body"):
        cineloop.analyze(video, classify=models["classify"], out=tmp_path / "a", settings=CLIPS, privacy={})
