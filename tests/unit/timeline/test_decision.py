"""From probabilities to labels and signals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cineloop.timeline.decision import Thresholds, decide, signals_at, signals_of
from cineloop.timeline.quality import state_of

PROBABILITIES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 20), st.just(7)),
    elements=st.sampled_from([0.0, 0.25, 0.4999, 0.5, 0.75, 1.0]),
)
LIMIT = st.sampled_from([0.0, 0.25, 0.5, 1.0])


def test_a_threshold_is_reached_by_being_equal():
    rows = np.array([[0.5, 1, 1, 1, 0, 0, 0], [0.49, 0.5, 1, 1, 0, 0, 0], [0.49, 0.49, 0.5, 0.1, 0.2, 0.3, 0.2]])
    assert decide(rows).tolist() == [[1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 1, 0]]
    third = np.full((1, 7), 0.3, np.float32)
    assert decide(third, Thresholds(outside=0.3)).tolist() == [[1, 0, 0, 0, 0, 0, 0]]


def test_equal_scores_set_one_label_or_as_published_all():
    tied = np.array([[0, 0, 0, 0.2, 0.7, 0.1, 0.7]])
    assert decide(tied).tolist() == [[0, 0, 0, 0, 1, 0, 0]]
    assert decide(tied, ties="upstream").tolist() == [[0, 0, 0, 0, 1, 0, 1]]
    assert signals_of(decide(tied, ties="upstream")).tolist() == [[0], [0], [0], [1]]


@given(PROBABILITIES, LIMIT, LIMIT, LIMIT)
def test_every_decision_is_a_state(probabilities, outside, nonsense, ileocecal):
    thresholds = Thresholds(outside, nonsense, ileocecal)
    labels = decide(probabilities, thresholds)
    for row, code in zip(probabilities, labels, strict=True):
        state = state_of(code.tolist())
        assert (state == "outside") == (row[0] >= outside)
        if state not in ("outside", "nonsense"):
            assert state.startswith("ileocecal") == (row[2] >= ileocecal)
            assert row[3 + int(state[-1])] == row[3:].max()
    published = decide(probabilities, thresholds, ties="upstream")
    assert (published >= labels).all()
    assert (signals_of(published) == signals_of(labels)).all()


def test_signals_do_not_apply_behind_what_suppresses_them():
    labels = np.eye(7, dtype=np.int8)[[0, 1, 3, 6]]
    assert signals_of(labels).T.tolist() == [[1, -1, -1, -1], [0, 1, -1, -1], [0, 0, 0, 0], [0, 0, 0, 3]]
    # Contradicting labels are read from the top, and a readable frame without a score counts as 0.
    odd = np.array([[1, 1, 1, 0, 0, 0, 1], [0, 1, 1, 0, 0, 0, 1], [0, 0, 1, 0, 0, 0, 0]])
    assert signals_of(odd).T.tolist() == [[1, -1, -1, -1], [0, 1, -1, -1], [0, 0, 1, 0]]


@given(PROBABILITIES, LIMIT, st.data())
def test_a_frame_that_could_not_be_decoded_has_no_signal(probabilities, limit, data):
    holes = np.array(data.draw(st.lists(st.booleans(), min_size=len(probabilities), max_size=len(probabilities))), bool)
    thresholds = Thresholds(nonsense=limit)
    holed = np.where(holes[:, None], np.nan, probabilities)
    signals = signals_at(holed, thresholds)
    assert (signals[:, holes] == -1).all()
    assert (signals[:, ~holes] == signals_of(decide(probabilities[~holes], thresholds))).all()


@pytest.mark.parametrize("odd", [np.zeros(7), np.zeros((2, 6)), np.zeros((2, 7), int), np.full((1, 7), 1.5)])
def test_what_are_no_probabilities_is_refused(odd):
    with pytest.raises(ValueError, match="probabilit"):
        decide(odd)
    nan = np.zeros((1, 7))
    nan[0, 4] = np.nan
    with pytest.raises(ValueError, match="probability"):
        decide(nan)


def test_what_are_no_labels_or_thresholds_is_refused():
    with pytest.raises(ValueError, match=r"\[F, 7\]"):
        signals_of(np.zeros((7, 3)))
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        signals_of(np.full((1, 7), 0.5))
    with pytest.raises(ValueError, match="ileocecal"):
        Thresholds(ileocecal=float("nan"))
