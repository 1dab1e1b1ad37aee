"""Which parameters a recipe trains, and at what rate."""

from __future__ import annotations

import pytest

from cineloop.errors import RecipeError
from cineloop.models.registry import MODELS
from cineloop.named import choose
from cineloop.tasks.clip_classification.model import build
from cineloop.tasks.clip_classification.schema import ClassifierModel
from cineloop.tasks.network import freeze, parameter_groups

NETWORK = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 3, "num_heads": 2, "num_frames": 2}


def classifier(trainable, **options):
    plain = {"name": "timesformer-vitb16", **NETWORK, **options, "trainable": trainable}
    model = ClassifierModel.model_validate(plain)
    module = build(model.network, 2)
    freeze(module.backbone, model, lambda name: False)
    return module, model


def groups_of(module, model, layer_decay, head_lr_scale):
    return parameter_groups(
        module,
        model,
        prefix="backbone.",
        is_head=lambda name: name.startswith("head."),
        layer_decay=layer_decay,
        head_lr_scale=head_lr_scale,
    )


def trained(module):
    """Return the parts that are trained, shortened to their block."""
    names = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    return {".".join(name.split(".")[1:3]) if ".blocks." in name else name.split(".")[-2] for name in names}


def test_the_head_alone():
    module, _ = classifier("head")
    assert trained(module) == {"head"}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_last_blocks_are_blocks_with_the_norm_above_them(count):
    module, _ = classifier(count)
    assert trained(module) == {"head", "norm", *(f"blocks.{index}" for index in range(3 - count, 3))}


def test_all_of_it_and_no_more_blocks_than_there_are():
    module, _ = classifier("all")
    assert all(parameter.requires_grad for parameter in module.parameters())
    with pytest.raises(RecipeError, match="3 blocks, 4 are asked for"):
        classifier(4)


def test_rates_fall_with_depth_from_the_head_down():
    module, model = classifier("all")
    groups = groups_of(module, model, 0.5, 3.0)
    rates = {name: group.lr_scale for group in groups for name in group.names}
    assert len(rates) == len(list(module.parameters()))
    # Five layers: embeddings, three blocks, the norm.
    expected = {"cls_token": 0.5**5, "pos_embed": 0.5**5, "norm.weight": 0.5, "blocks.2.norm1.weight": 0.25}
    assert {name: rates[f"backbone.{name}"] for name in expected} == expected
    assert rates["head.weight"] == 3.0


def test_what_is_frozen_is_in_no_group():
    module, model = classifier(1)
    names = {name for group in groups_of(module, model, 1.0, 1.0) for name in group.names}
    assert names == {name for name, parameter in module.named_parameters() if parameter.requires_grad}


def test_another_transformer_s_norm_lies_above_its_blocks_too():
    network = choose(MODELS, {"name": "mvit-v2-s"}, where="here", key="name")
    assert MODELS.get(network.name).layers(network.config).above == 1
