"""A transformer in the form that engines run fastest: the same function of the same weights, as plain products.

Training projects to queries, keys and values at once and leaves attention to one call. Of a graph made from that, an
engine turns all three round in memory before each attention and scales two of them, and its kernel for patches sees
three channels at a time. Three projections, the first with the scale in its weights, and patches as rows of a matrix
leave it nothing but products.
"""

from __future__ import annotations

import copy
import sys

import torch
from torch import Tensor, nn

from cineloop.models import layers

_EXTRAS = ("q_norm", "k_norm", "norm", "gate")
"""What timm's attention may do besides."""


def unpacked(network: nn.Module) -> nn.Module:
    """Return a network with the attention and the patches of known transformers as plain products.

    Parameters are shared where their values are the same, and ``network`` stays as it was. Modules that are not known
    stay as they are.

    Args:
        network: In evaluation mode.
    """
    plain = _plain(network)
    if plain is not None:
        return plain
    children = {name: child and unpacked(child) for name, child in network._modules.items()}
    if all(child is network._modules[name] for name, child in children.items()):
        return network
    changed = copy.copy(network)
    changed._modules = children
    return changed


def _plain(module: nn.Module) -> nn.Module | None:
    """Return what stands for ``module``, or None."""
    if isinstance(module, nn.Conv2d):
        return PlainPatches(module) if _cuts_patches(module) else None
    if isinstance(module, layers.Attention):
        return PlainAttention(module.qkv, module.proj, heads=module.heads)
    # A network of timm's has brought it along; where there is none, it need not be imported for this.
    timm = sys.modules.get("timm.models.vision_transformer")
    if timm is None or type(module) is not timm.Attention:
        return None
    if any(not isinstance(getattr(module, name, None), nn.Identity | None) for name in _EXTRAS):
        return None
    return PlainAttention(module.qkv, module.proj, heads=module.num_heads)  # type: ignore[arg-type]


def _cuts_patches(convolution: nn.Conv2d) -> bool:
    """Tell whether a convolution looks at each pixel once, in patches of more than one."""
    return (
        convolution.kernel_size == convolution.stride != (1, 1)
        and convolution.padding == (0, 0)
        and convolution.dilation == (1, 1)
        and convolution.groups == 1
    )


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """Return a layer with these values, which are shared."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    layer.weight = nn.Parameter(weight.detach(), requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach(), requires_grad=False)
    return layer


class PlainAttention(nn.Module):
    """What :class:`cineloop.models.layers.Attention` and timm's compute: ``[..., L, D] -> [..., L, D]``.

    Args:
        packed: The projection to queries, keys and values, in that order.
        proj: The last projection.
        heads: Attention heads.
    """

    def __init__(self, packed: nn.Linear, proj: nn.Linear, *, heads: int) -> None:
        super().__init__()
        scale = (packed.out_features // (3 * heads)) ** -0.5
        query, key, value = packed.weight.chunk(3)
        biases: tuple[Tensor | None, ...] = (None,) * 3 if packed.bias is None else packed.bias.chunk(3)
        self.heads = heads
        self.query = _linear(query * scale, None if biases[0] is None else biases[0] * scale)
        self.key, self.value = _linear(key, biases[1]), _linear(value, biases[2])
        self.proj = proj

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(-1, x.shape[-2], self.heads, x.shape[-1] // self.heads).transpose(1, 2)

    def forward(
        self, x: Tensor, norm: nn.Module | None = None, attn_mask: Tensor | None = None, is_causal: bool = False
    ) -> Tensor:
        """Mix the tokens of each sequence, normalised first where ``norm`` is given.

        ``attn_mask`` and ``is_causal`` are there because timm names them.

        Raises:
            NotImplementedError: One of these is set.
        """
        if attn_mask is not None or is_causal:
            raise NotImplementedError("attention with a mask has no plain form")
        tokens = x if norm is None else norm(x)
        query, key, value = (self._split(layer(tokens)) for layer in (self.query, self.key, self.value))
        mixed = torch.softmax(query @ key.transpose(-2, -1), dim=-1) @ value
        return self.proj(mixed.transpose(1, 2).reshape(*x.shape[:-1], -1))


class PlainPatches(nn.Module):
    """What a convolution whose stride is its kernel computes: ``[N, C, H, W] -> [N, D, H // p, W // q]``.

    Args:
        convolution: It.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.sides = convolution.kernel_size
        self.proj = _linear(convolution.weight.flatten(1), convolution.bias)

    def forward(self, frames: Tensor) -> Tensor:
        """Return the grid of tokens of each frame."""
        (high, wide), channels = self.sides, frames.shape[1]
        rows, columns = frames.shape[2] // high, frames.shape[3] // wide
        cut = frames[:, :, : rows * high, : columns * wide].reshape(-1, channels, rows, high, columns, wide)
        patches = cut.permute(0, 2, 4, 1, 3, 5).reshape(-1, rows * columns, channels * high * wide)
        # Turned round once and cut into rows: what follows takes both back, and an engine then leaves both out.
        return self.proj(patches).transpose(1, 2).unflatten(2, (rows, columns))
