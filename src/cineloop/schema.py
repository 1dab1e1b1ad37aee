"""The base of every recipe section: strict typed models, YAML that is data only, errors that name the key."""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from cineloop.errors import CineloopError, RecipeError

Model = TypeVar("Model", bound=BaseModel)


FigureFiles = Literal["svg", "png", "both", "none"]
"""As what figures are written into a folder: vectors, pixels (200 dpi), both, or not at all."""


class Section(BaseModel):
    """A part of a recipe: immutable, no unknown keys, no silent conversion of text to numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class _SafeLoader(yaml.SafeLoader):
    """YAML's safe loader, which builds plain data only, made to refuse duplicate keys."""


def _mapping_without_duplicates(loader: _SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        try:
            duplicate = key in result
        except TypeError:
            raise yaml.constructor.ConstructorError(
                None, None, "a key must be a plain value", key_node.start_mark
            ) from None
        if duplicate:
            raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key!r}", key_node.start_mark)
        result[key] = loader.construct_object(value_node, deep=True)
    return result


_SafeLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_duplicates)
# YAML 1.1 reads `1e-3` as text; a learning rate is written so.
_FLOAT = ("tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:[0-9][0-9_]*)(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)$"))
_SafeLoader.add_implicit_resolver(*_FLOAT, list("-+0123456789"))


def parse_yaml(text: str, *, where: str | Path) -> Any:
    """Parse YAML text into plain data.

    Raises:
        RecipeError: The text is not YAML, repeats a key, or asks for an object.
    """
    try:
        return yaml.load(text, Loader=_SafeLoader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}, line {mark.line + 1}" if mark is not None else str(where)
        problem = getattr(error, "problem", None) or str(error)
        raise RecipeError(
            f"This is not a YAML file of plain data: {problem}",
            where=place,
            mend="Write mappings, lists, text and numbers only; tags and repeated keys are refused.",
        ) from None


def read_yaml(path: Path) -> Any:
    """Read a YAML file into plain data.

    Raises:
        RecipeError: The file is missing, not UTF-8, or not plain YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecipeError(f"The file cannot be read: {error.strerror}", where=path, mend="Check the path.") from None
    except UnicodeDecodeError:
        raise RecipeError("The file is not UTF-8 text", where=path, mend="Save it as UTF-8.") from None
    return parse_yaml(text, where=path)


class _SafeDumper(yaml.SafeDumper):
    """YAML's safe dumper, made to quote the line ends of Unicode, which it would otherwise fold to spaces."""


def _quoted_where_needed(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(sign in text for sign in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_SafeDumper.add_representer(str, _quoted_where_needed)
# Text that the loader would read as a number is quoted.
_SafeDumper.add_implicit_resolver(*_FLOAT, list("-+0123456789"))


def dump_yaml(value: Any) -> str:
    """Return plain data as YAML in its own order."""
    text: str = yaml.dump(value, Dumper=_SafeDumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like ``word``, or None when none is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.55)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a remedy for an unknown ``word``: the nearest known one, or all of them."""
    known = sorted(known)
    near = nearest(word, known)
    if near is not None:
        return f"Did you mean {near!r}?"
    return f"Known: {', '.join(known)}." if known else "None is known here."


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the section classes that a field's annotation allows, alone or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType, typing.Annotated, tuple, list):
        return [model for argument in typing.get_args(annotation) for model in _models_in(argument)]
    return []


def _keys_beside(model: type[BaseModel], location: tuple[Any, ...]) -> set[str]:
    """Return the keys that are valid where the last element of ``location`` stands."""
    candidates = [model]
    for step in location[:-1]:
        if not isinstance(step, str):
            continue
        following = [
            found
            for candidate in candidates
            if step in candidate.model_fields
            for found in _models_in(candidate.model_fields[step].annotation)
        ]
        # A step that is no field is a union's tag; the candidates stay.
        candidates = following or candidates
    return {info.alias or name for candidate in candidates for name, info in candidate.model_fields.items()}


def validate(
    model: type[Model],
    value: Any,
    *,
    where: str | Path,
    prefix: str = "",
    error: type[CineloopError] = RecipeError,
    subject: str = "The recipe",
    also: Iterable[str] = (),
) -> Model:
    """Build ``model`` from plain data, turning a validation failure into one readable error.

    Args:
        model: The section to build.
        value: Plain data, as read from YAML.
        where: The file or command the data came from.
        prefix: The dotted key that ``value`` stands under, for the message.
        error: The kind of error to raise.
        subject: What the data is, as the message begins.
        also: Further keys that are valid beside ``value``'s own, for remedies.

    Raises:
        RecipeError: Or ``error``. With the dotted key, what is wrong with it, and for an unknown key the nearest
            valid one.
    """
    if isinstance(value, model):
        return value
    if not isinstance(value, Mapping):
        raise error(
            f"Expected a mapping of keys, found {type(value).__name__}",
            where=f"{where}: {prefix}" if prefix else where,
            mend=f"Known keys: {', '.join(sorted(model.model_fields))}.",
        )
    try:
        return model.model_validate(value, context={"where": str(where)})
    except ValidationError as failure:
        problems = failure.errors(include_url=False)
    lines: list[str] = []
    mend: str | None = None
    for problem in problems[:5]:
        location = tuple(problem["loc"])
        key = ".".join(str(step) for step in ((prefix, *location) if prefix else location))
        if problem["type"] == "extra_forbidden":
            lines.append(f"unknown key {key!r}")
            known = _keys_beside(model, location) | (set(also) if len(location) == 1 else set())
            mend = mend or did_you_mean(str(location[-1]), known)
        elif problem["type"] == "missing":
            lines.append(f"missing key {key!r}")
            mend = mend or f"Add {key!r}."
        else:
            message = problem["msg"].removeprefix("Value error, ")
            lines.append(f"{key}: {message[0].lower()}{message[1:]}" if key else message)
    more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
    example = "; `cineloop recipes NAME` prints a complete example" if subject == "The recipe" else ""
    raise error(
        f"{subject} is not valid: {'; '.join(lines)}{more}",
        where=where,
        mend=mend or f"Correct the value{example}.",
    )


# Keys that choose from a registry by `name`; the options of one entry are not another's.
CHOICES = frozenset({"model", "loss"})


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``over`` laid on top: mappings merge key by key, anything else is replaced.

    A choice (:data:`CHOICES`) whose ``name`` changes is replaced whole.
    """
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            renamed = key in CHOICES and "name" in value and "name" in old and value["name"] != old["name"]
            result[key] = dict(value) if renamed else merge(old, value)
        else:
            result[key] = value
    return result


def set_dotted(value: dict[str, Any], dotted: str, new: Any) -> None:
    """Set ``value["a"]["b"] = new`` for the key ``a.b``, making the mappings on the way.

    Raises:
        RecipeError: A step on the way is not a mapping.
    """
    *path, last = dotted.split(".")
    patch: dict[str, Any] = {last: new}
    for step in reversed(path):
        patch = {step: patch}
    merged = merge(value, patch)
    value.clear()
    value.update(merged)


def parse_override(text: str) -> tuple[str, Any]:
    """Split ``key=value`` of the command line; the value is YAML.

    Raises:
        RecipeError: There is no ``=``, or the key is empty.
    """
    key, separator, value = text.partition("=")
    if not separator or not key.strip() or any(not step for step in key.split(".")):
        raise RecipeError(
            f"Not an override: {text!r}",
            where="command line",
            mend="Write it as key=value, e.g. train.epochs=5.",
        )
    return key.strip(), parse_yaml(value, where=f"command line, {key}")
