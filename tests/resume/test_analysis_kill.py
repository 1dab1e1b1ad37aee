"""SIGKILL in the middle of an analysis, then the same command: the result of the uninterrupted one."""

from __future__ import annotations

import json
import os
import signal
import time

import polars as pl
import pytest

from cineloop.video import VideoWriter
from frame_models import frame_weights
from moving_clips import clip, surface
from program import cineloop, start

FPS = 1
# Work is kept every five minutes of video: of this recording three times.
FRAMES = 12 * 60 * FPS


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """An analysis with all that it can write, as words of the command line, without ``--out``."""
    folder = tmp_path_factory.mktemp("recording")
    shown = clip(surface(3), 3, frames=60, size=(96, 80))
    with VideoWriter(folder / "long.mkv", FPS, (96, 80), codec="ffv1") as writer:
        for number in range(FRAMES):
            writer.write(shown[number % len(shown)])
    small = {"img_size": 32, "widths": (8, 8, 16, 16)}
    gate = frame_weights(folder / "gate.safetensors", labels="exclusive", positive="out_of_body", **small)
    quality = frame_weights(folder / "quality.safetensors", **small)
    wanted = ["--inbody", gate.path, "--quality", quality.path, "--overlay", "--deidentify"]
    return ["analyze", folder / "long.mkv", *wanted, "--threads", "1", "--name", "long"]


@pytest.fixture(scope="module")
def whole(command, tmp_path_factory):
    """The uninterrupted analysis."""
    out = tmp_path_factory.mktemp("whole") / "out"
    done = cineloop(*command, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def test_a_scheduler_s_signal_leaves_no_half_written_video(tmp_path, command):
    out = tmp_path / "out"
    begun = start(*command, "--out", out)
    deadline = time.monotonic() + 120
    while not list(out.glob(".*")) and begun.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    begun.terminate()
    _, said = begun.communicate(timeout=60)
    assert begun.returncode == 143, said
    assert b"run the same command again" in said
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == []
    assert (out / "work").is_dir()


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(name, marks=mark)
        for mark, names in (
            (pytest.mark.slow, ("work/00000.npz", "overlay.mp4")),
            (pytest.mark.long, ("work/analysis.json", "work/00001.npz", "audit.json")),
        )
        for name in names
    ],
)
def test_it_goes_on_to_the_same_result(tmp_path, command, whole, after):
    out = tmp_path / "out"
    begun = start(*command, "--out", out)
    deadline = time.monotonic() + 300
    while not (out / after).exists() and begun.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    killed = begun.poll() is None
    os.killpg(begun.pid, signal.SIGKILL)
    begun.communicate()
    assert (out / after).exists()
    # The last of them may be over before the signal comes.
    assert killed or after == "audit.json"
    if killed:
        assert not (out / "report.html").exists() or (out / "work").exists()
        again = cineloop(*command, "--out", out)
        assert again.returncode == 0, again.stderr
    assert {path.name for path in out.iterdir()} == {path.name for path in whole.iterdir()}
    for table in whole.glob("*.parquet"):
        assert pl.read_parquet(out / table.name).equals(pl.read_parquet(table)), table.name
    for video in whole.glob("*.mp4"):
        assert (out / video.name).read_bytes() == video.read_bytes(), video.name
    found, expected = (json.loads((folder / "report.json").read_text()) for folder in (out, whole))
    assert {**found, "made": ""} == {**expected, "made": ""}
