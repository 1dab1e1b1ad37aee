"""TimeSformer against features, tokens and attention of the published implementation."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from types import ModuleType

import numpy as np
import pytest
import torch

from cineloop import models
from cineloop.models.timesformer import TimeSformer
from support import ROOT, shared

PARITY = ROOT.parent / "shared" / "parity"


def _groups() -> dict:
    path = PARITY / "fixtures.json"
    return json.loads(path.read_text()) if path.exists() else {"groups": {}, "suggested_tolerance": {}}


FIXTURES = _groups()
CASES = [
    (group, case["id"])
    for group in ("endofm_small", "endofm_vitb")
    for case in FIXTURES["groups"].get(group, {}).get("cases", ())
] or [("endofm_small", "absent")]


@cache
def _rule() -> ModuleType:
    spec = importlib.util.spec_from_file_location("parity_weights", shared("parity", "weights.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _model(group: str) -> TimeSformer:
    module = models.create("timesformer-vitb16", **FIXTURES["groups"][group]["config"])
    module.load_state_dict(_rule().fill(module.state_dict()))
    return module.eval()


@pytest.mark.parametrize(("group", "case_id"), CASES)
def test_matches_the_published_implementation(group, case_id):
    shared("parity")
    case = next(case for case in FIXTURES["groups"][group]["cases"] if case["id"] == case_id)
    model, tolerance = _model(group), FIXTURES["suggested_tolerance"][group]
    clips = _rule().input_for(case["input"]["name"], tuple(case["input"]["shape"]))
    expected = np.load(PARITY / FIXTURES["groups"][group]["file"])
    with torch.no_grad():
        actual = {"feature": model(clips)}
        if "tokens" in case["outputs"]:
            actual["tokens"] = model.forward_tokens(clips)
        if "last_spatial_attention" in case["outputs"]:
            actual["last_spatial_attention"] = model.last_spatial_attention(clips)
    assert actual.keys() == case["outputs"].keys()
    for name, output in case["outputs"].items():
        np.testing.assert_allclose(actual[name].numpy(), expected[output["array"]], rtol=0, atol=tolerance)


def test_parameters_have_the_published_names_and_shapes():
    shared("parity")
    shapes = {key: list(value.shape) for key, value in _model("endofm_small").state_dict().items()}
    assert shapes == FIXTURES["groups"]["endofm_small"]["state_dict"]


def test_vitb16_has_the_published_size():
    with torch.device("meta"):
        module = models.create("timesformer-vitb16", num_classes=400)
    assert len(module.state_dict()) == 247
    assert sum(parameter.numel() for parameter in module.parameters()) == 121_258_752
