"""Changes of state that go where the picture changes: how far, at what price, and how many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cineloop.timeline.edges import at_changes
from cineloop.timeline.switching import least_switching

KERNELS = st.integers(1, 25)
VOTES = st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=60)


@st.composite
def decided(draw):
    """Return votes, the signal that the filter makes of them, and a kernel."""
    row, kernel = np.array(draw(VOTES)), draw(KERNELS)
    return row, least_switching(row, kernel), kernel


def changes(signal):
    return np.flatnonzero(np.diff(signal)) + 1


def wrong(signal, row):
    return np.count_nonzero((row >= 0) & (signal != row))


def doubtful():
    """Return votes of a way out after which four frames are misread, and of a way in before which four are."""
    return np.array([0] * 40 + [1] * 2 + [0] * 4 + [1] * 40 + [0] * 4 + [1] * 2 + [0] * 40)


def still_but(count, *places):
    still = np.ones(count)
    still[list(places)] = 0
    return still


def test_the_picture_tells_where_the_votes_are_of_two_minds():
    row = doubtful()
    signal = least_switching(row, 25)
    assert changes(signal).tolist() == [46, 86]
    found = at_changes(signal, row, still_but(len(row), 40, 92), 25)
    assert changes(found).tolist() == [40, 92]
    assert found.dtype == np.int8
    # Elsewhere it may change as it likes.
    assert changes(at_changes(signal, row, still_but(len(row), 20, 60, 120), 25)).tolist() == [46, 86]


@pytest.mark.parametrize(("misread", "place"), [(5, 40), (7, 49)])
def test_it_outweighs_a_few_votes_and_no_more(misread, place):
    # A kernel of 25 looks 12 frames to each side: a change amid still pictures costs four votes.
    row = np.array([0] * 40 + [1] * 2 + [0] * misread + [1] * 42)
    found = at_changes(least_switching(row, 25), row, still_but(len(row), 40), 25)
    assert changes(found).tolist() == [place]


@given(decided())
def test_where_nothing_changes_votes_decide_alone(case):
    row, signal, kernel = case
    assert np.array_equal(at_changes(signal, row, np.ones(len(row)), kernel), signal)


@given(decided(), st.data())
def test_as_many_changes_none_far_from_its_place_and_none_dearer(case, data):
    row, signal, kernel = case
    still = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(row), max_size=len(row))))
    found = at_changes(signal, row, still, kernel)
    before, after = changes(signal), changes(found)
    assert len(before) == len(after)
    assert found[0] == signal[0]
    assert (np.abs(after - before) <= kernel // 2).all()
    price = kernel // 2 / 3
    assert wrong(found, row) + price * still[after].sum() <= wrong(signal, row) + price * still[before].sum() + 1e-4


def test_no_stay_vanishes_though_every_vote_speaks_against_it():
    signal = np.array([0] * 20 + [1] * 8 + [0] * 20, np.int8)
    found = at_changes(signal, np.zeros(48, np.int8), np.ones(48), 25)
    assert changes(found).tolist() == [27, 28]


def test_it_keeps_to_frames_that_have_a_vote():
    row = np.array([0] * 30 + [-1] * 6 + [1] * 30)
    signal = least_switching(row, 25)
    found = at_changes(signal, row, still_but(len(row), 33), 25)
    assert changes(found).tolist() == [36]
    far = np.array([0] * 30 + [-1] * 40 + [1] * 30)
    signal = least_switching(far, 25)
    assert changes(at_changes(signal, far, still_but(len(far), 73), 25)).tolist() == [70]
    nothing = np.full(5, -1, np.int8)
    assert at_changes(nothing, nothing, np.zeros(5), 25).tolist() == nothing.tolist()
