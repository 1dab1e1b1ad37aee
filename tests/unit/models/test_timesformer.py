from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cineloop import models
from cineloop.models.layers import Attention, DropPath, attend
from cineloop.models.timesformer_weights import adapt
from plain_timesformer import PlainTimeSformer

SMALL = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 3, "num_frames": 4}


def _model(name="timesformer-vitb16", **config):
    torch.manual_seed(0)
    return models.create(name, **{**SMALL, **config}).eval()


def _noisy(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn(parameter.shape)
    return module


def test_untrained_it_does_not_see_time_as_published():
    module, clips = _model(), torch.randn(2, 3, 4, 32, 32)
    torch.testing.assert_close(module(clips), module(clips.flip(2)))
    seeing = _model(zero_temporal=False)
    assert not torch.allclose(seeing(clips), seeing(clips.flip(2)), atol=1e-4)


@pytest.mark.parametrize("attention_type", ["divided_space_time", "joint_space_time", "space_only"])
def test_tokens_and_attention_of_every_kind(attention_type):
    module = _noisy(_model(attention_type=attention_type))
    clips = torch.randn(2, 3, 6, 16, 24)
    frames, places = 6, 2 * 3
    tokens = module.forward_tokens(clips)
    kept = 1 if attention_type == "space_only" else frames
    assert tokens.shape == (2, 1 + places * kept, 24)
    torch.testing.assert_close(tokens[:, 0], module(clips))
    attention = module.last_spatial_attention(clips)
    joint = attention_type == "joint_space_time"
    expected = (2, 3, 1 + places * frames, 1 + places * frames) if joint else (12, 3, 1 + places, 1 + places)
    assert attention.shape == expected
    torch.testing.assert_close(attention.sum(-1), torch.ones(expected[:-1]))


def test_space_only_is_blind_to_the_order_of_frames_and_has_no_time_table():
    module, clips = _noisy(_model(attention_type="space_only")), torch.randn(2, 3, 4, 32, 32)
    torch.testing.assert_close(module(clips), module(clips.flip(2)))
    assert not any("time" in key or "temporal" in key for key in module.state_dict())


def test_joint_attention_sees_the_order_of_frames():
    module, clips = _noisy(_model(attention_type="joint_space_time")), torch.randn(2, 3, 4, 32, 32)
    assert not torch.allclose(module(clips), module(clips.flip(2)), atol=1e-3)


def test_space_only_of_equal_frames_is_one_frame():
    module, frame = _noisy(_model(attention_type="space_only")), torch.randn(2, 3, 1, 32, 32)
    torch.testing.assert_close(module(frame), module(frame.expand(-1, -1, 5, -1, -1)))


def test_pooling_of_the_patch_tokens():
    clips = torch.randn(2, 3, 4, 32, 32)
    mean, most = _noisy(_model(pool="mean")), _noisy(_model(pool="max"))
    torch.testing.assert_close(mean(clips), mean.forward_tokens(clips)[:, 1:].mean(1))
    torch.testing.assert_close(most(clips), most.forward_tokens(clips)[:, 1:].amax(1))


def test_the_convolutional_stem_does_not_see_the_contrast_of_a_frame():
    module = _model(stem="conv", num_frames=1)
    frames = torch.randn(1, 3, 1, 32, 32)
    torch.testing.assert_close(module(frames), module(5 * frames), rtol=1e-3, atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(frames=st.integers(1, 9), height=st.integers(8, 40), width=st.integers(8, 40))
def test_any_frame_count_and_size_of_a_patch_or_more(frames, height, width):
    module = _model()
    clips = torch.randn(1, 3, frames, height, width)
    assert module(clips).shape == (1, 24)
    # What lies beyond the last whole patch is not seen.
    whole = clips[..., : height // 8 * 8, : width // 8 * 8]
    torch.testing.assert_close(module(clips), module(whole))


def test_convolutional_stem_has_the_stride_of_a_patch():
    for patch in (4, 8, 16):
        module = _model(stem="conv", patch_size=patch)
        assert module.forward_tokens(torch.randn(1, 3, 2, 32, 32)).shape[1] == 1 + 2 * (32 // patch) ** 2


def test_drop_path_keeps_the_expectation_and_drops_whole_rows():
    torch.manual_seed(0)
    layer = DropPath(0.25).train()
    dropped = layer(torch.ones(4000, 3))
    assert dropped.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert (dropped == dropped[:, :1]).all()
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.03)
    ones = torch.ones(5, 2)
    assert layer.eval()(ones) is ones


def test_depth_of_drop_path_grows_linearly():
    module = models.create("timesformer-vitb16", **{**SMALL, "depth": 3, "drop_path_rate": 0.3})
    assert [block.drop_path.rate for block in module.blocks] == pytest.approx([0.0, 0.15, 0.3])


def test_training_with_drop_path_differs_from_evaluation():
    module, clips = _noisy(_model(drop_path_rate=0.9)), torch.randn(2, 3, 4, 32, 32)
    assert not torch.allclose(module(clips), module.train()(clips))


def test_attention_probabilities_are_those_that_mix_the_values():
    # Forty tokens take the fused kernel, five the plain products.
    for length in (5, 40):
        layer, norm, x = Attention(12, 3), nn.LayerNorm(12), torch.randn(2, length, 12)
        value = layer.qkv(norm(x)).view(2, length, 3, 3, 4)[:, :, 2].transpose(1, 2)
        mixed = layer.proj((layer.probabilities(x, norm) @ value).transpose(1, 2).flatten(2))
        torch.testing.assert_close(layer(x, norm), mixed)


def test_layers_are_in_order():
    spec = models.spec("timesformer-vitb16")
    layers = spec.layers(models.configure("timesformer-vitb16", SMALL))
    names = ["cls_token", "patch_embed.proj.weight", "blocks.0.norm1.weight", "blocks.1.mlp.fc2.bias", "norm.bias"]
    assert [layers.of(name) for name in names] == [0, 0, 1, 2, 3]
    assert layers.count == 4


@pytest.mark.parametrize(("img_size", "num_frames"), [(32, 9), (64, 4), (16, 1)])
def test_tables_of_another_length_are_resized_as_the_forward_pass_would(img_size, num_frames):
    source = _noisy(_model())
    target = _model(img_size=img_size, num_frames=num_frames)
    adapted = adapt(source.state_dict(), target)
    target.load_state_dict(adapted.tensors)
    clips = torch.randn(1, 3, num_frames, img_size, img_size)
    torch.testing.assert_close(target(clips), source(clips))
    assert ("time_embed" in adapted.resized) == (num_frames != 4)
    assert ("pos_embed" in adapted.resized) == (img_size != 32)


def test_an_image_transformer_gives_its_attention_to_time():
    image = _noisy(_model(attention_type="space_only"))
    target = _model()
    adapted = adapt(image.state_dict(), target)
    assert torch.equal(adapted.tensors["blocks.1.temporal_attn.qkv.weight"], image.blocks[1].attn.qkv.weight)
    assert adapted.derived["blocks.1.temporal_attn.qkv.weight"] == "copied from blocks.1.attn.qkv.weight"
    assert adapted.derived["blocks.0.temporal_fc.weight"] == "kept at its initial value"
    assert adapted.derived.keys() == target.state_dict().keys() - image.state_dict().keys()


def test_a_table_that_cannot_be_resized_is_left_for_the_report():
    source = _model().state_dict()
    source["pos_embed"] = torch.zeros(1, 12, 24)
    source["time_embed"] = torch.zeros(1, 8, 7)
    adapted = adapt(source, _model())
    assert not adapted.resized
    assert adapted.tensors["pos_embed"].shape == (1, 12, 24)


def test_gradients_are_those_of_the_published_order_of_operations():
    options = {**SMALL, "drop_path_rate": 0.0}
    ours = _noisy(models.create("timesformer-vitb16", **options))
    plain = PlainTimeSformer(**options)
    plain.load_state_dict(ours.state_dict())
    clips = torch.randn(2, 3, 4, 32, 32)
    features = []
    for module in (ours, plain):
        features.append(module.train()(clips))
        features[-1].square().sum().backward()
    torch.testing.assert_close(*features, rtol=1e-5, atol=1e-5)
    expected = dict(plain.named_parameters())
    for name, parameter in ours.named_parameters():
        scale = expected[name].grad.abs().max()
        assert scale > 0, name
        torch.testing.assert_close(parameter.grad / scale, expected[name].grad / scale, rtol=0, atol=1e-5)


def test_what_is_computed_again_gives_the_same_gradient_bit_for_bit(monkeypatch):
    gradients = []
    for again in (True, False):
        if not again:
            monkeypatch.setattr("cineloop.models.layers.recomputed", lambda function, x: function(x))
        module = _noisy(_model(drop_path_rate=0.5)).train()
        torch.manual_seed(1)
        module(torch.ones(2, 3, 4, 32, 32)).square().sum().backward()
        gradients.append([parameter.grad for parameter in module.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))


@pytest.mark.parametrize("attention_type", ["divided_space_time", "joint_space_time", "space_only"])
def test_two_class_tokens_are_treated_alike_and_stand_at_both_ends(attention_type):
    module, clips = _noisy(_model(two_token=True, attention_type=attention_type)), torch.randn(2, 3, 4, 24, 32)
    assert module.pos_embed.shape == (1, 18, 24)
    assert models.spec("timesformer-vitb16").io(module.config).width == 48
    feature, tokens = module(clips), module.forward_tokens(clips)
    torch.testing.assert_close(feature, torch.cat((tokens[:, 0], tokens[:, -1]), dim=1))
    assert not torch.allclose(feature[:, :24], feature[:, 24:], atol=1e-2)
    with torch.no_grad():
        module.aux_cls_token.copy_(module.cls_token)
        module.pos_embed[:, -1] = module.pos_embed[:, 0]
    one, other = module(clips).chunk(2, dim=1)
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("img_size", [16, 48])
def test_tables_of_two_class_tokens_are_resized_between_them(img_size):
    source, target = _noisy(_model(two_token=True)), _model(two_token=True, img_size=img_size)
    adapted = adapt(source.state_dict(), target)
    target.load_state_dict(adapted.tensors)
    clips = torch.randn(1, 3, 4, img_size, img_size)
    torch.testing.assert_close(target(clips), source(clips))
    assert "pos_embed" not in adapt(source.state_dict(), _model(img_size=img_size)).resized


@pytest.mark.parametrize("attention_type", ["divided_space_time", "joint_space_time", "space_only"])
@pytest.mark.parametrize("two_token", [False, True])
def test_attention_maps_are_the_class_token_s_row_by_frame_and_place(attention_type, two_token):
    module = _noisy(_model(attention_type=attention_type, two_token=two_token))
    clips = torch.randn(2, 3, 4, 16, 24)
    maps, rows, look = module.attention_maps(clips), module.last_spatial_attention(clips), module.look(clips)
    torch.testing.assert_close(look.attention, maps)
    torch.testing.assert_close(look.tokens, module.forward_tokens(clips))
    torch.testing.assert_close(look.feature, module(clips))
    assert maps.shape == (2, 3, 4, 2, 3)
    assert (maps > 0).all()
    if attention_type == "joint_space_time":
        # Time is fastest: place (1, 2) of frame 3 is the last patch.
        torch.testing.assert_close(maps[1, :, 3, 1, 2], rows[1, :, 0, 24])
        torch.testing.assert_close(maps[1, :, 1, 0, 0], rows[1, :, 0, 2])
    else:
        torch.testing.assert_close(maps[1, :, 2, 1, 0], rows[1 * 4 + 2, :, 0, 1 + 3])


def test_a_linear_time_table_keeps_its_ends_and_loads_as_it_computes():
    source = _noisy(_model())
    linear = _model(time_resize="linear", num_frames=7)
    adapted = adapt(source.state_dict(), linear)
    table, expected = adapted.tensors["time_embed"][0], source.time_embed[0]
    assert adapted.resized["time_embed"] == "1x4x24 -> 1x7x24, linear"
    # Seven points over four: every second one is an entry, those between are means.
    torch.testing.assert_close(table[::2], expected)
    torch.testing.assert_close(table[1::2], (expected[1:] + expected[:-1]) / 2)
    linear.load_state_dict(adapted.tensors)
    stretching = _model(time_resize="linear")
    stretching.load_state_dict(source.state_dict())
    clips = torch.randn(1, 3, 7, 32, 32)
    torch.testing.assert_close(linear(clips), stretching(clips))
    assert not torch.allclose(linear(clips), source(clips), atol=1e-3)


@pytest.mark.parametrize("attention_type", ["divided_space_time", "joint_space_time", "space_only"])
def test_maps_of_a_pooled_feature_are_about_the_patches(attention_type):
    clips = torch.randn(2, 3, 4, 16, 24)
    most = _noisy(_model(attention_type=attention_type, pool="max"))
    maps, tokens = most.attention_maps(clips), most.forward_tokens(clips)[:, 1:]
    assert maps.shape == (2, 1, 4, 2, 3)
    # By hand: which patch gives each channel its value.
    for channel in range(24):
        place, frame = divmod(int(tokens[1, :, channel].argmax()), 1 if attention_type == "space_only" else 4)
        assert maps[1, 0, frame, place // 3, place % 3] >= 1 / 24 - 1e-6
    total = maps.sum((1, 2, 3, 4)) / (4 if attention_type == "space_only" else 1)
    torch.testing.assert_close(total, torch.ones(2))
    mean = _noisy(_model(attention_type=attention_type, pool="mean"))
    rows, maps = mean.last_spatial_attention(clips), mean.attention_maps(clips)
    if attention_type == "joint_space_time":
        torch.testing.assert_close(maps[1, :, 3, 1, 2], rows[1, :, 1:, 24].mean(1))
    else:
        torch.testing.assert_close(maps[1, :, 2, 1, 0], rows[1 * 4 + 2, :, 1:, 1 + 3].mean(1))


@pytest.mark.parametrize(
    ("length", "kind", "fused"),
    [(33, torch.float32, 1), (32, torch.float32, 0), (512, torch.bfloat16, 0), (513, torch.bfloat16, 1)],
)
def test_the_matrix_of_weights_is_made_of_short_sequences_alone(monkeypatch, length, kind, fused):
    calls, real = [], F.scaled_dot_product_attention
    monkeypatch.setattr(F, "scaled_dot_product_attention", lambda *given: calls.append(1) or real(*given))
    query = torch.randn(1, 1, length, 8).to(kind)
    attend(query, query, query)
    assert len(calls) == fused
