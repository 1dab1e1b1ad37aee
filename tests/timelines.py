"""Signals, timelines and the strategies that draw them, for several tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from cineloop.timeline.timeline import Timeline

STATES = [(1, -1, -1, -1), (0, 1, -1, -1), *((0, 0, i, b) for i in (0, 1) for b in range(4))]


def state_columns(min_size=1, max_size=60):
    """Draw signals [4, F] of possible states."""
    columns = st.lists(st.sampled_from(STATES), min_size=min_size, max_size=max_size)
    return columns.map(lambda rows: np.array(rows, np.int8).reshape(-1, 4).T)


def kernels():
    """Draw four kernels."""
    return st.tuples(*[st.integers(1, 12)] * 4)


def labels_of(signals):
    """Return labels [F, 7] whose signals are these [4, F]."""
    rows = np.zeros((signals.shape[1], 7), np.int8)
    for row, (outside, nonsense, ileocecal, score) in zip(rows, signals.T, strict=True):
        row[:3] = [outside == 1, nonsense == 1, ileocecal == 1]
        if score >= 0:
            row[3 + score] = 1
    return rows


def from_runs(*runs):
    """Return a row of ``(value, length)`` runs."""
    return np.concatenate([np.full(length, value) for value, length in runs]).astype(np.int8)


def made_timeline(frames=100, *, stride=1, rate=25.0, filtered=True, source="a.mp4", seed=0):
    """Return a timeline of a short procedure: outside, a bad stretch, an ileocecal one, several scores."""
    from cineloop.timeline.decision import SIGNALS, decide, signals_of
    from cineloop.timeline.legalise import legalise
    from cineloop.timeline.median import median_filter_rows
    from cineloop.timeline.quality import LABELS

    index = np.arange(0, frames, stride)
    share = index / frames
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0, 0.3, (len(index), 7))
    scores[(share < 0.1) | (share > 0.92), 0] += 0.65
    scores[(share > 0.2) & (share < 0.3), 1] += 0.65
    scores[(share > 0.5) & (share < 0.6), 2] += 0.65
    scores[np.arange(len(index)), 3 + (share * 4).astype(int)] += 0.4
    scores = scores.astype(np.float32)
    raw = signals_of(decide(scores))
    clean = legalise(median_filter_rows(raw, (5, 3, 3, 3)), raw).T
    return Timeline(
        source=source,
        frames=index,
        seconds=index / rate,
        scores=dict(zip(LABELS, scores.T, strict=True)),
        signals=dict(zip(SIGNALS, raw, strict=True)),
        filtered=dict(zip(SIGNALS, clean, strict=True)) if filtered else {},
        frame_rate=rate,
    )


def with_holes(timeline, holes):
    """Return a timeline in which some rows' frames, bool [F], could not be decoded."""
    return replace(
        timeline,
        scores={name: np.where(holes, np.nan, row).astype(np.float32) for name, row in timeline.scores.items()},
        signals={name: np.where(holes, -1, row).astype(np.int8) for name, row in timeline.signals.items()},
        filtered={name: np.where(holes, -1, row).astype(np.int8) for name, row in timeline.filtered.items()},
    )
