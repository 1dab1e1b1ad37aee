"""What the seven outputs of a colonoscopy classifier mean."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, softmax

from cineloop.cohort.item import Item
from cineloop.errors import CohortError
from cineloop.models.decision import decide
from cineloop.tasks.frame_classification.labels import CODES, KNOWN, Colonoscopy, Exclusive, decide_states
from cineloop.timeline.quality import LABELS, STATES

LOGITS = arrays(np.float64, (6, 7), elements=st.floats(-60, 60))


def item(label, name="a"):
    return Item(name, name, None, "P", "P", label, None, None, None, 1)


@given(LOGITS)
@settings(max_examples=100, deadline=None)
def test_the_states_share_one_probability(logits):
    probabilities, outputs = Colonoscopy().scores(logits)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-9)
    np.testing.assert_allclose(outputs, expit(logits), atol=1e-15)
    np.testing.assert_allclose(probabilities[:, 0], outputs[:, 0], atol=1e-15)
    readable = (1 - outputs[:, 0]) * (1 - outputs[:, 1])
    scores = softmax(logits[:, 3:], axis=1)
    for score in range(4):
        both = probabilities[:, 2 + score] + probabilities[:, 6 + score]
        np.testing.assert_allclose(both, readable * scores[:, score], atol=1e-9)
    np.testing.assert_allclose(probabilities[:, 6:].sum(1), readable * outputs[:, 2], atol=1e-9)


@given(LOGITS, st.tuples(*[st.floats(0.01, 0.99)] * 3))
@settings(max_examples=100, deadline=None)
def test_a_state_is_what_the_labels_say(logits, thresholds):
    outputs = expit(logits).astype(np.float32)
    states = decide_states(outputs, thresholds)
    labels = decide(torch.from_numpy(outputs), thresholds, ties=False).numpy()
    np.testing.assert_array_equal(CODES[states], labels)


def test_exclusive_classes_are_a_softmax():
    labels = Exclusive(("a", "b", "c"))
    probabilities, outputs = labels.scores(np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, 0.0]]))
    assert outputs is None
    np.testing.assert_allclose(probabilities, softmax([[1, 2, 3], [1000, 0, 0]], axis=1))


def test_targets_are_places_among_all_states():
    (found,) = Colonoscopy().targets([item("ileocecal bbps2")])
    assert KNOWN[found.target] == "ileocecal bbps2"
    assert len(KNOWN) == len(STATES) + 2
    assert CODES.shape == (12, len(LABELS))


def test_labels_that_are_no_states_are_refused_with_all_that_are():
    with pytest.raises(CohortError, match=r"(?s)no states.*'bbps-2'.*outside, nonsense, bbps0.*readable, ileocecal"):
        Colonoscopy().targets([item("bbps-2")])
