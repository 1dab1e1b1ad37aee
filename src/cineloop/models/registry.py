"""The registry of models: what each one takes, gives, and is built from.

This module loads no torch, so that recipes can be validated and models listed cheaply.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from cineloop.errors import ModelError
from cineloop.registry import Registry, Spec
from cineloop.schema import Section

if TYPE_CHECKING:
    from torch import Tensor, nn


class ModelIO(Section):
    """The input and output contract of a model.

    Attributes:
        input: What one sample is.
        layout: The axes of the input tensor: batch, channel, (time,) height, width. Its dtype is float32.
        frames: Frames in a clip; 1 for an image.
        size: Height and width in pixels.
        colour: The order of the channels.
        value_range: The range of a pixel before ``mean`` is subtracted; uint8 pixels are scaled to it.
        mean: Subtracted from each channel, in units of ``value_range``.
        std: Divides each channel after the subtraction.
        output: ``features`` (no unit, any real number) or ``logits`` (before softmax or sigmoid), shaped
            ``[B, width]``.
        width: Features or classes of the output.
        any_frames: Whether clips of other frame counts are accepted.
        any_size: Whether other heights and widths are accepted, down to ``size_step`` pixels.
        size_step: Heights and widths are whole multiples of this many pixels; a remainder is not seen.
    """

    input: Literal["clip", "image"]
    layout: Literal["BCTHW", "BCHW"]
    frames: int = Field(ge=1)
    size: tuple[int, int]
    colour: Literal["RGB", "BGR", "grey"] = "RGB"
    value_range: tuple[float, float] = (0.0, 1.0)
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    output: Literal["features", "logits"]
    width: int = Field(ge=1)
    any_frames: bool = False
    any_size: bool = False
    size_step: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> ModelIO:
        if (self.input == "clip") != (self.layout == "BCTHW"):
            raise ValueError(f"a {self.input} is not laid out as {self.layout}")
        if self.input == "image" and self.frames != 1:
            raise ValueError("an image has one frame")
        if len(self.mean) != self.channels or len(self.std) != self.channels or min(self.std) <= 0:
            raise ValueError(f"mean and std need {self.channels} values, std above 0")
        if min(self.size) < 1 or self.value_range[0] >= self.value_range[1]:
            raise ValueError("size and value_range need room")
        return self

    @property
    def channels(self) -> int:
        """The channels of a pixel."""
        return 1 if self.colour == "grey" else 3

    def shape(self, batch: int, *, frames: int | None = None, size: tuple[int, int] | None = None) -> tuple[int, ...]:
        """Return the shape of an input tensor of ``batch`` samples."""
        height, width = size or self.size
        if self.layout == "BCHW":
            return (batch, self.channels, height, width)
        return (batch, self.channels, frames or self.frames, height, width)


@dataclass(frozen=True)
class Layers:
    """The depth order of a model's parameters, for layer-wise decay and for freezing from the bottom.

    Attributes:
        count: Number of layers; 0 is nearest to the input, ``count - 1`` nearest to the output.
        of: Gives the layer of a parameter, by its name in the module.
        above: Layers above the last block, such as a final norm.
    """

    count: int
    of: Callable[[str], int]
    above: int = 0


@dataclass(frozen=True)
class Adapted:
    """A foreign checkpoint's tensors under this model's own names.

    Attributes:
        tensors: By the module's key.
        resized: What was changed to fit, by key, in words: ``"1x197x768 -> 1x37x768, nearest"``.
        derived: What the checkpoint lacks and was made up from elsewhere, by key, in words; not counted as matched.
    """

    tensors: Mapping[str, Tensor]
    resized: Mapping[str, str] = field(default_factory=dict)
    derived: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """A model that a recipe can name.

    Attributes:
        Config: The section of its options; its defaults are the preset.
        build: Builds the module from a ``Config``, with random weights and without a network.
        io: Gives the contract of the module that ``build`` makes from the same ``Config``.
        layers: Gives the depth order of the parameters; None when the model has none worth naming.
        adapt: Fits published checkpoint tensors, prefixes already stripped, to a built module; None takes them as
            they are.
        infer: Reads off published tensors, prefixes already stripped, which options they were made with, for messages;
            None where nothing tells.
        verify: Compares a filled module with what the maker of published tensors, prefixes already stripped, computes
            from them, and raises :class:`~cineloop.errors.WeightsError` where they differ; for networks whose
            look-alikes load strictly. None compares nothing.
        ignorable: Patterns (``fnmatch``) of checkpoint keys that a load may leave out without being told, such as
            the projection head of a self-supervised pre-training.
        licence: Licence of the architecture's code here, as an SPDX expression.
        origin: Where the architecture was published.
        paper: Reference.
    """

    registry: ClassVar[Registry[ModelSpec]]  # type: ignore[assignment]

    Config: type[Section]
    build: Callable[[Any], nn.Module]
    io: Callable[[Any], ModelIO]
    layers: Callable[[Any], Layers] | None = None
    adapt: Callable[[Mapping[str, Tensor], nn.Module], Adapted] | None = None
    infer: Callable[[Mapping[str, Tensor]], Mapping[str, Any]] | None = None
    verify: Callable[[nn.Module, Mapping[str, Tensor]], None] | None = None
    ignorable: tuple[str, ...] = ()
    licence: str = "Apache-2.0"
    origin: str = ""
    paper: str = ""


_BUILTIN_MODULES = ("timesformer", "video_resnet", "mvit", "frame_csra", "seresnet")


def _builtins() -> Iterable[ModelSpec]:
    for name in _BUILTIN_MODULES:
        yield from importlib.import_module(f"cineloop.models.{name}").SPECS


MODELS: Registry[ModelSpec] = Registry("model", ModelError, builtins=_builtins)
ModelSpec.registry = MODELS
