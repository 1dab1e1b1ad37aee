"""Run the benchmarks, or those named, and write their table to ``benchmarks/RESULTS.md``.

python benchmarks/run.py [decode loop help bootstrap postfilter render ...]
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from table import Row, markdown

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER / "RESULTS.md"


def machine() -> str:
    """Return one line about where the figures come from."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "av", "numpy"))
    today = datetime.now(UTC).date().isoformat()
    return f"{today}; {os.cpu_count()} cores, {platform.machine()}; Python {platform.python_version()}, {versions}."


def main(names: list[str]) -> int:
    """Run the benchmarks called ``names``, all of them for none; return 1 if a target was missed."""
    known = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    unknown = set(names) - set(known)
    if unknown:
        sys.stderr.write(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}\n")
        return 2
    rows: list[Row] = []
    for name in names or known:
        sys.stderr.write(f"{name} ...\n")
        found = importlib.import_module(f"bench_{name}").run()
        rows += found
        sys.stderr.write(markdown(found))
    if not names:
        text = (
            "# Benchmarks\n\nFigures of one run of `make bench`: ratios against a peer measured in the same run, "
            f"interleaved, medians. They depend on the machine; run it on yours.\n\n{machine()}\n\n"
        )
        RESULTS.write_text(text + markdown(rows), encoding="utf-8")
    return int(any(row.ok is False for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
