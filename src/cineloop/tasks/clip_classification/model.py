"""A clip classifier: any registered encoder, dropout, and a linear head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cineloop.errors import ModelError, RecipeError
from cineloop.models.registry import MODELS, Layers, ModelIO
from cineloop.named import Named
from cineloop.schema import Section
from cineloop.tasks.clip_classification.schema import ClassifierModel
from cineloop.training.learner import ParameterGroup
from cineloop.training.optimizer import split_decay


class ClipClassifier(nn.Module):
    """Normalised clips float32 [B, 3, T, H, W] to logits float32 [B, K]."""

    def __init__(self, backbone: nn.Module, width: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, classes)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def forward(self, clips: Tensor) -> Tensor:
        """Return the logits of each clip."""
        logits: Tensor = self.head(self.dropout(self.backbone(clips)))
        return logits


def contract(network: Named[Section]) -> ModelIO:
    """Return the encoder's contract.

    Raises:
        ModelError: The model does not read clips into features.
    """
    io = MODELS.get(network.name).io(network.config)
    if io.input != "clip" or io.output != "features":
        raise ModelError(
            f"{network.name!r} turns a {io.input} into {io.output}; clip classification needs clips and features",
            where="model.name",
            mend="Choose a clip encoder; `cineloop recipes` shows some in use.",
        )
    return io


def build(network: Named[Section], classes: int, *, dropout: float = 0.0, seed: int = 0) -> ClipClassifier:
    """Return a classifier with random weights that depend on ``seed`` alone."""
    io = contract(network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = MODELS.get(network.name).build(network.config)
        return ClipClassifier(backbone, io.width, classes, dropout)


def layers_of(network: Named[Section]) -> Layers | None:
    """Return the depth order of the encoder's parameters, None when the model names none."""
    spec = MODELS.get(network.name)
    return spec.layers(network.config) if spec.layers is not None else None


def freeze(classifier: ClipClassifier, model: ClassifierModel) -> None:
    """Leave trainable what the recipe says: all, the head, or the head and a number of last blocks.

    Raises:
        RecipeError: The encoder has no depth order, or fewer layers.
    """
    if model.trainable == "all":
        return
    keep = 0
    layers = layers_of(model.network)
    if isinstance(model.trainable, int):
        if layers is None:
            raise RecipeError(
                f"{model.network.name!r} names no blocks", where="model.trainable", mend="Use `all` or `head`."
            )
        # Below the blocks lie the embeddings.
        blocks = layers.count - layers.above - 1
        if model.trainable > blocks:
            raise RecipeError(
                f"{model.network.name!r} has {blocks} blocks, {model.trainable} are asked for",
                where="model.trainable",
                mend="Use `all`, or fewer.",
            )
        keep = model.trainable + layers.above
    for name, parameter in classifier.backbone.named_parameters():
        parameter.requires_grad_(keep > 0 and layers is not None and layers.of(name) >= layers.count - keep)


def parameter_groups(
    classifier: ClipClassifier, model: ClassifierModel, layer_decay: float, head_lr_scale: float
) -> list[ParameterGroup]:
    """Return the groups of the trainable parameters: by layer where learning rates decay with depth, and the head.

    Raises:
        RecipeError: Layer-wise decay is asked for and the encoder has no depth order.
    """
    layers = layers_of(model.network)
    if layer_decay < 1 and layers is None:
        raise RecipeError(
            f"{model.network.name!r} names no layers",
            where="train.optimizer.layer_decay",
            mend="Set it to 1, or choose a model with layers.",
        )
    by_layer: dict[int, list[str]] = {}
    head: list[str] = []
    for name, parameter in classifier.named_parameters():
        if not parameter.requires_grad:
            continue
        if not name.startswith("backbone."):
            head.append(name)
        else:
            layer = layers.of(name.removeprefix("backbone.")) if layers is not None and layer_decay < 1 else 0
            by_layer.setdefault(layer, []).append(name)
    groups: list[ParameterGroup] = []
    for layer, names in sorted(by_layer.items()):
        below = layers.count - layer if layers is not None and layer_decay < 1 else 0
        title = f"layer {layer}" if layer_decay < 1 else "backbone"
        groups += split_decay(classifier, names, title, layer_decay**below)
    return groups + split_decay(classifier, head, "head", head_lr_scale)


def trainable_share(classifier: nn.Module) -> tuple[int, int]:
    """Return the number of all parameters and of those that training moves."""
    parameters: Sequence[nn.Parameter] = list(classifier.parameters())
    return sum(p.numel() for p in parameters), sum(p.numel() for p in parameters if p.requires_grad)
