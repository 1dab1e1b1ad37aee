"""Each measure against its definition, counted frame by frame."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cineloop.report.sampling import Clip, Sample, Samples, measure, plan, summarise
from sampled import MODES, made_cohort, method, table


@st.composite
def rows(draw):
    total = draw(st.integers(1, 60))
    return total, draw(st.lists(st.integers(0, total - 1), min_size=1, max_size=12))


def longest_run_unseen(total, frames):
    best = run = 0
    for frame in range(total):
        run = 0 if frame in frames else run + 1
        best = max(best, run)
    return best


@given(st.lists(rows(), min_size=1, max_size=6))
def test_measures_are_what_they_are_defined_as(given_rows):
    found = measure(table(*given_rows))
    for number, (total, indices) in enumerate(given_rows):
        ordered, count = sorted(indices), len(indices)
        assert found.span[number] == (ordered[-1] - ordered[0] + 1) / total
        windows = [(Fraction(total * one, count), Fraction(total * (one + 1), count)) for one in range(count)]
        hit = sum(any(low <= frame < high for frame in indices) for low, high in windows)
        assert found.windows[number] == pytest.approx(hit / count)
        gap = longest_run_unseen(total, set(indices))
        assert found.gap[number] == pytest.approx(gap / total)
        assert found.gap_seconds[number] == pytest.approx(gap * 0.1)
        assert found.repeats[number] == count - len(set(indices))
        gaps = np.diff(np.array(ordered) / total)
        if count < 2 or gaps.mean() == 0:
            assert math.isnan(found.variation[number])
        else:
            assert found.variation[number] == pytest.approx(np.std(gaps) / np.mean(gaps))


def test_a_summary_takes_rounds_of_a_video_together():
    clip, other = Clip("a", "train", 10, step=0.5), Clip("b", "val", 4)
    made = Samples.of(
        [
            Sample(clip, "random", (0, 4)),
            Sample(clip, "random", (4, 9), round=1),
            Sample(other, "random", (0, 0)),
            Sample(other, "uniform", (0, 3)),
        ],
        methods=["uniform", "random"],
    )
    uniform, train, val = summarise(made)
    assert (uniform.method, uniform.split, uniform.videos) == ("uniform", "val", 1)
    assert (train.rows, train.videos, train.frames, train.distinct) == (2, 1, 2.0, 0.3)
    assert train.gap == pytest.approx(0.45)
    assert train.gap_seconds_max == 2.5
    assert (val.repeated, val.variation, val.gap_seconds) == (1.0, None, None)


def test_modes_differ_as_they_should():
    planned = plan(made_cohort(), [method(mode) for mode in MODES], clock="steady")
    found = {(row.method, row.split): row for row in summarise(planned.samples)}
    assert len(found) == 12
    assert found["uniform", "train"].windows > found["random", "train"].windows
    assert found["uniform", "train"].variation < found["random_window", "train"].variation
    assert found["random_window", "train"].variation < found["random", "train"].variation
    assert found["clip", "train"].span < found["uniform", "train"].span


def test_nothing_is_nothing():
    empty = Samples.of([])
    assert len(empty) == 0
    assert summarise(empty) == ()
    assert len(measure(empty).span) == 0
