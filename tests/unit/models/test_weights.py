from __future__ import annotations

import argparse
import re
import shutil
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from cineloop import models
from cineloop.errors import WeightsError
from cineloop.models.passport import Passport
from cineloop.models.weights import Checkpoint, load_into, open_weights, read_passport, save_weights

NAME = "timesformer-tiny"
SMALL = {"img_size": 32, "embed_dim": 16, "depth": 1, "num_heads": 2, "num_frames": 2}
SPEC = models.spec(NAME)


def _model(seed=0, **config):
    torch.manual_seed(seed)
    return models.create(NAME, **{**SMALL, **config})


def _passport(**config):
    return Passport.of(SPEC, models.configure(NAME, {**SMALL, **config}))


def _same(one, other):
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[key]) for key, value in one.state_dict().items())


def _under(prefix, state):
    return {prefix + key: value for key, value in state.items()}


def _projection(prefix):
    return {f"{prefix}mlp.{index}.weight": torch.zeros(3, 3) for index in (0, 2, 4)} | {
        f"{prefix}last_layer.weight_g": torch.ones(4, 1)
    }


def _forms(state):
    """Return every published way of saving a network, by name."""
    teacher = {**_under("backbone.", state), **_projection("head.")}
    student = {**_under("module.backbone.", state), **_projection("module.head.")}
    zeros = {key: torch.zeros_like(value) for key, value in student.items()}
    options = argparse.Namespace(lr=0.1, epochs=3)
    classifier = {"module.linear.weight": torch.zeros(2, 16), "module.linear.bias": torch.zeros(2)}
    return {
        "bare": (state, "tensors"),
        "ordered": (OrderedDict(state), "tensors"),
        "released": (teacher, "tensors"),
        "teacher": ({"teacher": teacher}, "teacher"),
        "pre-training": (
            {
                "student": zeros,
                "teacher": teacher,
                "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]},
                "epoch": 5,
                "args": options,
                "dino_loss": {"center": torch.zeros(1, 8)},
                "fp16_scaler": None,
                "motion_teacher": 0,
            },
            "teacher",
        ),
        "student": ({"student": student, "epoch": 1}, "student"),
        "backbone": ({"backbone": state, "head": classifier}, "backbone"),
        "model": ({"model": _under("module.", state), "args": options}, "model"),
        "model_state": ({"model_state": _under("model.", state)}, "model_state"),
        "phase 1": (
            {
                "model_state_dict": _under("module.", state),
                "val_f1": np.float64(0.9),
                "history": {"loss": [np.float32(1.0)]},
                "confusion": np.eye(2),
            },
            "model_state_dict",
        ),
        "compiled": ({"state_dict": _under("_orig_mod.", state)}, "state_dict"),
        "nested": ({"model": {"state_dict": _under("encoder.", state)}}, "model > state_dict"),
        "fine-tuned": (
            {
                "epoch": 3,
                "state_dict": classifier,
                "backbone_state_dict": _under("module.", state),
                "best_f1": np.float64(0.5),
                "optimizer": {"state": {}},
            },
            "backbone_state_dict + state_dict",
        ),
        "lightning": (
            {
                "pytorch-lightning_version": "2.5.0",
                "state_dict": _under("model.", state),
                "hyper_parameters": {"lr": 0.1},
                "callbacks": {},
                "loops": {"fit": {"x": [1]}},
            },
            "state_dict",
        ),
    }


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("form", list(_forms({})))
def test_every_published_form_loads_completely(tmp_path, form, legacy):
    source, target = _model(1), _model(2)
    contents, expected = _forms(source.state_dict())[form]
    path = tmp_path / "checkpoint.pth.tar"
    torch.save(contents, path, _use_new_zipfile_serialization=not legacy)
    checkpoint = open_weights(path)
    report = load_into(target, checkpoint, spec=SPEC)
    assert checkpoint.form == expected
    assert checkpoint.passport is None
    assert report.share == 1.0
    assert not report.unexpected
    assert _same(source, target)


