"""The frames that the published laryngeal classifier writes down, seeds included, for comparing with its records.

They are given under names of their own, because they are not what one would choose: all videos share one seed, so equal
lengths give equal "random" frames, and a random window is one run of consecutive frames. NumPy's legacy generator is
used as it was.
"""

from __future__ import annotations

import numpy as np

from cineloop.video.sampling_modes import Indices, Request

_REGIONS = 30


def _short(total: int, frames: int) -> Indices:
    """Return every frame once, then the last one again and again."""
    return np.minimum(np.arange(frames), total - 1)


def _seeded(asked: Request) -> np.random.RandomState:
    round = asked.round
    return np.random.RandomState(asked.seed if round is None else asked.seed + 1000 * asked.position + round)


def upstream_uniform(asked: Request, rng: np.random.Generator) -> Indices:
    """Return every ``total / frames``-th frame from the first on; a round begins that many frames later, modulo."""
    if asked.total <= asked.frames:
        return _short(asked.total, asked.frames)
    stride = asked.total / asked.frames
    offset = 0.0 if asked.round is None else asked.round % stride
    chosen = (offset + stride * np.arange(asked.frames)).astype(np.int64)
    return np.clip(chosen, 0, asked.total - 1)


def upstream_random(asked: Request, rng: np.random.Generator) -> Indices:
    """Return a sorted sample without replacement."""
    if asked.total <= asked.frames:
        return _short(asked.total, asked.frames)
    drawn = _seeded(asked).choice(asked.total, asked.frames, replace=False)
    return np.sort(drawn).astype(np.int64)


def upstream_random_window(asked: Request, rng: np.random.Generator) -> Indices:
    """Return consecutive frames; a round takes one of thirty places in turn."""
    if asked.total <= asked.frames:
        return _short(asked.total, asked.frames)
    last = asked.total - asked.frames
    if asked.round is None:
        start = int(_seeded(asked).randint(0, last + 1))
    else:
        start = min(last, (asked.round % _REGIONS) * max(1, last // _REGIONS))
    return start + np.arange(asked.frames, dtype=np.int64)


def rounds_of_upstream(total: int, frames: int) -> int:
    """Return three for a short video, else half its frames, thirty at most."""
    return 3 if total < 2 * frames else min(_REGIONS, total // 2)
