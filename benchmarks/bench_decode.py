"""Sampled and sequential decoding of a ten-minute video, against other readers.

The video (H.264, a keyframe every 250 frames, B-frames) is made once and kept in ``benchmarks/.cache``. Each of its
frames shows its number, by which every reader's answer is checked. Readers that are not installed are left out.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from cineloop.video import Video, VideoWriter
from cineloop.video import file as file_module
from cineloop.video.index import IndexCache
from table import Row

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "tests"))

from video_codes import code_cells, read_code  # noqa: E402

FRAMES, SIZE, KEYINT = 15_000, (640, 480), 250
SAMPLED = [round((k + 0.5) * FRAMES / 8) for k in range(8)]
SEQUENTIAL, SMALL = 3_000, (224, 224)
ROUNDS = 7

Reader = Callable[[Path, int], list[np.ndarray]]


def ten_minutes() -> Path:
    """Return the video, made on the first call."""
    path = FOLDER / ".cache" / f"ten-minutes-{SIZE[0]}x{SIZE[1]}.mp4"
    if path.exists():
        return path
    width, height = SIZE
    generator = np.random.default_rng(0)
    coarse = generator.normal(0, 18, (height // 8 + 40, width // 8 + 40))
    rough = np.kron(coarse, np.ones((8, 8))) + generator.normal(0, 4, (height + 320, width + 320))
    texture = rough.clip(-50, 50).astype(np.int16)
    with VideoWriter(path, 25, SIZE, keyint=KEYINT, bframes=3, preset="veryfast", crf=23, threads=2) as writer:
        for number in range(FRAMES):
            dx, dy = round(150 + 140 * np.sin(number / 90)), round(150 + 140 * np.cos(number / 70))
            grey = code_cells(number, SIZE).astype(np.int16) + texture[dy : dy + height, dx : dx + width]
            writer.write(np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2))
    return path


def ours(path: Path, threads: int) -> list[np.ndarray]:
    """Open the video as if for the first time and take the sampled frames."""
    file_module._SURVEYS = IndexCache(limit=1 << 28)
    return list(Video(path, threads=threads).frames(SAMPLED).pixels)


def ours_again(path: Path, threads: int) -> list[np.ndarray]:
    """Take the sampled frames of a video that was opened before."""
    return list(Video(path, threads=threads).frames(SAMPLED).pixels)


def everything(path: Path, threads: int) -> list[np.ndarray]:
    """Decode all frames and keep the sampled ones."""
    wanted, kept = set(SAMPLED), []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count, stream.codec_context.thread_type = threads, "FRAME"
        for number, frame in enumerate(container.decode(stream)):
            if number in wanted:
                kept.append(frame.to_ndarray(format="rgb24"))
    return kept


def peers() -> dict[str, Reader]:
    """Return the other readers that work here."""
    found: dict[str, Reader] = {}
    try:
        import decord

        def with_decord(path: Path, threads: int) -> list[np.ndarray]:
            return list(decord.VideoReader(str(path), num_threads=threads).get_batch(SAMPLED).asnumpy())

        found["decord"] = with_decord
    except (ImportError, OSError, RuntimeError):
        pass
    try:
        import cv2

        def with_opencv(path: Path, threads: int) -> list[np.ndarray]:
            capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, threads])
            pictures = []
            for index in SAMPLED:
                capture.set(cv2.CAP_PROP_POS_FRAMES, index)
                pictures.append(cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB))
            return pictures

        found["OpenCV"] = with_opencv
    except (ImportError, OSError, RuntimeError):
        pass
    try:
        from torchcodec.decoders import VideoDecoder

        def with_torchcodec(mode: str) -> Reader:
            def read(path: Path, threads: int) -> list[np.ndarray]:
                decoder = VideoDecoder(str(path), num_ffmpeg_threads=threads, dimension_order="NHWC", seek_mode=mode)
                return list(decoder.get_frames_at(SAMPLED).data.numpy())

            return read

        found["torchcodec exact"] = with_torchcodec("exact")
        found["torchcodec approximate"] = with_torchcodec("approximate")
    except (ImportError, OSError, RuntimeError):
        pass
    return found


def interleaved(readers: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return each reader's median seconds, all of them run once a round."""
    times: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(rounds):
        for name, read in readers.items():
            began = time.perf_counter()
            read()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in times.items()}


