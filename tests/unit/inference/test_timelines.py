"""Timelines of what a model of frames said: decided as its rows are, and with the thresholds they were decided at."""

from __future__ import annotations

import numpy as np
import pytest

import cineloop
from cineloop.timeline import Timeline
from frame_models import frame_weights
from video_codes import write_coded_video


@pytest.fixture
def video(tmp_path):
    return write_coded_video(tmp_path / "v.mp4", 12)


def test_of_two_classes_the_signal_is_decided_at_the_threshold_of_the_rows(video, tmp_path):
    loaded = frame_weights(tmp_path / "gate.safetensors", labels="exclusive", positive="out_of_body")
    found = cineloop.predict(loaded, [video])
    middle = float(np.median([row.probabilities[1] for row in found.rows]))
    assert abs(middle - 0.5) > 0.001
    result = cineloop.predict(loaded, [video], threshold=middle, timelines=tmp_path / "lines", filtering="none")
    timeline = Timeline.read(tmp_path / "lines" / "v.parquet")
    assert timeline.thresholds == {"out_of_body": middle}
    said = [int(row.label == "out_of_body") for row in result.rows]
    assert set(said) == {0, 1}
    assert timeline.signals["out_of_body"].tolist() == said


def test_of_colonoscopy_labels_three_thresholds_are_told(video, tmp_path):
    loaded = frame_weights(tmp_path / "quality.safetensors")
    for name, given, told in (("chosen", 0.25, 0.25), ("untuned", None, 0.5)):
        cineloop.predict(loaded, [video], threshold=given, timelines=tmp_path / name)
        timeline = Timeline.read(tmp_path / name / "v.parquet")
        assert timeline.thresholds == dict.fromkeys(("outside", "nonsense", "ileocecal"), told)
        assert timeline.signals["outside"].tolist() == (timeline.scores["outside"] >= told).astype(int).tolist()


def test_of_several_classes_the_most_probable_decides_and_there_is_no_threshold(video, tmp_path):
    loaded = frame_weights(tmp_path / "three.safetensors", labels="exclusive", classes=("a", "b", "c"))
    cineloop.predict(loaded, [video], timelines=tmp_path / "lines")
    assert Timeline.read(tmp_path / "lines" / "v.parquet").thresholds == {}
