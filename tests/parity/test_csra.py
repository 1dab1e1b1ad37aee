"""Residual attention, its decisions and both full networks against the published colonoscopy quality control."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from cineloop import models
from cineloop.errors import WeightsError
from cineloop.models.csra import CSRA, TEMPERATURES
from cineloop.models.decision import decide
from cineloop.timeline.quality import thresholds_of
from published import cases, fixtures, input_of, rule
from support import shared

NAMES = {"csra_v2": "vitl16-224-csra", "csra_v3": "vitl14-336-csra"}
ACTIVATIONS = [(group, case["id"]) for group in NAMES for case in cases(group) if case["id"] != "logits"]


@pytest.mark.parametrize("case", cases("csra_head"), ids=lambda case: case["id"])
def test_the_head_gives_the_published_logits(case):
    expected = np.load(shared("parity", "csra_head.npz"))
    head = CSRA(64, 7, heads=case["num_heads"], attention_lambda=case["attention_lambda"])
    head.load_state_dict(rule().fill(head.state_dict()))
    found = head(input_of(case)).detach().numpy()
    np.testing.assert_allclose(found, expected[case["outputs"]["logits"]["array"]], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("heads", "logits"),
    [
        (1, [0.24220918, 0.02389796, -0.20734689]),
        (2, [0.458502, -0.07453091, -0.35100049]),
        (4, [0.12234629, -0.29011832, 0.00633769]),
        (6, [0.26487214, 0.21455486, 0.38759681]),
        (8, [0.80510855, 0.343922, 0.10780208]),
    ],
)
def test_the_head_by_formula(heads, logits):
    head = CSRA(4, 3, heads=heads).double()
    channel, row, column = torch.meshgrid(torch.arange(4), torch.arange(2), torch.arange(3), indexing="ij")
    features = torch.sin(0.7 * (6.0 * channel + 3 * row + column).double())
    label, width = torch.meshgrid(torch.arange(3), torch.arange(4), indexing="ij")
    with torch.no_grad():
        for number, weight in enumerate(head.multi_head.parameters()):
            weight.copy_(torch.cos(0.3 * (4.0 * label + width).double() + number)[:, :, None, None])
        found = head(features[None])[0]
    np.testing.assert_allclose(found.numpy(), logits, atol=2e-7)


def test_heads_have_the_published_temperatures():
    assert {heads: len(values) for heads, values in TEMPERATURES.items()} == {1: 1, 2: 2, 4: 4, 6: 6, 8: 8}


@pytest.mark.parametrize("case", cases("csra_decision"), ids=lambda case: case["id"])
def test_decisions_follow_the_published_hierarchy(case):
    expected = np.load(shared("parity", "csra_decision.npz"))
    probabilities = torch.sigmoid(torch.from_numpy(expected["logits"]))
    names = {name: expected[output["array"]] for name, output in case["outputs"].items()}
    np.testing.assert_allclose(probabilities.numpy(), names["probabilities"], atol=1e-7)
    labels = decide(probabilities, thresholds_of(case["thresholds"]))
    np.testing.assert_array_equal(labels.numpy(), names["labels"])
    single = decide(probabilities, thresholds_of(case["thresholds"]), ties=False)
    assert single[:, 3:].sum(1).max() == 1
    tied = labels[:, 3:].sum(1) > 1
    assert tied.any()
    assert torch.equal(single[~tied], labels[~tied])


@cache
def _network(group):
    rule()
    network = models.create(NAMES[group])
    filled = rule().fill(network.state_dict())
    network.load_state_dict(filled)
    return network.eval()


@pytest.fixture(scope="module", autouse=True)
def _forget_networks():
    yield
    _network.cache_clear()


@cache
def _activated(group):
    case = next(case for case in cases(group) if case["id"] == "activate")
    with torch.no_grad():
        return _network(group).activate(input_of(case))[0]


@pytest.mark.parametrize("group", NAMES)
def test_the_full_network_gives_the_published_logits(group):
    shared("parity")
    expected = np.load(shared("parity", f"{group}.npz"))
    case = next(case for case in cases(group) if case["id"] == "logits")
    with torch.no_grad():
        found = _network(group)(input_of(case)).numpy()
    tolerance = fixtures()["suggested_tolerance"][group]
    np.testing.assert_allclose(found, expected["logits/logits"], rtol=0, atol=tolerance)


@pytest.mark.parametrize(("group", "name"), ACTIVATIONS)
def test_the_full_network_answers_as_published(group, name):
    shared("parity")
    expected = np.load(shared("parity", f"{group}.npz"))
    case = next(case for case in cases(group) if case["id"] == name)
    probabilities = _activated(group)
    if "probabilities" in case["outputs"]:
        logits = torch.logit(probabilities.double()).numpy()
        np.testing.assert_allclose(logits, expected[f"{name}/logits"], rtol=0, atol=2e-4)
        np.testing.assert_allclose(probabilities.numpy(), expected[f"{name}/probabilities"], rtol=0, atol=2e-5)
    labels = decide(probabilities, thresholds_of(case["thresholds"]))
    np.testing.assert_array_equal(labels.numpy(), expected[f"{name}/labels"])


@pytest.mark.parametrize("group", NAMES)
def test_a_published_checkpoint_loads_whole(group, tmp_path):
    state = {f"_orig_mod.{key}": value for key, value in _small(group).state_dict().items()}
    path = tmp_path / "MuLModel_best.ckpt"
    torch.save({"state_dict": state, "epoch": 39, "hyper_parameters": {"num_heads": 8}}, path)
    options = dict(_SMALL[group])
    loaded = models.create(NAMES[group], weights=path, **options)
    first = next(iter(state.values()))
    assert torch.equal(next(iter(loaded.state_dict().values())), first)
    with pytest.raises(WeightsError, match="csra_heads=8"):
        models.create(NAMES[group], weights=path, **options, csra_heads=4)


_SMALL = {
    "csra_v2": {"img_size": 32, "embed_dim": 32, "depth": 2, "num_heads": 2},
    "csra_v3": {"img_size": 28, "embed_dim": 32, "depth": 2, "num_heads": 2},
}


def _small(group):
    return models.create(NAMES[group], **_SMALL[group])
