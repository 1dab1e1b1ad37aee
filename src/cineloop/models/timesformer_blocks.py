"""The parts of a TimeSformer: its options, stems and blocks."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from cineloop.models.layers import Attention, DropPath, Mlp
from cineloop.models.timesformer_weights import TimeResize
from cineloop.schema import Section

AttentionType = Literal["divided_space_time", "joint_space_time", "space_only"]


class TimeSformerConfig(Section):
    """Options of a TimeSformer; the defaults are ViT-B/16 with divided space-time attention.

    Attributes:
        img_size: Side, in pixels, of the square frames that the position table is made for.
        patch_size: Side of a patch in pixels; with the convolutional stem, its total stride.
        in_chans: Channels of a frame.
        num_classes: Accepted, so that published configurations can be used as they are, and without effect: the
            model gives features, as published, and a task puts its own head on them.
        embed_dim: Width of a token.
        depth: Number of blocks.
        num_heads: Attention heads of each block.
        mlp_ratio: Width of a block's MLP, in ``embed_dim``.
        qkv_bias: Whether query, key and value have biases.
        norm_eps: Epsilon of the layer normalisations.
        drop_path_rate: Stochastic depth of the last block; it grows linearly from 0 at the first.
        num_frames: Frames that the time table is made for.
        attention_type: How tokens attend across space and time.
        stem: One strided projection, or a stack of 3x3 convolutions.
        pool: The feature is the class token, or the mean or the largest value of all patch tokens, channel by channel.
        two_token: A second class token, as in the published two-token checkpoints; the feature is both, one behind the
            other.
        time_resize: How a time table of another length is fitted, in a checkpoint and to a clip: ``nearest``, as the
            published model does, or ``linear`` with both ends in place, as the published fine-tuning does where it is
            told to train from "scratch".
        zero_temporal: Start with temporal branches and the time table at zero, as published, so that an untrained
            model does not see time; else they start like the other layers.
    """

    img_size: int = Field(default=224, ge=1)
    patch_size: int = Field(default=16, ge=1)
    in_chans: Literal[1, 3] = 3
    num_classes: int = Field(default=0, ge=0)
    embed_dim: int = Field(default=768, ge=1)
    depth: int = Field(default=12, ge=1)
    num_heads: int = Field(default=12, ge=1)
    mlp_ratio: float = Field(default=4.0, gt=0)
    qkv_bias: bool = True
    norm_eps: float = Field(default=1e-6, gt=0)
    drop_path_rate: float = Field(default=0.1, ge=0, lt=1)
    num_frames: int = Field(default=8, ge=1)
    attention_type: AttentionType = "divided_space_time"
    stem: Literal["patch", "conv"] = "patch"
    pool: Literal["cls", "mean", "max"] = "cls"
    two_token: bool = False
    time_resize: TimeResize = "nearest"
    zero_temporal: bool = True

    @property
    def class_tokens(self) -> int:
        """The number of class tokens."""
        return 2 if self.two_token else 1

    @property
    def width(self) -> int:
        """The width of the feature."""
        return self.embed_dim * (self.class_tokens if self.pool == "cls" else 1)

    @model_validator(mode="after")
    def _buildable(self) -> TimeSformerConfig:
        if self.embed_dim % self.num_heads:
            raise ValueError(f"embed_dim {self.embed_dim} is not a multiple of num_heads {self.num_heads}")
        if self.img_size < self.patch_size:
            raise ValueError(f"img_size {self.img_size} is smaller than patch_size {self.patch_size}")
        if self.stem == "conv" and self.patch_size not in (2, 4, 8, 16, 32):
            raise ValueError(f"stem conv halves the frame step by step, so patch_size {self.patch_size} does not do")
        return self


class PatchEmbed(nn.Module):
    """One convolution whose stride is its kernel: ``[N, C, H, W] -> [N, D, H / patch, W / patch]``."""

    def __init__(self, channels: int, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, patch)

    def forward(self, frames: Tensor) -> Tensor:
        """Return the grid of tokens of each frame."""
        return self.proj(frames)


class ConvStem(nn.Module):
    """3x3 convolutions of stride 2, each normalised and rectified, then a 1x1 projection, as :class:`PatchEmbed`.

    Each channel is normalised over its own frame (Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022): fine texture
    is not drowned by light and dark, and unlike with the paper's batch normalisation a sample's result depends neither
    on its neighbours nor on how many processes share a batch.
    """

    def __init__(self, channels: int, width: int, patch: int) -> None:
        super().__init__()
        steps = patch.bit_length() - 1
        widths = [channels, *(max(16, width >> (steps - 1 - step)) for step in range(steps))]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            convolution = nn.Conv2d(before, after, 3, 2, 1, bias=False)
            layers += [convolution, nn.GroupNorm(after, after), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers)
        self.proj = nn.Conv2d(widths[-1], width, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Return the grid of tokens of each frame."""
        return self.proj(self.body(frames))


