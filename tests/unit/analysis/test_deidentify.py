"""A procedure, from its files and the gate's rows to a folder that can be passed on."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest

from cineloop.analysis.privacy.blanking import GateRows
from cineloop.analysis.privacy.box import Region
from cineloop.analysis.privacy.deidentify import deidentify
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.analysis.privacy.words import SHEET
from cineloop.analysis.words import CHINESE
from cineloop.errors import PrivacyError
from cineloop.files import sha256_file
from cineloop.video import Video, VideoWriter
from dicom_files import dicom
from privacy_scenes import moving

SIZE = (320, 240)
PLAIN = PrivacySettings(find_text=False, outside_picture=False)


def written(path, frames, fps=5):
    with VideoWriter(path, fps, frames.shape[2:0:-1], keyint=10) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def gate(seconds, outside, *, low=0.05, threshold=0.5, rate=5):
    """Return rows of a gate that is sure: outside is stretches of seconds."""
    times = np.arange(round(seconds * rate)) / rate
    probability = np.full(len(times), low)
    for start, stop in outside:
        probability[(times >= start) & (times < stop)] = 0.97
    return GateRows(times, probability, threshold)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return written(tmp_path_factory.mktemp("recording") / "a.mp4", moving(150))


def test_a_procedure_becomes_a_folder_with_its_log_and_sheet(recording, tmp_path):
    rows = gate(30, [(0, 4), (20, 23)])
    result = deidentify([recording], rows, PLAIN, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"deidentified.mp4", "audit.json", "audit.csv", "review.html"}
    (file,) = result.files
    assert (file.name, file.frames, file.sha256) == (
        "deidentified.mp4",
        150,
        sha256_file(tmp_path / "out/deidentified.mp4"),
    )
    log = json.loads((tmp_path / "out/audit.json").read_text())
    assert log["parts"][0]["sha256"] == sha256_file(recording)
    assert log["parts"][0]["removed"] == result.parts[0].removed == sum(r.last - r.first + 1 for r in result.removed)
    assert log["settings"]["padding"] == 1.0
    assert log["software"]["cineloop"]
    assert result.warnings == ()


def test_the_log_names_frames_times_reasons_and_scores(recording, tmp_path):
    settings = PLAIN.model_copy(update={"masks": (Region.parse("10,20,30,40"),), "padding": 0.6})
    deidentify([recording], gate(30, [(10, 12)]), settings, tmp_path)
    with (tmp_path / "audit.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    told = [(row["reason"], row["first_frame"], row["last_frame"], row["start_seconds"]) for row in rows]
    assert told == [
        ("padding", "46", "48", "9.2"),
        ("outside", "49", "59", "9.8"),
        ("padding", "60", "62", "12.0"),
        ("given region", "0", "149", "0.0"),
    ]
    assert (rows[1]["gate_rows"], rows[1]["score_min"], rows[1]["score_max"]) == ("11", "0.05", "0.97")
    assert float(rows[1]["score_mean"]) == pytest.approx((10 * 0.97 + 0.05) / 11, abs=1e-6)
    assert [rows[3][name] for name in ("x", "y", "width", "height")] == ["10", "20", "30", "40"]
    assert json.loads((tmp_path / "audit.json").read_text())["ranges"][1]["score_max"] == 0.97


def test_without_rows_nothing_is_kept(recording, tmp_path):
    result = deidentify([recording], GateRows(np.zeros(0), np.zeros(0), 0.5), PLAIN, tmp_path)
    assert result.removed_share == 1
    assert {each.reason for each in result.removed} == {"unknown"}
    assert "150 of 150 frames" in str(result.warnings[0])


def test_rows_that_are_too_far_apart_are_told_of(recording, tmp_path):
    result = deidentify([recording], gate(30, [], rate=1), PLAIN, tmp_path)
    assert result.removed_share == 1
    assert "less often" in str(result.warnings[0])


def test_parts_are_written_one_by_one_or_joined(recording, tmp_path):
    second = written(tmp_path / "b.mp4", moving(60, first=150))
    rows = gate(42, [(28, 32)])
    apart = deidentify([recording, second], rows, PLAIN, tmp_path / "apart")
    assert [file.name for file in apart.files] == ["deidentified-000.mp4", "deidentified-001.mp4"]
    assert [file.frames for file in apart.files] == [150, 60]
    assert [part.start for part in apart.parts] == [0, 30]
    # From 26.8 s to 33 s of the procedure: the end of the first part and the beginning of the second.
    assert [(each.part, each.first, each.last) for each in apart.removed] == [
        (0, 134, 138),
        (0, 139, 149),
        (1, 0, 9),
        (1, 10, 14),
    ]
    joined = deidentify([recording, second], rows, PLAIN.model_copy(update={"join": True}), tmp_path / "joined")
    assert [(file.name, file.frames) for file in joined.files] == [("deidentified.mp4", 210)]
    assert joined.removed == apart.removed


def test_dicom_objects_stay_such_unless_a_video_is_asked_for(tmp_path):
    frames = moving(40, (64, 48))
    path = dicom(tmp_path / "a.dcm", frames, "RGB", FrameTime="200")
    rows = gate(8, [(0, 2)])
    result = deidentify([path], rows, PLAIN, tmp_path / "dicom")
    assert [(file.name, file.kind) for file in result.files] == [("deidentified.dcm", "dicom")]
    shown = Video(tmp_path / "dicom/deidentified.dcm")
    assert (shown.frames([20]).pixels[0] == frames[20]).all()
    video = deidentify([path], rows, PLAIN.model_copy(update={"dicom_as": "video"}), tmp_path / "video")
    assert [(file.name, file.kind) for file in video.files] == [("deidentified.mp4", "video")]
    assert video.removed == result.removed


def test_results_that_are_there_are_left_alone(recording, tmp_path):
    (tmp_path / "deidentified.mp4").write_bytes(b"mine")
    with pytest.raises(PrivacyError, match="already there"):
        deidentify([recording], gate(30, []), PLAIN, tmp_path)
    assert (tmp_path / "deidentified.mp4").read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["deidentified.mp4"]


def test_an_interruption_leaves_nothing(recording, tmp_path, monkeypatch):
    import cineloop.analysis.privacy.deidentify as module

    def stops(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_audit", stops)
    with pytest.raises(KeyboardInterrupt):
        deidentify([recording], gate(30, []), PLAIN, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_region_that_does_not_fit_is_said_before_any_work(recording, tmp_path):
    settings = PLAIN.model_copy(update={"masks": (Region.parse("900,0,5,5"),)})
    with pytest.raises(PrivacyError, match="320x240"):
        deidentify([recording], gate(30, []), settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def pictures(html):
    return re.findall(r'alt="Frame (\d+) of part (\d+), (kept|removed)', html)


def test_the_sheet_shows_what_was_kept_and_never_what_was_removed(recording, tmp_path):
    rows = gate(30, [(0, 4), (20, 23), (25.4, 26)])
    rows.probability[75] = 0.24  # nearly: below the release of 0.25
    result = deidentify([recording], rows, PLAIN, tmp_path / "out")
    html = (tmp_path / "out/review.html").read_text()
    assert len(html) < 3_000_000
    removed = {frame for each in result.removed for frame in range(each.first, each.last + 1)}
    shown = pictures(html)
    assert len(shown) > 10
    assert all(what == "kept" and int(frame) not in removed for frame, _, what in shown)
    # The row that came closest stands before edges that are sure.
    assert html.index("0:00:15.0") < html.index("beside what was removed")
    asked = PLAIN.model_copy(update={"review_removed": True})
    deidentify([recording], rows, asked, tmp_path / "asked")
    html = (tmp_path / "asked/review.html").read_text()
    assert any(what == "removed" and int(frame) in removed for frame, _, what in pictures(html))
    assert "as private as the recording itself" in html


def test_a_doubt_without_pictures_says_so_and_a_short_stretch_how_long_it_lasts(recording, tmp_path):
    rows = gate(30, [(0, 4), (9, 14), (18.4, 30)])
    rows.probability[35] = 0.51  # hardly sure, between two that were removed
    deidentify([recording], rows, PLAIN, tmp_path / "out")
    html = (tmp_path / "out/review.html").read_text()
    strips = re.findall(r'<article class="strip">(.*?)</article>', html, re.DOTALL)
    short = [one for one in strips if "between two that were removed" in one]
    assert short
    assert "lasts 2." in short[0] or "lasts 3." in short[0]
    assert [("<img" in one) != ("are not shown" in one) for one in strips] == [True] * len(strips)
    assert any("are not shown" in one for one in strips)


def test_a_sheet_speaks_chinese(recording, tmp_path):
    rows = gate(30, [(0, 4), (20, 23), (25.4, 26)])
    result = deidentify([recording], rows, PLAIN, tmp_path / "zh", language="zh")
    html = (tmp_path / "zh/review.html").read_text()
    assert '<html lang="zh-Hans">' in html
    body = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", html, flags=re.DOTALL)
    body = re.sub(r"<[^>]*>", " ", body[body.index("<body") : body.index("<footer")])
    words = set(re.findall(r"[A-Za-z]{4,}", body))
    assert not words, words
    for english, chinese in SHEET.values():
        assert set(re.findall(r"{(\w+)", english)) == set(re.findall(r"{(\w+)", chinese))
    seldom = deidentify([recording], gate(30, [], rate=1), PLAIN, tmp_path / "seldom", language="zh")
    html, log = (tmp_path / "seldom/review.html").read_text(), json.loads(seldom.audit.read_text())
    assert CHINESE.say(seldom.warnings[0]) in html
    assert log["warnings"] == [str(one) for one in seldom.warnings]
    assert result.warnings == ()


def test_equal_input_gives_equal_logs_and_sheets(recording, tmp_path):
    for name in "ab":
        deidentify([recording], gate(30, [(3, 5)]), PLAIN, tmp_path / name)
    for file in ("audit.json", "audit.csv", "review.html"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
