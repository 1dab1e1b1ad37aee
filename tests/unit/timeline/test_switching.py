"""The filter that leaves edges where they are: the cheapest of all signals, and what follows from that."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cineloop.timeline.median import median_filter
from cineloop.timeline.switching import least_switching

ROWS = st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=10)
KERNELS = st.integers(1, 13)


def cost(states, row, kernel):
    states, row = np.array(states), np.array(row)
    return np.count_nonzero((row >= 0) & (states != row)) + kernel // 2 / 2 * np.count_nonzero(np.diff(states))


def gapless(row, kernel):
    """Return whether no gap parts a row."""
    return np.diff(np.flatnonzero(np.array(row) >= 0)).max(initial=0) <= kernel // 2 + 1


def signal(*lengths):
    """Return runs of these lengths, the first of 0."""
    return np.repeat(np.arange(len(lengths)) % 2, lengths)


@given(ROWS, KERNELS)
def test_no_signal_costs_less(row, kernel):
    found = least_switching(np.array(row), kernel)
    if max(row) < 0:
        assert set(found.tolist()) == {-1}
        return
    assert set(found.tolist()) <= {0, 1}
    if not gapless(row, kernel):
        return

    def ranked(states):
        ones = np.count_nonzero((np.array(row) >= 0) & (np.array(states) == 1))
        return cost(states, row, kernel), np.count_nonzero(np.diff(states)), -ones

    # Frames without a vote may change the state at another place for the same cost.
    assert ranked(found)[0] == min(map(ranked, product((0, 1), repeat=len(row))))[0]
    if min(row) >= 0:
        assert ranked(found) == min(map(ranked, product((0, 1), repeat=len(row))))


@given(ROWS.filter(lambda row: max(row) >= 0), KERNELS)
def test_neither_direction_nor_names_matter_to_the_cost(row, kernel):
    assume(gapless(row, kernel))
    row = np.array(row)
    found = cost(least_switching(row, kernel), row, kernel)
    assert cost(least_switching(row[::-1], kernel)[::-1], row, kernel) == found
    swapped = np.where(row < 0, row, 1 - row)
    assert cost(1 - least_switching(swapped, kernel), row, kernel) == found


@pytest.mark.parametrize(("lengths", "left"), [((30, 13, 30), 3), ((30, 12, 30), 1), ((30, 7), 2), ((30, 6), 1)])
def test_how_long_a_stretch_is_that_stays(lengths, left):
    """Between others as in the median filter, more than half a kernel; at an end more than a quarter."""
    row = signal(*lengths)
    assert np.count_nonzero(np.diff(least_switching(row, 25))) + 1 == left
    assert np.count_nonzero(np.diff(median_filter(row, 25))) + 1 == left


def test_votes_far_apart_do_not_add_up():
    row = np.array([0] * 30 + [1] * 7 + [-1] * 200 + [1] * 6 + [0] * 30)
    # Each side is decided as at an end: 7 rows stay there, and 6 do not.
    assert np.flatnonzero(least_switching(row, 25)[row >= 0]).tolist() == list(range(30, 37))
    near = np.array([0] * 30 + [1] * 7 + [-1] * 12 + [1] * 6 + [0] * 30)
    assert least_switching(near, 25).sum() == 25


def test_of_equals_the_one_with_fewer_changes_is_taken():
    for first, last in ((0, 1), (1, 0)):
        row = np.array([first] * 30 + [last] * 6)
        assert set(least_switching(row, 25).tolist()) == {first}
        assert set(least_switching(row[::-1], 25).tolist()) == {first}


def test_a_clean_edge_stays_also_near_an_end():
    for length in range(7, 30):
        row = signal(length, 60)
        assert np.array_equal(least_switching(row, 25), row)
    # The median filter wears the stay away.
    assert np.flatnonzero(np.diff(median_filter(signal(8, 60), 25))).tolist() != [7]


def test_what_disagrees_near_an_edge_does_not_move_it():
    row = signal(40, 40)
    row[[28, 30, 31, 33]] = 1
    assert np.flatnonzero(np.diff(least_switching(row, 25))).tolist() == [39]
    assert np.flatnonzero(np.diff(median_filter(row, 25))).tolist() != [39]


def test_what_does_not_apply_has_no_vote():
    row = np.array([0] * 9 + [-1] * 20 + [1] * 9)
    assert least_switching(row, 9).tolist() == [0] * 29 + [1] * 9
    assert least_switching(row[::-1], 9).tolist() == [1] * 29 + [0] * 9
    assert least_switching(np.array([-1, -1, 1]), 1).tolist() == [1, 1, 1]
    assert least_switching(np.zeros(0, np.int8), 5).tolist() == []


@given(ROWS)
def test_a_kernel_of_one_changes_nothing(row):
    found, row = least_switching(np.array(row), 1), np.array(row)
    assert np.array_equal(found[row >= 0], row[row >= 0])


@pytest.mark.parametrize(("row", "kernel"), [([0.5], 3), ([[1]], 3), ([2], 3), ([-2], 3), ([1], 0)])
def test_what_is_no_signal_is_refused(row, kernel):
    with pytest.raises(ValueError, match=r"two states|at least 1"):
        least_switching(np.array(row), kernel)
