"""Broken files: a typed error that names the file, or exact frames; never a hang, never noise on the terminal."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from cineloop.errors import EmptyVideoError, FrameDecodeError, TruncatedVideoError, VideoError
from cineloop.video import SkippedRange, Video
from cineloop.video.promise import broken_promise
from video_codes import read_code, write_coded_video

FRAMES = 48
# What is read of each file, in a process of its own: any outcome but exact frames or a typed error fails it.
SURVIVE = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from cineloop.errors import VideoError
    from cineloop.video import Video
    from video_codes import read_code
    for path in sorted(Path(sys.argv[1]).iterdir()):
        outcomes = []
        for allow in (False, True):
            try:
                video = Video(path, threads=2, allow_truncated=allow)
                video.info
                codes = [(f.ref.index, read_code(f.pixels)) for f in video.stream(on_error="skip")]
                assert all(index == code for index, code in codes), (path, codes)
                outcomes.append(f"{len(codes)} frames")
            except VideoError as error:
                assert str(path) in str(error), error
                outcomes.append(type(error).__name__)
        print(path.name, *outcomes, sep="|")
    """
)


def survive(folder: Path) -> dict[str, list[str]]:
    """Read every file of a folder in another process and return what came of each, strictly and leniently."""
    tests = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", SURVIVE, str(folder), str(tests)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return {line.split("|")[0]: line.split("|")[1:] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("variant", ["b-frames", "matroska", "mpeg2-ts", "h264-avi", "gif", "vp9", "mpeg2-ps"])
