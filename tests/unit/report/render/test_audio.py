"""The sound of a recording beside its rendered pictures: only where it is asked for, as it is, and in time."""

from __future__ import annotations

from dataclasses import replace

import av
import numpy as np
import pytest

from cineloop.errors import VideoError
from cineloop.report.render import render
from cineloop.report.render.work import Style
from cineloop.video import Video
from sounds import sound_of, with_sound
from timelines import made_timeline
from video_codes import variable_times, write_coded_video

FRAMES, SIZE = 100, (64, 48)
AUDIO = Style(audio=True)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_coded_video(tmp_path_factory.mktemp("pictures") / "p.mp4", FRAMES, size=SIZE, keyint=12, bframes=3)


def rendered(path, out, *, style=AUDIO, frames=FRAMES, skip_errors=False):
    with Video(path) as video:
        seconds = np.array([ref.seconds for ref in video.refs])[:frames]
    return render(replace(made_timeline(frames), seconds=seconds), path, out=out, style=style, skip_errors=skip_errors)


def apart(one, other):
    """Return how far the same packets of two files lie apart, in seconds; they must be the same to the byte."""
    assert [packet for _, packet in one] == [packet for _, packet in other]
    return {round(float(second - first), 3) for (first, _), (second, _) in zip(one, other, strict=True)}


def test_sound_is_left_out_where_it_is_not_asked_for(pictures, tmp_path):
    source = with_sound(pictures, tmp_path / "a.mp4")
    assert len(sound_of(source)) > 20
    done = rendered(source, tmp_path / "out.mp4", style=Style())
    assert sound_of(done.path) == []
    assert done.notes == ()


@pytest.mark.parametrize(
    ("codec", "source", "target"),
    [("aac", "mp4", "mp4"), ("libmp3lame", "mp4", "mov"), ("libopus", "mkv", "mp4"), ("pcm_u8", "mov", "mkv")],
)
def test_sound_is_copied_to_the_byte_and_in_time(pictures, tmp_path, codec, source, target):
    path = with_sound(pictures, tmp_path / f"a.{source}", codec=codec)
    done = rendered(path, tmp_path / f"out.{target}")
    assert done.notes == ()
    heard = sound_of(path)
    (shift,) = apart(heard, sound_of(done.path))
    with Video(done.path) as opened:
        # A file that can hold no time before 0 begins with the sound's own lead-in, pictures with it.
        assert shift == pytest.approx(opened.refs[0].seconds, abs=0.002)
        assert len(opened) == FRAMES
    with av.open(str(done.path)) as container:
        assert "Example" not in str(dict(container.metadata)) + str(dict(container.streams.audio[0].metadata))


@pytest.mark.parametrize("steady", [True, False])
def test_sound_follows_pictures_that_do_not_begin_at_0(tmp_path, steady):
    times = [7 + frame / 25 for frame in range(FRAMES)] if steady else variable_times(FRAMES, start=7.0)
    pictures = write_coded_video(tmp_path / "p.mp4", FRAMES, size=SIZE, times=times)
    path = with_sound(pictures, tmp_path / "a.mkv", start=7.0)
    done = rendered(path, tmp_path / "out.mp4")
    with Video(path) as before, Video(done.path) as after:
        moved = after.refs[0].seconds - before.refs[0].seconds
    assert moved == pytest.approx(-7 if steady else 0, abs=0.01)
    (shift,) = apart(sound_of(path), sound_of(done.path))
    assert shift == pytest.approx(moved, abs=0.01)


def test_sound_ends_and_begins_with_the_pictures(pictures, tmp_path):
    path = with_sound(pictures, tmp_path / "a.mkv", seconds=9.0, start=0.0)
    done = rendered(path, tmp_path / "out.mp4", style=replace(AUDIO, layout="upstream"), frames=60)
    assert done.frames == 60
    heard = sound_of(done.path)
    assert float(heard[-1][0]) < 60 / 25
    assert float(heard[-1][0]) > 60 / 25 - 0.1
    late = write_coded_video(
        tmp_path / "late.mp4", FRAMES, size=SIZE, times=[3 + frame / 25 for frame in range(FRAMES)]
    )
    path = with_sound(late, tmp_path / "b.mkv", seconds=7.0)
    heard = sound_of(rendered(path, tmp_path / "late-out.mp4").path)
    assert -0.2 < float(heard[0][0]) <= 0


def test_sound_lies_between_the_pictures_it_is_heard_with(tmp_path):
    pictures = write_coded_video(tmp_path / "p.mp4", FRAMES, size=SIZE, fps=4)
    path = with_sound(pictures, tmp_path / "a.mp4")
    done = rendered(path, tmp_path / "out.mp4")
    # Whoever holds back the sound, or reads ahead of the pictures, writes it in one piece.
    with av.open(str(done.path)) as container:
        packets = sorted(
            (packet.pos, packet.stream.type, float(packet.dts * packet.time_base))
            for packet in container.demux()
            if packet.size
        )
    shown = 0.0
    for _, kind, time in packets:
        if kind == "video":
            shown = time
        else:
            assert abs(time - shown) < 2.0


def test_sound_that_the_container_cannot_hold_is_refused(pictures, tmp_path):
    path = with_sound(pictures, tmp_path / "a.mov", codec="pcm_u8")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(VideoError, match=r"The sound is pcm_u8, which \.mp4 cannot hold") as error:
        rendered(path, tmp_path / "out.mp4")
    assert (error.value.where, ".mkv" in error.value.mend) == (str(path), True)
    assert sorted(tmp_path.iterdir()) == before


def test_without_sound_it_is_told(pictures, tmp_path):
    done = rendered(pictures, tmp_path / "out.mp4")
    assert done.notes == ("the recording has no sound",)
    assert sound_of(done.path) == []


def test_sound_stays_in_time_over_frames_that_cannot_be_decoded(pictures, tmp_path):
    path = with_sound(pictures, tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    start, size = packets[36].pos, packets[36].size
    data[start + size // 2 : start + size] = bytes(size - size // 2)
    path.write_bytes(data)
    done = rendered(path, tmp_path / "out.mp4", skip_errors=True)
    assert done.lost
    assert apart(sound_of(path), sound_of(done.path)) == {0.0}
    with Video(done.path) as opened:
        assert len(opened) == FRAMES


def test_of_several_tracks_the_first_is_copied(pictures, tmp_path):
    path = with_sound(pictures, tmp_path / "a.mp4", tracks=2)
    done = rendered(path, tmp_path / "out.mp4")
    apart(sound_of(path), sound_of(done.path))
    with av.open(str(done.path)) as container:
        assert len(container.streams.audio) == 1
