"""The video that is written: every frame, and nothing of the old file but masked pixels and times."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from cineloop.analysis.privacy.blanking import Span
from cineloop.analysis.privacy.box import Box
from cineloop.analysis.privacy.card import GROUND, card
from cineloop.analysis.privacy.mask import Mask, MaskedBox
from cineloop.analysis.privacy.part import divided, shown
from cineloop.analysis.privacy.write import write_video
from cineloop.errors import PrivacyError
from cineloop.video import Video
from video_codes import coded_picture, read_code, variable_times, write_coded_video

SIZE = (160, 120)


def parts_of(paths, spans):
    return divided([Video(path, allow_truncated=True) for path in paths], tuple(spans), [""] * len(paths))


def is_card(pixels):
    blank = card(pixels.shape[1::-1])
    return np.abs(pixels.astype(int) - blank).max() < 60 and np.abs(pixels.astype(int) - blank).mean() < 3


def numbers(video):
    """Return the number that each frame shows, None for a blank one."""
    return [None if is_card(frame.pixels) else read_code(frame.pixels) for frame in video.stream()]


def test_frames_are_kept_and_blanked_as_spans_say(tmp_path):
    write_coded_video(tmp_path / "a.mp4", 60)
    parts = parts_of([tmp_path / "a.mp4"], [Span(0.4, 0.8, "outside"), Span(1.6, 2.0, "unknown")])
    assert write_video(parts, tmp_path / "out.mp4") == 60
    video = Video(tmp_path / "out.mp4")
    blanked = set(range(10, 20)) | set(range(40, 50))
    assert numbers(video) == [None if frame in blanked else frame for frame in range(60)]
    assert np.allclose(video.clock.pts * float(video.clock.time_base), np.arange(60) / 25)


def test_where_removing_begins_and_ends_nothing_refers_across(tmp_path):
    write_coded_video(tmp_path / "a.mp4", 60)
    write_video(parts_of([tmp_path / "a.mp4"], [Span(0.4, 0.8, "outside")]), tmp_path / "out.mp4")
    assert {0, 10, 20} <= set(Video(tmp_path / "out.mp4").keyframes.tolist())
    # A decoder that begins at the keyframe, with nothing before it, shows the card and no shadow of a picture.
    with av.open(str(tmp_path / "out.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        order = sorted(packet.pts for packet in packets)
        begin = next(at for at, packet in enumerate(packets) if packet.pts == order[10])
        end = next(at for at, packet in enumerate(packets) if packet.pts == order[20])
        assert packets[begin].is_keyframe
        assert {packet.pts for packet in packets[begin:end]} == set(order[10:20])
        context = container.streams.video[0].codec_context
        pictures = [frame for packet in packets[begin:end] for frame in context.decode(packet)]
        pictures += context.decode(None)
    assert len(pictures) == 10
    assert all(is_card(picture.to_ndarray(format="rgb24")) for picture in pictures)


def test_a_blank_picture_is_plain_but_for_its_word():
    blank = card((320, 240))
    plain = (blank == GROUND).all(axis=2)
    assert 0.95 < plain.mean() < 0.999
    assert plain[:80].all()
    assert (card((4, 4)) == GROUND).all()


def test_masked_pixels_are_black(tmp_path):
    write_coded_video(tmp_path / "a.mp4", 10)
    (part,) = parts_of([tmp_path / "a.mp4"], [])
    part.mask = Mask(SIZE, (MaskedBox(Box(16, 16, 48, 32), "given"),))
    seen = {}
    write_video([part], tmp_path / "out.mp4", watch=lambda of, frame, pixels: seen.update({(of.number, frame): pixels}))
    for frame in Video(tmp_path / "out.mp4").stream():
        assert frame.pixels[18:46, 18:62].max() < 8
        original = coded_picture(frame.ref.index)[60:].astype(int)
        assert np.abs(frame.pixels[60:] - original).mean() < 8
    assert sorted(seen) == [(0, frame) for frame in range(10)]
    assert all((pixels[16:48, 16:64] == 0).all() for pixels in seen.values())


@pytest.mark.parametrize("late", [0.0, 5.0])
def test_times_that_vary_are_kept_from_zero_on(tmp_path, late):
    times = variable_times(30, late)
    write_coded_video(tmp_path / "a.mkv", 30, times=times)
    parts = parts_of([tmp_path / "a.mkv"], [Span(0.3, 0.5, "outside")])
    write_video(parts, tmp_path / "out.mp4")
    video = Video(tmp_path / "out.mp4")
    expected = [float(time - times[0]) for time in times]
    assert video.clock.pts[0] == 0
    assert np.allclose(video.clock.pts * float(video.clock.time_base), expected, atol=2e-3)
    blanked = [a < 0.5 and b > 0.3 for a, b in zip(expected, [*expected[1:], 99], strict=True)]
    assert [number is None for number in numbers(video)] == blanked


def test_parts_follow_each_other_without_a_gap(tmp_path):
    paths = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    write_coded_video(paths[0], 30)
    write_coded_video(paths[1], 20, fps=Fraction(10))
    parts = parts_of(paths, [Span(1.0, 1.4, "outside")])
    assert [part.start for part in parts] == [0, Fraction(30, 25)]
    assert np.allclose(shown(parts[1].video, parts[1].start), 1.2 + np.arange(21) / 10)
    write_video(parts, tmp_path / "out.mp4")
    video = Video(tmp_path / "out.mp4")
    assert numbers(video) == [*range(25), *[None] * 5, *[None] * 2, *range(2, 20)]
    assert np.allclose(
        video.clock.pts * float(video.clock.time_base), [*np.arange(30) / 25, *(1.2 + np.arange(20) / 10)]
    )


def test_parts_of_two_sizes_are_not_joined(tmp_path):
    write_coded_video(tmp_path / "a.mp4", 5)
    write_coded_video(tmp_path / "b.mp4", 5, size=(320, 240))
    with pytest.raises(PrivacyError, match="sizes"):
        write_video(parts_of([tmp_path / "a.mp4", tmp_path / "b.mp4"], []), tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(("packet", "whole"), [(17, 24), (44, 48)])
def test_frames_that_cannot_be_decoded_become_blank(tmp_path, packet, whole):
    path = tmp_path / "a.mp4"
    write_coded_video(path, 48, keyint=12, bframes=0)
    damage(path, packet)
    (part,) = parts_of([path], [])
    assert write_video([part], tmp_path / "out.mp4") == 48
    shown_numbers = numbers(Video(tmp_path / "out.mp4"))
    assert part.undecodable[packet]
    assert shown_numbers == [None if lost else frame for frame, lost in enumerate(part.undecodable.tolist())]
    assert shown_numbers[: packet // 12 * 12] == list(range(packet // 12 * 12))
    assert shown_numbers[whole:] == list(range(whole, 48))


def damage(path, packet):
    """Overwrite most of a packet's bytes in place."""
    with av.open(str(path)) as container:
        found = [each for each in container.demux(video=0) if each.size][packet]
        position, size = found.pos, found.size
    data = bytearray(path.read_bytes())
    data[position + 4 : position + size] = bytes(np.random.default_rng(0).integers(0, 256, size - 4, dtype=np.uint8))
    path.write_bytes(bytes(data))


