"""Rendering a timeline over its video."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from cineloop.errors import TimelineError
from cineloop.report.render import render
from cineloop.report.render.colours import colour_of
from cineloop.report.render.video import render_video
from cineloop.report.render.work import Style
from cineloop.video import Video
from timelines import made_timeline
from video_codes import read_code, variable_times, write_coded_video

SIZE = (160, 120)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_coded_video(tmp_path_factory.mktemp("video") / "a.mp4", 40, size=SIZE)


def codes(path, size=SIZE):
    width, height = size
    with Video(path) as opened:
        pictures = opened.frames(range(len(opened))).pixels
    left = (pictures.shape[2] - width) // 2
    return [read_code(picture[:height, left : left + width]) for picture in pictures]


def test_every_frame_is_there_with_its_own_state(video, tmp_path):
    timeline = made_timeline(40)
    done = render(timeline, video, out=tmp_path / "out.mp4")
    assert (done.frames, done.notes) == (40, ())
    assert codes(done.path) == list(range(40))
    with Video(done.path) as opened:
        assert opened.info.fps == 25
        assert opened.info.height > 120
        pictures = opened.frames(range(40)).pixels[:, 120:].astype(int)
    # The square beside the word for the scope, after compression.
    outside = np.abs(pictures - colour_of("outside", 1)).sum(axis=-1) < 90
    inside = np.abs(pictures - colour_of("outside", 0)).sum(axis=-1) < 60
    chips = slice(22, 43), slice(95, 125)
    states = timeline.filtered["outside"]
    assert {0, 1} == set(states.tolist())
    for frame, state in enumerate(states.tolist()):
        found = (outside if state else inside)[frame][chips]
        assert found.sum() > 20, frame
        if not state:
            assert outside[frame][chips].sum() < 10


@pytest.mark.parametrize("layout", ["corner", "upstream"])
def test_other_layouts_keep_the_size(video, tmp_path, layout):
    done = render(made_timeline(40), video, out=tmp_path / "out.mp4", style=Style(layout=layout))
    with Video(done.path) as opened:
        assert (opened.info.width, opened.info.height, len(opened)) == (*SIZE, 40)


def test_times_of_a_variable_rate_are_kept(tmp_path):
    times = variable_times(20, start=1.5)
    path = write_coded_video(tmp_path / "v.mp4", 20, size=SIZE, times=times)
    with Video(path) as opened:
        seconds = np.array([ref.seconds for ref in opened.refs])
    done = render(replace(made_timeline(20), seconds=seconds), path, out=tmp_path / "out.mp4")
    assert done.notes == ()
    assert codes(done.path) == list(range(20))
    with Video(done.path) as opened:
        assert [ref.seconds for ref in opened.refs] == pytest.approx([float(time) for time in times], abs=1e-3)


def test_rotated_video_and_images_and_odd_sizes(tmp_path):
    turned = write_coded_video(tmp_path / "t.mp4", 6, size=(120, 160), turns=1)
    assert codes(render(made_timeline(6), turned, out=tmp_path / "t-out.mp4").path, (160, 120)) == list(range(6))
    odd = write_coded_video(tmp_path / "odd.mp4", 6, size=(161, 121))
    assert codes(render(made_timeline(6), odd, out=tmp_path / "odd-out.mkv").path, (161, 121)) == list(range(6))
    (tmp_path / "stills").mkdir()
    for number in range(3):
        Image.new("RGB", (160, 120), (80 * number, 90, 100)).save(tmp_path / "stills" / f"{number}.png")
    assert render(made_timeline(3), tmp_path / "stills", out=tmp_path / "s-out.mp4").frames == 3


def test_pixels_that_are_not_square_are_shown_in_proportion(video, tmp_path, monkeypatch):
    path = tmp_path / "wide.mp4"
    path.write_bytes(video.read_bytes())
    with Video(path) as opened:
        info = replace(opened.info, sample_aspect_ratio=Fraction(3, 2))
        monkeypatch.setattr(type(opened), "info", property(lambda _: info))
        done = render_video(made_timeline(40), opened, tmp_path / "out.mp4")
    monkeypatch.undo()
    assert codes(done.path, (240, 120)) == list(range(40))


def test_rows_with_a_stride_are_held(video, tmp_path):
    done = render(made_timeline(40, stride=4), video, out=tmp_path / "out.mp4")
    assert (done.frames, done.notes) == (40, ())


def test_a_timeline_of_another_video_is_refused(video, tmp_path):
    with pytest.raises(TimelineError, match=r"frame 49 \(50 frames\) and the video has 40 frames"):
        render(made_timeline(50), video, out=tmp_path / "out.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("rows", "shown"), [(50, 40), (30, 30)])
def test_the_published_layout_ends_with_the_shorter_one_and_says_so(video, tmp_path, rows, shown):
    done = render(made_timeline(rows), video, out=tmp_path / "out.mp4", style=Style(layout="upstream"))
    assert done.frames == shown
    assert done.notes == (f"the timeline has {rows} frames and the video 40: the first {shown} are shown",)
    assert len(Video(done.path)) == shown
    sparse = render(made_timeline(40, stride=3), video, out=tmp_path / "s.mp4", style=Style(layout="upstream"))
    assert (sparse.frames, sparse.notes) == (40, ())


def test_what_is_odd_is_told(video, tmp_path):
    short = render(made_timeline(30), video, out=tmp_path / "short.mp4")
    assert short.notes == ("the timeline says nothing about the last 10 of 40 frames",)
    assert short.frames == 40
    # Five of six frames were looked at, and the last one is the sixth.
    (rows,) = np.nonzero(np.arange(36) % 6 != 5)
    whole = made_timeline(36)
    uneven = replace(
        whole,
        frames=rows,
        seconds=whole.seconds[rows],
        **{
            kind: {n: row[rows] for n, row in getattr(whole, kind).items()}
            for kind in ("scores", "signals", "filtered")
        },
    )
    first = write_coded_video(tmp_path / "first.mp4", 36, size=SIZE)
    assert render(uneven, first, out=tmp_path / "uneven.mp4").notes == ()
    (remark,) = render(made_timeline(40, rate=30.0), video, out=tmp_path / "rate.mp4").notes
    assert "frame 39 is at 1.300 s in the timeline and 1.560 s in the video" in remark


def test_nothing_is_overwritten(video, tmp_path):
    for name in ("out.mp4", "plot.svg"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(TimelineError, match="already there"):
        render(made_timeline(40), video, out=tmp_path / "out.mp4")
    with pytest.raises(TimelineError, match="already there"), Video(video) as opened:
        render_video(made_timeline(40), opened, tmp_path / "out.mp4")
    with pytest.raises(TimelineError, match="already there"):
        render(made_timeline(40), video, plot=tmp_path / "plot.svg")
    assert {path.read_text() for path in tmp_path.iterdir()} == {"mine"}
    for name in ("out.avi", "out"):
        with pytest.raises(TimelineError, match="not written as"):
            render(made_timeline(40), video, out=tmp_path / name)


class Interrupts:
    """A listener during whose work the user interrupts."""

    def start(self, total, label):
        self.told = 0

    def advance(self, n=1, **fields):
        raise KeyboardInterrupt

    def close(self):
        self.told = None


def test_an_interruption_leaves_no_half_video(video, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        render(made_timeline(40), video, out=tmp_path / "out.mp4", plot=tmp_path / "p.svg", progress=Interrupts())
    assert not list(tmp_path.iterdir())


def test_progress_counts_every_frame(video, tmp_path):
    class Counts(Interrupts):
        def start(self, total, label):
            self.total, self.told = total, 0

        def advance(self, n=1, **fields):
            self.told += n

        def close(self):
            self.closed = True

    counts = Counts()
    render(made_timeline(40), video, out=tmp_path / "out.mp4", progress=counts)
    assert (counts.total, counts.told, counts.closed) == (40, 40, True)


def test_a_timeline_without_signals_is_refused(video, tmp_path):
    empty = replace(made_timeline(40), signals={}, filtered={})
    with pytest.raises(TimelineError, match="no signals to show"):
        render(empty, video, out=tmp_path / "out.mp4")
    assert not list(tmp_path.iterdir())
