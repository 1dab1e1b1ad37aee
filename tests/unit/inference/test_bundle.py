"""MONAI bundles from elsewhere are data here: read where they are understood, never run."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from PIL import Image

import cineloop
from bundles import PUBLISHED_STEPS, write_foreign
from cineloop import models
from cineloop.errors import WeightsError
from tiny_frames import picture


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return models.create("seresnet50-inbody").eval()


@pytest.fixture
def bundle(tmp_path, monkeypatch, network):
    monkeypatch.chdir(tmp_path)
    return write_foreign(tmp_path / "bundle", network)


def test_a_published_bundle_predicts_as_its_network_does(tmp_path, bundle, network):
    pixels = picture(0, seed=3, size=(90, 70))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    result = cineloop.predict(bundle, [tmp_path / "a.png"])
    with torch.no_grad():
        expected = torch.softmax(network(network.preprocess(pixels)).double(), 1)[0].numpy()
    assert result.classes == ("in_body", "out_body")
    np.testing.assert_allclose(result.rows[0].probabilities, expected, atol=1e-6)
    assert not (tmp_path / "RAN").exists()


def test_upright_and_scaled_preparation_is_understood(bundle, network):
    steps = copy.deepcopy(PUBLISHED_STEPS)
    steps.insert(2, {"_target_": "Transposed", "keys": "image", "indices": [0, 2, 1]})
    steps[3]["spatial_size"] = [128, 160]
    steps[5] = {
        "_target_": "monai.transforms.NormalizeIntensityd",
        "keys": "image",
        "subtrahend": [127.5] * 3,
        "divisor": [51.0] * 3,
        "channel_wise": True,
    }
    config = cineloop.load(write_foreign(bundle, network, steps=steps)).predictor.head.input
    assert (config.transposed, config.size, config.values) == (False, (128, 160), "scaled")
    assert config.mean == pytest.approx((0.5, 0.5, 0.5))
    assert config.std == pytest.approx((0.2, 0.2, 0.2))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda steps: steps.insert(2, {"_target_": "ScaleIntensityd", "keys": "image"}), "ScaleIntensityd"),
        (lambda steps: steps[2].update(mode="area"), "Resized with mode"),
        (lambda steps: steps[2].update(spatial_size="$[256, 256]"), "an expression"),
        (lambda steps: steps.insert(3, "@other"), "@other"),
        (lambda steps: steps.pop(4), "no NormalizeIntensityd"),
        (lambda steps: steps.pop(2), "no Resized"),
        (lambda steps: steps[4].update(channel_wise=False), "NormalizeIntensityd with channel_wise"),
        (lambda steps: steps.pop(0), "does not say as data"),
    ],
)
def test_a_preparation_that_is_not_understood_is_refused(bundle, network, change, complaint):
    steps = copy.deepcopy(PUBLISHED_STEPS)
    change(steps)
    with pytest.raises(WeightsError, match=complaint.replace("$", r"\$")):
        cineloop.load(write_foreign(bundle, network, steps=steps))


@pytest.mark.parametrize(
    "definition",
    [
        {"_target_": "DenseNet121", "num_classes": 2},
        "$torch.load('x')",
        {"_target_": "SEResNet50", "num_classes": "$2"},
        {"_target_": "SEResNet50", "spatial_dims": 3, "in_channels": 3, "num_classes": 2},
        {"_target_": "SEResNet50", "num_classes": 2, "layers": [1, 1, 1, 1]},
    ],
)
def test_another_network_is_refused(bundle, network, definition):
    with pytest.raises(WeightsError, match="network"):
        cineloop.load(write_foreign(bundle, network, network_def=definition))


def test_torchscript_is_refused_by_name(bundle):
    (bundle / "models" / "model.pt").rename(bundle / "models" / "model.ts")
    with pytest.raises(WeightsError, match=r"model\.ts"):
        cineloop.load(bundle)
    with pytest.raises(WeightsError, match="not run here"):
        cineloop.load(bundle / "models" / "model.ts")


def test_classes_without_usable_names_are_numbered(bundle, network):
    write_foreign(bundle, network, channel_def={"0": "same", "1": "same"})
    assert cineloop.load(bundle).predictor.classes == ("class_0", "class_1")


@pytest.mark.parametrize("text", ["[1, 2", "[]", '"x"', "[" * 100_000])
def test_a_broken_configuration_is_an_error_in_words(bundle, text):
    (bundle / "configs" / "inference.json").write_text(text)
    with pytest.raises(WeightsError, match="configuration"):
        cineloop.load(bundle)


def test_weights_that_ask_for_code_are_not_loaded(tmp_path, bundle):
    class Hostile:
        def __reduce__(self):
            return open, (str(tmp_path / "RAN"), "w")

    torch.save({"state_dict": Hostile()}, bundle / "models" / "model.pt")
    with pytest.raises(WeightsError):
        cineloop.load(bundle)
    assert not (tmp_path / "RAN").exists()


def test_a_bundle_in_yaml(bundle):
    from cineloop.schema import dump_yaml

    file = bundle / "configs" / "inference.json"
    plain = json.loads(file.read_text())
    file.unlink()
    (bundle / "configs" / "inference.yaml").write_text(dump_yaml(plain))
    assert cineloop.load(bundle).predictor.classes == ("in_body", "out_body")
