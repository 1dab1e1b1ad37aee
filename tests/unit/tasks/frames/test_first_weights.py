"""First weights, and published checkpoints that predict as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import cineloop
from cineloop import models
from cineloop.errors import WeightsError
from cineloop.named import Named
from cineloop.tasks.frame_classification.model import load_first
from frame_models import exercised
from program import call
from tiny_frames import picture

SMALL = {"img_size": 32, "widths": [8, 8, 16, 16], "csra_heads": 2}
VIT = {"img_size": 28, "embed_dim": 32, "depth": 2, "num_heads": 2}


def network(**options):
    config = models.configure("resnet10-csra", {**SMALL, **options})
    return Named("resnet10-csra", config), exercised(models.spec("resnet10-csra").build(config))


def saved(module, path, drop=()):
    torch.save({key: value for key, value in module.state_dict().items() if key not in drop}, path)
    return path


def test_a_last_layer_of_other_classes_is_new_and_the_rest_is_not(tmp_path):
    _, source = network(num_classes=3)
    named, target = network(num_classes=7)
    torch.nn.init.constant_(next(iter(target.parameters())), 0.5)
    table = load_first(target, saved(source, tmp_path / "a.pt"), named, min_match=1.0)
    assert "mismatched" in table
    below = [key for key in target.state_dict() if not key.startswith("classify_head")]
    assert all(torch.equal(target.state_dict()[key], source.state_dict()[key]) for key in below)


def test_a_head_does_not_make_up_for_what_is_missing_below(tmp_path):
    named, source = network()
    drop = ("backbone.main_module.layer1.0.conv1.weight",)
    path = saved(source, tmp_path / "a.pt", drop)
    with pytest.raises(WeightsError, match="do not fit"):
        load_first(network()[1], path, named, min_match=1.0)
    load_first(network()[1], path, named, min_match=0.9)


@pytest.mark.parametrize("threshold", [None, 0.2])
def test_a_published_checkpoint_predicts_as_its_tool(tmp_path, threshold):
    module = exercised(models.create("vitl14-336-csra", **VIT))
    torch.save({"state_dict": module.state_dict(), "epoch": 39}, tmp_path / "MuLModel.ckpt")
    pixels = picture(2, seed=1, size=(90, 60))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    options = [f"{key}={value}" for key, value in VIT.items()]
    done = call(
        "weights", "convert", "MuLModel.ckpt", "w.safetensors", "--model", "vitl14-336-csra", "--published", *options,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (row,) = cineloop.predict(tmp_path / "w.safetensors", [tmp_path / "a.png"], threshold=threshold).rows
    images = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        probabilities, labels = module.activate(images, 0.5 if threshold is None else threshold)
    np.testing.assert_allclose(row.probabilities, probabilities[0].numpy(), atol=1e-6)
    from cineloop.timeline.quality import state_of

    assert row.label == state_of(labels[0].int().tolist())


def test_only_what_was_published_has_a_published_head(tmp_path):
    _, module = network()
    saved(module, tmp_path / "a.pt")
    options = ["img_size=32", "widths=[8, 8, 16, 16]", "csra_heads=2"]
    done = call(
        "weights", "convert", "a.pt", "w.safetensors", "--model", "resnet10-csra", "--published", *options, cwd=tmp_path
    )
    assert done.returncode == 2
    assert "No published tool is known" in done.stderr
    assert not (tmp_path / "w.safetensors").exists()
