"""SE-ResNet-50 and its preparation against the published in-body bundle."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
import torch

from cineloop import models
from published import rule
from support import shared


@cache
def _network():
    network = models.create("seresnet50-inbody")
    state = rule().fill(network.state_dict())
    state |= {key: value.abs() + 1 for key, value in state.items() if key.endswith("running_var")}
    network.load_state_dict(state)
    return network.eval()


def _picture(height, width):
    y, x, channel = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    picture = ((x * 3 + y * 5 + channel * 41 + (x * y) // 97) % 251).astype(np.uint8)
    picture[: height // 8] = 0
    return picture


@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_logits_and_input_are_the_published_ones(case):
    described = json.loads(shared("parity", "fixtures_inbody.json").read_text())
    expected = np.load(shared("parity", "inbody_seresnet50.npz"))
    height, width, _ = described["cases"][case]["shape_hwc"]
    network = _network()
    prepared = network.preprocess(_picture(height, width))
    assert tuple(prepared.shape) == (1, 3, 256, 256)
    np.testing.assert_allclose(prepared[:, :, ::16, ::16].numpy(), expected[f"{case}_input_stride16"], atol=1e-5)
    with torch.no_grad():
        logits = network(prepared).numpy()
    np.testing.assert_allclose(logits, expected[f"{case}_logits"], atol=described["tolerance"])