def joined(cls: Tensor, patches: Tensor) -> Tensor:
    """Put class tokens ``[..., C, D]`` and patch tokens ``[..., N, D]`` together: the first, the patches, the rest."""
    return torch.cat((cls[..., :1, :], patches, cls[..., 1:, :]), dim=-2)


def parted(tokens: Tensor, patches: int) -> tuple[Tensor, Tensor]:
    """Return the class tokens ``[..., C, D]`` and the ``[..., N, D]`` patch tokens that :func:`joined` put together."""
    first, middle, rest = tokens[..., :1, :], tokens[..., 1 : 1 + patches, :], tokens[..., 1 + patches :, :]
    return (torch.cat((first, rest), dim=-2) if rest.shape[-2] else first), middle


class Block(nn.Module):
    """A transformer block that attends over whatever sequence it is given: ``[B, L, D] -> [B, L, D]``."""

    def __init__(self, config: TimeSformerConfig, drop_path: float) -> None:
        super().__init__()
        width = config.embed_dim
        self.norm1 = nn.LayerNorm(width, eps=config.norm_eps)
        self.attn = Attention(width, config.num_heads, qkv_bias=config.qkv_bias)
        self.norm2 = nn.LayerNorm(width, eps=config.norm_eps)
        self.mlp = Mlp(width, int(width * config.mlp_ratio))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of each sequence."""
        x = x + self.drop_path(self.attn(x, self.norm1))
        return x + self.drop_path(self.mlp(x, self.norm2))

    def attention(self, x: Tensor) -> Tensor:
        """Return who attends to whom in each sequence, ``[B, heads, L, L]``."""
        return self.attn.probabilities(x, self.norm1)


class DividedBlock(Block):
    """A block that attends over time at each place, then over space in each frame.

    It works on the class tokens ``[B, C, D]`` and the patch tokens ``[B, N, T, D]`` (N places, T frames).
    """

    def __init__(self, config: TimeSformerConfig, drop_path: float) -> None:
        super().__init__(config, drop_path)
        width = config.embed_dim
        self.temporal_norm1 = nn.LayerNorm(width, eps=config.norm_eps)
        self.temporal_attn = Attention(width, config.num_heads, qkv_bias=config.qkv_bias)
        self.temporal_fc = nn.Linear(width, width)

    def over_time(self, patches: Tensor) -> Tensor:
        """Add what each place learns from its other frames."""
        # Dropped are places one by one, not clips, as published.
        mixed = self.temporal_attn(patches, self.temporal_norm1).flatten(0, 1)
        return patches + self.temporal_fc(self.drop_path(mixed)).view_as(patches)

    def frames_of(self, cls: Tensor, patches: Tensor) -> Tensor:
        """Return one sequence a frame, each with a copy of the class tokens: ``[B * T, N + C, D]``."""
        frames = patches.shape[2]
        return joined(cls.unsqueeze(1).expand(-1, frames, -1, -1), patches.transpose(1, 2)).flatten(0, 1)

    def attention(self, cls: Tensor, patches: Tensor) -> Tensor:  # type: ignore[override]
        """Return who attends to whom in each frame, ``[B * T, heads, N + C, N + C]``."""
        return self.attn.probabilities(self.frames_of(cls, self.over_time(patches)), self.norm1)

    def forward(self, cls: Tensor, patches: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Return the class tokens and the patch tokens, shaped as they came."""
        batch, places, frames, width = patches.shape
        patches = self.over_time(patches)
        mixed = self.drop_path(self.attn(self.frames_of(cls, patches), self.norm1))
        learned, moved = parted(mixed.view(batch, frames, -1, width), places)
        # The copies of a class token are one token: it moves by the mean of what they learn.
        cls = cls + learned.mean(1)
        patches = patches + moved.transpose(1, 2)
        tokens = joined(cls, patches.flatten(1, 2))
        tokens = tokens + self.drop_path(self.mlp(tokens, self.norm2))
        cls, patches = parted(tokens, places * frames)
        return cls, patches.view(batch, places, frames, width)
