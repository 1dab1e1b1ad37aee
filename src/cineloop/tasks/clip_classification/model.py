"""A clip classifier: any registered encoder, dropout, and a linear head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cineloop.errors import ModelError
from cineloop.models.registry import MODELS, ModelIO
from cineloop.named import Named
from cineloop.schema import Section


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
