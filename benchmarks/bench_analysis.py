"""Analysing a long recording: how fast against its own time, and memory against that of a short one.

Two small models look at 5 frames a second of 1280x720 at 25 frames a second. The long recording is the short one again
and again, joined by copying packets. ``CINELOOP_BENCH_MINUTES`` (120) says how long it is.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av

from bench_render import FRAMES, twenty_seconds
from table import Row

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "tests"))

from cineloop.video.recording import Recording  # noqa: E402
from frame_models import frame_weights  # noqa: E402

MINUTES = float(os.environ.get("CINELOOP_BENCH_MINUTES", "120"))
SHORT = 5.0
RATE, LOOKS = 25, 5
THREADS, ROUNDS = (1, 2), 3


def repeated(path: Path, minutes: float) -> Path:
    """Return a recording of so many minutes, made of another's packets on the first call."""
    out = FOLDER / ".cache" / f"{path.stem}-{minutes:g}-minutes.mp4"
    if out.exists():
        return out
    times = round(minutes * 60 * RATE / FRAMES)
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        track = source.streams.video[0]
        copy = target.add_stream_from_template(track)
        step = round(FRAMES / RATE / track.time_base)
        for number in range(times):
            source.seek(0, stream=track)
            for packet in source.demux(track):
                if packet.dts is None:
                    continue
                packet.pts, packet.dts = packet.pts + number * step, packet.dts + number * step
                packet.stream = copy
                target.mux(packet)
    return out


def models(folder: Path) -> list[str]:
    """Write a small gate and a small model of quality, and return how the command names them."""
    frame_weights(folder / "quality.safetensors", "resnet10-csra", img_size=112, widths=(16, 32, 64, 128), csra_heads=2)
    frame_weights(folder / "gate.safetensors", "seresnet-tiny", labels="exclusive", positive="out_of_body", width=12)
    return ["--inbody", str(folder / "gate.safetensors"), "--quality", str(folder / "quality.safetensors")]


def measured(video: Path, given: list[str], out: Path) -> tuple[float, float]:
    """Return seconds and peak memory in MB of one command.

    The kernel counts a child's ``ru_maxrss`` from that of the process which it was spawned from, which here has decoded
    videos. So its own peak is read while it runs.
    """
    words = [sys.executable, "-m", "cineloop", "analyze", str(video), *given, "--out", str(out), "--guideline", "none"]
    began = time.perf_counter()
    child = subprocess.Popen(words)
    peak = 0
    while child.poll() is None:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child.pid}/status").read_text())
        peak = max(peak, int(found[1])) if found else peak
        time.sleep(0.1)
    assert child.returncode == 0
    assert peak
    return time.perf_counter() - began, peak / 1024


def decoded(video: Path, threads: int) -> float:
    """Return the seconds for which the pictures that models would look at are decoded, with no model."""
    began = time.perf_counter()
    with Recording([video], threads=threads) as recording:
        frames = recording.instants(LOOKS).frames
        assert sum(picture.pixels is not None for picture in recording.pictures(frames)) == len(frames)
    return time.perf_counter() - began


def by_ffmpeg(video: Path, threads: int) -> float:
    """Return the seconds for which FFmpeg's libraries decode all frames and give none of them to anybody."""
    began = time.perf_counter()
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count, stream.codec_context.thread_type = threads, "FRAME"
        assert sum(1 for _ in container.decode(stream)) == SHORT * 60 * RATE
    return time.perf_counter() - began


def decoder(video: Path) -> list[Row]:
    """Decode the short recording alone, beside FFmpeg."""
    rows = []
    for threads in THREADS:
        pairs = [(decoded(video, threads), by_ffmpeg(video, threads)) for _ in range(ROUNDS)]
        own, peer = (SHORT * 60 * RATE / statistics.median(each) for each in zip(*pairs, strict=True))
        rows.append(
            Row(
                f"{SHORT:g} min of 1280x720 decoded, threads={threads}",
                f"{own:.0f} frames/s",
                f"FFmpeg {peer:.0f} frames/s",
                own / peer,
                "at least 0.8x",
                own / peer >= 0.8,
                f"{LOOKS} frames a second given out as RGB; FFmpeg's libraries give out none; opening included, "
                f"median of {ROUNDS} interleaved",
            )
        )
    return rows


def run() -> list[Row]:
    """Decode a short recording, and analyse a short and a long one."""
    source = twenty_seconds()
    rows = decoder(repeated(source, SHORT))
    lengths = {"short": SHORT, "long": MINUTES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = models(folder)
        found = {
            title: measured(repeated(source, minutes), given, folder / title) for title, minutes in lengths.items()
        }
    (short, small), (long, large) = found["short"], found["long"]
    what = f"analysis of {MINUTES:g} min of 1280x720 at {RATE} frames/s, gate and quality at 5 frames/s"
    speed, growth = MINUTES * 60 / long, large / small
    linear = (long / MINUTES) / (short / SHORT)
    how = f"whole command; {SHORT:g} min take {short:.0f} s"
    return [
        *rows,
        Row(what, f"{long / 60:.1f} min", "its own time", speed, "at least 1x", speed >= 1, how),
        Row(
            f"{what}, peak memory",
            f"{large:.0f} MB",
            f"{SHORT:g} min {small:.0f} MB",
            growth,
            "at most 1.05x",
            growth <= 1.05,
            "of the process",
        ),
        Row(f"{what}, time a minute", "", f"{SHORT:g} min", linear, "about 1", None, "cost is linear in the length"),
    ]
