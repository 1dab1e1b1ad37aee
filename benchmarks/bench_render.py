"""Rendering a timeline over a video against transcoding the video with the same encoder."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from cineloop.report.render.video import render_video
from cineloop.video import Video, VideoWriter
from table import Row

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "tests"))

from timelines import made_timeline  # noqa: E402

FRAMES, SIZE, ROUNDS = 500, (1280, 720), 5


def twenty_seconds() -> Path:
    """Return a moving, noisy picture of 1280x720 at 25 frames a second, made on the first call."""
    path = FOLDER / ".cache" / f"twenty-seconds-{SIZE[0]}x{SIZE[1]}.mp4"
    if path.exists():
        return path
    width, height = SIZE
    rng = np.random.default_rng(0)
    wall = np.kron(rng.normal(0, 30, (height // 8 + 40, width // 8 + 40)), np.ones((8, 8)))
    with VideoWriter(path, 25, SIZE, preset="veryfast", crf=20, threads=2) as writer:
        for number in range(FRAMES):
            dy, dx = round(150 + 140 * np.sin(number / 40)), round(150 + 140 * np.cos(number / 30))
            grey = 120 + wall[dy : dy + height, dx : dx + width] + rng.normal(0, 4, (height, width))
            writer.write((grey.clip(0, 255)[..., None] * [1, 0.7, 0.6]).astype(np.uint8))
    return path


def transcode(path: Path, out: Path) -> None:
    """Decode and encode without leaving Y'CbCr, with the encoder's settings of a rendering."""
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        decoded = source.streams.video[0]
        decoded.thread_type = "AUTO"
        encoded = target.add_stream("libx264", rate=25)
        encoded.width, encoded.height, encoded.pix_fmt = *SIZE, "yuv420p"
        encoded.options = {"crf": "20", "preset": "veryfast", "x264-params": "open-gop=0:mbtree=0"}
        encoded.codec_context.thread_count = 0
        for frame in source.decode(decoded):
            frame.pict_type = av.video.frame.PictureType.NONE
            target.mux(encoded.encode(frame))
        target.mux(encoded.encode(None))


def rewrite(path: Path, out: Path) -> None:
    """Read and write with the same reader and writer, and draw nothing."""
    with Video(path) as video, VideoWriter(out, 25, SIZE, crf=20, preset="veryfast", threads=0) as writer:
        for frame in video.stream():
            writer.write(frame.pixels)


def render(path: Path, out: Path) -> None:
    """Render with the default layout."""
    with Video(path) as video:
        render_video(made_timeline(FRAMES), video, out)


def run() -> list[Row]:
    """Time the three, interleaved; processor time is what a busy machine does not distort."""
    path = twenty_seconds()
    work: dict[str, Callable[[Path, Path], None]] = {"render": render, "transcode": transcode, "rewrite": rewrite}
    wall: dict[str, list[float]] = {name: [] for name in work}
    cpu: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, one in work.items():
            with tempfile.TemporaryDirectory() as folder:
                began, spent = time.perf_counter(), time.process_time()
                one(path, Path(folder) / "out.mp4")
                wall[name].append(time.perf_counter() - began)
                cpu[name].append(time.process_time() - spent)
    seconds, spent = ({name: statistics.median(each) for name, each in one.items()} for one in (wall, cpu))
    what = f"{FRAMES} frames of {SIZE[0]}x{SIZE[1]} rendered with a strip"
    how = f"median of {ROUNDS}"
    rates = {name: f"{FRAMES / each:.0f} frames/s" for name, each in seconds.items()}
    ratios = {name: (seconds[name] / seconds["render"], spent[name] / spent["render"]) for name in seconds}
    return [
        Row(what, rates["render"], f"transcoding {rates['transcode']}", ratios["transcode"][0], "", None, how),
        Row(
            what,
            f"{spent['render']:.1f} CPU s",
            f"transcoding {spent['transcode']:.1f} CPU s",
            ratios["transcode"][1],
            "at least 0.5x",
            ratios["transcode"][1] >= 0.5,
            f"{how}; what a busy machine does not distort",
        ),
        Row(
            what,
            f"{spent['render']:.1f} CPU s",
            f"the same reader and writer {spent['rewrite']:.1f} CPU s",
            ratios["rewrite"][1],
            "",
            None,
            f"{how}; the strip has a quarter more pixels",
        ),
    ]
