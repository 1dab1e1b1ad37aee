"""Every registered model keeps its contract; a broken one is caught."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cineloop import models
from cineloop.models.registry import Layers, ModelIO, ModelSpec
from cineloop.schema import Section
from cineloop.testing import check_model

# What makes the large ones small; their sizes are tested apart.
SMALLER = {
    "timesformer-vitb16": {"img_size": 32, "embed_dim": 32, "depth": 2, "num_heads": 4, "num_frames": 4},
    "timesformer-tiny": {"img_size": 32, "num_frames": 4},
    "r2plus1d-18": {"blocks": [1, 1], "num_frames": 2, "img_size": 16},
    "r3d-18": {"blocks": [1, 1], "num_frames": 2, "img_size": 16},
    "mc3-18": {"blocks": [1, 1], "num_frames": 2, "img_size": 16},
    "r2plus1d-tiny": {"num_frames": 2, "img_size": 16},
    "vitl16-224-csra": {"img_size": 32, "embed_dim": 32, "depth": 2, "num_heads": 2},
    "vitl14-336-csra": {"img_size": 28, "embed_dim": 32, "depth": 2, "num_heads": 2},
    "vits16-224-csra": {"img_size": 32, "embed_dim": 32, "depth": 2, "num_heads": 2},
    "vit-tiny-csra": {"img_size": 32},
    "seresnet50-inbody": {"img_size": 64, "depths": [1, 2, 1, 1], "width": 16},
    "mvit-v2-s": {"img_size": 64, "num_frames": 4, "width": 16, "depths": [1, 1, 2, 1]},
}
# The feature is the class token, so what only the last block's patch tokens see is without effect.
SILENT = {"mvit-v2-s": ["blocks.4.attn.rel_pos_*", "blocks.4.attn.pool_q.pool.weight"]}


@pytest.mark.parametrize("name", models.names())
def test_keeps_the_contract(name):
    check_model(models.spec(name), SMALLER.get(name), silent=SILENT.get(name, ()))


@pytest.mark.parametrize("name", ["r2plus1d-18", "r3d-18", "mc3-18"])
def test_full_stages_keep_the_widths_that_the_contract_says(name):
    config = models.configure(name, {})
    with torch.device("meta"):
        module = models.spec(name).build(config)
        clips = torch.empty(models.spec(name).io(config).shape(1))
    assert tuple(module(clips).shape) == (1, models.spec(name).io(config).width) == (1, 512)


class _Options(Section):
    width: int = 5


class _Net(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.used = nn.Linear(3, config.width)

    def forward(self, clips):
        return self.used(clips.mean((2, 3, 4)))


class _Unused(_Net):
    def __init__(self, config):
        super().__init__(config)
        self.unused = nn.Linear(1, 1)


class _Narrow(_Net):
    def forward(self, clips):
        return super().forward(clips)[:, :-1]


class _Restless(_Net):
    def forward(self, clips):
        return super().forward(clips) + torch.rand(())


class _Sociable(_Net):
    def forward(self, clips):
        out = super().forward(clips)
        return out - out.mean(0)


class _Stiff(_Net):
    def forward(self, clips):
        assert clips.shape[2] == 2, "two frames only"
        return super().forward(clips)


class _Forgetful(_Net):
    def __init__(self, config):
        super().__init__(config)
        self.scale = torch.rand(())

    def forward(self, clips):
        return super().forward(clips) * self.scale


class _NotFinite(_Net):
    def forward(self, clips):
        return super().forward(clips) / 0


def _spec(net, layers=None):
    return ModelSpec(
        name="acme/net",
        Config=_Options,
        build=net,
        io=lambda config: ModelIO(
            input="clip",
            layout="BCTHW",
            frames=2,
            size=(4, 4),
            output="features",
            width=config.width,
            any_frames=True,
            any_size=True,
        ),
        layers=layers,
    )


@pytest.fixture
def registered():
    """Enter a spec into the registry for the duration of a test."""
    added = []

    def enter(spec):
        models.MODELS.add(spec, origin="acme")
        added.append(spec.name)
        return spec

    yield enter
    for name in added:
        models.MODELS._specs.pop(name, None)
        models.MODELS._origins.pop(name, None)


def test_a_sound_model_from_outside_passes(registered):
    check_model(registered(_spec(_Net)))


@pytest.mark.parametrize(
    ("net", "layers", "complaint"),
    [
        (_Unused, None, "no gradient reaches unused.weight"),
        (_Narrow, None, "the contract says"),
        (_Restless, None, "two evaluations"),
        (_Sociable, None, "depends on its batch"),
        (_Stiff, None, "two frames only"),
        (_Forgetful, None, "after a round trip"),
        (_NotFinite, None, "not finite"),
        (_Net, lambda _: Layers(1, lambda name: 1), "outside"),
        (_Net, lambda _: Layers(2, lambda name: 0), "without parameters"),
    ],
)
def test_a_broken_model_is_caught(registered, net, layers, complaint):
    spec = registered(_spec(net, layers))
    with pytest.raises(AssertionError, match=complaint):
        check_model(spec)


def test_a_needless_exception_is_caught(registered):
    spec = registered(_spec(_Net))
    with pytest.raises(AssertionError, match=r"named as silent, but gradients reach used\.bias"):
        check_model(spec, silent=["used.bias"])
