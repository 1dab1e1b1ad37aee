"""One pass: each frame once, bounded memory, the same results wherever it begins."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from cineloop.analysis.passing import run_pass, spans_of
from cineloop.analysis.stages.clips import ClipStage
from cineloop.analysis.stages.frames import FrameStage
from cineloop.analysis.stages.looks import Looker
from cineloop.analysis.store import Store
from cineloop.errors import CineloopError, VideoError
from cineloop.inference.live import live_clips, live_frames
from cineloop.video import VideoWriter
from cineloop.video.recording import Recording
from frame_models import clip_weights, frame_weights
from moving_clips import clip, surface

FPS = 10


@pytest.fixture(scope="module")
def pictures():
    return clip(surface(3), 5, frames=120, size=(96, 80))


def write(path, pictures, codec="ffv1"):
    with VideoWriter(path, FPS, (pictures.shape[2], pictures.shape[1]), codec=codec) as writer:
        for one in pictures:
            writer.write(one)
    return path


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    quality = frame_weights(folder / "quality.safetensors", img_size=32, widths=(8, 8, 16, 16))
    clips = clip_weights(folder / "clips.safetensors")
    return live_frames(quality.predictor), live_clips(clips.predictor)


def passed(paths, folder, models, *, size=4, length=3.0, stages=("quality", "classify", "look"), key=None):
    frames, clips = models
    with Recording(paths, threads=1) as recording:
        instants = recording.instants(5)
        known = {
            "quality": lambda: FrameStage("quality", frames, recording, instants, size=size, outputs=7),
            "classify": lambda: ClipStage(clips, recording, length=2.0, step=0.7, size=2, outputs=2),
            "look": lambda: Looker(recording, instants, every=5),
        }
        store = Store(folder, key or {"size": size})
        store.open()
        return run_pass(recording, [known[name]() for name in stages], store, length=length)


def same(one, two, *, close=0.0):
    assert one.keys() == two.keys()
    for name, values in one.items():
        if close and values.dtype.kind == "f":
            np.testing.assert_allclose(values, two[name], atol=close, rtol=0, err_msg=name)
        else:
            np.testing.assert_array_equal(values, two[name], err_msg=name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, pictures, models):
    folder = tmp_path_factory.mktemp("whole")
    return passed([write(folder / "one.mkv", pictures)], folder / "work", models)


def test_every_instant_and_every_window_is_judged(whole):
    assert whole["quality/numbers"].tolist() == list(range(60))
    assert np.isfinite(whole["quality/scores"]).all()
    # Windows of 2 s every 0.7 s within 12 s.
    assert whole["classify/numbers"].tolist() == list(range(15))
    np.testing.assert_allclose(whole["classify/scores"].sum(axis=1), 1)
    assert whole["picture/numbers"].tolist() == list(range(0, 60, 5))
    assert int(whole["picture/lengths"].sum()) == len(whole["picture/bytes"])
    assert not len(whole["lost/frames"])


@pytest.mark.parametrize("cut", [1, 37, 60, 119])
def test_where_files_were_cut_changes_no_bit(tmp_path, pictures, models, whole, cut):
    parts = [write(tmp_path / "a.mkv", pictures[:cut]), write(tmp_path / "b.mkv", pictures[cut:])]
    same(whole, passed(parts, tmp_path / "work", models))


@pytest.mark.parametrize("length", [0.5, 2.9, 100.0])
def test_how_often_work_is_kept_changes_no_bit(tmp_path, pictures, models, whole, length):
    same(whole, passed([write(tmp_path / "one.mkv", pictures)], tmp_path / "work", models, length=length))


@pytest.mark.parametrize("lost", [[0], [1], [2], [0, 3], [1, 2]])
def test_a_pass_goes_on_where_it_was_cut_off(tmp_path, pictures, models, whole, lost):
    path = write(tmp_path / "one.mkv", pictures)
    passed([path], tmp_path / "work", models)
    for number in lost:
        (tmp_path / "work" / f"{number:05d}.npz").unlink()
    same(whole, passed([path], tmp_path / "work", models))


def test_the_size_of_batches_changes_next_to_nothing(tmp_path, pictures, models, whole):
    path = write(tmp_path / "one.mkv", pictures)
    other = passed([path], tmp_path / "work", models, size=7)
    same(whole, other, close=1e-5)


def test_nothing_is_decoded_twice(tmp_path, pictures, models, monkeypatch):
    path = write(tmp_path / "one.mkv", pictures)
    asked = []
    original = Recording.pictures

    def counted(self, frames):
        asked.extend(frames.tolist())
        return original(self, frames)

    monkeypatch.setattr(Recording, "pictures", counted)
    passed([path], tmp_path / "work", models)
    assert len(asked) == len(set(asked))


def test_what_comes_later_changes_nothing_before(tmp_path, pictures, models, whole):
    changed = pictures.copy()
    changed[70:] = np.random.default_rng(0).integers(0, 255, changed[70:].shape, dtype=np.uint8)
    other = passed([write(tmp_path / "one.mkv", changed)], tmp_path / "work", models)
    before = whole["quality/numbers"] < 35
    np.testing.assert_array_equal(whole["quality/scores"][before], other["quality/scores"][before])
    assert not np.array_equal(whole["quality/scores"][~before], other["quality/scores"][~before])
    windows = whole["classify/numbers"] * 0.7 + 2.0 <= 7.0
    np.testing.assert_array_equal(whole["classify/scores"][windows], other["classify/scores"][windows])


def test_frames_that_are_lost_have_no_scores_and_take_nobody_with_them(tmp_path, pictures, models, monkeypatch):
    from cineloop.errors import FrameDecodeError
    from cineloop.video.source import Picture

    path = write(tmp_path / "one.mkv", pictures)
    original = Recording.pictures

    def broken(self, frames):
        for picture in original(self, frames):
            if 40 <= picture.index < 47:
                yield Picture(picture.index, None, FrameDecodeError("damaged"))
            else:
                yield picture

    monkeypatch.setattr(Recording, "pictures", broken)
    found = passed([path], tmp_path / "work", models)
    missing = np.isnan(found["quality/scores"]).all(axis=1)
    assert whole_numbers(found, missing) == [20, 21, 22, 23]
    assert set(found["lost/frames"].tolist()) <= set(range(40, 47))
    assert set(found["lost/reasons"].tolist()) == {"damaged"}
    judged = np.isfinite(found["classify/scores"]).all(axis=1)
    starts = found["classify/numbers"] * 0.7
    # A window without any lost frame is judged; one of which a frame that it needs is lost is not.
    assert judged[(starts + 2.0 <= 4.0) | (starts >= 4.7)].all()
    assert not judged.all()


def whole_numbers(found, rows):
    return found["quality/numbers"][rows].tolist()


def test_a_recording_shorter_than_a_window_is_an_error(tmp_path, pictures, models):
    with pytest.raises(VideoError, match="looks at clips of 2 s"):
        passed([write(tmp_path / "one.mkv", pictures[:15])], tmp_path / "work", models)


def test_work_of_another_analysis_is_left_alone(tmp_path, pictures, models):
    path = write(tmp_path / "one.mkv", pictures[:30])
    passed([path], tmp_path / "work", models, stages=("look",), key={"models": "one", "rate": 5})
    with pytest.raises(CineloopError, match="differs in models"):
        passed([path], tmp_path / "work", models, stages=("look",), key={"models": "two", "rate": 5})


def test_spans_cover_a_recording(tmp_path, pictures):
    with Recording([write(tmp_path / "one.mkv", pictures)]) as recording:
        assert [(one.start, one.stop) for one in spans_of(recording, 5.0)] == [(0, 5), (5, 10), (10, 15)]
        assert [one.stop for one in spans_of(recording, 12.0)] == [12, 24]
        assert spans_of(recording, 0.1)[-1].stop > Fraction(recording.duration)
