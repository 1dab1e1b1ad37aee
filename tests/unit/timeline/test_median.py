"""The published median filter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cineloop.timeline.median import median_filter, median_filter_rows
from plain_median import looped

ROW = st.lists(st.integers(-1, 4), max_size=60)


@pytest.mark.parametrize(
    ("kernels", "expected"),
    [
        ((2, 3), [0, 0, 1, 1, 1, 0, 0, 0, 0, -1, -1, 1, 1]),
        ((4, 5), [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1]),
    ],
)
def test_golden_vectors(kernels, expected):
    sequence = np.array([0, 0, 1, 1, 0, 1, 0, 0, -1, -1, -1, -1, 1])
    for kernel in kernels:
        assert median_filter(sequence, kernel).tolist() == expected


@given(ROW, st.integers(1, 70))
def test_it_is_the_plain_loop(row, kernel):
    values = np.array(row, np.int8)
    filtered = median_filter(values, kernel)
    assert filtered.dtype == np.int8
    assert filtered.tolist() == looped(row, kernel)


@given(ROW, st.integers(1, 35))
def test_an_even_kernel_acts_like_the_next_odd_and_one_is_the_identity(row, half):
    values = np.array(row, np.int8)
    assert (median_filter(values, 2 * half) == median_filter(values, 2 * half + 1)).all()
    assert median_filter(values, 1).tolist() == row


def test_values_far_apart_and_other_types():
    assert median_filter(np.array([7, 100, 100, -1, 7], np.int64), 3).tolist() == [7, 100, 100, 7, 7]
    assert median_filter(np.array([7, 100, 7], np.uint8), 3).tolist() == [7, 7, 7]
    assert median_filter(np.array([-1000, 3, -1000]), 3).tolist() == [3, 3, 3]
    assert median_filter(np.zeros(0, np.int8), 5).tolist() == []


def test_each_row_is_filtered_by_itself():
    signals = np.array([[0, 1, 0, 1, 1], [-1, 2, 2, 0, -1]])
    expected = [looped(row.tolist(), kernel) for row, kernel in zip(signals, (3, 1), strict=True)]
    assert median_filter_rows(signals, (3, 1)).tolist() == expected


def test_what_is_no_signal_or_kernel_is_refused():
    row = np.zeros(4, np.int8)
    with pytest.raises(ValueError, match="at least 1 frame"):
        median_filter(row, 0)
    with pytest.raises(ValueError, match="whole numbers"):
        median_filter(np.zeros(4), 3)
    with pytest.raises(ValueError, match="8 bits"):
        median_filter(np.array([200]), 3)
    with pytest.raises(ValueError, match="one a row"):
        median_filter_rows(np.stack([row, row]), (3,))
