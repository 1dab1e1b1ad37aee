"""MONAI's own commands take a bundle that was written here, from verification to training."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest

from cineloop.exports.monai_bundle import write_bundle
from cineloop.models.seresnet import PUBLISHED_INPUT
from frame_models import frame_weights
from tiny_frames import write_tree

CONFIGS = ("--meta_file", "configs/metadata.json", "--config_file", "configs/inference.json")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    pytest.importorskip("monai", reason="MONAI is not installed: pip install cineloop[monai]")
    folder = tmp_path_factory.mktemp("monai")
    loaded = frame_weights(
        folder / "weights.safetensors",
        "seresnet50-inbody",
        labels="exclusive",
        positive="out_of_body",
        prepared=PUBLISHED_INPUT.model_copy(update={"size": (64, 64)}),
    )
    written = write_bundle(loaded, folder / "bundle").folder
    pictures = sorted(write_tree(folder / "tree", patients=4, each=2).rglob("*.png"))
    rows = [{"image": str(path), "label": int("outbody" in path.parts)} for path in pictures]
    (written / "label").mkdir()
    for name, part in (("train", rows[::2]), ("val", rows[1::4]), ("test", rows[3::4])):
        (written / "label" / f"{name}_samples.json").write_text(json.dumps(part))
    return written


def verb(bundle, name, *arguments):
    words = [sys.executable, "-W", "ignore", "-m", "monai.bundle", name, *arguments]
    done = subprocess.run(words, cwd=bundle, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.mark.slow
def test_metadata_and_network_are_verified(bundle):
    said = verb(
        bundle,
        "verify_metadata",
        "--meta_file",
        "configs/metadata.json",
        "--filepath",
        "configs/metadata_schema.json",
    )
    assert "verified with no error" in said
    assert "verified with no error" in verb(bundle, "verify_net_in_out", "network_def", *CONFIGS)


@pytest.mark.slow
def test_it_infers_trains_and_evaluates(bundle):
    verb(bundle, "run", "--config_file", "configs/inference.json")
    with (bundle / "eval" / "predictions.csv").open() as stream:
        rows = list(csv.reader(stream))
    assert len(rows) == len(json.loads((bundle / "label" / "test_samples.json").read_text()))
    assert all(float(row[1]) + float(row[2]) == pytest.approx(1, abs=1e-4) for row in rows)
    before = (bundle / "models" / "model.pt").read_bytes()
    options = ("--max_epochs", "1", "--batch_size", "4")
    verb(bundle, "run", "--config_file", "configs/train.json", *options)
    assert (bundle / "models" / "model.pt").read_bytes() != before
    verb(bundle, "run", "--config_file", "['configs/train.json','configs/evaluate.json']", "--batch_size", "4")
    assert (bundle / "eval" / "metrics.csv").read_text().startswith("accuracy,")


@pytest.mark.slow
def test_the_overlay_for_several_gpus_parses(bundle):
    from monai.bundle.config_parser import ConfigParser

    parser = ConfigParser()
    parser.read_config([str(bundle / "configs" / name) for name in ("train.json", "multi_gpu_train.json")])
    parser.parse()
    assert parser["train"]["dataloader"]["sampler"] in ("@train#sampler", "@train::sampler")
    assert parser["validate"]["sampler"]["even_divisible"] is False
    assert parser["network"]["_target_"].endswith("DistributedDataParallel")
    assert parser["network"]["module"] == "$@network_def.to(@device)"


@pytest.mark.slow
def test_it_is_exported_by_monai(bundle):
    import onnx

    files = ("--ckpt_file", "models/model.pt", *CONFIGS)
    verb(bundle, "ckpt_export", "network_def", "--filepath", "models/model.ts", *files)
    verb(bundle, "onnx_export", "network_def", "--filepath", "models/model.onnx", *files)
    assert (bundle / "models" / "model.ts").stat().st_size > 1e6
    onnx.checker.check_model(str(bundle / "models" / "model.onnx"))
