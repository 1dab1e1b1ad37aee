"""A recipe as YAML with what each key means beside it, taken from the sections' own documentation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from cineloop.named import Named
from cineloop.schema import Section
from cineloop.tasks.recipe import Recipe

_WIDTH = 44


def attribute_docs(section: type[Section]) -> dict[str, str]:
    """Return the first sentence that the class's docstring says of each attribute, base classes included."""
    docs: dict[str, str] = {}
    for base in reversed(section.__mro__):
        text = inspect.cleandoc(base.__dict__.get("__doc__") or "")
        _, found, body = text.partition("Attributes:\n")
        if not found:
            continue
        for match in re.finditer(r"^    (\w+): (.+?)(?=^    \w+: |^\S|\Z)", body, re.MULTILINE | re.DOTALL):
            sentence = " ".join(match[2].split())
            first = re.split(r"(?<![.\d])(?<!\bal)\. ", sentence, maxsplit=1)[0].rstrip(".")
            docs[match[1]] = first.replace("``", "`")
    return docs


def _inline(value: Any) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000).removesuffix("...\n").strip()
    )


def _lines(value: Any, plain: Mapping[str, Any], depth: int) -> Iterator[str]:
    docs: dict[str, str] = {}
    children: dict[str, Any] = {}
    if isinstance(value, Section):
        docs = attribute_docs(type(value))
        children = {info.alias or name: getattr(value, name) for name, info in type(value).model_fields.items()}
        # Sections that are written flat hold a named choice, whose options stand among their keys.
        chosen = [child for child in children.values() if isinstance(child, Named)]
        for named in chosen if set(children) != set(plain) else []:
            docs |= attribute_docs(type(named.config))
    elif isinstance(value, Named):
        docs = attribute_docs(type(value.config))
    pad = "  " * depth
    for key, item in plain.items():
        child = children.get(key)
        doc = docs.get("schema_version" if key == "schema" else key)
        nested = isinstance(item, Mapping) and bool(item) and isinstance(child, Section | Named)
        text = f"{pad}{key}:" if nested else f"{pad}{key}: {_inline(item)}"
        yield f"{text.ljust(_WIDTH)}  # {doc}" if doc else text
        if nested:
            yield from _lines(child, item, depth + 1)


def commented(recipe: Recipe) -> str:
    """Return the recipe as YAML; reading it gives the same recipe."""
    return "\n".join(_lines(recipe, recipe.plain(), 0)) + "\n"
