"""The causal filters."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cineloop.timeline.causal import CausalFilter, CausalMedian, causal_filter, causal_median
from cineloop.timeline.legalise import legalise
from plain_median import looped_causal
from timelines import kernels, state_columns

ROW = st.lists(st.integers(-1, 4), max_size=60)


def streamed(signals, sizes):
    one_by_one = CausalFilter(sizes)
    return np.array([one_by_one.push(column) for column in signals.T]).T


@given(ROW, st.integers(1, 70))
def test_the_median_is_the_plain_loop_at_once_and_one_by_one(row, kernel):
    expected = looped_causal(row, kernel)
    assert causal_median(np.array(row, np.int8), kernel).tolist() == expected
    one_by_one = CausalMedian(kernel)
    assert [one_by_one.push(value) for value in row] == expected


@given(state_columns(), kernels())
def test_a_stream_gives_what_the_whole_sequence_gives(signals, sizes):
    whole = causal_filter(signals, sizes)
    assert whole.dtype == np.int8
    assert (streamed(signals, sizes) == whole).all()
    medians = np.array([looped_causal(row.tolist(), size) for row, size in zip(signals, sizes, strict=True)])
    assert (legalise(medians, signals) == whole.T).all()


@given(state_columns(min_size=2), state_columns(), kernels())
def test_later_frames_never_change_earlier_results(signals, later, sizes):
    before = causal_filter(signals, sizes)
    after = causal_filter(np.concatenate([signals, later], axis=1), sizes)
    assert (after[:, : signals.shape[1]] == before).all()


def test_a_change_shows_after_half_a_window():
    signals = np.array([[0] * 20 + [1] * 20, [0] * 20 + [-1] * 20, [0] * 20 + [-1] * 20, [2] * 20 + [-1] * 20])
    filtered = causal_filter(signals, (9, 1, 1, 1))
    assert int(np.argmax(filtered[0] == 1)) == 24


def test_memory_is_one_window():
    one_by_one = CausalMedian(51)
    rng = np.random.default_rng(0)

    def size():
        held = [one_by_one._window, one_by_one._counts]
        return sum(map(sys.getsizeof, held)), len(one_by_one._window), len(one_by_one._counts)

    for value in rng.integers(-1, 4, 200).tolist():
        one_by_one.push(value)
    settled = size()
    assert settled[1] == 51
    for value in rng.integers(-1, 4, 5_000).tolist():
        one_by_one.push(value)
    assert size()[1] == 51
    assert size()[0] <= settled[0]
    assert size()[2] <= 5


def test_other_shapes_and_kernels_are_refused():
    with pytest.raises(ValueError, match="one for each"):
        CausalFilter((3, 3))
    with pytest.raises(ValueError, match="at least 1"):
        CausalFilter((3, 3, 3, 0))
    with pytest.raises(ValueError, match="4 signals"):
        CausalFilter().push(np.zeros(3, np.int8))
    with pytest.raises(ValueError, match="four are needed"):
        causal_filter(np.zeros((3, 5), np.int8), (1, 1, 1))
