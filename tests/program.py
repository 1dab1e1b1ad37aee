"""Running the command line: in this process, which is quick, or as a user does, in a process of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    """How a call ended."""

    returncode: int
    stdout: str
    stderr: str


def call(*words: object, cwd: Path | None = None) -> Done:
    """Run ``cineloop`` with these words in this process; plug-ins, which stay enabled, need :func:`cineloop`."""
    from cineloop.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd or Path.cwd()), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    return Done(code, out.getvalue(), err.getvalue())


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a child: one compute thread, no colours, no network."""
    guard = str(Path(__file__).parent / "offline")
    path = os.pathsep.join(filter(None, [guard, os.environ.get("PYTHONPATH")]))
    own = {"OMP_NUM_THREADS": "1", "NO_COLOR": "1", "PYTHONPATH": path, "CINELOOP_TEST_CHILD": "1"}
    return {**os.environ, **own, **more}


def cineloop(*words: object, cwd: Path | None = None, timeout: float = 600, **more: str) -> Done:
    """Run ``cineloop`` with these words in a process of its own, and wait for it."""
    done = subprocess.run(
        [sys.executable, "-m", "cineloop", *map(str, words)],
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def start(*words: object, cwd: Path | None = None) -> subprocess.Popen:
    """Start ``cineloop`` in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "cineloop", *map(str, words)],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
