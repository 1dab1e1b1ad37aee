"""The loss of colonoscopy labels against the published values and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cineloop.errors import RecipeError
from cineloop.tasks.frame_classification.labels import KNOWN
from cineloop.timeline.quality import state_of
from cineloop.training.losses import LOSSES
from published import cases, input_of
from support import shared


def build(weight):
    spec = LOSSES.get("colonoscopy")
    return spec.build(spec.Config(cls_weight=weight), [1] * len(KNOWN))


@pytest.mark.parametrize("case", cases("csra_loss"), ids=lambda case: case["id"])
def test_values_and_gradients_are_the_published_ones(case):
    expected = np.load(shared("parity", "csra_loss.npz"))
    labels = torch.tensor(case["input"]["labels"], dtype=torch.float32)
    loss, logits = build(case["cls_weight"]), input_of(case).requires_grad_()
    parts = {"loc": loss.labels(logits, labels).mean(), "cls": loss.scores(logits, labels).mean()}
    total = parts["loc"] + case["cls_weight"] * parts["cls"]
    total.backward()
    for name, value in {**parts, "total": total, "grad": logits.grad}.items():
        array = expected[case["outputs"][name]["array"]]
        np.testing.assert_allclose(value.detach().numpy(), array, rtol=0, atol=1e-5)
    try:
        target = torch.tensor([KNOWN.index(state_of(code)) for code in case["input"]["labels"]])
    except ValueError:
        # Codes that contradict themselves have a loss, but are no state that a cohort could hold.
        return
    mean = loss(logits, target).sum() / loss.weight(target).sum()
    np.testing.assert_allclose(mean.item(), expected[case["outputs"]["total"]["array"]], rtol=0, atol=1e-5)


def test_the_golden_vector():
    logits = torch.sin(torch.arange(21, dtype=torch.float64)).view(3, 7)
    target = torch.tensor([KNOWN.index(state) for state in ("ileocecal bbps3", "outside", "bbps0")])
    assert build(0.2)(logits, target).mean().item() == pytest.approx(1.011679252457115, abs=2e-7)
    assert build(4.0)(logits, target).mean().item() == pytest.approx(5.776755094923364, abs=2e-6)


def test_other_labels_are_refused():
    spec = LOSSES.get("colonoscopy")
    with pytest.raises(RecipeError, match="belongs to the labels of a colonoscopy frame"):
        spec.build(spec.Config(), [5, 5])
