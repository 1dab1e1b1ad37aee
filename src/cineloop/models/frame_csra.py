"""Frame classifiers with residual attention: a backbone of timm and a CSRA head, giving logits.

Parameter names are those of the published colonoscopy quality control, so its checkpoints load.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn
from torch.nn import functional

from cineloop.models import _torchvision
from cineloop.models.csra import CSRA
from cineloop.models.decision import decide
from cineloop.models.frame_csra_weights import adapt, infer
from cineloop.models.registry import Layers, ModelIO, ModelSpec
from cineloop.schema import Section
from cineloop.timeline.quality import LABELS, thresholds_of


class CSRAConfig(Section):
    """What every classifier of this family has.

    Attributes:
        img_size: Side of the input in pixels.
        num_classes: Logits.
        csra_heads: Heads of the residual attention.
        csra_lambda: Its weight beside the mean.
    """

    img_size: PositiveInt = 224
    num_classes: PositiveInt = len(LABELS)
    csra_heads: Literal[1, 2, 4, 6, 8] = 8
    csra_lambda: Annotated[float, Field(ge=0)] = 0.3


class ViTConfig(CSRAConfig):
    """Options of a vision transformer with residual attention; the defaults are ViT-L/16 at 224 pixels.

    Attributes:
        patch_size: Side of a patch in pixels; divides ``img_size``.
        embed_dim: Width of a token.
        depth: Blocks.
        num_heads: Attention heads of a block; divides ``embed_dim``.
        pre_norm: A norm before the first block and no bias in the patch embedding, as in CLIP.
        eps: Of the norms.
        drop_path: Stochastic depth of the last block; earlier ones rise linearly to it.
    """

    patch_size: PositiveInt = 16
    embed_dim: PositiveInt = 1024
    depth: PositiveInt = 24
    num_heads: PositiveInt = 16
    pre_norm: bool = False
    eps: Annotated[float, Field(gt=0)] = 1e-6
    drop_path: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _buildable(self) -> ViTConfig:
        if self.img_size % self.patch_size:
            raise ValueError(f"img_size {self.img_size} is no multiple of patch_size {self.patch_size}")
        if self.embed_dim % self.num_heads:
            raise ValueError(f"embed_dim {self.embed_dim} is no multiple of num_heads {self.num_heads}")
        return self


class ViTL14Config(ViTConfig):
    """Options of ViT-L/14 at 336 pixels, of CLIP's shape."""

    img_size: PositiveInt = 336
    patch_size: PositiveInt = 14
    pre_norm: bool = True
    eps: Annotated[float, Field(gt=0)] = 1e-5


class ViTS16Config(ViTConfig):
    """Options of ViT-S/16 at 224 pixels."""

    embed_dim: PositiveInt = 384
    depth: PositiveInt = 12
    num_heads: PositiveInt = 6


class ViTTinyConfig(ViTConfig):
    """Options of a small ViT at 112 pixels, for CPUs."""

    img_size: PositiveInt = 112
    patch_size: PositiveInt = 8
    embed_dim: PositiveInt = 128
    depth: PositiveInt = 4
    num_heads: PositiveInt = 4


class ResNetConfig(CSRAConfig):
    """Options of a residual network with residual attention, for CPUs.

    Attributes:
        img_size: Side of the input in pixels as the contract names it; any size is accepted.
        depths: Residual blocks of each stage; each after the first halves the map.
        widths: Channels of each stage.
    """

    img_size: PositiveInt = 128
    depths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (1, 1, 1, 1)
    widths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (32, 64, 128, 256)