def sampled(path: Path, threads: int) -> list[Row]:
    """Compare taking eight frames."""
    readers: dict[str, Reader] = {"ours": ours, "ours, opened before": ours_again, **peers()}
    wrong = {name for name, read in readers.items() if _codes(read(path, threads)) != SAMPLED}
    assert not wrong & {"ours", "ours, opened before"}
    median = interleaved({name: lambda read=read: read(path, threads) for name, read in readers.items()}, ROUNDS)
    whole = interleaved({"all": lambda: everything(path, threads)}, 1)["all"]
    cost, bound = _decoding(path, threads)
    what, how = f"8 of {FRAMES} frames, threads={threads}", f"opening included, median of {ROUNDS}"
    mine, saved = _ms(median["ours"]), whole / median["ours"]
    rows = [
        Row(what, mine, f"decoding all {_ms(whole)}", saved, "at least 10x", saved >= 10, how),
        Row(what, f"{cost} decoded", f"bound {bound}", cost / bound, "at most 1x", cost <= bound, "keyframe distances"),
    ]
    for name in readers:
        if name in {"ours", "ours, opened before"}:
            continue
        ratio = median[name] / median["ours"]
        note = how + (", **returns other frames**" if name in wrong else "")
        rows.append(Row(what, mine, f"{name} {_ms(median[name])}", ratio, "at least 0.95x", ratio >= 0.95, note))
    again = median["ours, opened before"]
    rows.append(Row(what, _ms(again), f"first opening {mine}", median["ours"] / again, "", None, "index remembered"))
    return rows


def _codes(pictures: list[np.ndarray]) -> list[int]:
    try:
        return [read_code(picture) for picture in pictures]
    except ValueError:
        return []


def _decoding(path: Path, threads: int) -> tuple[int, int]:
    """Return how many pictures were decoded for the sampled frames, and the sum of their keyframe distances."""
    video = Video(path, threads=threads)
    video.frames(SAMPLED)
    keys = video.keyframes
    return video.decoded_frames, sum(i - int(keys[keys <= i][-1]) + 1 for i in SAMPLED)


def sequential(path: Path, threads: int) -> list[Row]:
    """Compare decoding and scaling one frame after the other with FFmpeg's own program."""
    program = shutil.which("ffmpeg")
    width, height = SMALL
    what = f"{SEQUENTIAL} frames in a row, scaled to {width}x{height}, threads={threads}"
    if program is None:
        return [Row(what, "", "ffmpeg", None, "at least 0.9x", None, "ffmpeg is not installed")]
    command = [program, "-v", "error", "-nostdin", "-threads", str(threads), "-i", str(path), "-an"]
    command += ["-vf", f"scale={width}:{height}:flags=bilinear", "-filter_threads", str(threads)]
    command += ["-frames:v", str(SEQUENTIAL), "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]

    def with_ffmpeg() -> None:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            buffer, count = bytearray(width * height * 3), 0
            while process.stdout.readinto(buffer):
                count += 1
        assert count == SEQUENTIAL

    def with_video() -> None:
        stream = Video(path, threads=threads).stream(0, SEQUENTIAL, size=SMALL)
        assert sum(frame.pixels.shape == (height, width, 3) for frame in stream) == SEQUENTIAL

    spent: dict[str, list[float]] = {"ours": [], "ffmpeg": []}

    def counted(name: str, read: Callable[[], None]) -> Callable[[], None]:
        def run_once() -> None:
            before = _cpu_seconds()
            read()
            spent[name].append(_cpu_seconds() - before)

        return run_once

    median = interleaved({"ours": counted("ours", with_video), "ffmpeg": counted("ffmpeg", with_ffmpeg)}, 5)
    cpu = {name: statistics.median(each) for name, each in spent.items()}
    fast, frugal = median["ffmpeg"] / median["ours"], cpu["ffmpeg"] / cpu["ours"]
    rates = {name: f"{SEQUENTIAL / each:.0f} frames/s" for name, each in median.items()}
    how = "bilinear both, FFmpeg's RGB24 through a pipe, median of 5"
    return [
        Row(what, rates["ours"], f"ffmpeg {rates['ffmpeg']}", fast, "at least 0.9x", fast >= 0.9, how),
        Row(
            what,
            f"{cpu['ours']:.1f} CPU s",
            f"ffmpeg {cpu['ffmpeg']:.1f} CPU s",
            frugal,
            "",
            None,
            "what a busy machine does not distort",
        ),
    ]


def _cpu_seconds() -> float:
    """Return the processor time of this process and of its children."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in usage)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def run() -> list[Row]:
    """Measure with one decoder thread and with two."""
    path = ten_minutes()
    rows = []
    for threads in (1, 2):
        rows += sampled(path, threads) + sequential(path, threads)
    return rows
