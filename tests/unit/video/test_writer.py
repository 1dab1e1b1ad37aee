"""Writing: what is read back is what was written, in time, size and colour; nothing half-written stays."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from cineloop.errors import VideoError
from cineloop.video import Video, VideoWriter
from video_codes import coded_picture, read_code, write_coded_video

CHART = np.array(
    [
        [255, 255, 255],
        [0, 0, 0],
        [128, 128, 128],
        [200, 40, 40],
        [40, 180, 60],
        [40, 60, 200],
        [220, 200, 40],
        [200, 120, 90],
    ],
    np.uint8,
)


def chart(size: tuple[int, int]) -> np.ndarray:
    """Return the colours as vertical bars [H, W, 3]."""
    return np.broadcast_to(np.repeat(CHART, size[0] // 8, axis=0)[None], (size[1], size[0], 3)).copy()


def bars(pixels: np.ndarray) -> np.ndarray:
    """Return the mean colour of the middle of each bar."""
    width = pixels.shape[1] // 8
    return np.array([pixels[8:-8, i * width + 6 : (i + 1) * width - 6].mean((0, 1)) for i in range(8)])


@pytest.mark.parametrize(
    ("suffix", "arguments"),
    [
        ("mp4", {}),
        ("mp4", {"pixel_format": "yuv420p10le"}),
        ("mkv", {"codec": "hevc"}),
        ("webm", {"codec": "vp9"}),
        ("avi", {"codec": "mjpeg", "options": {"qmin": "1", "qmax": "2"}}),
        ("mkv", {"codec": "ffv1"}),
    ],
)
@pytest.mark.parametrize("size", [(256, 144), (1280, 720)])
def test_colours_survive_matrix_range_and_depth(tmp_path, suffix, arguments, size):
    path = tmp_path / f"chart.{suffix}"
    with VideoWriter(path, 25, size, **arguments) as writer:
        for _ in range(2):
            writer.write(chart(size))
    np.testing.assert_allclose(bars(Video(path).frames([1]).pixels[0]), CHART, atol=4)


@pytest.mark.parametrize("arguments", ["", "codec='hevc', ", "codec='vp9', ", "preset='medium', bframes=3, "])
def test_equal_pictures_give_equal_bytes_whatever_lay_in_memory(tmp_path, arguments):
    suffix = "webm" if "vp9" in arguments else "mp4"
    code = (
        "import hashlib, pathlib, sys, numpy as np\n"
        "from cineloop.video import VideoWriter\n"
        "base = np.random.default_rng(0).integers(0, 255, (12, 12, 3), dtype=np.uint8).repeat(8, 0).repeat(9, 1)\n"
        f"with VideoWriter(sys.argv[1], 25, (108, 96), {arguments}) as writer:\n"
        "    for number in range(30):\n"
        "        writer.write(np.roll(base, number, 1))\n"
        "print(hashlib.sha256(pathlib.Path(sys.argv[1]).read_bytes()).hexdigest())\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / f"{fill}.{suffix}")],
            # glibc fills memory with this before it hands it out.
            env={**os.environ, "MALLOC_PERTURB_": str(fill)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for fill in (0, 17, 170)
    }
    assert len(found) == 1


@pytest.mark.parametrize("pixel_format", ["gray", "gray10le"])
def test_grey_levels_survive(tmp_path, pixel_format):
    ramp = np.repeat(np.repeat(np.array([0, 20, 60, 128, 200, 255, 90, 30], np.uint8), 32)[None], 64, axis=0)
    picture = np.repeat(ramp[..., None], 3, axis=2)
    with VideoWriter(tmp_path / "a.mkv", 25, (256, 64), pixel_format=pixel_format) as writer:
        writer.write(picture)
    shown = Video(tmp_path / "a.mkv").frames([0]).pixels[0]
    np.testing.assert_allclose(shown[32, 16::32, 0], ramp[32, 16::32], atol=3)


@pytest.mark.parametrize("matrix", ["ITU709", "ITU601"])
@pytest.mark.parametrize("full", [False, True])
def test_the_stated_matrix_and_range_are_honoured(tmp_path, matrix, full):
    import av

    path = tmp_path / "chart.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 256, 144, "yuv444p"
        context = stream.codec_context
        context.color_range = 2 if full else 1
        context.colorspace = context.color_primaries = context.color_trc = 1 if matrix == "ITU709" else 6
        stream.options = {"crf": "1"}
        frame = av.VideoFrame.from_ndarray(chart((256, 144)), format="rgb24")
        frame = frame.reformat(format="yuv444p", dst_colorspace=matrix, dst_color_range=2 if full else 1)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    np.testing.assert_allclose(bars(Video(path).frames([0]).pixels[0]), CHART, atol=4)


@pytest.mark.parametrize(
    ("suffix", "arguments"),
    [
        ("mp4", {}),
        ("mov", {}),
        ("mkv", {"codec": "hevc"}),
        ("avi", {"codec": "mpeg4"}),
        ("ts", {}),
        ("gif", {"codec": "gif"}),
    ],
)
def test_frames_come_back_in_order(tmp_path, suffix, arguments):
    path = write_coded_video(tmp_path / f"a.{suffix}", 20, **arguments)
    assert [read_code(frame.pixels) for frame in Video(path).stream()] == list(range(20))
    assert Video(path).info.fps == 25


@pytest.mark.parametrize("size", [(161, 121), (160, 121), (33, 32), (2, 2)])
def test_odd_sizes_are_kept(tmp_path, size):
    path = write_coded_video(tmp_path / "a.mp4", 3, size=size)
    assert Video(path).frames([0]).pixels.shape == (1, size[1], size[0], 3)


@pytest.mark.parametrize(
    ("fps", "expected"),
    [(29.97, Fraction(30000, 1001)), (12.5, Fraction(25, 2)), (30, 30), (59.94, Fraction(60000, 1001))],
)
def test_rates_are_the_fractions_that_were_meant(tmp_path, fps, expected):
    path = write_coded_video(tmp_path / "a.mp4", 40, fps=fps)
    assert Video(path).info.fps == expected


def test_the_same_pictures_give_the_same_bytes(tmp_path):
    one = write_coded_video(tmp_path / "a.mp4", 20).read_bytes()
    assert write_coded_video(tmp_path / "b.mp4", 20).read_bytes() == one


def test_an_exception_leaves_nothing(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"what was there")

    def interrupted() -> None:
        with VideoWriter(path, 25, (32, 32)) as writer:
            writer.write(np.zeros((32, 32, 3), np.uint8))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        interrupted()
    assert path.read_bytes() == b"what was there"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_appears_only_when_it_is_complete(tmp_path):
    path = tmp_path / "a.mp4"
    writer = VideoWriter(path, 25, (160, 120))
    writer.write(coded_picture(0))
    assert not path.exists()
    writer.close()
    writer.close()
    assert len(Video(path)) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("a.xyz", {}, "no container"),
        ("a.mp4", {"codec": "h265"}, "Did you mean 'h264'|Unknown codec"),
        ("a.webm", {"codec": "h264"}, "cannot be written here"),
        ("a.mp4", {"pixel_format": "yuv999"}, "cannot be written here"),
        ("a.mp4", {"fps": 0}, "impossible"),
        ("a.mp4", {"size": (0, 4)}, "cannot be 0x4"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(tmp_path, name, arguments, message):
    with pytest.raises(VideoError, match=message):
        VideoWriter(tmp_path / name, **{"fps": 25, "size": (32, 32), **arguments})
    assert list(tmp_path.iterdir()) == []


def test_pictures_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(VideoError, match="shape"), VideoWriter(tmp_path / "a.mp4", 25, (32, 32)) as writer:
        writer.write(np.zeros((16, 32, 3), np.uint8))
    with pytest.raises(VideoError, match="No picture"), VideoWriter(tmp_path / "a.mp4", 25, (32, 32)):
        pass
    black = np.zeros((32, 32, 3), np.uint8)
    with VideoWriter(tmp_path / "a.mp4", 25, (32, 32)) as writer:
        writer.write(black)
        with pytest.raises(VideoError, match="with every picture or with none"):
            writer.write(black, seconds=1.0)
    with VideoWriter(tmp_path / "b.mp4", 25, (32, 32), explicit_times=True) as writer:
        writer.write(black, seconds=1.0)
        with pytest.raises(VideoError, match="does not follow"):
            writer.write(black, seconds=1.0)
