"""Stretches of time."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cineloop.analysis.spans import common, joined, total, within, without

TICKS = st.integers(0, 40)
SPANS = st.lists(st.tuples(TICKS, TICKS), max_size=6)


def ticks(spans):
    """Return the unit intervals that any of the spans covers."""
    return {tick for start, stop in spans for tick in range(start, stop)}


@hypothesis_settings(deadline=None)
@given(SPANS, SPANS)
def test_stretches_are_sets_of_moments(some, others):
    first, second = joined(some), joined(others)
    assert ticks(first) == ticks(some)
    assert total(first) == len(ticks(some))
    assert all(before[1] < after[0] for before, after in itertools.pairwise(first))
    assert ticks(common(first, second)) == ticks(some) & ticks(others)
    assert ticks(without(first, second)) == ticks(some) - ticks(others)


@hypothesis_settings(deadline=None)
@given(SPANS, st.sets(TICKS, min_size=2))
def test_how_much_of_each_row_lies_in_them(spans, edges):
    edges = np.array(sorted(edges), float)
    counted = within(edges[:-1], edges[1:], joined(spans))
    covered = ticks(spans)
    wanted = [sum(tick in covered for tick in range(int(a), int(b))) for a, b in itertools.pairwise(edges)]
    assert np.allclose(counted, wanted)


def test_parts_of_rows_count_as_parts():
    assert within(np.array([0.0, 1.0]), np.array([1.0, 2.0]), ((0.25, 0.5), (0.75, 1.5))).tolist() == [0.5, 0.5]
    assert within(np.array([0.0]), np.array([1.0]), ()).tolist() == [0]
