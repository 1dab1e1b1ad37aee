"""A MONAI bundle as others write it, with expressions and a weights file, small enough for a test."""

from __future__ import annotations

import json
from pathlib import Path

import torch

PUBLISHED_STEPS = [
    {"_target_": "LoadImaged", "keys": "image"},
    {"_target_": "EnsureChannelFirstd", "keys": "image", "channel_dim": 2},
    {"_target_": "Resized", "keys": "image", "spatial_size": [256, 256], "mode": "bilinear"},
    {"_target_": "CastToTyped", "dtype": "$torch.float32", "keys": ["image"]},
    {"_target_": "NormalizeIntensityd", "nonzero": True, "channel_wise": True, "keys": ["image"]},
    {"_target_": "EnsureTyped", "keys": "image"},
]


def write_foreign(folder: Path, network, *, steps=None, network_def=None, channel_def=None) -> Path:
    """Write ``configs/`` and ``models/model.pt`` of a bundle that was not written here."""
    config = {
        "imports": ["$import os", "$__import__('pathlib').Path('RAN').write_text('code of the bundle ran')"],
        "bundle_root": "$os.getcwd()",
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "network_def": network_def or {"_target_": "SEResNet50", "spatial_dims": 2, "in_channels": 3, "num_classes": 2},
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": PUBLISHED_STEPS if steps is None else steps},
        "dataset": {"_target_": "Dataset", "data": "$json.load(open('x'))", "transform": "@preprocessing"},
        "evaluator": {"_target_": "SupervisedEvaluator", "network": "@network"},
        "run": ["$@evaluator.run()"],
    }
    names = channel_def or {"0": "in body", "1": "out body"}
    metadata = {"version": "0.4.9", "network_data_format": {"outputs": {"pred": {"channel_def": names}}}}
    for name in ("configs", "models"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "configs" / "inference.json").write_text(json.dumps(config))
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    torch.save(network.state_dict(), folder / "models" / "model.pt")
    return folder