@pytest.mark.parametrize("form", list(_forms({})))
def test_every_published_form_gives_all_of_endo_fm_s_247_tensors(tmp_path, form):
    # The published names and depth, in a network narrow enough for a test.
    narrow = {"img_size": 32, "embed_dim": 24, "num_heads": 2}
    torch.manual_seed(1)
    source, target = (models.create("timesformer-vitb16", **narrow) for _ in range(2))
    contents, _ = _forms(source.state_dict())[form]
    torch.save(contents, tmp_path / "checkpoint.pth.tar")
    report = load_into(target, tmp_path / "checkpoint.pth.tar", spec=models.spec("timesformer-vitb16"))
    assert report.counts()["matched"] == report.total == 247
    assert _same(source, target)


def test_the_head_of_a_fine_tuned_pair_is_kept_under_one_name(tmp_path):
    contents, _ = _forms(_model().state_dict())["fine-tuned"]
    torch.save(contents, tmp_path / "a.pth")
    checkpoint = open_weights(tmp_path / "a.pth")
    assert {"head.weight", "head.bias"} < checkpoint.tensors.keys()
    assert set(checkpoint.beside) == {"epoch", "best_f1", "optimizer"}


def test_the_name_of_a_file_does_not_matter(tmp_path):
    source = _model(1)
    save_file(source.state_dict(), tmp_path / "a.safetensors")
    torch.save(source.state_dict(), tmp_path / "b.pth")
    shutil.move(tmp_path / "a.safetensors", tmp_path / "swapped.pth")
    shutil.move(tmp_path / "b.pth", tmp_path / "swapped.safetensors")
    for name in ("swapped.pth", "swapped.safetensors"):
        target = _model(2)
        load_into(target, tmp_path / name, spec=SPEC)
        assert _same(source, target)


def test_saved_weights_come_back_with_their_passport(tmp_path):
    source, path = _model(1), tmp_path / "weights.safetensors"
    written = save_weights(path, source, _passport())
    assert read_passport(path) == open_weights(path).passport == written
    assert written.parameters == sum(parameter.numel() for parameter in source.parameters())
    assert _same(source, models.create(NAME, weights=path))


def test_create_takes_the_options_of_the_passport_and_lets_the_caller_override(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(path, _model(pool="cls"), _passport(pool="cls"))
    assert models.create(NAME, weights=path).config == models.configure(NAME, {**SMALL, "pool": "cls"})
    assert models.create(NAME, weights=path, pool="mean").config.pool == "mean"


def test_equal_weights_give_equal_bytes_and_one_metadata_key(tmp_path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    state = _model(1).state_dict()
    save_weights(one, state, _passport())
    save_weights(two, dict(reversed(state.items())), _passport())
    assert one.read_bytes() == two.read_bytes()
    with safe_open(one, framework="pt") as file:
        assert set(file.metadata()) == {"cineloop"}
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["one.safetensors", "two.safetensors"]


def test_shared_and_strided_tensors_are_written_whole(tmp_path):
    big = torch.arange(12.0).view(3, 4)
    state = {"a": big, "tied": big, "column": big[:, 1], "row": big[1], "t": big.T}
    save_weights(tmp_path / "w.safetensors", state, _passport())
    read = open_weights(tmp_path / "w.safetensors").tensors
    assert all(torch.equal(read[key], value) for key, value in state.items())


def test_what_is_not_finite_is_not_written(tmp_path):
    module = _model()
    with torch.no_grad():
        module.norm.bias[3] = float("inf")
    with pytest.raises(WeightsError, match=r"norm\.bias"):
        save_weights(tmp_path / "w.safetensors", module, _passport())
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    save_weights(path, _model(1), _passport())
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cineloop.models.weights.save_file", full)
    with pytest.raises(OSError, match="No space"):
        save_weights(path, _model(2), _passport())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_weights_of_another_architecture_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, _model(), _passport())
    with pytest.raises(WeightsError, match="of 'timesformer-tiny', not of 'timesformer-vitb16'"):
        load_into(_model(), path, spec=models.spec("timesformer-vitb16"))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda state: state.pop("norm.weight"), "missing"),
        (lambda state: state.update({"norm.weight": torch.zeros(17)}), "norm.weight: 17 in the file, 16 in the model"),
        (lambda state: state.update({"norm.weight": torch.zeros(16, dtype=torch.int8)}), "int8 in the file"),
        (lambda state: state.update({"aux_cls_token": torch.zeros(1)}), "no place for"),
        (lambda state: state["norm.weight"].fill_(float("nan")), "not finite"),
        (lambda state: state["norm.weight"].fill_(-float("inf")), "not finite"),
    ],
)
def test_what_does_not_fit_changes_nothing(tmp_path, change, what):
    state = {key: value.clone() for key, value in _model(1).state_dict().items()}
    change(state)
    save_file(state, tmp_path / "w.safetensors")
    target, before = _model(2), _model(2)
    with pytest.raises(WeightsError, match=what):
        load_into(target, tmp_path / "w.safetensors", spec=SPEC)
    assert _same(target, before)


