"""Transformer parts that several architectures share."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

_SHORT, _SHORT_IN_16_BITS = 32, 512


def recomputed(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return ``function(x)``, of which only ``x`` is kept for the backward pass.

    Made for a cheap function before a product of matrices, such as a normalisation: its result is computed again when
    the product's gradient asks for it, the product is not, and the gradients are the same bit for bit.
    """
    if not torch.is_grad_enabled():
        return function(x)
    result: Tensor = checkpoint(function, x, use_reentrant=False, preserve_rng_state=False)
    return result


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return the scaled dot-product attention of queries, keys and values ``[B, heads, L, d]``."""
    # On a CPU the fused kernel loses to plain products where sequences are short, in 16-bit types also where they are
    # not so short; of long ones the whole matrix of weights would fill the memory.
    short = _SHORT_IN_16_BITS if query.element_size() == 2 else _SHORT
    if query.device.type == "cpu" and query.shape[2] <= short:
        return weights(query, key).to(value.dtype) @ value
    return F.scaled_dot_product_attention(query, key, value)


def weights(query: Tensor, key: Tensor) -> Tensor:
    """Return who attends to whom, ``[B, heads, L, L]``; each row sums to 1."""
    return torch.softmax((query @ key.transpose(-2, -1)) * query.shape[-1] ** -0.5, dim=-1)


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
    """Multi-head self-attention over the last axis but one: ``[..., L, D] -> [..., L, D]``.

    ``qkv`` packs query, key and value in that order, each split into ``heads`` of ``D / heads`` (Vaswani et al. 2017).
    """

    def __init__(self, width: int, heads: int, *, qkv_bias: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=qkv_bias)
        self.proj = nn.Linear(width, width)

    def _split(self, x: Tensor, norm: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
        length, width = x.shape[-2:]
        qkv = recomputed(lambda tokens: self.qkv(norm(tokens)), x)
        qkv = qkv.view(-1, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        return query, key, value

    def forward(self, x: Tensor, norm: nn.Module) -> Tensor:
        """Mix the tokens ``[..., L, D]`` of each sequence, normalised first."""
        return self.proj(attend(*self._split(x, norm)).transpose(1, 2).reshape(x.shape))

    def probabilities(self, x: Tensor, norm: nn.Module) -> Tensor:
        """Return who attends to whom, ``[N, heads, L, L]`` with N sequences; each row sums to 1."""
        query, key, _ = self._split(x, norm)
        return weights(query, key)


class Mlp(nn.Module):
    """Two linear layers with the exact (erf) GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor, norm: nn.Module) -> Tensor:
        """Transform each token ``[..., D]`` by itself, normalised first."""
        hidden = recomputed(lambda tokens: self.fc1(norm(tokens)), x)
        return recomputed(lambda values: self.fc2(F.gelu(values)), hidden)
