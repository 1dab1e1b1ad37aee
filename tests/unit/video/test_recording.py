"""Several files as one sequence of frames on one clock."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cineloop.errors import VideoError
from cineloop.video import Video, VideoWriter
from cineloop.video.recording import Recording


def write(path, shades, fps=Fraction(25), size=(64, 48), seconds=None):
    with VideoWriter(path, fps, size, codec="ffv1", explicit_times=seconds is not None) as writer:
        for place, shade in enumerate(shades):
            pixels = np.full((size[1], size[0], 3), shade, dtype=np.uint8)
            writer.write(pixels, **({} if seconds is None else {"seconds": seconds[place]}))
    return path


def shades_of(recording, frames):
    return [int(picture.pixels.mean()) for picture in recording.pictures(np.array(frames))]


def test_frames_and_times_go_on_from_part_to_part(tmp_path):
    parts = [write(tmp_path / "a.mkv", range(50)), write(tmp_path / "b.mkv", range(100, 130), fps=Fraction(10))]
    with Recording(parts) as recording:
        assert len(recording) == 80
        assert recording.duration == pytest.approx(2 + 3)
        assert recording.seconds[[0, 49, 50, 51, 79]].tolist() == pytest.approx([0, 1.96, 2.0, 2.1, 4.9])
        assert np.allclose(shades_of(recording, [0, 49, 50, 79]), [0, 49, 100, 129], atol=1)
        assert [recording.part_of(frame).number for frame in (0, 49, 50, 79)] == [0, 0, 1, 1]


def test_a_clock_that_starts_late_starts_at_zero(tmp_path):
    path = write(tmp_path / "late.mkv", range(10), seconds=[3 + place / 10 for place in range(10)])
    with Recording([path]) as recording:
        assert recording.seconds[0] == 0
        assert recording.between(0.2, 0.5) == range(2, 5)


@pytest.mark.parametrize("rate", [5, 2.5, 7, 30, 1 / 3])
@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(4)])
def test_instants_are_those_of_a_stream(tmp_path, rate, fps):
    path = write(tmp_path / "one.mkv", range(90), fps=fps)
    with Recording([path]) as recording, Video(path) as video:
        wanted = [frame.ref.index for frame in video.stream(rate=rate)]
        assert recording.instants(rate).frames.tolist() == wanted


@settings(max_examples=25, deadline=None)
@given(
    cut=st.integers(1, 39),
    rate=st.sampled_from([1.0, 3.0, 5.0, 12.5, 40.0]),
    start=st.integers(0, 39),
    length=st.integers(1, 40),
)
def test_where_files_were_cut_does_not_show(tmp_path_factory, cut, rate, start, length):
    folder = tmp_path_factory.mktemp("cut")
    whole = Recording([write(folder / "whole.mkv", range(40))])
    parts = Recording([write(folder / "a.mkv", range(cut)), write(folder / "b.mkv", range(cut, 40))])
    assert parts.clock.pts.tolist() == whole.clock.pts.tolist()
    one, two = whole.instants(rate), parts.instants(rate)
    assert one.frames.tolist() == two.frames.tolist()
    assert one.numbers.tolist() == two.numbers.tolist()
    # Each instant's frame is the last that has appeared, and no frame comes twice.
    assert (whole.seconds[one.frames] <= one.numbers / rate + 1e-6).all()
    assert len(set(one.frames.tolist())) == len(one.frames)
    stop = min(start + length, 40)
    assert shades_of(parts, range(start, stop)) == shades_of(whole, range(start, stop))


def test_what_cannot_be_decoded_is_told_and_passed(tmp_path):
    good = write(tmp_path / "good.mkv", range(20))
    broken = tmp_path / "broken.mp4"
    with VideoWriter(broken, 25, (64, 48), keyint=5, bframes=0) as writer:
        rng = np.random.default_rng(0)
        for _ in range(20):
            writer.write(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8))
    data = bytearray(broken.read_bytes())
    middle = data.find(b"mdat") + 4 + (len(data) - data.find(b"mdat")) // 2
    data[middle : middle + 300] = bytes(300)
    broken.write_bytes(data)
    with Recording([good, broken]) as recording:
        found = list(recording.pictures(np.arange(40)))
    assert [picture.index for picture in found] == list(range(40))
    lost = [picture.index for picture in found if picture.pixels is None]
    assert lost
    assert min(lost) > 20
    assert max(lost) < 39
    assert all(picture.error is not None for picture in found if picture.pixels is None)


def test_no_file_is_an_error():
    with pytest.raises(VideoError, match="at least one file"):
        Recording([])
