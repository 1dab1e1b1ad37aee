"""TimeSformer ViT-B/16 in the published order of operations, written plainly: a peer to compare with.

One sequence of class token and patches (time fastest) goes through the network; each block takes it apart for time and
for space and puts it together again, and attention is products and a softmax. Parameter names are the published ones.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Stochastic depth over the leading axis."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        keep = 1 - self.rate
        mask = torch.floor(keep + torch.rand((x.shape[0],) + (1,) * (x.ndim - 1), dtype=x.dtype, device=x.device))
        return x / keep * mask


class Attention(nn.Module):
    """Multi-head attention, step by step, with its dropouts of rate 0."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.drop = nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(x).reshape(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        attention = (qkv[0] @ qkv[1].transpose(-2, -1)) * (width // self.heads) ** -0.5
        attention = self.drop(attention.softmax(dim=-1))
        return self.drop(self.proj((attention @ qkv[2]).transpose(1, 2).reshape(batch, length, width)))


class Mlp(nn.Module):
    """Two layers with GELU between, and dropouts of rate 0."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(4 * width, width)
        self.drop = nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.fc2(self.drop(self.act(self.fc1(x)))))


class Block(nn.Module):
    """Divided space-time attention over one long sequence."""

    def __init__(self, width: int, heads: int, rate: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.temporal_norm1 = nn.LayerNorm(width, eps=1e-6)
        self.temporal_attn = Attention(width, heads)
        self.temporal_fc = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width)
        self.drop_path = DropPath(rate)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        batch, length, width = x.shape
        places = (length - 1) // frames
        over_time = x[:, 1:].reshape(batch * places, frames, width)
        learned = self.drop_path(self.temporal_attn(self.temporal_norm1(over_time)))
        patches = x[:, 1:] + self.temporal_fc(learned.reshape(batch, places * frames, width))
        first = x[:, :1]
        copies = first.repeat(1, frames, 1).reshape(batch * frames, 1, width)
        in_space = patches.reshape(batch, places, frames, width).permute(0, 2, 1, 3)
        in_space = torch.cat((copies, in_space.reshape(batch * frames, places, width)), dim=1)
        learned = self.drop_path(self.attn(self.norm1(in_space)))
        cls = learned[:, 0].reshape(batch, frames, width).mean(1, keepdim=True)
        moved = learned[:, 1:].reshape(batch, frames, places, width).permute(0, 2, 1, 3)
        moved = moved.reshape(batch, places * frames, width)
        x = torch.cat((first, patches), dim=1) + torch.cat((cls, moved), dim=1)
        return x + self.drop_path(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    """A strided convolution."""

    def __init__(self, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch)


class PlainTimeSformer(nn.Module):
    """Normalised clips ``[B, 3, T, H, W]`` of the table's own size and length to features ``[B, D]``."""

    def __init__(
        self,
        *,
        img_size: int = 224,
        patch_size: int = 16,
        embed_dim: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        num_frames: int = 8,
        drop_path_rate: float = 0.1,
    ) -> None:
        super().__init__()
        places = (img_size // patch_size) ** 2
        self.patch_embed = PatchEmbed(embed_dim, patch_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + places, embed_dim))
        self.time_embed = nn.Parameter(torch.zeros(1, num_frames, embed_dim))
        rates = [drop_path_rate * index / max(1, depth - 1) for index in range(depth)]
        self.blocks = nn.ModuleList(Block(embed_dim, num_heads, rate) for rate in rates)
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)

    def forward(self, clips: Tensor) -> Tensor:
        batch, channels, frames, height, width = clips.shape
        pictures = clips.permute(0, 2, 1, 3, 4).reshape(batch * frames, channels, height, width)
        tokens = self.patch_embed.proj(pictures).flatten(2).transpose(1, 2)
        tokens = torch.cat((self.cls_token.expand(batch * frames, -1, -1), tokens), dim=1) + self.pos_embed
        cls, tokens = tokens[:batch, :1], tokens[:, 1:]
        places, dim = tokens.shape[1:]
        tokens = tokens.reshape(batch, frames, places, dim).permute(0, 2, 1, 3).reshape(batch * places, frames, dim)
        x = torch.cat((cls, (tokens + self.time_embed).reshape(batch, places * frames, dim)), dim=1)
        for block in self.blocks:
            x = block(x, frames)
        return self.norm(x)[:, 0]
