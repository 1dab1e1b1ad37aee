"""The likelihood of colonoscopy states under their hierarchy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cineloop.errors import RecipeError
from cineloop.tasks.frame_classification.labels import KNOWN, labels_of
from cineloop.timeline.quality import STATES
from cineloop.training.losses import LOSSES

SPEC = LOSSES.get("hierarchy")
LOGITS = arrays.arrays(np.float64, (len(KNOWN), 7), elements=st.floats(-6, 6, width=32))


def loss(logits, target):
    return SPEC.build(SPEC.Config(), [1] * len(KNOWN))(logits, target)


@settings(deadline=None, max_examples=50)
@given(LOGITS)
def test_it_is_the_logarithm_of_the_probability_that_is_reported(logits):
    probabilities, _ = labels_of("colonoscopy", ()).scores(logits)
    target = np.arange(len(STATES))
    found = loss(torch.from_numpy(logits[: len(STATES)]), torch.from_numpy(target))
    np.testing.assert_allclose(found.numpy(), -np.log(probabilities[target, target]), rtol=1e-4, atol=1e-5)


@settings(deadline=None, max_examples=50)
@given(LOGITS)
def test_a_frame_without_a_score_has_the_likelihood_of_all_scores_together(logits):
    probabilities, _ = labels_of("colonoscopy", ()).scores(logits)
    rows = np.arange(len(STATES), len(KNOWN))
    found = loss(torch.from_numpy(logits[rows]), torch.from_numpy(rows))
    marked = np.array(["ileocecal" in state for state in STATES])
    plain = np.array([state.startswith("bbps") for state in STATES])
    for row, those, value in zip(rows, (plain, marked), found, strict=True):
        assert np.exp(-value.item()) == pytest.approx(probabilities[row, those].sum(), rel=1e-4, abs=1e-6)


def test_what_a_question_is_not_asked_of_moves_nothing():
    logits = torch.zeros(len(KNOWN), 7, requires_grad=True)
    loss(logits, torch.arange(len(KNOWN))).sum().backward()
    gradient = logits.grad
    assert gradient is not None
    outside, nonsense = STATES.index("outside"), STATES.index("nonsense")
    assert (gradient[outside, 1:] == 0).all()
    assert (gradient[nonsense, 2:] == 0).all()
    assert (gradient[KNOWN.index("ileocecal"), 3:] == 0).all()
    assert (gradient[STATES.index("bbps1")] != 0).all()


def test_other_labels_are_refused():
    with pytest.raises(RecipeError, match="belongs to the labels of a colonoscopy frame"):
        SPEC.build(SPEC.Config(), [5, 5])