def test_a_part_loads_only_when_asked_for(tmp_path):
    state = _model(1).state_dict()
    del state["norm.weight"]
    state["norm.bias"] = torch.zeros(3)
    state["stranger"] = torch.zeros(1)
    save_file(state, tmp_path / "w.safetensors")
    target, before = _model(2), _model(2)
    with torch.no_grad():
        target.norm.weight += 1
    share = 1 - 2 / len(before.state_dict())
    with pytest.raises(WeightsError, match="do not fit"):
        load_into(target, tmp_path / "w.safetensors", min_match=share + 0.01, allow_unexpected=True)
    report = load_into(target, tmp_path / "w.safetensors", min_match=share, allow_unexpected=True)
    assert [note.key for note in report.missing + report.mismatched + report.unexpected] == [
        "norm.weight",
        "norm.bias",
        "stranger",
    ]
    assert torch.equal(target.norm.weight, before.norm.weight + 1)
    assert torch.equal(target.cls_token, state["cls_token"])


def test_an_unknown_prefix_is_suggested_and_can_be_given(tmp_path):
    source, target = _model(1), _model(2)
    save_file(_under("video_net.", source.state_dict()), tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"0\.0%") as caught:
        load_into(target, tmp_path / "w.safetensors", spec=SPEC)
    assert "'video_net.'" in caught.value.mend
    load_into(target, tmp_path / "w.safetensors", spec=SPEC, prefix="video_net.")
    assert _same(source, target)


def test_an_image_transformer_loads_when_its_share_is_asked_for(tmp_path):
    video = _model(2)
    state = {key: value for key, value in _model(1).state_dict().items() if "temporal" not in key}
    del state["time_embed"]
    save_file(state, tmp_path / "image.safetensors")
    with pytest.raises(WeightsError, match="derived"):
        load_into(video, tmp_path / "image.safetensors", spec=SPEC)
    report = load_into(video, tmp_path / "image.safetensors", spec=SPEC, min_match=0.5)
    assert len(report.derived) == 9
    assert torch.equal(video.blocks[0].temporal_attn.qkv.weight, state["blocks.0.attn.qkv.weight"])


def test_half_precision_weights_keep_the_module_s_type(tmp_path):
    source, target = _model(1), _model(2)
    save_file({key: value.bfloat16() for key, value in source.state_dict().items()}, tmp_path / "w.safetensors")
    load_into(target, tmp_path / "w.safetensors", spec=SPEC)
    assert target.norm.weight.dtype == torch.float32
    torch.testing.assert_close(target.cls_token, source.cls_token, atol=1e-2, rtol=1e-2)


def test_a_classifier_s_file_fills_its_backbone(tmp_path):
    backbone = _model(1)
    classifier = nn.ModuleDict({"backbone": backbone, "head": nn.Linear(16, 2)})
    save_weights(tmp_path / "w.safetensors", classifier, _passport())
    assert _same(backbone, models.create(NAME, weights=tmp_path / "w.safetensors"))


def test_a_header_whose_length_looks_like_a_pickle_is_no_pickle(tmp_path):
    path, padding = tmp_path / "odd.safetensors", 0
    while not path.exists() or path.read_bytes()[0] != 0x80:
        save_file({"weight": torch.ones(3)}, path, metadata={"padding": "x" * padding})
        padding += 1
    tensors = open_weights(path).tensors
    assert tensors["weight"].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"two_token": True}, "two_token=true"),
        ({"attention_type": "joint_space_time"}, "attention_type=joint_space_time"),
        ({"depth": 3, "embed_dim": 24}, "embed_dim=24, depth=3"),
        ({"img_size": 48, "two_token": True}, "two_token=true, img_size=48"),
    ],
)
def test_a_checkpoint_of_other_options_is_refused_and_tells_which(tmp_path, made, said):
    small = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2, "num_frames": 4}
    name = "timesformer-vitb16"
    torch.save(
        {"teacher": _under("backbone.", models.create(name, **{**small, **made}).state_dict())}, tmp_path / "a.pth"
    )
    with pytest.raises(WeightsError) as caught:
        load_into(models.create(name, **small), tmp_path / "a.pth", spec=models.spec(name))
    assert said in caught.value.mend
    load_into(models.create(name, **{**small, **made}), tmp_path / "a.pth", spec=models.spec(name))


