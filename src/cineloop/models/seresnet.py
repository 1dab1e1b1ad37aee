"""SE-ResNet (Hu et al. 2018, arXiv 1709.01507) as the in-body bundle uses it, giving logits.

The published variant halves maps on the first 1x1 convolution of a block and pools the stem without padding, rounding
up; the modern one halves on the 3x3 convolution and pads. Both have the same parameters, so weights load strictly
into either and mean something in one only: what is loaded is computed once more from its own tensors and compared.
Parameter names are those of MONAI, so its published checkpoints load.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import PositiveInt
from torch import Tensor, nn

from cineloop.models.registry import Layers, ModelIO, ModelSpec
from cineloop.models.seresnet_weights import adapt, infer, verify
from cineloop.schema import Section
from cineloop.video.frame_input import FrameInput

_EXPANSION = 4

PUBLISHED_INPUT = FrameInput(
    size=(256, 256), resize="squash", antialias=False, arithmetic="float", values="z-score", transposed=True
)
"""What the published weights expect: aspect ratio given up, aliased, the picture transposed, each channel's non-zero
pixels with mean 0 and standard deviation 1."""


class SEResNetConfig(Section):
    """Options of an SE-ResNet; the defaults are the bundle's SE-ResNet-50.

    Attributes:
        img_size: Side of the input in pixels as the contract names it; any size is accepted.
        num_classes: Logits.
        depths: Blocks of each stage; each after the first halves the map and doubles the channels.
        width: Channels of the stem; a stage gives four times as many as its inner convolutions have.
        reduction: Channels over those inside a squeeze-and-excitation.
        variant: ``published`` or ``modern``; see the module.
    """

    img_size: PositiveInt = 256
    num_classes: PositiveInt = 2
    depths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (3, 4, 6, 3)
    width: PositiveInt = 64
    reduction: PositiveInt = 16
    variant: Literal["published", "modern"] = "published"


class SEResNetTinyConfig(SEResNetConfig):
    """Options of an SE-ResNet of four blocks, for CPUs."""

    img_size: PositiveInt = 128
    depths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (1, 1, 1, 1)
    width: PositiveInt = 16
    reduction: PositiveInt = 8
    variant: Literal["published", "modern"] = "modern"


class _Norm(nn.Module):
    """A normalisation and, where wanted, an activation, under their published names."""

    def __init__(self, width: int, *, activate: bool) -> None:
        super().__init__()
        self.N = nn.BatchNorm2d(width)
        self.A = nn.ReLU(inplace=True) if activate else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        return self.A(self.N(maps))


class _Convolution(nn.Module):
    """A convolution without bias, and its normalisation."""

    def __init__(self, channels: int, width: int, side: int, *, stride: int = 1, activate: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, side, stride=stride, padding=side // 2, bias=False)
        self.adn = _Norm(width, activate=activate)

    def forward(self, maps: Tensor) -> Tensor:
        return self.adn(self.conv(maps))


class _Excitation(nn.Module):
    """Scales channels by what their means say together."""

    def __init__(self, width: int, reduction: int) -> None:
        super().__init__()
        inner = max(1, width // reduction)
        self.fc = nn.Sequential(nn.Linear(width, inner), nn.ReLU(inplace=True), nn.Linear(inner, width), nn.Sigmoid())

    def forward(self, maps: Tensor) -> Tensor:
        return maps * self.fc(maps.mean(dim=(2, 3)))[:, :, None, None]


class _Bottleneck(nn.Module):
    def __init__(self, channels: int, inner: int, stride: int, config: SEResNetConfig) -> None:
        super().__init__()
        first = stride if config.variant == "published" else 1
        outer = inner * _EXPANSION
        self.conv1 = _Convolution(channels, inner, 1, stride=first)
        self.conv2 = _Convolution(inner, inner, 3, stride=stride // first)
        self.conv3 = _Convolution(inner, outer, 1, activate=False)
        self.se_layer = _Excitation(outer, config.reduction)
        same = stride == 1 and channels == outer
        self.project = nn.Identity() if same else _Convolution(channels, outer, 1, stride=stride, activate=False)
        self.act = nn.ReLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        return self.act(self.se_layer(self.conv3(self.conv2(self.conv1(maps)))) + self.project(maps))


class SEResNet(nn.Module):
    """Network input float32 [B, 3, H, W] to logits [B, K]."""

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(self, config: SEResNetConfig) -> None:
        super().__init__()
        self.config = config
        published = config.variant == "published"
        self.layer0 = nn.Sequential()
        self.layer0.add_module("conv1", nn.Conv2d(3, config.width, 7, stride=2, padding=3, bias=False))
        self.layer0.add_module("bn1", nn.BatchNorm2d(config.width))
        self.layer0.add_module("relu1", nn.ReLU(inplace=True))
        self.layer0.add_module("pool", nn.MaxPool2d(3, stride=2, padding=0 if published else 1, ceil_mode=published))
        channels = config.width
        for stage, depth in enumerate(config.depths):
            inner = config.width << stage
            blocks = nn.Sequential()
            for number in range(depth):
                blocks.append(_Bottleneck(channels, inner, 2 if stage and not number else 1, config))
                channels = inner * _EXPANSION
            setattr(self, f"layer{stage + 1}", blocks)
        self.last_linear = nn.Linear(channels, config.num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of each picture."""
        maps = self.layer0(images)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = stage(maps)
        return self.last_linear(maps.mean(dim=(2, 3)))

    @staticmethod
    def preprocess(pixels: npt.NDArray[np.uint8]) -> Tensor:
        """Return the input that the published weights expect.

        Args:
            pixels: RGB uint8 [H, W, 3], or [B, H, W, 3].

        Returns:
            float32 [B, 3, 256, 256], transposed: the first of the two axes runs along the picture's width.
        """
        pictures = pixels if pixels.ndim == 4 else pixels[np.newaxis]
        return PUBLISHED_INPUT.tensor(pictures)


def build(config: SEResNetConfig) -> SEResNet:
    """Build the network with random weights."""
    return SEResNet(config)


def io(config: SEResNetConfig) -> ModelIO:
    """Return the contract; mean and std are those of ImageNet, which the published preparation does not use."""
    return ModelIO(
        input="image",
        layout="BCHW",
        frames=1,
        size=(config.img_size, config.img_size),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        output="logits",
        width=config.num_classes,
        any_size=True,
    )


def layers(config: SEResNetConfig) -> Layers:
    """Return the depth order: the stem, the stages, the last product."""
    stages = len(config.depths)

    def of(name: str) -> int:
        return int(name[len("layer")]) if name.startswith("layer") else stages + 1

    return Layers(stages + 2, of, above=1)


_PAPER = "Hu, Shen and Sun: Squeeze-and-Excitation Networks, CVPR 2018"
_ORIGIN = "https://github.com/Project-MONAI/MONAI"

SPECS = (
    ModelSpec(
        name="seresnet50-inbody",
        summary="SE-ResNet-50 of the in-body bundle, 256 px",
        Config=SEResNetConfig,
        build=build,
        io=io,
        layers=layers,
        adapt=adapt,
        infer=infer,
        verify=verify,
        origin=_ORIGIN,
        paper=_PAPER,
    ),
    ModelSpec(
        name="seresnet-tiny",
        summary="an SE-ResNet of four blocks, 128 px, for CPUs",
        Config=SEResNetTinyConfig,
        build=build,
        io=io,
        layers=layers,
        adapt=adapt,
        infer=infer,
        verify=verify,
        origin=_ORIGIN,
        paper=_PAPER,
    ),
)