class FrameCSRA(nn.Module):
    """Pictures RGB float32 [B, 3, H, W] in [0, 1] to logits [B, K].

    Args:
        backbone: Pictures to tokens [B, N, D], or to a map [B, D, h, w].
        head: The residual attention.
        config: The options.
        prefix_tokens: Tokens of no position that the backbone puts first; they are left out.
    """

    def __init__(self, backbone: nn.Module, head: CSRA, config: CSRAConfig, *, prefix_tokens: int = 0) -> None:
        super().__init__()
        self.backbone = nn.ModuleDict({"main_module": backbone})
        self.classify_head = head
        self.config = config
        self.prefix_tokens = prefix_tokens

    def features(self, images: Tensor) -> Tensor:
        """Return what the head looks at: tokens [B, N, D], row by row of the picture."""
        found: Tensor = self.backbone["main_module"].forward_features(images)  # type: ignore[operator]
        return found.flatten(2).transpose(1, 2) if found.ndim == 4 else found[:, self.prefix_tokens :]

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of each picture."""
        return self.classify_head.score(self.features(images))

    def activate(self, images: Tensor, thresholds: float | Sequence[float] = 0.5) -> tuple[Tensor, Tensor]:
        """Return what the published tool answers about pictures of any size.

        They are resized to the input, aspect ratio given up, with antialiasing.

        Args:
            images: RGB float32 [B, 3, H, W] in [0, 1].
            thresholds: For outside, nonsense and ileocecal; one number for all.

        Returns:
            Probabilities float32 [B, 7] and labels float32 [B, 7], 0 or 1, under the hierarchy; of equal BBPS
            probabilities all that are largest are set.
        """
        side = self.config.img_size
        resized = functional.interpolate(
            images, size=(side, side), mode="bilinear", align_corners=False, antialias=True
        )
        probabilities = torch.sigmoid(self(resized))
        return probabilities, decide(probabilities, thresholds_of(thresholds))


def build_vit(config: ViTConfig) -> FrameCSRA:
    """Build a transformer with random weights."""
    _torchvision.load()
    from timm.models.vision_transformer import VisionTransformer

    backbone = VisionTransformer(
        img_size=config.img_size,
        patch_size=config.patch_size,
        embed_dim=config.embed_dim,
        depth=config.depth,
        num_heads=config.num_heads,
        pre_norm=config.pre_norm,
        norm_layer=partial(nn.LayerNorm, eps=config.eps),
        drop_path_rate=config.drop_path,
        num_classes=0,
        global_pool="",
    )
    head = CSRA(config.embed_dim, config.num_classes, heads=config.csra_heads, attention_lambda=config.csra_lambda)
    return FrameCSRA(backbone, head, config, prefix_tokens=1)


def build_resnet(config: ResNetConfig) -> FrameCSRA:
    """Build a residual network with random weights."""
    _torchvision.load()
    from timm.models.resnet import BasicBlock, ResNet

    backbone = ResNet(
        BasicBlock,  # type: ignore[arg-type]
        layers=config.depths,
        channels=config.widths,
        stem_type="deep",
        stem_width=config.widths[0] // 2,
        num_classes=0,
        global_pool="",
    )
    head = CSRA(config.widths[-1], config.num_classes, heads=config.csra_heads, attention_lambda=config.csra_lambda)
    return FrameCSRA(backbone, head, config)


def io(config: CSRAConfig) -> ModelIO:
    """Return the contract: values from 0 to 1 without mean and std, as published."""
    return ModelIO(
        input="image",
        layout="BCHW",
        frames=1,
        size=(config.img_size, config.img_size),
        output="logits",
        width=config.num_classes,
        any_size=isinstance(config, ResNetConfig),
    )


def vit_layers(config: ViTConfig) -> Layers:
    """Return the depth order: embeddings, blocks, the final norm, the head."""

    def of(name: str) -> int:
        key = name.removeprefix("backbone.main_module.")
        if key.startswith("blocks."):
            return int(key.split(".")[1]) + 1
        if name.startswith("classify_head."):
            return config.depth + 2
        return config.depth + 1 if key.startswith("norm.") else 0

    return Layers(config.depth + 3, of, above=2)


def resnet_layers(config: ResNetConfig) -> Layers:
    """Return the depth order: the stem, the stages, the head."""
    stages = len(config.depths)

    def of(name: str) -> int:
        if name.startswith("classify_head."):
            return stages + 1
        key = name.removeprefix("backbone.main_module.")
        return int(key[len("layer")]) if key.startswith("layer") else 0

    return Layers(stages + 2, of, above=1)


def _vit_spec(name: str, summary: str, config: type[ViTConfig]) -> ModelSpec:
    return ModelSpec(
        name=name,
        summary=summary,
        Config=config,
        build=build_vit,
        io=io,
        layers=vit_layers,
        adapt=adapt,
        infer=infer,
        # What an image classifier of timm or CLIP holds besides its tokens.
        ignorable=("head.*", "head_drop.*", "fc_norm.*", "pre_logits.*", "proj"),
        origin="https://github.com/huggingface/pytorch-image-models",
        paper=_PAPER,
    )


_PAPER = "Zhu and Wu: Residual Attention: A Simple but Effective Method for Multi-Label Recognition, ICCV 2021"

SPECS = (
    _vit_spec("vitl16-224-csra", "ViT-L/16 with residual attention, 224 px: the published smaller model", ViTConfig),
    _vit_spec("vitl14-336-csra", "ViT-L/14 with residual attention, 336 px: the published larger model", ViTL14Config),
    _vit_spec("vits16-224-csra", "ViT-S/16 with residual attention, 224 px", ViTS16Config),
    _vit_spec("vit-tiny-csra", "a ViT of four blocks with residual attention, 112 px, for CPUs", ViTTinyConfig),
    ModelSpec(
        name="resnet10-csra",
        summary="a ResNet of four blocks with residual attention, 128 px, for CPUs",
        Config=ResNetConfig,
        build=build_resnet,
        io=io,
        layers=resnet_layers,
        origin="https://github.com/huggingface/pytorch-image-models",
        paper=_PAPER,
    ),
)
