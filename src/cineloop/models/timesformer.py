"""TimeSformer (Bertasius et al. 2021, https://arxiv.org/abs/2102.05095), as Endo-FM (Wang et al. 2023) uses it.

Parameter names are those of the published checkpoints. Small presets put a convolutional stem (Xiao et al. 2021,
https://arxiv.org/abs/2106.14881) in place of the patch projection, so that they learn from few videos on a CPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from cineloop.models.registry import Layers, ModelIO, ModelSpec
from cineloop.models.timesformer_blocks import (
    Block,
    ConvStem,
    DividedBlock,
    PatchEmbed,
    TimeSformerConfig,
    joined,
    parted,
)
from cineloop.models.timesformer_weights import adapt, infer, resize_times


@dataclass(frozen=True, eq=False)
class Look:
    """What there is to know of clips.

    Attributes:
        feature: As :meth:`TimeSformer.forward` gives it.
        tokens: As :meth:`TimeSformer.forward_tokens`.
        attention: How much each place of each frame counts, ``[B, heads, T, h, w]``. Where the feature is the class
            token, its row of the last block's attention: with divided attention each frame's places sum to what it
            does not give to class tokens, with joint attention those of all frames do. Where the feature is the mean
            of the patch tokens, the mean of their rows. Where it is their largest value, the share of channels that
            the place gives, which sums to 1 over the clip (one "head").
    """

    feature: Tensor
    tokens: Tensor
    attention: Tensor


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

    def _encode(self, clips: Tensor, seen: list[Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Return the class tokens ``[B, C, D]`` and the patch tokens ``[B, N, T, D]`` after the last block.

        The last block's attention is appended to ``seen``.
        """
        cls, patches = self._embed(clips)
        frames, last = patches.shape[2], self.blocks[-1]
        if self.config.attention_type == "divided_space_time":
            for block in self.blocks:
                if seen is not None and block is last:
                    assert isinstance(block, DividedBlock)
                    seen.append(block.attention(cls, patches))
                cls, patches = block(cls, patches)
            return cls, patches
        tokens = self._sequences(cls, patches)
        for block in self.blocks:
            if seen is not None and block is last:
                assert isinstance(block, Block)
                seen.append(block.attention(tokens))
            tokens = block(tokens)
        if self.config.attention_type == "space_only":
            # From here on the clip is one averaged frame.
            cls, rest = parted(tokens.view(-1, frames, *tokens.shape[1:]).mean(1), patches.shape[1])
            return cls, rest.unsqueeze(2)
        cls, rest = parted(tokens, patches.shape[1] * frames)
        return cls, rest.reshape(patches.shape)

    def forward_tokens(self, clips: Tensor) -> Tensor:
        """Return all normalised tokens ``[B, 1 + N * T, D]``: the class token, then places by rows, time fastest.

        A second class token comes last. With ``space_only`` attention, frames are averaged, so T is 1.
        """
        cls, patches = self._encode(clips)
        return self.norm(joined(cls, patches.flatten(1, 2)))

    def forward(self, clips: Tensor) -> Tensor:
        """Return the clip's feature ``[B, D]``; of two class tokens ``[B, 2 * D]``."""
        return self._feature(*self._encode(clips))

    def _feature(self, cls: Tensor, patches: Tensor) -> Tensor:
        if self.config.pool == "cls":
            return self.norm(cls).flatten(1)
        tokens = self.norm(patches)
        return tokens.mean((1, 2)) if self.config.pool == "mean" else tokens.amax((1, 2))

    @torch.no_grad()
    def last_spatial_attention(self, clips: Tensor) -> Tensor:
        """Return the last block's spatial attention ``[B * T, heads, 1 + N, 1 + N]``, frames of a clip together.

        A second class token comes last, so that N + 2 tokens attend to each other. With ``joint_space_time`` attention
        it is that of the whole clip, ``[B, heads, 1 + N * T, 1 + N * T]``.
        """
        seen: list[Tensor] = []
        self._encode(clips, seen)
        return seen[0]

    @torch.no_grad()
    def attention_maps(self, clips: Tensor) -> Tensor:
        """Return how much each place of each frame counts, ``[B, heads, T, h, w]``; see :class:`Look`."""
        return self.look(clips).attention

    def _maps(self, attention: Tensor, tokens: Tensor, clips: Tensor) -> Tensor:
        batch, frames = clips.shape[0], clips.shape[2]
        height, width = (side // self.config.patch_size for side in clips.shape[3:])
        places = height * width
        if self.config.pool == "max":
            # With frames averaged, each of them counts alike.
            seen = tokens[:, 1 : 1 + places * (1 if self.config.attention_type == "space_only" else frames)]
            shares = F.one_hot(seen.argmax(dim=1), seen.shape[1]).sum(1) / seen.shape[2]
            maps = shares.reshape(batch, 1, height, width, -1).movedim(-1, 2)
            return maps.expand(-1, -1, frames, -1, -1).to(tokens.dtype)
        joint = self.config.attention_type == "joint_space_time"
        own = slice(1, 1 + places * (frames if joint else 1))
        seen = attention[:, :, 0, own] if self.config.pool == "cls" else attention[:, :, own, own].mean(2)
        if joint:
            return seen.reshape(batch, -1, height, width, frames).movedim(-1, 2)
        return seen.reshape(batch, frames, -1, height, width).transpose(1, 2)

    @torch.no_grad()
    def look(self, clips: Tensor) -> Look:
        """Return feature, tokens and attention maps of clips from one pass."""
        seen: list[Tensor] = []
        cls, patches = self._encode(clips, seen)
        tokens = self.norm(joined(cls, patches.flatten(1, 2)))
        return Look(self._feature(cls, patches), tokens, self._maps(seen[0], tokens, clips))


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
        infer=infer,
        ignorable=("head.*", "flow_patch_embed.*"),
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
        infer=infer,
        ignorable=("head.*", "flow_patch_embed.*"),
        origin="https://github.com/cineloop/cineloop",
        paper=f"{_PAPER}; Xiao et al.: Early Convolutions Help Transformers See Better, NeurIPS 2021",
    ),
)
