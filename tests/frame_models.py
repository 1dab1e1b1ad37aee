"""Weights files of frame and clip classifiers that were never trained, but whose every part does something."""

from __future__ import annotations

from pathlib import Path

import torch

from cineloop import models
from cineloop.inference.load import Loaded, load
from cineloop.models.passport import Head, Passport
from cineloop.models.weights import save_weights
from cineloop.named import Named
from cineloop.tasks.clip_classification.model import build as build_clip
from cineloop.tasks.clip_classification.passport import ClipInput
from cineloop.tasks.clip_classification.schema import SamplingSection
from cineloop.timeline.quality import LABELS
from cineloop.video.frame_input import FrameInput
from cineloop.video.spatial import SpatialConfig


def exercised(network, seed: int = 0):
    """Give a network weights of which none is at its start, so that leaving one out shows."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, value in network.state_dict().items():
        if not value.is_floating_point():
            state[key] = value
        elif value.ndim > 1:
            state[key] = torch.randn(value.shape, generator=generator) * (2 / value[0].numel()) ** 0.5
        else:
            noise = torch.randn(value.shape, generator=generator)
            state[key] = noise.abs() / 4 + 0.8 if key.endswith(("weight", "running_var")) else noise / 10
    network.load_state_dict(state)
    return network.eval()


def frame_weights(
    path: Path,
    name: str = "resnet10-csra",
    *,
    labels: str = "colonoscopy",
    prepared: FrameInput | None = None,
    positive: str | None = None,
    classes: tuple[str, ...] = ("in_body", "out_of_body"),
    crop: str = "none",
    **config,
) -> Loaded:
    """Write the weights file of a frame classifier and load it."""
    outputs = LABELS if labels == "colonoscopy" else classes
    spec = models.spec(name)
    options = models.configure(name, {"num_classes": len(outputs), **config})
    io = spec.io(options)
    prepared = prepared or FrameInput(size=io.size, mean=io.mean, std=io.std)
    torch.manual_seed(0)
    network = exercised(spec.build(options))
    passport = Passport.of(spec, options).model_copy(
        update={
            "classes": tuple(outputs),
            "head": Head(
                task="frame-classification",
                prefix="",
                activation="sigmoid" if labels == "colonoscopy" else "softmax",
                config={
                    "labels": labels,
                    "stride": 1.0,
                    "crop": crop,
                    "input": prepared.model_dump(mode="json"),
                    "positive": positive,
                },
            ),
        }
    )
    save_weights(path, network, passport)
    return load(path, device="cpu")


def clip_weights(path: Path, *, spatial: SpatialConfig | None = None, positive: str | None = "lesion") -> Loaded:
    """Write the weights file of a small clip classifier and load it."""
    name = "timesformer-tiny"
    options = models.configure(name, {"img_size": 32, "num_frames": 4, "embed_dim": 32, "depth": 2, "num_heads": 2})
    module = exercised(build_clip(Named(name, options), 2))
    given = ClipInput(
        sampling=SamplingSection(frames=4),
        crop="none",
        spatial=spatial or SpatialConfig(size=32),
        temporal_views=1,
        spatial_views=1,
        positive=positive,
    )
    passport = Passport.of(models.spec(name), options).model_copy(
        update={
            "classes": ("none", "lesion"),
            "head": Head(task="clip-classification", activation="softmax", config=given.model_dump(mode="json")),
        }
    )
    passport = passport.model_copy(update={"io": passport.io.model_copy(update={"size": (32, 32)})})
    save_weights(path, module, passport)
    return load(path, device="cpu")
