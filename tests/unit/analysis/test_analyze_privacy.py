"""What an analysis writes for others: its pictures, its names, and what an interrupted one with other wishes left."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

import cineloop
from cineloop.errors import CineloopError, ModelError, RecipeError
from cineloop.video import Video, VideoWriter
from cineloop.video.recording import Recording
from frame_models import clip_weights, frame_weights
from moving_clips import clip, surface

FPS = 10
SMALL = {"img_size": 32, "widths": (8, 8, 16, 16)}
MASK = {"masks": [{"x": 0, "y": 0, "width": 40, "height": 12}], "find_text": False, "outside_picture": False}


def gate_of(folder, **options):
    return frame_weights(folder / "gate.safetensors", labels="exclusive", positive="out_of_body", **SMALL, **options)


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    return gate_of(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def pictures():
    return clip(surface(1), 2, frames=120, size=(96, 80))


@pytest.fixture(scope="module")
def video(tmp_path_factory, pictures):
    path = tmp_path_factory.mktemp("video") / "case.mp4"
    with VideoWriter(path, FPS, (96, 80), keyint=10) as writer:
        for one in pictures:
            writer.write(one)
    return path


def sure(gate, monkeypatch, outside):
    """Make a gate say what ``outside`` [frames] says of each row, at five rows a second of ten frames."""
    from cineloop.inference import live

    original = live._TorchFrames.scores

    def scores(self, places, size):
        found = original(self, places, size)
        return {place: np.array([1 - p, p]) for place, p in zip(found, said(len(found)), strict=True)}

    given = iter(outside)

    def said(count):
        return [next(given) for _ in range(count)]

    monkeypatch.setattr(live._TorchFrames, "scores", scores)


def jpegs(folder):
    content = (folder / "report.html").read_text()
    found = re.findall(r"/9j/[A-Za-z0-9+/=]{200,}", content)
    assert found
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) for text in found]


def test_the_report_of_a_deidentified_recording_shows_no_masked_region(tmp_path, video, gate, monkeypatch):
    sure(gate, monkeypatch, [0.01] * 60)
    done = cineloop.analyze(video, inbody=gate, out=tmp_path / "a", privacy={**MASK, "padding": 0.2})
    assert len(done.analysis.best) > 0
    assert len(done.analysis.thumbnails) > 0
    shown = [one.picture.jpeg for one in done.analysis.best] + [one.jpeg for one in done.analysis.thumbnails]
    for jpeg in shown:
        picture = np.asarray(Image.open(io.BytesIO(jpeg)))
        assert picture[:9, :36].max() < 40
        assert picture[20:].max() > 90
    # Nor in what is embedded in the page.
    assert all(picture[:9, :36].max() < 40 for picture in jpegs(done.folder))


def test_it_shows_nothing_that_was_removed(tmp_path, video, gate, monkeypatch):
    sure(gate, monkeypatch, [0.01] * 20 + [0.99] * 4 + [0.01] * 36)
    done = cineloop.analyze(video, inbody=gate, out=tmp_path / "a", privacy={**MASK, "padding": 2.0})
    seconds = [one.seconds for one in done.analysis.thumbnails] + [one.place.seconds for one in done.analysis.best]
    assert seconds
    assert not any(2.0 <= second < 6.8 for second in seconds)


@pytest.mark.parametrize("causal", [False, True])
def test_a_short_stay_outside_that_filters_take_out_is_not_shown(tmp_path, video, gate, monkeypatch, causal):
    sure(gate, monkeypatch, [0.01] * 25 + [0.99] * 6 + [0.01] * 29)
    analysis = cineloop.analyze(video, inbody=gate, out=tmp_path / "a", settings={"causal": causal}).analysis
    seconds = [one.seconds for one in analysis.thumbnails] + [one.place.seconds for one in analysis.best]
    assert seconds
    assert not any(4.0 <= second < 7.2 for second in seconds)


def interrupted(monkeypatch, video, **arguments):
    from cineloop.api import analyzing

    def failing(analysis, folder):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(analyzing, "write_tables", failing)
        with pytest.raises(KeyboardInterrupt):
            cineloop.analyze(video, **arguments)


@pytest.mark.parametrize("changed", [{"privacy": {**MASK, "padding": 3.0}}, {"settings": {"causal": True}}])
def test_videos_of_other_wishes_are_made_again(tmp_path, video, gate, monkeypatch, changed):
    arguments = {"inbody": gate, "out": tmp_path / "a", "overlay": True, "privacy": {**MASK, "padding": 0.1}}
    interrupted(monkeypatch, video, **arguments)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a").glob("*.mp4")}
    cineloop.analyze(video, **{**arguments, **changed})
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a").glob("*.mp4")}
    assert set(before) == set(after) == {"overlay.mp4", "deidentified.mp4"}
    assert not set(before.values()) & set(after.values())
    told = json.loads((tmp_path / "a" / "audit.json").read_text())["settings"]["padding"]
    assert told == {**arguments, **changed}["privacy"]["padding"]


def test_half_written_videos_of_a_killed_call_do_not_stay(tmp_path, video, gate, monkeypatch):
    arguments = {"inbody": gate, "out": tmp_path / "a", "privacy": MASK}
    interrupted(monkeypatch, video, **arguments)
    (tmp_path / "a" / ".overlay.mp4.abc.part").write_bytes(b"raw")
    (tmp_path / "a" / ".deidentified.xyz").mkdir()
    (tmp_path / "a" / ".deidentified.xyz" / "deidentified.mp4").write_bytes(b"raw")
    done = cineloop.analyze(video, **arguments)
    assert not [path.name for path in done.folder.iterdir() if path.name.startswith(".")]


def test_work_that_outlived_its_report_is_removed(tmp_path, video, gate, monkeypatch):
    interrupted(monkeypatch, video, inbody=gate, out=tmp_path / "a")
    shutil.copytree(tmp_path / "a" / "work", tmp_path / "kept")
    cineloop.analyze(video, inbody=gate, out=tmp_path / "a")
    shutil.copytree(tmp_path / "kept", tmp_path / "a" / "work")
    with pytest.raises(CineloopError, match="finished analysis"):
        cineloop.analyze(video, inbody=gate, out=tmp_path / "a")
    assert not (tmp_path / "a" / "work").exists()
    assert (tmp_path / "a" / "report.html").exists()


def test_the_overlay_beside_a_deidentified_video_shows_no_more(tmp_path, video, gate, monkeypatch):
    sure(gate, monkeypatch, [0.01] * 60)
    done = cineloop.analyze(video, inbody=gate, out=tmp_path / "a", overlay=True, privacy=MASK)
    with Video(done.folder / "overlay.mp4") as overlay:
        pixels = overlay.frames([60]).pixels[0]
    assert pixels[:11, :38].max() < 40
    with pytest.raises(RecipeError, match="joined"):
        cineloop.analyze(video, inbody=gate, out=tmp_path / "b", overlay=True, privacy={"join": True})


def test_a_library_s_words_and_strange_suffixes_bring_no_name_into_a_report(tmp_path, gate, pictures):
    folder = tmp_path / "Mueller.19610314"
    folder.mkdir()
    for number, one in enumerate(pictures[:40]):
        Image.fromarray(one).save(folder / f"{number:03d}.png")
    (folder / "020.png").write_bytes(b"")
    done = cineloop.analyze(folder, inbody=gate, out=tmp_path / "out")
    assert done.analysis.gaps
    for path in done.folder.iterdir():
        assert b"Mueller" not in path.read_bytes(), path.name
        assert b"19610314" not in path.read_bytes(), path.name


def test_what_deidentification_warns_of_stands_in_the_report(tmp_path, video, gate, monkeypatch):
    sure(gate, monkeypatch, [0.99] * 120)
    done = cineloop.analyze(video, inbody=gate, out=tmp_path / "a", privacy=MASK)
    told = json.loads((done.folder / "report.json").read_text())["warnings"]
    assert any("removed 100.0% of the frames" in text for text in told)
    assert any("check the gate's model" in text for text in told)
    assert any("100.0% as out of the body" in text for text in told)
    assert "check the gate" in (done.folder / "report.html").read_text()
    chinese = cineloop.analyze(video, inbody=gate, out=tmp_path / "zh", privacy=MASK, settings={"language": "zh"})
    told = json.loads((chinese.folder / "report.json").read_text())["warnings"]
    assert any("请检查体内外判断的模型与阈值" in text for text in told)
    assert all(re.search(r"[\u4e00-\u9fff]", text) for text in told)
    assert '<html lang="zh-Hans">' in (chinese.folder / "review.html").read_text()


def test_a_recording_may_lie_in_its_report_s_folder(tmp_path, video, gate):
    own = tmp_path / "case" / "case.mp4"
    own.parent.mkdir()
    shutil.copy(video, own)
    done = cineloop.analyze(own, inbody=gate, out=own.parent, link=True)
    assert done.analysis.videos == {0: "case.mp4"}
    with pytest.raises(CineloopError, match="not empty"):
        cineloop.analyze(video, inbody=gate, out=tmp_path, link=True)
    apart = cineloop.analyze(video, inbody=gate, out=tmp_path / "apart", link=True)
    assert any("--link has nothing to play" in text for text in apart.analysis.warnings)


@pytest.mark.parametrize("name", ["overlay of Monday.mp4", "deidentified.mp4"])
def test_a_recording_called_like_an_output_is_neither_taken_for_one_nor_removed(tmp_path, video, gate, name):
    own = tmp_path / "case" / name
    own.parent.mkdir()
    shutil.copy(video, own)
    with pytest.raises(CineloopError, match="not empty"):
        cineloop.analyze(own, inbody=gate, out=own.parent, link=True)
    assert own.read_bytes() == video.read_bytes()


def test_a_guideline_of_one_s_own_is_told_by_its_content(tmp_path, video, gate):
    own = tmp_path / "Mueller-clinic.yaml"
    own.write_text(
        "title: Ours\nsource: The unit\nvalues: [{indicator: withdrawal_seconds, value: 400, text: 400 s}]\n"
    )
    done = cineloop.analyze(video, inbody=gate, out=tmp_path / "out", settings={"guideline": str(own)})
    told = json.loads((done.folder / "report.json").read_text())["settings"]["guideline"]
    assert told.startswith("own, SHA-256 ")
    assert not any(b"Mueller" in path.read_bytes() for path in done.folder.iterdir())


@pytest.mark.parametrize("name", ["a/b", "..", ""])
def test_a_name_that_is_no_folder_s_is_refused(tmp_path, video, gate, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CineloopError, match="no folder's name"):
        cineloop.analyze(video, inbody=gate, name=name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("classes", "found"),
    [(("inside", "other"), "other"), (("in_body", "ex_vivo"), "ex_vivo"), (("outside", "colon"), "outside")],
)
def test_the_class_out_of_the_body_is_known_by_either_name(tmp_path, classes, found):
    from cineloop.analysis.models import open_model

    weights = frame_weights(
        tmp_path / "w.safetensors", labels="exclusive", classes=classes, positive=classes[0], **SMALL
    )
    assert open_model("inbody", weights).positive == found


def test_it_is_never_guessed_from_what_a_run_calls_positive(tmp_path):
    from cineloop.analysis.models import open_model

    weights = frame_weights(
        tmp_path / "w.safetensors", labels="exclusive", classes=("colon", "room"), positive="colon", **SMALL
    )
    with pytest.raises(ModelError, match="Which class is out of the body"):
        open_model("inbody", weights)
    assert open_model("inbody", weights, positive="room").positive == "room"


def bordered(pictures):
    framed = np.zeros((len(pictures), 120, 160, 3), dtype=np.uint8)
    framed[:, 20:100, 40:136] = np.maximum(pictures, 60)
    return framed


def test_the_picture_s_outline_is_found_while_another_thread_decodes(tmp_path, pictures):
    """Models that cut frames to the endoscope's picture; a decoder serves one thread at a time."""
    frames = bordered(pictures)
    for number, half in enumerate((frames[:50], frames[50:])):
        with VideoWriter(tmp_path / f"part {number}.mp4", FPS, (160, 120), keyint=5) as writer:
            for one in half:
                writer.write(one)
    gate = gate_of(tmp_path, crop="content")
    done = cineloop.analyze([tmp_path / f"part {n}.mp4" for n in (0, 1)], inbody=gate, out=tmp_path / "out")
    assert done.analysis.timeline.seen.all()
    with Recording([tmp_path / f"part {n}.mp4" for n in (0, 1)]) as recording:
        boxes = {recording.content_box(frame) for frame in (0, 40, 60, 119)}
    # One for all files of a size, so that it does not matter where they were cut.
    assert len(boxes) == 1
    assert np.abs(np.array(boxes.pop()) - [40, 20, 96, 80]).max() <= 3


