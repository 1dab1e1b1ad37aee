"""Rendering over frames that cannot be decoded: the last picture is repeated, marked, and times stay right."""

from __future__ import annotations

from dataclasses import replace

import av
import numpy as np
import pytest

from cineloop.errors import FrameDecodeError, VideoError
from cineloop.report.render import render
from cineloop.report.render.work import Style
from cineloop.video import Video
from timelines import made_timeline
from video_codes import read_code, variable_times, write_coded_video

SIZE = (160, 120)
FRAMES = 48
KEYINT = 12


def damaged(folder, *groups, flip=False, **writer):
    """Write H.264 of four groups of pictures, and spoil the bytes of every packet of some of them."""
    whole = write_coded_video(folder / "whole.mp4", FRAMES, size=SIZE, keyint=KEYINT, bframes=3, **writer)
    data = bytearray(whole.read_bytes())
    with av.open(str(whole)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for group in groups:
        for start, size in packets[group * KEYINT : (group + 1) * KEYINT]:
            # What a packet is stays readable: a file without its first keyframe would begin with the next one.
            piece = slice(start + size // 2, start + size)
            data[piece] = bytes(byte ^ 0x5A for byte in data[piece]) if flip else bytes(size - size // 2)
    path = folder / "case.mp4"
    path.write_bytes(data)
    with Video(path, threads=1) as video:
        shown = {frame.ref.index for frame in video.stream(on_error="skip")}
    return path, set(range(FRAMES)) - shown


def pictures(path):
    with Video(path) as opened:
        frames = opened.frames(range(len(opened))).pixels
    left = (frames.shape[2] - SIZE[0]) // 2
    return frames[:, : SIZE[1], left : left + SIZE[0]].astype(float)


def check(found, lost):
    """Check that whole frames are themselves, and that the others are the last one before them, grey and dark."""
    last = None
    for frame, picture in enumerate(found):
        if frame not in lost:
            assert read_code(picture) == frame
            last = picture
            continue
        above = slice(0, SIZE[1] - 25)
        if last is None:
            assert picture[above].max() < 30
        else:
            wanted = last[above].mean(axis=-1) * 110 / 256
            assert np.abs(picture[above].mean(axis=-1) - wanted).mean() < 4
            assert np.ptp(picture[above], axis=-1).mean() < 4
        # The line that says so.
        assert picture[SIZE[1] - 25 :].max() > 150


@pytest.mark.parametrize(("groups", "flip"), [((2,), False), ((1,), True), ((0,), True), ((3,), False), ((0, 2), True)])
def test_the_last_picture_is_repeated_marked_until_the_next_that_can_be_decoded(tmp_path, groups, flip):
    path, lost = damaged(tmp_path, *groups, flip=flip)
    assert lost >= {frame for group in groups for frame in range(group * KEYINT, (group + 1) * KEYINT - 3)}
    assert len(lost) < FRAMES
    done = render(made_timeline(FRAMES), path, out=tmp_path / "out.mp4", skip_errors=True)
    assert done.frames == FRAMES
    assert {frame for one in done.lost for frame in range(one.start, one.stop)} == lost
    check(pictures(done.path), lost)
    with Video(done.path) as opened:
        assert opened.info.fps == 25
    first = done.lost[0]
    assert (first.begins, first.ends) == (pytest.approx(first.start / 25), pytest.approx(first.stop / 25))
    assert f"frame {first.start}" in first.reason.lower()
    (note,) = done.notes
    assert note.startswith(f"{len(lost)} of {FRAMES} frames cannot be decoded")
    assert f"frames {first.start} to {first.stop - 1}, {first.begins:.3f} s to {first.ends:.3f} s" in note
    assert ("black" in note) == (0 in lost)


def test_times_of_a_variable_rate_stay_right(tmp_path):
    times = variable_times(FRAMES, start=1.5)
    path, lost = damaged(tmp_path, 2, times=times)
    seconds = [float(time) for time in times]
    timeline = replace(made_timeline(FRAMES), seconds=np.array(seconds))
    done = render(timeline, path, out=tmp_path / "out.mp4", skip_errors=True)
    check(pictures(done.path), lost)
    with Video(done.path) as opened:
        assert [ref.seconds for ref in opened.refs] == pytest.approx(seconds, abs=1e-3)
    (one,) = done.lost
    assert (one.begins, one.ends) == pytest.approx((seconds[one.start], seconds[one.stop]), abs=1e-3)


@pytest.mark.parametrize("style", [Style("corner", "zh"), Style("upstream")])
def test_other_layouts_mark_it_too(tmp_path, style):
    path, lost = damaged(tmp_path, 1)
    done = render(made_timeline(FRAMES), path, out=tmp_path / "out.mp4", style=style, skip_errors=True)
    found = pictures(done.path)
    assert len(found) == FRAMES
    # Where neither layout draws.
    bright = found[:, 65 : SIZE[1] - 25, 20 : SIZE[0] // 2].mean(axis=(1, 2, 3))
    assert bright[sorted(lost)] == pytest.approx(bright[min(lost) - 1] * 110 / 256, rel=0.1)
    assert (found[sorted(lost), SIZE[1] - 25 :].max(axis=(1, 2, 3)) > 150).all()


def test_without_leave_it_is_an_error_that_names_file_and_frame(tmp_path):
    path, lost = damaged(tmp_path, 1)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FrameDecodeError, match=f"Frame {min(lost)} cannot be decoded") as error:
        render(made_timeline(FRAMES), path, out=tmp_path / "out.mp4")
    assert error.value.where == str(path)
    assert "--skip-errors" in error.value.mend
    assert sorted(tmp_path.iterdir()) == before


def test_without_any_picture_there_is_no_video(tmp_path):
    path, lost = damaged(tmp_path, 0, 1, 2, 3)
    assert len(lost) == FRAMES
    before = sorted(tmp_path.iterdir())
    with pytest.raises(VideoError):
        render(made_timeline(FRAMES), path, out=tmp_path / "out.mp4", skip_errors=True)
    assert sorted(tmp_path.iterdir()) == before
