"""The logs of the published quality control."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cineloop.errors import TimelineError
from cineloop.timeline.published import write_model_log, write_post_log
from cineloop.timeline.timeline import Timeline
from cineloop.video import Video
from timelines import made_timeline
from video_codes import write_coded_video


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return Video(write_coded_video(tmp_path_factory.mktemp("video") / "v.mp4", 30, size=(64, 48), fps=12.5))


def test_the_shapes_are_the_published_ones(tmp_path, video):
    timeline = made_timeline(30, rate=12.5, source="v.mp4")
    model = write_model_log(timeline, tmp_path / "a_model_pred.json")
    content = json.loads(model.read_text())
    assert list(content) == ["logit", "label"]
    assert [len(content[key]) for key in content] == [30, 30]
    assert content["label"][0] == [1, 0, 0, 0, 0, 0, 0]
    assert content["logit"][4] == pytest.approx([float(row[4]) for row in timeline.scores.values()])
    assert model.read_text().startswith('{\n  "logit": [\n    [\n')
    post = write_post_log(timeline, tmp_path / "a_post_label.json")
    rows = json.loads(post.read_text())
    assert rows[0] == [1, -1, -1, -1]
    assert np.array(rows).T.tolist() == [row.tolist() for row in timeline.filtered.values()]


def test_what_was_written_is_read_with_the_times_of_the_video(tmp_path, video):
    timeline = made_timeline(30, rate=12.5, source="v.mp4")
    back = Timeline.read(write_model_log(timeline, tmp_path / "m.json"), video=video)
    assert back.equals(replace(timeline, filtered={}))
    back = Timeline.read(write_post_log(timeline, tmp_path / "p.json"), video=video)
    assert back.equals(replace(timeline, scores={}, signals={}))


def test_rows_beyond_the_video_get_times_too(tmp_path, video):
    timeline = Timeline.read(write_post_log(made_timeline(33), tmp_path / "p.json"), video=video)
    assert len(timeline) == 33
    assert timeline.seconds[-1] == pytest.approx(32 / 12.5)


def test_without_the_video_there_are_no_times(tmp_path):
    path = write_post_log(made_timeline(5), tmp_path / "p.json")
    with pytest.raises(TimelineError, match="has no times"):
        Timeline.read(path)


@pytest.mark.parametrize(
    "content",
    [
        [[0, 0, 0]],
        [1, 2, 3, 4],
        [[0, 0, 0, 1], [0, 0]],
        [["a", "b", "c", "d"]],
        [],
        [[0, 0, 0, -2]],
        [[0, 0, 0, 0.5]],
        {"logit": [[0.5] * 7], "label": [[2] * 7]},
        {"logit": [[1.5] * 7], "label": [[0] * 7]},
        {"logit": [[0.5] * 7], "label": [[0] * 7] * 2},
        {"logit": "x", "label": None},
    ],
)
def test_what_is_no_log_is_refused(content, tmp_path, video):
    path = tmp_path / "t.json"
    path.write_text(json.dumps(content))
    with pytest.raises(TimelineError, match="no log"):
        Timeline.read(path, video=video)


def test_a_log_needs_every_frame_and_every_name(tmp_path):
    path = tmp_path / "t.json"
    with pytest.raises(TimelineError, match="every frame"):
        write_model_log(made_timeline(30, stride=2), path)
    with pytest.raises(TimelineError, match=r"filtered .*: outside, nonsense, ileocecal, bbps"):
        write_post_log(made_timeline(30, filtered=False), path)
    timeline = made_timeline(30)
    with pytest.raises(TimelineError, match=r"scores .*: bbps2"):
        write_model_log(replace(timeline, scores={k: v for k, v in timeline.scores.items() if k != "bbps2"}), path)
    assert not path.exists()