def test_clips_keep_what_a_later_window_draws_from_before(tmp_path, video, monkeypatch):
    """Drawn frames of windows that overlap need not come in the order of the windows."""
    from cineloop.analysis.stages import clips

    original = clips._views

    def backwards(live, recording, frames, number):
        views = original(live, recording, frames, number).copy()
        if len(views):
            # Each second window begins with the first frame that it may have, the others with their sixth.
            views[0, 0] = frames.start + (5 if number % 2 == 0 else 0)
            views.sort(axis=1)
        return views

    monkeypatch.setattr(clips, "_views", backwards)
    weights = clip_weights(tmp_path / "c.safetensors")
    settings = {"window": 3.0, "step": 0.2}
    analysis = cineloop.analyze(video, classify=weights, out=tmp_path / "out", settings=settings).analysis
    assert len(analysis.windows.decided) == 46
    assert (analysis.windows.decided >= 0).all()


def test_filters_are_as_wide_whatever_the_frame_rate_of_other_pieces():
    from cineloop.analysis.course import row_rate
    from cineloop.analysis.settings import Settings

    fast, slow = np.arange(0, 60, 0.2), np.arange(60, 180, 0.2)
    for causal in (False, True):
        settings = Settings(rate=5.0, causal=causal)
        assert row_rate(np.concatenate([fast, slow]), settings) == pytest.approx(5.0)
        assert row_rate(np.arange(0, 60, 0.5), settings) == pytest.approx(2.0)
        assert row_rate(np.zeros(1), settings) == 5.0
    # What comes later changes no width where nothing may look ahead.
    late = np.concatenate([fast, 60 + np.arange(0, 600, 2.0)])
    assert row_rate(late, Settings(rate=5.0, causal=True)) == pytest.approx(5.0)