def test_files_cut_anywhere(coded, variant, tmp_path):
    source = coded(variant)
    data = source.read_bytes()
    for percent in [1, 5, 20, 37, 50, 71, 90, 97, 99]:
        (tmp_path / f"{percent:02}{source.suffix}").write_bytes(data[: len(data) * percent // 100])
    (tmp_path / f"last-byte{source.suffix}").write_bytes(data[:-1])
    outcomes = survive(tmp_path)
    assert len(outcomes) == 10
    if variant != "mpeg2-ps":  # a program stream promises no length
        for name, (strict, _) in outcomes.items():
            assert strict in {"TruncatedVideoError", "VideoError"}, (name, strict)


def test_an_mp4_that_ends_before_its_table_is_not_said_to_be_readable(coded, tmp_path):
    data = write_coded_video(tmp_path / "whole.mp4", FRAMES, keyint=12, bframes=3).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(TruncatedVideoError, match="no frame of it can be read"):
        Video(cut, allow_truncated=True)


def test_an_mp4_with_its_table_in_front_serves_what_is_there(coded, tmp_path):
    whole = write_coded_video(
        tmp_path / "whole.mp4", FRAMES, keyint=12, bframes=3, container_options={"movflags": "+faststart"}
    )
    data = whole.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(TruncatedVideoError, match="bytes before its 'mdat' box does"):
        Video(cut)
    video = Video(cut, threads=1, allow_truncated=True)
    assert 15 < len(video) < FRAMES
    assert [read_code(frame.pixels) for frame in video.stream()] == list(range(len(video)))
    assert video.info.truncated
    assert video.info.declared_frames == FRAMES


def other_than_video(folder: Path) -> None:
    """Write files that are no video whatever their names say."""
    (folder / "text.mp4").write_text("this is a text file\n" * 200)
    (folder / "zeros.mp4").write_bytes(bytes(10_000))
    (folder / "noise.avi").write_bytes(np.random.default_rng(0).bytes(20_000))
    (folder / "noise.ts").write_bytes(b"\x47" + np.random.default_rng(1).bytes(20_000))
    (folder / "header.mp4").write_bytes(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42")
    (folder / "playlist.m3u8").write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")
    (folder / "concat.txt").write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    (folder / "art.ans").write_text("\x1b[31mhello\x1b[0m\n" * 50)


def test_files_that_are_no_video(tmp_path):
    other_than_video(tmp_path)
    for name, outcomes in survive(tmp_path).items():
        assert all(outcome.endswith("Error") for outcome in outcomes), (name, outcomes)


def test_an_empty_file_and_a_missing_one(tmp_path):
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(EmptyVideoError, match="0 bytes"):
        Video(tmp_path / "empty.mp4")
    with pytest.raises(VideoError, match="no such file"):
        Video(tmp_path / "missing.mp4")
    (tmp_path / "folder").mkdir()
    with pytest.raises(EmptyVideoError, match="no images"):
        Video(tmp_path / "folder")


def test_sound_without_pictures(tmp_path):
    import av

    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    with pytest.raises(EmptyVideoError, match="no video stream"):
        Video(path)


def test_a_video_without_a_frame(tmp_path):
    import av

    path = tmp_path / "none.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        container.start_encoding()
    with pytest.raises((EmptyVideoError, VideoError)):
        Video(path)


def damaged(source: Path, target: Path, length: int = 3000) -> Path:
    """Write ``source`` with a piece of its middle overwritten."""
    data = bytearray(source.read_bytes())
    at = len(data) // 2
    data[at : at + length] = np.random.default_rng(3).bytes(length)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("variant", ["b-frames", "open-gop", "mpeg4"])
def test_a_damaged_middle_costs_only_its_group(coded, tmp_path, variant, threads):
    clean = [frame.pixels for frame in Video(coded(variant)).stream()]
    video = Video(damaged(coded(variant), tmp_path / f"damaged{coded(variant).suffix}"), threads=threads)
    assert len(video) == FRAMES
    served = {frame.ref.index: frame.pixels for frame in video.stream(on_error="skip")}
    lost = {i for skipped in video.skipped for i in range(skipped.start, skipped.stop)}
    assert lost
    assert set(served) | lost == set(range(FRAMES))
    assert not set(served) & lost
    assert {0, 5, 11, FRAMES - 1} <= set(served)
    for i, pixels in served.items():
        np.testing.assert_array_equal(pixels, clean[i], err_msg=f"frame {i}")
    worst = min(lost)
    with pytest.raises(FrameDecodeError, match=rf"Frame {worst} cannot be decoded exactly"):
        video.frames([worst])
    with pytest.raises(FrameDecodeError):
        list(video.stream())
    np.testing.assert_array_equal(video.frames([0, FRAMES - 1]).pixels, np.stack([clean[0], clean[-1]]))


@pytest.mark.parametrize("variant", ["b-frames", "no-b-frames", "mpeg4"])
def test_a_damaged_keyframe_asked_for_alone_is_never_served(coded, tmp_path, variant):
    import av

    data = bytearray(coded(variant).read_bytes())
    with av.open(str(coded(variant))) as container:
        keys = [packet for packet in container.demux(video=0) if packet.is_keyframe and packet.size]
        start, size = keys[2].pos, keys[2].size
    piece = slice(start + size // 2, start + size)
    data[piece] = bytes(byte ^ 0x5A for byte in data[piece])
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    # Several threads know of the damage only after the picture has come out, now and then: so several times.
    for threads in (1, 2, 3) * 4:
        with Video(path, threads=threads) as video, pytest.raises(FrameDecodeError, match="Frame 24"):
            video.frames([24])


def test_skipped_frames_are_listed_as_ranges(coded, tmp_path):
    video = Video(damaged(coded("b-frames"), tmp_path / "damaged.mp4"), threads=1)
    list(video.stream(on_error="skip"))
    (skipped,) = video.skipped
    assert isinstance(skipped, SkippedRange)
    assert skipped.stop > skipped.start
    assert "cannot be decoded exactly" in skipped.reason
    list(video.stream(0, 5))
    assert video.skipped == []


def test_a_whole_file_keeps_its_promise(coded):
    for variant in ["b-frames", "matroska", "mpeg2-ts", "h264-avi", "gif", "vp9", "mpeg2-ps", "rotated-270"]:
        assert broken_promise(coded(variant)) is None, variant


def test_padding_behind_a_file_is_no_broken_promise(coded, tmp_path):
    padded = tmp_path / "padded.mp4"
    padded.write_bytes(coded("b-frames").read_bytes() + bytes(4096))
    assert broken_promise(padded) is None
    assert len(Video(padded)) == FRAMES
