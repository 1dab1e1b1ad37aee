"""What a loss is to the loop: a value and a weight for each sample."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class SampleLoss(nn.Module, ABC):
    """A loss a sample. A batch's loss is ``sum(loss(logits, target)) / sum(weight(target))``."""

    @abstractmethod
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the weighted loss of each sample, float32 [B], from logits [B, K] and classes int64 [B]."""

    def weight(self, target: Tensor) -> Tensor:
        """Return each sample's share in the divisor, float32 [B]: 1 unless a loss says otherwise."""
        return torch.ones(target.shape, dtype=torch.float32, device=target.device)
