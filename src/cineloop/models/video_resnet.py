"""torchvision's video ResNets (Tran et al. 2018, https://arxiv.org/abs/1711.11248), giving features.

Parameter names are torchvision's, so its published checkpoints load; their classifier ``fc`` is left out.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from torch import nn

from cineloop.models import _torchvision
from cineloop.models.registry import Layers, ModelIO, ModelSpec
from cineloop.schema import Section

_STAGES = 4
_FIRST_WIDTH = 64


class VideoResNetConfig(Section):
    """Options of a video ResNet; the defaults are R(2+1)D-18.

    Attributes:
        conv: Convolutions factored into space and time, full in 3D, or 3D in the first stage and 2D above.
        blocks: Residual blocks of each stage. Each stage after the first halves the frame, doubles the channels and
            (``mc3`` excepted) halves the frame count; fewer than four stages give a smaller network and feature.
        num_frames: Frames of a clip as the contract names them; any count is accepted.
        img_size: Side of a frame in pixels as the contract names it; any size is accepted.
    """

    conv: Literal["r2plus1d", "r3d", "mc3"] = "r2plus1d"
    blocks: tuple[int, ...] = Field(default=(2, 2, 2, 2), min_length=1, max_length=_STAGES)
    num_frames: int = Field(default=16, ge=1)
    img_size: int = Field(default=112, ge=1)

    @model_validator(mode="after")
    def _buildable(self) -> VideoResNetConfig:
        if min(self.blocks) < 1:
            raise ValueError("every stage needs a block")
        return self


def build(config: VideoResNetConfig) -> nn.Module:
    """Build the network with random weights: normalised clips ``[B, 3, T, H, W]`` to features ``[B, D]``."""
    _torchvision.load()
    from torchvision.models.video import resnet

    spatial, full = resnet.Conv3DNoTemporal, resnet.Conv3DSimple
    makers = {
        "r2plus1d": [resnet.Conv2Plus1D] * _STAGES,
        "r3d": [full] * _STAGES,
        "mc3": [full, spatial, spatial, spatial],
    }[config.conv]
    stem = resnet.R2Plus1dStem if config.conv == "r2plus1d" else resnet.BasicStem
    missing = _STAGES - len(config.blocks)
    module: nn.Module = resnet.VideoResNet(resnet.BasicBlock, makers, [*config.blocks, *[1] * missing], stem)
    for stage in range(_STAGES - missing + 1, _STAGES + 1):
        setattr(module, f"layer{stage}", nn.Identity())
    module.fc = nn.Identity()
    return module


def io(config: VideoResNetConfig) -> ModelIO:
    """Return the contract; mean and std are those of torchvision's Kinetics checkpoints."""
    return ModelIO(
        input="clip",
        layout="BCTHW",
        frames=config.num_frames,
        size=(config.img_size, config.img_size),
        mean=(0.43216, 0.394666, 0.37645),
        std=(0.22803, 0.22145, 0.216989),
        output="features",
        width=_FIRST_WIDTH << (len(config.blocks) - 1),
        any_frames=True,
        any_size=True,
    )


def layers(config: VideoResNetConfig) -> Layers:
    """Return the depth order: the stem, then each stage."""

    def of(name: str) -> int:
        return int(name[len("layer")]) if name.startswith("layer") else 0

    return Layers(1 + len(config.blocks), of)


class R3D18Config(VideoResNetConfig):
    """Options of R3D-18."""

    conv: Literal["r2plus1d", "r3d", "mc3"] = "r3d"


class MC3D18Config(VideoResNetConfig):
    """Options of MC3-18."""

    conv: Literal["r2plus1d", "r3d", "mc3"] = "mc3"


class R2Plus1DTinyConfig(VideoResNetConfig):
    """Options of an R(2+1)D of two stages, for CPUs."""

    blocks: tuple[int, ...] = Field(default=(1, 1), min_length=1, max_length=_STAGES)
    num_frames: int = Field(default=8, ge=1)
    img_size: int = Field(default=64, ge=1)


def _spec(name: str, summary: str, config: type[VideoResNetConfig]) -> ModelSpec:
    return ModelSpec(
        name=name,
        summary=summary,
        Config=config,
        build=build,
        io=io,
        layers=layers,
        ignorable=("fc.*",),
        licence="BSD-3-Clause",
        origin="https://github.com/pytorch/vision",
        paper="Tran et al.: A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018",
    )


SPECS = (
    _spec("r2plus1d-18", "R(2+1)D-18 of torchvision, 16 frames of 112 px", VideoResNetConfig),
    _spec("r3d-18", "R3D-18 of torchvision, 16 frames of 112 px", R3D18Config),
    _spec("mc3-18", "MC3-18 of torchvision, 16 frames of 112 px", MC3D18Config),
    _spec("r2plus1d-tiny", "R(2+1)D of two stages, 8 frames of 64 px, for CPUs", R2Plus1DTinyConfig),
)
