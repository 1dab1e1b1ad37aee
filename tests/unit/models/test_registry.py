from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from pydantic import ValidationError

from cineloop import models
from cineloop.errors import ModelError, PluginError
from cineloop.models import ModelIO


def _io(**changes):
    return ModelIO(
        **{
            "input": "clip",
            "layout": "BCTHW",
            "frames": 8,
            "size": (64, 96),
            "output": "features",
            "width": 4,
            **changes,
        }
    )


def test_shape_follows_the_layout():
    assert _io().shape(3) == (3, 3, 8, 64, 96)
    assert _io().shape(3, frames=2, size=(32, 16)) == (3, 3, 2, 32, 16)
    assert _io(input="image", layout="BCHW", frames=1).shape(5) == (5, 3, 64, 96)
    assert _io(colour="grey", mean=(0.5,), std=(0.5,)).shape(1) == (1, 1, 8, 64, 96)


@pytest.mark.parametrize(
    "changes",
    [
        {"layout": "BCHW"},
        {"input": "image", "layout": "BCHW"},
        {"mean": (0.5,)},
        {"std": (1.0, 0.0, 1.0)},
        {"size": (0, 4)},
        {"value_range": (1.0, 0.0)},
        {"frames": 0},
    ],
)
def test_a_contract_that_contradicts_itself_is_refused(changes):
    with pytest.raises(ValidationError):
        _io(**changes)


def test_create_overrides_the_defaults():
    module = models.create("timesformer-tiny", embed_dim=32, num_heads=2, depth=1)
    assert module(torch.zeros(1, 3, 2, 32, 32)).shape == (1, 32)
    assert module.training


def test_presets_differ_from_their_family_in_defaults_only():
    tiny, full = models.spec("timesformer-tiny").Config, models.spec("timesformer-vitb16").Config
    assert tiny.model_fields.keys() == full.model_fields.keys()
    assert full().embed_dim == 768
    assert tiny().embed_dim < 768


@pytest.mark.parametrize(
    ("name", "config", "mend"),
    [
        ("timesformer-vitb61", {}, "timesformer-vitb16"),
        ("timesformer-tiny", {"embed_dims": 3}, "'embed_dim'"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(name, config, mend):
    with pytest.raises(ModelError) as caught:
        models.create(name, **config)
    assert mend in caught.value.mend


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ({"num_heads": 5}, "not a multiple"),
        ({"img_size": 4}, "smaller than patch_size"),
        ({"patch_size": 12}, "halves the frame"),
        ({"depth": "deep"}, "depth"),
    ],
)
def test_options_that_cannot_be_built_are_refused(config, what):
    with pytest.raises(ModelError, match=what):
        models.create("timesformer-tiny", **config)


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ({"img_size": 100}, "multiple of 32"),
        ({"num_frames": 3}, "odd"),
        ({"width": 5, "heads": 2}, "multiple of heads"),
        ({"depths": [1, 0]}, "every stage"),
    ],
)
def test_mvit_options_that_cannot_be_built_are_refused(config, what):
    with pytest.raises(ModelError, match=what):
        models.create("mvit-v2-s", **config)


def test_a_model_of_a_plugin_that_is_not_enabled_is_named():
    with pytest.raises(PluginError, match="acme"):
        models.create("acme/net")


def test_listing_models_does_not_import_torchvision():
    code = "import sys; from cineloop import models; models.names(); assert 'torchvision' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_does_not_import_torch():
    code = "import sys; import cineloop.models; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
