"""Filtered signals as possible states, kernels for a rate, and the whole chain."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cineloop.timeline.legalise import BASE_KERNELS, kernels_for, legalise, postprocess
from cineloop.timeline.median import median_filter_rows
from timelines import STATES, from_runs, kernels, labels_of, state_columns

OUTSIDE = [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0]
NONSENSE = [0, 0, 0, 1, 0, -1, -1, 0, 0, 1, 1, -1, -1, -1, -1, -1, 0, 0, 0, 1]
ILEOCECAL = [0, 0, 0, -1, 0, -1, -1, 0, 0, -1, -1, -1, -1, -1, -1, -1, 1, 1, 0, -1]
BBPS = [2, 2, 3, -1, 2, -1, -1, 1, 1, -1, -1, -1, -1, -1, -1, -1, 3, 3, 3, -1]
SIGNALS = np.array([OUTSIDE, NONSENSE, ILEOCECAL, BBPS], np.int8)


def test_golden_chain_with_odd_kernels():
    filtered = median_filter_rows(SIGNALS, (7, 3, 3, 3))
    assert filtered.tolist() == [
        from_runs((0, 11), (1, 5), (0, 4)).tolist(),
        from_runs((0, 9), (1, 2), (-1, 0), (1, 1), (-1, 3), (0, 5)).tolist(),
        from_runs((0, 10), (-1, 5), (1, 3), (0, 2)).tolist(),
        from_runs((2, 6), (1, 4), (-1, 5), (3, 5)).tolist(),
    ]
    result = postprocess(labels_of(SIGNALS), (7, 3, 3, 3)).T
    assert result.tolist() == [
        from_runs((0, 11), (1, 5), (0, 4)).tolist(),
        from_runs((0, 9), (1, 2), (-1, 5), (0, 4)).tolist(),
        from_runs((0, 9), (-1, 7), (1, 2), (0, 2)).tolist(),
        from_runs((2, 6), (1, 3), (-1, 7), (3, 4)).tolist(),
    ]


def test_golden_chain_with_even_kernels():
    result = postprocess(labels_of(SIGNALS), (8, 4, 4, 4)).T
    assert result.tolist() == [
        from_runs((0, 9), (1, 7), (0, 4)).tolist(),
        from_runs((0, 9), (-1, 7), (0, 4)).tolist(),
        from_runs((0, 9), (-1, 7), (1, 3), (0, 1)).tolist(),
        from_runs((2, 5), (1, 4), (-1, 7), (3, 4)).tolist(),
    ]


def test_a_frame_without_a_score_takes_the_raw_one_or_becomes_nonsense():
    filtered = np.array([[0, 0, 1], [0, 0, 1], [1, 1, 1], [-1, -1, 2]], np.int8)
    raw = np.array([[0, 0, 0], [0, 0, 0], [1, -1, 0], [2, -1, 0]], np.int8)
    before = filtered.copy()
    assert legalise(filtered, raw).tolist() == [[0, 0, 1, 2], [0, 1, -1, -1], [1, -1, -1, -1]]
    assert (filtered == before).all()


@given(state_columns(min_size=2), kernels(), st.data())
def test_a_frame_that_could_not_be_decoded_stays_unknown_and_has_no_vote(signals, sizes, data):
    holes = data.draw(st.lists(st.booleans(), min_size=signals.shape[1], max_size=signals.shape[1]))
    holed = np.where(holes, np.int8(-1), signals)
    filtered = median_filter_rows(holed, sizes)
    result = legalise(filtered, holed)
    assert (result[holes] == -1).all()
    seen = ~np.array(holes)
    assert (result[seen][:, 0] >= 0).all()
    assert (result[seen] == legalise(filtered[:, seen], holed[:, seen])).all()


@given(state_columns(), kernels())
def test_results_are_possible_states_but_for_the_published_exception(signals, sizes):
    result = postprocess(labels_of(signals), sizes)
    for state in map(tuple, result.tolist()):
        if state not in STATES:
            assert state[0] == 0
            assert state[3] >= 0
            assert -1 in state[1:3]
            assert sizes[3] // 2 > min(sizes[1] // 2, sizes[2] // 2)


def test_the_published_exception():
    signals = np.array([[0, 1, 1, 1], [0, -1, -1, -1], [0, -1, -1, -1], [2, -1, -1, -1]], np.int8)
    steady = np.array([[0, 0, 0, 0]] * 4)
    filtered = np.array([[0, 0, 0, 0], [0, -1, -1, -1], [0, -1, -1, -1], [2, 2, 2, 2]], np.int8)
    assert legalise(filtered, signals)[1].tolist() == [0, -1, -1, 2]
    assert legalise(steady, signals).tolist() == steady.tolist()


@given(state_columns())
def test_kernels_of_one_frame_change_nothing(signals):
    assert (signals == postprocess(labels_of(signals), (1, 1, 1, 1)).T).all()


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (25, (121, 51, 51, 51)),
        (50.0, (242, 102, 102, 102)),
        (30, (146, 62, 62, 62)),
        (Fraction(30000, 1001), (146, 62, 62, 62)),
        (29.97, (146, 62, 62, 62)),
        (5, (25, 11, 11, 11)),
        (0.1, (1, 1, 1, 1)),
    ],
)
def test_kernels_follow_the_rate(rate, expected):
    assert kernels_for(rate) == expected


def test_published_kernels_are_those_of_the_published_arithmetic():
    for rate in [*range(1, 241), 7.5, 12.5, 14.985, 23.976, 29.97, 59.94, 119.88]:
        assert kernels_for(rate) == tuple(max(1, math.ceil(rate / 25 * base)) for base in BASE_KERNELS), rate
    # Floating point would give 8 frames here.
    assert kernels_for(7, (25,)) == (7,)


@pytest.mark.parametrize("rate", [0, -5, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(ValueError, match="above 0"):
        kernels_for(rate)


def test_other_shapes_and_kernels_are_refused():
    with pytest.raises(ValueError, match=r"\[4, F\]"):
        legalise(SIGNALS, SIGNALS[:, :3])
    with pytest.raises(ValueError, match="kernels"):
        postprocess(labels_of(SIGNALS), (3, 3, 3))
    with pytest.raises(ValueError, match="at least 1"):
        kernels_for(25, (121, 0))
