"""Bundles that are written here: what they say, what they may evaluate, and what MONAI makes of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import cineloop
from cineloop.errors import ExportError
from cineloop.exports.monai_bundle import configs, write_bundle
from cineloop.exports.monai_bundle.metadata import metadata_schema
from cineloop.exports.monai_bundle.transforms import augmentation, preparation
from cineloop.models.seresnet import PUBLISHED_INPUT
from cineloop.video.frame_input import FrameInput
from frame_models import frame_weights
from tiny_frames import picture

GOLDEN = Path(__file__).parents[2] / "golden" / "bundle_expressions.txt"
SMALL = PUBLISHED_INPUT.model_copy(update={"size": (64, 96)})


def gate(folder, prepared=SMALL, **config):
    return frame_weights(
        folder / "weights.safetensors",
        "seresnet50-inbody",
        labels="exclusive",
        positive="out_of_body",
        prepared=prepared,
        **config,
    )


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return gate(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, loaded):
    return write_bundle(loaded, tmp_path_factory.mktemp("out") / "bundle", accuracy=0.875)


def strings(value):
    """Yield what MONAI would evaluate or instantiate."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "_target_":
                yield f"_target_ {item}"
            else:
                yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str) and "$" in value:
        yield value


def test_expressions_and_classes_are_a_fixed_list():
    upright = FrameInput(size=(64, 64), antialias=False, arithmetic="float")
    found = set()
    for steps in (preparation(PUBLISHED_INPUT), preparation(upright)):
        for config in (configs.inference(steps, 2), configs.train(steps, augmentation(), 2)):
            found |= set(strings(config))
    found |= set(strings(configs.evaluate())) | set(strings(configs.multi_gpu()))
    assert sorted(found) == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_a_bundle_holds_what_monai_asks_for(bundle):
    names = {path.relative_to(bundle.folder).as_posix() for path in bundle.folder.rglob("*") if path.is_file()}
    required = {"LICENSE", "configs/metadata.json", "configs/inference.json", "configs/train.json", "models/model.pt"}
    assert required <= names
    state = torch.load(bundle.folder / "models" / "model.pt", weights_only=True)
    assert len(state) == 384


def test_the_metadata_tells_the_truth(bundle, loaded):
    import jsonschema

    plain = json.loads((bundle.folder / "configs" / "metadata.json").read_text())
    jsonschema.validate(plain, metadata_schema())
    data = plain["network_data_format"]
    image, pred = data["inputs"]["image"], data["outputs"]["pred"]
    assert (image["spatial_shape"], image["value_range"]) == ([64, 96], [])
    assert pred["type"] != "probabilities"
    assert plain["network_data_format"]["post_processed_outputs"]["pred"]["value_range"] == [0, 1]
    assert pred["channel_def"] == {"0": "in_body", "1": "out_of_body"}
    assert plain["weights_sha256"] == loaded.passport.sha256
    assert plain["eval_metrics"] == {"accuracy": 0.875}


def test_what_was_written_is_read_back(bundle, loaded, tmp_path):
    from PIL import Image

    for number in range(2):
        Image.fromarray(picture(number, seed=number, size=(80, 50))).save(tmp_path / f"{number}.png")
    ours, theirs = (cineloop.predict(model, [tmp_path]) for model in (loaded, bundle.folder))
    assert ours.classes == theirs.classes
    for one, other in zip(ours.rows, theirs.rows, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-12)


def test_the_threshold_of_the_run_goes_with_it(loaded, tmp_path):
    found = write_bundle(loaded, tmp_path / "bundle", threshold=0.125, accuracy=0.75)
    plain = json.loads((found.folder / "configs" / "metadata.json").read_text())
    assert (plain["decision"]["positive"], plain["decision"]["threshold"]) == ("out_of_body", 0.125)
    assert any("0.125" in note for note in found.notes)
    assert cineloop.load(found.folder).thresholds == {"out_of_body": 0.125}


@pytest.mark.parametrize(
    "decision",
    [
        None,
        {"rule": "the likeliest class"},
        {"positive": "else", "threshold": 0.5},
        {"positive": "out_of_body"},
        {"positive": "out_of_body", "threshold": 7},
    ],
)
def test_another_bundles_decision_is_no_threshold(bundle, tmp_path, decision):
    copy = tmp_path / "bundle"
    shutil.copytree(bundle.folder, copy)
    file = copy / "configs" / "metadata.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "decision": decision}))
    assert cineloop.load(copy).thresholds == {}


def test_the_threshold_is_that_of_the_class_it_was_written_for(loaded, tmp_path):
    found = write_bundle(loaded, tmp_path / "bundle", threshold=0.125)
    file = found.folder / "configs" / "metadata.json"
    # Names that tell nothing of which class is the positive one.
    text = file.read_text().replace('"in_body"', '"lesion"').replace('"out_of_body"', '"normal"')
    file.write_text(text.replace('"positive": "normal"', '"positive": "lesion"'))
    again = cineloop.load(found.folder)
    assert again.predictor.positive == "lesion"
    assert again.thresholds == {"lesion": 0.125}


def test_monai_computes_the_same(bundle):
    pytest.importorskip("monai", reason="MONAI is not installed: pip install cineloop[monai]")
    assert bundle.parity.engine.startswith("monai")
    assert bundle.parity.passed
    assert bundle.parity.resized < 1e-4
    assert bundle.parity.logits < 1e-3


def test_upright_pictures_too(tmp_path):
    pytest.importorskip("monai", reason="MONAI is not installed: pip install cineloop[monai]")
    prepared = FrameInput(size=(64, 96), antialias=False, arithmetic="float", mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.3))
    found = write_bundle(gate(tmp_path, prepared), tmp_path / "bundle")
    assert found.parity.passed
    assert cineloop.load(found.folder).predictor.head.input.size == (64, 96)


@pytest.mark.parametrize(
    ("prepared", "config", "complaint"),
    [
        (FrameInput(size=(64, 64)), {}, "smoothing before shrinking"),
        (FrameInput(size=(64, 64), resize="short_side", antialias=False, arithmetic="float"), {}, "short_side"),
        (SMALL, {"width": 16}, "not the one that MONAI builds"),
        (SMALL, {"variant": "modern"}, "not the one that MONAI builds"),
    ],
)
def test_what_monai_cannot_compute_is_refused(tmp_path, prepared, config, complaint):
    with pytest.raises(ExportError, match=complaint):
        write_bundle(gate(tmp_path, prepared, **config), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_another_network_is_refused(tmp_path):
    other = frame_weights(tmp_path / "w.safetensors", img_size=32, widths=[8, 8, 16, 16], csra_heads=1)
    with pytest.raises(ExportError, match="A bundle is written of seresnet50-inbody"):
        cineloop.export(other, form="bundle", out=tmp_path / "bundle")
