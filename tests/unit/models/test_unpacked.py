"""Plain products compute what attention and patches of known transformers do."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cineloop import models
from cineloop.models.unpacked import PlainAttention, PlainPatches, unpacked
from frame_models import exercised

CLIP = {"img_size": 36, "patch_size": 16, "num_frames": 4, "embed_dim": 32, "depth": 2, "num_heads": 2, "stem": "patch"}
CASES = [
    ("vit-tiny-csra", {}, (2, 3, 112, 112), 4, 1),
    ("timesformer-tiny", CLIP, (2, 3, 4, 36, 40), 4, 1),
    ("timesformer-tiny", {**CLIP, "attention_type": "joint_space_time", "qkv_bias": False}, (2, 3, 4, 36, 36), 2, 1),
    ("timesformer-tiny", {**CLIP, "attention_type": "space_only", "stem": "conv"}, (2, 3, 4, 32, 32), 2, 0),
]


def count(network: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in network.modules())


@pytest.mark.parametrize(("name", "config", "shape", "attentions", "patches"), CASES)
def test_the_function_is_the_same(name, config, shape, attentions, patches):
    network = exercised(models.create(name, **config))
    inputs = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    plain = unpacked(network)
    assert (count(plain, PlainAttention), count(plain, PlainPatches)) == (attentions, patches)
    with torch.no_grad():
        wanted, found = network(inputs), plain(inputs)
    assert wanted.std() > 0.1
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_the_network_stays_and_its_values_are_shared():
    network = exercised(models.create("vit-tiny-csra"))
    keys = list(network.state_dict())
    vit, plain = (each.backbone["main_module"] for each in (network, unpacked(network)))
    assert list(network.state_dict()) == keys
    assert count(network, PlainAttention) == 0
    before, after = vit.blocks[0], plain.blocks[0]
    assert after.mlp is before.mlp
    assert after.attn.proj is before.attn.proj
    packed = before.attn.qkv.weight
    assert after.attn.value.weight.data_ptr() == packed[2 * len(packed) // 3 :].data_ptr()


def test_what_is_not_known_stays():
    for network in (models.create("resnet10-csra"), nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, 3, 1))):
        assert unpacked(network) is network
    from timm.layers.attention import Attention

    for extra in ({"qk_norm": True}, {"scale_norm": True}):
        other = Attention(8, 2, norm_layer=nn.LayerNorm, **extra)
        assert unpacked(other) is other


def test_a_mask_is_refused():
    plain = PlainAttention(nn.Linear(8, 24), nn.Linear(8, 8), heads=2)
    tokens = torch.randn(1, 3, 8)
    with pytest.raises(NotImplementedError, match="mask"):
        plain(tokens, is_causal=True)
