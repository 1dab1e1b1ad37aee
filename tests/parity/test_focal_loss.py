"""Focal loss against values and gradients of the published implementation."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
import torch

from cineloop.errors import RecipeError
from cineloop.named import choose
from cineloop.training.losses import LOSSES
from support import ROOT, shared

FIXTURES = ROOT.parent / "shared" / "parity" / "fixtures.json"
CASES = json.loads(FIXTURES.read_text())["groups"]["focal_loss"]["cases"] if FIXTURES.exists() else [{"id": "absent"}]


def build(name, classes, case):
    options = {"name": name, "gamma": case["gamma"], "alpha": case["alpha"]}
    chosen = choose(LOSSES, options, where="fixture", key="train.loss")
    return LOSSES.get(name).build(chosen.config, [1] * classes)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_matches_the_published_loss(case):
    folder = shared("parity")
    spec = importlib.util.spec_from_file_location("parity_weights", folder / "weights.py")
    rule = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rule)
    expected = np.load(folder / "focal_loss.npz")
    given = case["input"]
    logits = rule.input_for(given["name"], tuple(given["shape"])) * {"none": 1, "times 2": 2}[given["then"]]
    target = torch.tensor(given["labels"])
    if case["quirk"]:
        # What the published arithmetic does to a third class is refused under the plain name.
        with pytest.raises(RecipeError, match="two classes"):
            build("focal", logits.shape[1], case)
    for name in ("upstream-focal",) if case["quirk"] else ("focal", "upstream-focal"):
        loss, input = build(name, logits.shape[1], case), logits.clone().requires_grad_()
        losses = loss(input, target)
        mean = losses.sum() / loss.weight(target).sum()
        mean.backward()
        found = {"none": losses, "mean": mean, "sum": losses.sum(), "grad": input.grad}
        for output, value in found.items():
            array = expected[case["outputs"][output]["array"]]
            np.testing.assert_allclose(value.detach().numpy(), array, rtol=1e-5, atol=1e-5)
