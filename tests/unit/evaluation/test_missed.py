"""What slipped through: counted by brute force, bounded honestly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cineloop.evaluation.bootstrap import Resampling
from cineloop.evaluation.missed import exact_upper, missed_of, runs_of
from cineloop.evaluation.predictions import Predictions

RESAMPLING = Resampling(replicates=200)


def made(truth, patients):
    truth = np.asarray(truth)
    return Predictions(
        ids=tuple(f"i{place}" for place in range(len(truth))),
        clusters=tuple(patients),
        targets=truth,
        probabilities=np.eye(2)[truth],
        classes=("in_body", "out_of_body"),
    )


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_counts_are_those_of_a_loop(rows):
    recordings = [f"v{video}" for video, _, _ in rows]
    truth, decided = [one for _, one, _ in rows], np.array([one for _, _, one in rows])
    frames = list(range(len(rows)))
    segments = []
    for name in sorted(set(recordings)):
        held = None
        for place in [place for place in frames if recordings[place] == name]:
            if truth[place] and held is None:
                held = []
                segments.append(held)
            if truth[place]:
                held.append(place)
            else:
                held = None
    found = missed_of(made(truth, recordings), decided, recordings, frames, RESAMPLING)
    if not any(truth):
        assert found is None
        return
    assert sorted(sorted(part.tolist()) for part in runs_of(recordings, frames, np.array(truth) == 1)) == sorted(
        segments
    )
    assert (found.frames.missed, found.frames.of) == (sum(t and not d for _, t, d in rows), sum(truth))
    lost = [part for part in segments if not any(decided[place] for place in part)]
    assert (found.segments.missed, found.segments.of) == (len(lost), len(segments))
    exposed = {name for name, one in zip(recordings, truth, strict=True) if one}
    assert found.patients.of == len(exposed)
    for share in (found.frames, found.segments, found.patients):
        assert share.missed / share.of <= share.upper + 1e-12 <= 1 + 1e-9


def test_frames_are_put_in_order_first():
    recordings, frames = ["a"] * 4, [3, 0, 2, 1]
    parts = runs_of(recordings, frames, np.array([True, True, False, True]))
    assert sorted(sorted(part.tolist()) for part in parts) == [[0], [1, 3]]


def test_nothing_missed_is_bounded_by_the_patients_not_by_the_frames():
    truth = [1] * 1000
    found = missed_of(made(truth, [f"p{place % 20}" for place in range(1000)]), np.ones(1000, int), ["v"] * 1000,
                      range(1000), RESAMPLING)  # fmt: skip
    assert found.frames.missed == 0
    assert found.frames.upper == pytest.approx(1 - 0.05 ** (1 / 20))
    assert found.patients.upper == pytest.approx(found.frames.upper)


def test_the_exact_bound():
    assert exact_upper(0, 60, 0.95) == pytest.approx(0.0487, abs=1e-4)
    assert exact_upper(5, 5, 0.95) == 1.0
    # From its definition: so few misses or fewer have a probability of 0.05 at the bound.
    from scipy.stats import binom

    assert binom.cdf(3, 50, exact_upper(3, 50, 0.95)) == pytest.approx(0.05)
