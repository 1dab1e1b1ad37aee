"""What a procedure and its files are called, and what a fingerprint is over."""

from __future__ import annotations

import numpy as np
import pytest

from cineloop.analysis import run
from cineloop.analysis.run import facts_of, fingerprint_of, name_of
from cineloop.analysis.settings import Settings
from cineloop.analysis.sources import parts_of
from cineloop.identity import pseudonym
from cineloop.video import VideoWriter
from cineloop.video.recording import Recording
from made_analysis import parts_of as made_parts


def named(*sources, salt=None, given=None):
    return name_of(sources, parts_of(sources), given=given, salt=salt)


@pytest.fixture
def recorder(tmp_path):
    folder = tmp_path / "2026.03.14"
    for name in ("a1.mp4", "a2.mp4", "b1.MP4", "b2.mp4", "1.2.840.5", "1.2.840.6"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\0")
    return folder


def test_parts_named_one_by_one_are_called_after_the_first(recorder):
    assert named(recorder / "a1.mp4", recorder / "a2.mp4") == "a1"
    assert named(recorder / "b1.MP4", recorder / "b2.mp4") == "b1"
    assert named(recorder / "a1.mp4") == "a1"


def test_names_do_not_depend_on_the_current_folder(recorder, monkeypatch):
    monkeypatch.chdir(recorder)
    assert named("a1.mp4", "a2.mp4") == named("../2026.03.14/a1.mp4", "a2.mp4") == "a1"
    assert named(".") == named(recorder) == named("../2026.03.14/") == "2026.03.14"


def test_a_number_of_dicom_keeps_its_last_part(recorder):
    assert named(recorder / "1.2.840.5") == "1.2.840.5"
    assert named(recorder / "1.2.840.6") == "1.2.840.6"


def test_a_name_is_a_pseudonym_unless_plain_or_given(recorder):
    assert named(recorder / "a1.mp4", salt="s") == pseudonym("a1", "s")
    assert named(recorder, salt="s") == pseudonym("2026.03.14", "s")
    assert named(recorder, salt="s", given="first") == "first"


def test_no_part_of_a_name_is_taken_for_a_suffix(tmp_path):
    path = tmp_path / "clip.mkv"
    with VideoWriter(path, 10, (16, 16), codec="ffv1") as writer:
        for _ in range(3):
            writer.write(np.zeros((16, 16, 3), np.uint8))
    found = {}
    for name in ("Hans.MKV", "Hans.Mueller"):
        (tmp_path / name).write_bytes(path.read_bytes())
        with Recording([tmp_path / name]) as recording:
            [found[name]] = facts_of(recording, salt="s")
    assert found["Hans.MKV"].name == pseudonym("Hans.MKV", "s") + ".mkv"
    assert found["Hans.Mueller"].name == pseudonym("Hans.Mueller", "s")


def test_a_fingerprint_is_over_files_settings_and_the_version(monkeypatch):
    def found(count=1, **settings):
        return fingerprint_of(made_parts(60, count), [], Settings(**settings))

    assert found() == found() == found(language="zh")
    others = {found(), found(2), found(rate=2.0), found(causal=True)}
    monkeypatch.setattr(run, "__version__", "0.0.0+other")
    assert len({*others, found()}) == 5
