"""Transformer parts that several architectures share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DropPath(nn.Module):
    """Stochastic depth (Huang et al. 2016): in training, drop a row of the leading axis with probability ``rate``.

    Rows that stay are scaled by ``1 / (1 - rate)``; in evaluation this is the identity.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x``, or in training ``x`` with rows dropped."""
        if not self.training or self.rate == 0.0:
            return x
        keep = 1.0 - self.rate
        mask = torch.empty((x.shape[0],) + (1,) * (x.ndim - 1), dtype=x.dtype, device=x.device)
        return x * mask.bernoulli_(keep).div_(keep)

    def extra_repr(self) -> str:
        """Return what ``repr`` shows between the brackets."""
        return f"rate={self.rate:g}"


class Attention(nn.Module):
    """Multi-head self-attention over the second axis: ``[B, L, D] -> [B, L, D]``.

    ``qkv`` packs query, key and value in that order, each split into ``heads`` of ``D / heads`` (Vaswani et al. 2017).
    """

    def __init__(self, width: int, heads: int, *, qkv_bias: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=qkv_bias)
        self.proj = nn.Linear(width, width)

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        batch, length, width = x.shape
        qkv = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        return query, key, value

    def forward(self, x: Tensor) -> Tensor:
        """Mix the tokens ``[B, L, D]`` of each sequence."""
        query, key, value = self._split(x)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).flatten(2))

    def probabilities(self, x: Tensor) -> Tensor:
        """Return who attends to whom, ``[B, heads, L, L]``; each row sums to 1."""
        query, key, _ = self._split(x)
        scale = query.shape[-1] ** -0.5
        return torch.softmax((query * scale) @ key.transpose(-2, -1), dim=-1)


class Mlp(nn.Module):
    """Two linear layers with the exact (erf) GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each token ``[..., D]`` by itself."""
        return self.fc2(F.gelu(self.fc1(x)))
