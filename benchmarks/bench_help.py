"""How long ``cineloop --help`` takes, as a user waits for it."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from table import Row

PROGRAM = Path(sys.executable).parent / "cineloop"
RUNS = 9


def seconds(*words: str) -> float:
    """Return the median wall time of a call."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run([str(PROGRAM), *words], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def run() -> list[Row]:
    """Time the help of the program and of its verbs."""
    bare = statistics.median([_python() for _ in range(RUNS)])
    rows = []
    for words in (["--help"], ["train", "--help"], ["cohort", "check", "--help"]):
        took = seconds(*words)
        rows.append(
            Row(
                name=f"cineloop {' '.join(words)}",
                ours=f"{took:.3f} s",
                peer=f"python -c pass {bare:.3f} s",
                ratio=took / bare,
                target="under 0.4 s",
                ok=took < 0.4,
                note=f"median of {RUNS} calls",
            )
        )
    return rows


def _python() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began
