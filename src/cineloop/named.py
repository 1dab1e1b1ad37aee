"""A recipe's choice from a registry: ``{name: timesformer-tiny, depth: 4}`` becomes a name and a typed config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from cineloop.errors import RecipeError
from cineloop.registry import Registry, Spec
from cineloop.schema import Section, validate


@runtime_checkable
class Configurable(Protocol):
    """A spec with options."""

    @property
    def name(self) -> str:
        """What a recipe writes."""

    @property
    def Config(self) -> type[Section]:
        """The options."""


C = TypeVar("C", bound=Section)


@dataclass(frozen=True)
class Named(Generic[C]):
    """The name of a registered spec, and its options.

    Attributes:
        name: The spec's name.
        config: The spec's options, validated by its own ``Config``.
    """

    name: str
    config: C

    def plain(self) -> dict[str, Any]:
        """Return what a recipe would write."""
        return {"name": self.name, **self.config.model_dump(mode="json", by_alias=True)}


def choose(registry: Registry[Any], value: Any, *, where: str, key: str, also: Iterable[str] = ()) -> Named[Any]:
    """Validate a choice from ``registry``.

    Args:
        registry: Where the name is looked up.
        value: A name, or a mapping with ``name`` and the spec's options.
        where: The file or command, for messages.
        key: The dotted key of the choice, for messages.
        also: Keys that are valid beside the options, for remedies.

    Raises:
        RecipeError: The value has no name, or the options do not fit.
        PluginError: The name belongs to a plug-in that is not enabled.
    """
    if isinstance(value, Named):
        return value
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        raise RecipeError(
            f"{key} must name a {registry.kind}",
            where=where,
            mend=f"Write {key}: {{name: ...}}; known: {', '.join(registry.names())}.",
        )
    spec = registry.get(value["name"], where=f"{where}: {key}.name")
    if not isinstance(spec, Spec) or not isinstance(spec, Configurable):
        raise RecipeError(f"The {registry.kind} {spec!r} takes no options", where=where, mend="Choose another.")
    options = {name: option for name, option in value.items() if name != "name"}
    for option in options.keys() - spec.Config.model_fields.keys() - set(also):
        owners = [other.name for other in registry if option in other.Config.model_fields]
        if owners:
            raise RecipeError(
                f"unknown key '{key}.{option}': it is an option of {', '.join(owners)}, not of {spec.name}",
                where=where,
                mend=f"Set {key}.name={owners[0]}, or leave the key out.",
            )
    return Named(spec.name, validate(spec.Config, options, where=where, prefix=key, also=also))


class NamedFrom:
    """A pydantic annotation: ``Annotated[Named[Section], NamedFrom(MODELS, "model")]``.

    The registry is consulted when a recipe is read, so plug-ins enabled by then take part.
    """

    def __init__(self, registry: Registry[Any], key: str, also: Iterable[str] = ()) -> None:
        self.registry = registry
        self.key = key
        self.also = tuple(also)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate by :func:`choose`; write back as the recipe wrote it."""

        def check(value: Any, info: ValidationInfo) -> Named[Any]:
            where = (info.context or {}).get("where", "recipe")
            return choose(self.registry, value, where=where, key=self.key, also=self.also)

        return core_schema.with_info_plain_validator_function(
            check,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda named: named.plain()),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Offer every registered spec with its options."""
        variants = []
        for spec in self.registry:
            options = spec.Config.model_json_schema()
            options.pop("$defs", None)
            properties = {"name": {"const": spec.name}, **options.get("properties", {})}
            # What a recipe extends may name it, so the name is not required here.
            variants.append({**options, "title": spec.name, "properties": properties})
        return {"anyOf": [{"enum": self.registry.names()}, *variants]}
