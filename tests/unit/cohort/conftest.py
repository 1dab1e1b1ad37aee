"""Layouts of files that stand for videos, and a reader that takes their word for it."""

from __future__ import annotations

import numpy as np
import pytest

from cineloop.cohort.build import build
from cineloop.cohort.probe import Probe
from cineloop.cohort.schema import DataSection
from cineloop.schema import validate


def look(path):
    """Return what a file's name says of it: ``..._broken``, ``..._truncated``; 100 frames at 25 a second else."""
    if "broken" in path.name:
        return Probe(error="it is broken")
    truncated = "truncated" in path.name
    return Probe(
        frames=100,
        fps=25.0,
        width=64,
        height=48,
        duration=4.0,
        codec="h264",
        truncated=truncated,
        error="it is cut short" if truncated else None,
    )


@pytest.fixture
def read():
    """Return a function that reads a cohort by keywords, taking files for videos by their names."""

    def inner(**keywords):
        return build(validate(DataSection, keywords, where="test"), look=look)

    return inner


@pytest.fixture
def layout(tmp_path):
    """Return a function that writes files below a folder: text where given, else bytes made of the name."""

    def inner(files, root="data"):
        folder = tmp_path / root
        for name, content in files.items() if isinstance(files, dict) else ((name, None) for name in files):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content or f"bytes of {name}".encode())
        return folder

    return inner


@pytest.fixture
def endofm(layout):
    """Return a function that writes an endofm layout from (split, patient, clip, label) rows."""

    def inner(rows, root="data", **files):
        lists = {}
        videos = {}
        for split, patient, clip, label in rows:
            name = f"{patient}/{clip}.mp4"
            lists.setdefault(f"splits/{split}.txt", []).append(f"{name},{label}")
            videos[f"videos/{name}"] = files.get(clip)
        return layout({**{name: "\n".join(lines) + "\n" for name, lines in lists.items()}, **videos}, root=root)

    return inner


@pytest.fixture(scope="session")
def textured():
    """Return 20 small frames of a moving texture, uint8 RGB [20, 48, 64, 3]."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 255, (68, 104, 3)).astype(np.uint8)
    return np.stack([texture[number : number + 48, 2 * number : 2 * number + 64] for number in range(20)])
