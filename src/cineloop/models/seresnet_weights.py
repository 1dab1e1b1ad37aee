"""SE-ResNet checkpoints of MONAI and of timm, and the proof that a module computes what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import JsonValue
from torch import Tensor, nn
from torch.nn import functional

from cineloop.errors import WeightsError
from cineloop.models.registry import Adapted

Variant = Literal["published", "modern"]

_TOLERANCE = 1e-3
_STAGES = 4
_NORM = ("running_mean", "running_var", "weight", "bias")
# What timm calls the parts of a block, in both of its SE-ResNets.
_PARTS = (
    (re.compile(r"(layer\d\.\d+)\.conv(\d)\.weight"), r"\1.conv\2.conv.weight"),
    (re.compile(r"(layer\d\.\d+)\.bn(\d)\.(\w+)"), r"\1.conv\2.adn.N.\3"),
    (re.compile(r"(layer\d\.\d+)\.downsample\.0\.weight"), r"\1.project.conv.weight"),
    (re.compile(r"(layer\d\.\d+)\.downsample\.1\.(\w+)"), r"\1.project.adn.N.\2"),
    (re.compile(r"(layer\d\.\d+)\.se(?:_module)?\.fc1\.(\w+)"), r"\1.se_layer.fc.0.\2"),
    (re.compile(r"(layer\d\.\d+)\.se(?:_module)?\.fc2\.(\w+)"), r"\1.se_layer.fc.2.\2"),
    (re.compile(r"(conv1|bn1)\.(\w+)"), r"layer0.\1.\2"),
    (re.compile(r"fc\.(weight|bias)"), r"last_linear.\1"),
)


def variant_of(tensors: Mapping[str, Tensor]) -> Variant:
    """Return which of the two networks a checkpoint was made for, by the names that its maker gives the tensors.

    MONAI and timm's ``legacy_seresnet50`` are the published network, timm's ``seresnet50`` is the modern one.
    """
    return "modern" if "conv1.weight" in tensors and "layer1.0.se.fc1.weight" in tensors else "published"


def _own_name(key: str) -> str:
    for pattern, name in _PARTS:
        if pattern.fullmatch(key):
            return pattern.sub(name, key)
    return key


def adapt(tensors: Mapping[str, Tensor], module: nn.Module) -> Adapted:
    """Give the tensors of timm's SE-ResNets MONAI's names; MONAI's own have them."""
    own = module.state_dict()
    result: dict[str, Tensor] = {}
    for key, value in tensors.items():
        name = _own_name(key)
        if value.ndim == 4 and name in own and own[name].ndim == 2 and value.shape[2:] == (1, 1):
            # timm's excitations are convolutions of one pixel.
            value = value.flatten(1)
        result[name] = value
    return Adapted(result)


def infer(tensors: Mapping[str, Tensor]) -> dict[str, JsonValue]:
    """Return the options that a checkpoint's tensors tell; the variant is not among them."""
    named = {_own_name(key): value for key, value in tensors.items()}
    stem, squeeze = named.get("layer0.conv1.weight"), named.get("layer1.0.se_layer.fc.0.weight")
    blocks = {match.groups() for key in named if (match := re.match(r"layer([1-4])\.(\d+)\.conv1\.", key))}
    if stem is None or squeeze is None or len({stage for stage, _ in blocks}) < _STAGES:
        return {}
    found: dict[str, JsonValue] = {
        "depths": [sum(stage == str(number + 1) for stage, _ in blocks) for number in range(_STAGES)],
        "width": stem.shape[0],
        "reduction": squeeze.shape[1] // squeeze.shape[0],
    }
    last = named.get("last_linear.weight")
    return found if last is None else {**found, "num_classes": last.shape[0]}


def reference(tensors: Mapping[str, Tensor], images: Tensor, variant: Variant) -> Tensor:
    """Compute the logits of a network from its tensors alone, as its maker's network does.

    Args:
        tensors: By MONAI's names.
        images: Network input float32 [B, 3, H, W].
        variant: Whose strides and pooling.
    """

    def norm(maps: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (tensors[f"{name}.{part}"] for part in _NORM)
        return functional.batch_norm(maps, mean, var, weight, bias)

    def convolve(maps: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel = tensors[f"{name}.conv.weight"]
        maps = functional.conv2d(maps, kernel, stride=stride, padding=kernel.shape[-1] // 2)
        return norm(maps, f"{name}.adn.N")

    published = variant == "published"
    maps = functional.conv2d(images, tensors["layer0.conv1.weight"], stride=2, padding=3)
    maps = functional.max_pool2d(
        functional.relu(norm(maps, "layer0.bn1")), 3, 2, padding=0 if published else 1, ceil_mode=published
    )
    blocks = dict.fromkeys(key.rpartition(".conv1.conv.weight")[0] for key in tensors if ".conv1.conv." in key)
    for block in sorted(blocks, key=lambda name: tuple(map(int, re.findall(r"\d+", name)))):
        stride = 2 if re.fullmatch(r"layer[234]\.0", block) else 1
        inner = functional.relu(convolve(maps, f"{block}.conv1", stride if published else 1))
        inner = functional.relu(convolve(inner, f"{block}.conv2", 1 if published else stride))
        inner = convolve(inner, f"{block}.conv3")
        weights = [tensors[f"{block}.se_layer.fc.{part}"] for part in ("0.weight", "0.bias", "2.weight", "2.bias")]
        squeezed = functional.relu(functional.linear(inner.mean(dim=(2, 3)), *weights[:2]))
        scale = torch.sigmoid(functional.linear(squeezed, *weights[2:]))
        if f"{block}.project.conv.weight" in tensors:
            maps = convolve(maps, f"{block}.project", stride)
        maps = functional.relu(inner * scale[:, :, None, None] + maps)
    return functional.linear(maps.mean(dim=(2, 3)), tensors["last_linear.weight"], tensors["last_linear.bias"])


def verify(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Compare a filled module with what its checkpoint's maker would compute.

    Args:
        module: Filled with ``tensors``.
        tensors: The checkpoint's, under its maker's names.

    Raises:
        WeightsError: On the same picture the logits differ: the weights are of the other variant.
    """
    variant = variant_of(tensors)
    given = adapt(tensors, module).tensors
    # What the checkpoint lacks, such as a last layer of other classes, is the module's own.
    named = {
        key: given[key].float() if key in given and given[key].shape == value.shape else value
        for key, value in module.state_dict().items()
    }
    # An odd size tells the two ways of pooling apart.
    probe = torch.randn((1, 3, 75, 75), generator=torch.Generator().manual_seed(0))
    training = module.training
    with torch.no_grad():
        found = module.eval()(probe)
        expected = reference(named, probe, variant)
    module.train(training)
    gap = float((found - expected).abs().max() / expected.abs().max().clamp_min(1e-6))
    if gap > _TOLERANCE:
        raise WeightsError(
            f"Keys and shapes fit, but on the same picture the logits differ by {gap:.1%} of their size: the weights "
            f"are of the {variant} SE-ResNet, which strides and pools elsewhere",
            mend=f"Set variant={variant} for the model.",
        )