def test_the_flow_projection_of_a_published_variant_is_told_and_left_out(tmp_path):
    name, options = (
        "timesformer-vitb16",
        {"img_size": 32, "embed_dim": 16, "depth": 1, "num_heads": 2, "two_token": True},
    )
    state = models.create(name, **options).state_dict()
    flow = {"flow_patch_embed.proj.weight": torch.zeros(16, 2, 16, 16), "flow_patch_embed.proj.bias": torch.zeros(16)}
    torch.save({"teacher": _under("backbone.", {**state, **flow})}, tmp_path / "a.pth")
    report = load_into(models.create(name, **options), tmp_path / "a.pth", spec=models.spec(name))
    assert [note.key for note in report.ignored] == list(flow)


def _shaped(name, prefix="", **options):
    """Return a checkpoint of a model's names and shapes, which are all that tells; one number fills them."""
    with torch.device("meta"):
        shapes = models.create(name, **options).state_dict()
    tensors = {f"{prefix}{key}": torch.zeros(()).expand(value.shape) for key, value in shapes.items()}
    return Checkpoint(Path("some.pth"), "torch zip", "tensors", tensors)


def _refused(checkpoint, name, **options):
    with pytest.raises(WeightsError) as caught:
        load_into(models.create(name, **options), checkpoint, spec=models.spec(name))
    return caught.value


def test_weights_of_another_preset_name_it():
    refused = _refused(_shaped("timesformer-vitb16"), "timesformer-tiny")
    assert refused.mend == "They look like those of 'timesformer-vitb16': use that model."


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        ("seresnet50-inbody", "seresnet-tiny"),
        ("vits16-224-csra", "vit-tiny-csra"),
        ("timesformer-vitb16", "seresnet-tiny"),
        ("r3d-18", "timesformer-tiny"),
        ("vit-tiny-csra", "resnet10-csra"),
    ],
)
def test_a_foreign_file_is_recognised_whatever_its_prefix_and_classes(made, wanted):
    classes = {"num_classes": 3} if "num_classes" in models.spec(made).Config.model_fields else {}
    assert f"They look like those of {made!r}" in _refused(_shaped(made, "module.", **classes), wanted).mend


def test_what_is_like_nothing_is_not_given_a_name():
    tensors = {f"layer{number}.weight": torch.zeros(3, 3) for number in range(40)}
    refused = _refused(Checkpoint(Path("some.pth"), "torch zip", "tensors", tensors), "seresnet-tiny")
    assert refused.mend == "Use the model they were made for."


@pytest.mark.parametrize("passport", [False, True])
def test_weights_of_another_width_are_refused_in_a_few_lines(tmp_path, passport):
    name, options = "seresnet-tiny", {"width": 12, "num_classes": 3}
    module, path = models.create(name, **options), tmp_path / "w.safetensors"
    if passport:
        save_weights(path, module, Passport.of(models.spec(name), models.configure(name, options)))
    else:
        save_file(module.state_dict(), path)
    refused = _refused(path, name)
    assert "12 in the file, 16 in the model" in refused.what
    assert re.search(r"; and \d+ more$", refused.what)
    assert len(refused.what.splitlines()) == 2
    assert refused.mend.endswith("width=12: give these options, in a recipe under `model`.")


def test_of_another_architecture_the_options_are_told_too(tmp_path):
    name, options = "seresnet-tiny", {"width": 12, "num_classes": 3}
    passport = Passport.of(models.spec(name), models.configure(name, options))
    save_weights(tmp_path / "w.safetensors", models.create(name, **options), passport)
    refused = _refused(tmp_path / "w.safetensors", "resnet10-csra")
    assert refused.mend == "Use the model 'seresnet-tiny' with width=12."
