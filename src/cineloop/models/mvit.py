"""torchvision's MViT v2 (Li et al. 2022, https://arxiv.org/abs/2112.01526), giving features.

Parameter names are torchvision's, so its published checkpoint loads; its classifier ``head`` is left out.
"""

from __future__ import annotations

from pydantic import Field, model_validator
from torch import nn

from cineloop.models import _torchvision
from cineloop.models.registry import Layers, ModelIO, ModelSpec
from cineloop.schema import Section

# Pixels on a side of one token of the last stage: a patch stride of 4, then halved at each further stage.
_PATCH = 4


class MViTConfig(Section):
    """Options of an MViT v2; the defaults are MViT-v2-S.

    Attributes:
        img_size: Side, in pixels, of the square frames; the network is built for it.
        num_frames: Frames of a clip, an even number; the network is built for it.
        width: Width of a token in the first stage; each further stage doubles it, and the attention heads.
        depths: Blocks of each stage.
        heads: Attention heads of the first stage.
        drop_path_rate: Stochastic depth of the last block; it grows linearly from 0 at the first.
    """

    img_size: int = Field(default=224, ge=1)
    num_frames: int = Field(default=16, ge=2)
    width: int = Field(default=96, ge=1)
    depths: tuple[int, ...] = Field(default=(1, 2, 11, 2), min_length=1)
    heads: int = Field(default=1, ge=1)
    drop_path_rate: float = Field(default=0.2, ge=0, lt=1)

    @model_validator(mode="after")
    def _buildable(self) -> MViTConfig:
        if min(self.depths) < 1:
            raise ValueError("every stage needs a block")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        step = self.size_step
        if self.img_size % step:
            raise ValueError(f"{len(self.depths)} stages need an img_size that is a multiple of {step}")
        if self.num_frames % 2:
            raise ValueError(f"num_frames {self.num_frames} is odd; frames are taken in pairs")
        return self

    @property
    def size_step(self) -> int:
        """Pixels on a side of one token of the last stage."""
        return _PATCH << (len(self.depths) - 1)


def build(config: MViTConfig) -> nn.Module:
    """Build the network with random weights: normalised clips ``[B, 3, T, H, W]`` to features ``[B, D]``."""
    _torchvision.load()
    from torchvision.models.video.mvit import MSBlockConfig, MViT

    last = len(config.depths) - 1
    blocks = []
    width = config.width
    for stage, depth in enumerate(config.depths):
        for index in range(depth):
            stride = 2 if stage and not index else 1
            shrink = 1 << (last - stage)
            wider = config.width << stage
            blocks.append(
                MSBlockConfig(
                    num_heads=config.heads << stage,
                    input_channels=width,
                    output_channels=wider,
                    kernel_q=[3, 3, 3],
                    kernel_kv=[3, 3, 3],
                    stride_q=[1, stride, stride],
                    stride_kv=[1, shrink, shrink],
                )
            )
            width = wider
    module: nn.Module = MViT(
        spatial_size=(config.img_size, config.img_size),
        temporal_size=config.num_frames,
        block_setting=blocks,
        residual_pool=True,
        residual_with_cls_embed=False,
        rel_pos_embed=True,
        proj_after_attn=True,
        stochastic_depth_prob=config.drop_path_rate,
    )
    module.head = nn.Identity()
    return module


def io(config: MViTConfig) -> ModelIO:
    """Return the contract; mean and std are those of torchvision's Kinetics checkpoint."""
    return ModelIO(
        input="clip",
        layout="BCTHW",
        frames=config.num_frames,
        size=(config.img_size, config.img_size),
        mean=(0.45, 0.45, 0.45),
        std=(0.225, 0.225, 0.225),
        output="features",
        width=config.width << (len(config.depths) - 1),
        size_step=config.size_step,
    )


def layers(config: MViTConfig) -> Layers:
    """Return the depth order: embeddings, then each block, then the final norm."""
    depth = sum(config.depths)

    def of(name: str) -> int:
        if name.startswith("blocks."):
            return 1 + int(name.split(".")[1])
        return depth + 1 if name.startswith("norm.") else 0

    return Layers(depth + 2, of, above=1)


SPECS = (
    ModelSpec(
        name="mvit-v2-s",
        summary="MViT-v2-S of torchvision, 16 frames of 224 px",
        Config=MViTConfig,
        build=build,
        io=io,
        layers=layers,
        ignorable=("head.*",),
        licence="BSD-3-Clause",
        origin="https://github.com/pytorch/vision",
        paper="Li et al.: MViTv2: Improved Multiscale Vision Transformers for Classification and Detection, CVPR 2022",
    ),
)
