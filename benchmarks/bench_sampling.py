"""The page of sampled frames: from a cohort in memory to a file, its size, and how soon a browser has drawn it."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cineloop.cohort import Cohort, tables
from cineloop.report.sampling import Method, Origin, page, plan
from cineloop.video.sampling import FrameSampler, RoundsConfig, SamplingConfig
from table import Row

VIDEOS, RUNS = 500, 5
MODES = ("uniform", "random", "random_window", "clip")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def cohort() -> Cohort:
    """Return a cohort of 500 videos of 5 to some 4,000 frames that do not exist."""
    rng = np.random.default_rng(0)
    frames = np.maximum(5, rng.lognormal(6, 0.8, VIDEOS).astype(int))
    fps = rng.choice([25.0, 30.0, 50.0], VIDEOS)
    split = [("train", "val", "test")[(number % 10 > 5) + (number % 10 > 7)] for number in range(VIDEOS)]
    names = [f"P{number // 3:03d}/clip{number:04d}.mp4" for number in range(VIDEOS)]
    known = {"frames": frames.tolist(), "fps": fps.tolist(), "duration": (frames / fps).tolist()}
    same = {"dataset": "made", "size": 1, "width": 640, "height": 480, "codec": "h264", "truncated": False}
    columns = {name: [same.get(name)] * VIDEOS for name in tables.MEDIA} | known
    columns |= dict.fromkeys(("id", "path", "patient", "procedure", "sha256"), names)
    columns |= {name: [True] * VIDEOS for name in ("patient_known", "procedure_known")}
    label = [number % 2 for number in range(VIDEOS)]
    none = [None] * VIDEOS
    items = {"id": names, "media": names, "start": none, "stop": none, "target": label}
    items |= {"label": [str(number) for number in label]}
    return Cohort(
        "made",
        Path("/nowhere"),
        ("0", "1"),
        tables.make(tables.MEDIA, columns),
        tables.make(tables.ITEMS, items),
        tables.make(tables.SPLITS, {"item": names, "split": split, "fold": none}),
    )


def methods(*, rounds: bool) -> list[Method]:
    """Return the four methods, and ``random_window`` with rounds in training as one more."""

    def fixed(mode: str, augmented: RoundsConfig | None) -> Callable[[str], FrameSampler]:
        config = SamplingConfig(mode=mode)
        return lambda split: FrameSampler(config.model_copy(update={"rounds": augmented if split == "train" else None}))

    plain = [Method(mode, fixed(mode, None)) for mode in MODES]
    return [*plain, Method("with rounds", fixed("random_window", RoundsConfig()))] if rounds else plain


def drawn_after(path: Path) -> float | None:
    """Return the seconds from opening the page to everything drawn, as the page tells; None without a browser."""
    browser = next((name for name in BROWSERS if shutil.which(name)), None)
    if browser is None:
        return None
    with tempfile.TemporaryDirectory() as profile:
        shown = subprocess.run(
            [
                browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-background-networking", f"--user-data-dir={profile}", "--dump-dom", path.as_uri(),
            ],
            capture_output=True, text=True, check=True, timeout=120,
        ).stdout  # fmt: skip
    found = re.search(r'data-drawn="(\d+)"', shown)
    return int(found[1]) / 1000 if found else None


def run() -> list[Row]:
    """Time planning, rendering and drawing."""
    made = cohort()
    rows = []
    for rounds in (False, True):
        took = []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sampling.html"
            for _ in range(RUNS):
                began = time.perf_counter()
                planned = plan(made, methods(rounds=rounds), clock="steady")
                page(planned.samples, Origin("planned", "made", "plain", "a steady clock")).write(path)
                took.append(time.perf_counter() - began)
            megabytes = path.stat().st_size / 1e6
            drawn = [seconds for _ in range(3) if (seconds := drawn_after(path)) is not None]
        seconds = statistics.median(took)
        what = f"page of sampled frames, {VIDEOS} videos x {4 + rounds} methods, {len(planned.samples):,} rows"
        rows.append(
            Row(
                name=what,
                ours=f"{seconds:.2f} s, {megabytes:.2f} MB",
                peer="",
                ratio=None,
                target="under 3 s and 8 MB",
                ok=seconds < 3 and megabytes < 8,
                note=f"from the cohort in memory to the file, median of {RUNS}",
            )
        )
        rows.append(
            Row(
                name=f"the same, drawn by a browser{' with rounds' if rounds else ''}",
                ours=f"{statistics.median(drawn):.2f} s" if drawn else "no browser",
                peer="",
                ratio=None,
                target="under 2 s",
                ok=statistics.median(drawn) < 2 if drawn else None,
                note="headless, from opening to everything drawn, median of 3",
            )
        )
    return rows