def test_a_file_that_ends_early_gives_what_is_there(tmp_path):
    path = tmp_path / "a.mkv"
    write_coded_video(path, 60, keyint=12)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    (part,) = parts_of([path], [Span(0.0, 0.4, "outside")])
    count = write_video([part], tmp_path / "out.mp4")
    assert 20 < count < 60
    assert numbers(Video(tmp_path / "out.mp4")) == [None] * 10 + list(range(10, count))


def test_pictures_keep_their_proportions(tmp_path, monkeypatch):
    write_coded_video(tmp_path / "a.mp4", 5)
    (part,) = parts_of([tmp_path / "a.mp4"], [])
    part.mask = Mask(SIZE, (MaskedBox(Box(0, 0, 40, 30), "given"),))
    monkeypatch.setattr(part.video._source, "_info", replace(part.video.info, sample_aspect_ratio=Fraction(2)))
    write_video([part], tmp_path / "out.mp4")
    video = Video(tmp_path / "out.mp4")
    assert (video.info.width, video.info.height, video.info.sample_aspect_ratio) == (320, 120, 1)
    (frame,) = video.frames([3]).pixels
    assert frame[:28, :76].max() < 12
    assert frame[:28, 84:].min() > 12


def test_what_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    write_coded_video(tmp_path / "a.mp4", 20)
    (part,) = parts_of([tmp_path / "a.mp4"], [])

    def fails(of, frame, pixels):
        if frame == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video([part], tmp_path / "out" / "out.mp4", watch=fails)
    assert list((tmp_path / "out").iterdir()) == []


def test_memory_does_not_grow_with_the_length(tmp_path):
    import tracemalloc

    peaks = []
    for count in (40, 160):
        path = tmp_path / f"{count}.mp4"
        write_coded_video(path, count, size=(320, 240))
        (part,) = parts_of([path], [Span(0.2, 0.6, "outside")])
        part.mask = Mask((320, 240), (MaskedBox(Box(0, 0, 40, 40), "given"),))
        write_video([part], tmp_path / f"out{count}.mp4")
        tracemalloc.start()
        write_video([part], tmp_path / f"again{count}.mp4")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0] + 500_000


def test_the_coded_picture_is_not_a_card():
    assert not is_card(coded_picture(3))
