"""TimeSformer (Bertasius et al. 2021, https://arxiv.org/abs/2102.05095), as Endo-FM (Wang et al. 2023) uses it.

Parameter names are those of the published checkpoints. Small presets put a convolutional stem (Xiao et al. 2021,
https://arxiv.org/abs/2106.14881) in place of the patch projection, so that they learn from few videos on a CPU.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from cineloop.models.layers import Attention, DropPath, Mlp
from cineloop.models.registry import Layers, ModelIO, ModelSpec
from cineloop.models.timesformer_weights import TimeResize, adapt, resize_times
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


class TimeSformer(nn.Module):
    """A video transformer: normalised clips ``[B, C, T, H, W]`` to features ``[B, D]``.

    Any frame count and frame size of at least one patch is accepted; the position table follows by nearest-neighbour
    resizing, as published, and the time table as ``time_resize`` says. Pixels beyond the last whole patch, right and
    below, are not seen.
    """

    def __init__(self, config: TimeSformerConfig) -> None:
        super().__init__()
        self.config = config
        width, side = config.embed_dim, config.img_size // config.patch_size
        embed = PatchEmbed if config.stem == "patch" else ConvStem
        self.patch_embed = embed(config.in_chans, width, config.patch_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        if config.two_token:
            self.aux_cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, side * side + config.class_tokens, width))
        if config.attention_type != "space_only":
            self.time_embed = nn.Parameter(torch.zeros(1, config.num_frames, width))
        block = DividedBlock if config.attention_type == "divided_space_time" else Block
        rates = [config.drop_path_rate * index / max(1, config.depth - 1) for index in range(config.depth)]
        self.blocks = nn.ModuleList(block(config, rate) for rate in rates)
        self.norm = nn.LayerNorm(width, eps=config.norm_eps)
        self._initialise()

    def _initialise(self) -> None:
        # The published truncation is at 100 standard deviations: a normal draw, and many times faster as such.
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.cls_token, std=0.02)
        if self.config.two_token:
            nn.init.normal_(self.aux_cls_token, std=0.02)
        nn.init.normal_(self.pos_embed, std=0.02)
        if not self.config.zero_temporal:
            if self.config.attention_type != "space_only":
                nn.init.normal_(self.time_embed, std=0.02)
            return
        for block in self.blocks:
            if isinstance(block, DividedBlock):
                nn.init.zeros_(block.temporal_fc.weight)

    def _positions(self, height: int, width: int) -> Tensor:
        """Return the table of place embeddings, ``[1, height * width, D]``."""
        side = self.config.img_size // self.config.patch_size
        table = self.pos_embed[:, 1 : 1 + side * side]
        # As published: only another count of places resizes the table, so 2x8 places read a 4x4 table in order.
        if table.shape[1] == height * width:
            return table
        grid = table.transpose(1, 2).reshape(1, -1, side, side)
        return F.interpolate(grid, size=(height, width), mode="nearest").flatten(2).transpose(1, 2)

    def _times(self, frames: int) -> Tensor:
        """Return the table of time embeddings, ``[1, frames, D]``."""
        if frames == self.time_embed.shape[1]:
            return self.time_embed
        return resize_times(self.time_embed, frames, self.config.time_resize)

    def _embed(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Return the class tokens ``[B, C, D]`` and the patch tokens ``[B, N, T, D]``, with place and time added."""
        batch, _, frames = clips.shape[:3]
        grid = self.patch_embed(clips.transpose(1, 2).flatten(0, 1))
        patches = grid.reshape(batch, frames, grid.shape[1], -1).permute(0, 3, 1, 2)
        patches = patches + self._positions(*grid.shape[2:]).unsqueeze(2)
        if self.config.attention_type != "space_only":
            patches = patches + self._times(frames).unsqueeze(1)
        cls = self.cls_token + self.pos_embed[:, :1]
        if self.config.two_token:
            cls = torch.cat((cls, self.aux_cls_token + self.pos_embed[:, -1:]), dim=1)
        return cls.expand(batch, -1, -1), patches.contiguous()

    def _sequences(self, cls: Tensor, patches: Tensor) -> Tensor:
        """Return what undivided attention sees: whole clips, or single frames each with its class tokens."""
        if self.config.attention_type == "joint_space_time":
            return joined(cls, patches.flatten(1, 2))
        return joined(cls.repeat_interleave(patches.shape[2], 0), patches.transpose(1, 2).flatten(0, 1))

    def _encode(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Return the class tokens ``[B, C, D]`` and the patch tokens ``[B, N, T, D]`` after the last block."""
        cls, patches = self._embed(clips)
        frames = patches.shape[2]
        if self.config.attention_type == "divided_space_time":
            for block in self.blocks:
                cls, patches = block(cls, patches)
            return cls, patches
        tokens = self._sequences(cls, patches)
        for block in self.blocks:
            tokens = block(tokens)
        if self.config.attention_type == "space_only":
            # From here on the clip is one averaged frame.
            cls, seen = parted(tokens.view(-1, frames, *tokens.shape[1:]).mean(1), patches.shape[1])
            return cls, seen.unsqueeze(2)
        cls, seen = parted(tokens, patches.shape[1] * frames)
        return cls, seen.reshape(patches.shape)

    def forward_tokens(self, clips: Tensor) -> Tensor:
        """Return all normalised tokens ``[B, 1 + N * T, D]``: the class token, then places by rows, time fastest.

        A second class token comes last. With ``space_only`` attention, frames are averaged, so T is 1.
        """
        cls, patches = self._encode(clips)
        return self.norm(joined(cls, patches.flatten(1, 2)))

    def forward(self, clips: Tensor) -> Tensor:
        """Return the clip's feature ``[B, D]``; of two class tokens ``[B, 2 * D]``."""
        cls, patches = self._encode(clips)
        if self.config.pool == "cls":
            return self.norm(cls).flatten(1)
        tokens = self.norm(patches)
        return tokens.mean((1, 2)) if self.config.pool == "mean" else tokens.amax((1, 2))

    @torch.no_grad()
    def last_spatial_attention(self, clips: Tensor) -> Tensor:
        """Return the last block's spatial attention ``[B * T, heads, 1 + N, 1 + N]``, frames of a clip together.

        A second class token comes last, so that N + 2 tokens attend to each other.
        With ``joint_space_time`` attention it is that of the whole clip, ``[B, heads, 1 + N * T, 1 + N * T]``.
        """
        *lower, last = self.blocks
        assert isinstance(last, Block)
        cls, patches = self._embed(clips)
        if isinstance(last, DividedBlock):
            for block in lower:
                cls, patches = block(cls, patches)
            tokens = last.frames_of(cls, last.over_time(patches))
        else:
            tokens = self._sequences(cls, patches)
            for block in lower:
                tokens = block(tokens)
        return last.attn.probabilities(tokens, last.norm1)

    @torch.no_grad()
    def attention_maps(self, clips: Tensor) -> Tensor:
        """Return how much the class token looks at each place of each frame, ``[B, heads, T, h, w]``.

        Rows of the last block's attention, without the share that class tokens give to themselves; with divided
        attention each frame's places sum to what is left of 1, with joint attention those of all frames do.
        """
        batch, frames = clips.shape[0], clips.shape[2]
        height, width = (side // self.config.patch_size for side in clips.shape[3:])
        seen = self.last_spatial_attention(clips)[:, :, 0]
        if self.config.attention_type == "joint_space_time":
            seen = seen[..., 1 : 1 + height * width * frames]
            return seen.reshape(batch, -1, height, width, frames).movedim(-1, 2)
        seen = seen[..., 1 : 1 + height * width]
        return seen.reshape(batch, frames, -1, height, width).transpose(1, 2)


class TimeSformerTinyConfig(TimeSformerConfig):
    """Options of a TimeSformer that learns from scratch, on a CPU, in minutes."""

    img_size: int = Field(default=96, ge=1)
    patch_size: int = Field(default=16, ge=1)
    embed_dim: int = Field(default=128, ge=1)
    depth: int = Field(default=2, ge=1)
    num_heads: int = Field(default=4, ge=1)
    mlp_ratio: float = Field(default=2.0, gt=0)
    drop_path_rate: float = Field(default=0.0, ge=0, lt=1)
    stem: Literal["patch", "conv"] = "conv"
    pool: Literal["cls", "mean", "max"] = "max"
    zero_temporal: bool = False


def io(config: TimeSformerConfig) -> ModelIO:
    """Return the contract; mean and std are those that Endo-FM is fine-tuned with."""
    return ModelIO(
        input="clip",
        layout="BCTHW",
        frames=config.num_frames,
        size=(config.img_size, config.img_size),
        colour="RGB" if config.in_chans == 3 else "grey",
        mean=(0.45,) * config.in_chans,
        std=(0.225,) * config.in_chans,
        output="features",
        width=config.width,
        any_frames=True,
        any_size=True,
        size_step=config.patch_size,
    )


def layers(config: TimeSformerConfig) -> Layers:
    """Return the depth order: embeddings, then each block, then the final norm."""

    def of(name: str) -> int:
        if name.startswith("blocks."):
            return 1 + int(name.split(".")[1])
        return config.depth + 1 if name.startswith("norm.") else 0

    return Layers(config.depth + 2, of, above=1)


_PAPER = "Bertasius, Wang, Torresani: Is Space-Time Attention All You Need for Video Understanding? ICML 2021"

SPECS = (
    ModelSpec(
        name="timesformer-vitb16",
        summary="TimeSformer ViT-B/16 of Endo-FM, 8 frames of 224 px",
        Config=TimeSformerConfig,
        build=TimeSformer,
        io=io,
        layers=layers,
        adapt=adapt,
        ignorable=("head.*",),
        origin="https://github.com/med-air/Endo-FM",
        paper=f"{_PAPER}; Wang et al.: Foundation Model for Endoscopy Video Analysis, MICCAI 2023",
    ),
    ModelSpec(
        name="timesformer-tiny",
        summary="TimeSformer with a convolutional stem, 8 frames of 96 px, for training from scratch on a CPU",
        Config=TimeSformerTinyConfig,
        build=TimeSformer,
        io=io,
        layers=layers,
        adapt=adapt,
        ignorable=("head.*",),
        origin="https://github.com/cineloop/cineloop",
        paper=f"{_PAPER}; Xiao et al.: Early Convolutions Help Transformers See Better, NeurIPS 2021",
    ),
)
