"""The network of a recipe: its section, which of its parameters move, and in which groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import CoreSchema

from cineloop.errors import RecipeError
from cineloop.models.registry import MODELS, Layers
from cineloop.named import Named, NamedFrom
from cineloop.schema import Section

if TYPE_CHECKING:
    from torch import nn

    from cineloop.training.learner import ParameterGroup

OWN_KEYS = ("weights", "min_match", "trainable", "dropout")


class NetworkSection(Section):
    """The ``model`` section: a registered network with its options, written flat.

    ``{name: timesformer-tiny, depth: 4, weights: runs/first}``.

    Attributes:
        network: The network.
        weights: Where its first weights come from: a checkpoint in any accepted form, or a run.
        min_match: The share of the network's tensors that ``weights`` must hold.
        trainable: ``all``, ``head`` (all below it is frozen), or the number of last blocks to train with the head.
    """

    own_keys: ClassVar[tuple[str, ...]] = OWN_KEYS

    network: Annotated[Named[Section], NamedFrom(MODELS, "model", also=OWN_KEYS)]
    weights: Path | None = None
    min_match: Annotated[float, Field(gt=0, le=1)] = 1.0
    trainable: Literal["all", "head"] | Annotated[int, Field(ge=1)] = "all"

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or "network" in value:
            return value
        own = {key: item for key, item in value.items() if key in cls.own_keys}
        return {**own, "network": {key: item for key, item in value.items() if key not in cls.own_keys}}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe the section as it is written: one flat variant for each network."""
        reference = handler(schema)
        section = handler.resolve_ref_schema(reference)
        own = dict(section.pop("properties"))
        networks = own.pop("network")["anyOf"]
        section.pop("required", None)
        section.pop("additionalProperties", None)
        section["anyOf"] = [
            {**network, "properties": {**own, **network["properties"]}}
            for network in networks
            if "properties" in network
        ]
        return reference

    @model_serializer(mode="wrap")
    def _write_flat(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data = handler(self)
        network = data.pop("network")
        return {"name": network.pop("name"), **data, **network}


def layers_of(network: Named[Section]) -> Layers | None:
    """Return the depth order of a network's parameters, None when the model names none."""
    spec = MODELS.get(network.name)
    return spec.layers(network.config) if spec.layers is not None else None


def freeze(network: nn.Module, section: NetworkSection, is_head: Callable[[str], bool]) -> None:
    """Leave trainable what the recipe says: all, the head, or the head and a number of last blocks.

    Args:
        network: The registered network, changed in place.
        section: Which it is, and what is to be trained.
        is_head: Whether a parameter of the network, by name, belongs to a head of its own, which is always trained.

    Raises:
        RecipeError: The network has no depth order, or fewer layers.
    """
    if section.trainable == "all":
        return
    keep = 0
    layers = layers_of(section.network)
    if isinstance(section.trainable, int):
        if layers is None:
            raise RecipeError(
                f"{section.network.name!r} names no blocks", where="model.trainable", mend="Use `all` or `head`."
            )
        # Below the blocks lie the embeddings.
        blocks = layers.count - layers.above - 1
        if section.trainable > blocks:
            raise RecipeError(
                f"{section.network.name!r} has {blocks} blocks, {section.trainable} are asked for",
                where="model.trainable",
                mend="Use `all`, or fewer.",
            )
        keep = section.trainable + layers.above
    for name, parameter in network.named_parameters():
        kept = keep > 0 and layers is not None and layers.of(name) >= layers.count - keep
        parameter.requires_grad_(kept or is_head(name))


def parameter_groups(
    module: nn.Module,
    section: NetworkSection,
    *,
    prefix: str,
    is_head: Callable[[str], bool],
    layer_decay: float,
    head_lr_scale: float,
) -> list[ParameterGroup]:
    """Return the groups of the trainable parameters: by layer where learning rates decay with depth, and the head.

    Args:
        module: What is trained.
        section: The network in it.
        prefix: What the network's parameters are called by in the module, such as ``backbone.``; may be empty.
        is_head: Whether a parameter of the module, by name, belongs to the head.
        layer_decay: Multiplies the learning rate once for each layer below the head.
        head_lr_scale: Multiplies the head's.

    Raises:
        RecipeError: Layer-wise decay is asked for and the network has no depth order.
    """
    from cineloop.training.optimizer import split_decay

    layers = layers_of(section.network)
    if layer_decay < 1 and layers is None:
        raise RecipeError(
            f"{section.network.name!r} names no layers",
            where="train.optimizer.layer_decay",
            mend="Set it to 1, or choose a model with layers.",
        )
    by_layer: dict[int, list[str]] = {}
    head: list[str] = []
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        if is_head(name):
            head.append(name)
        else:
            layer = layers.of(name.removeprefix(prefix)) if layers is not None and layer_decay < 1 else 0
            by_layer.setdefault(layer, []).append(name)
    groups: list[ParameterGroup] = []
    for layer, names in sorted(by_layer.items()):
        below = layers.count - layer if layers is not None and layer_decay < 1 else 0
        title = f"layer {layer}" if layer_decay < 1 else "backbone"
        groups += split_decay(module, names, title, layer_decay**below)
    return groups + split_decay(module, head, "head", head_lr_scale)


def trainable_share(module: nn.Module) -> tuple[int, int]:
    """Return the number of all parameters and of those that training moves."""
    parameters: Sequence[nn.Parameter] = list(module.parameters())
    return sum(p.numel() for p in parameters), sum(p.numel() for p in parameters if p.requires_grad)
