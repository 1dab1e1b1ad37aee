"""Recipes: reading, composing and validating the complete description of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from cineloop.cohort.schema import DataSection
from cineloop.cohort.source import TABLES
from cineloop.errors import RecipeError
from cineloop.evaluation.schema import EvaluateSection
from cineloop.files import fingerprint
from cineloop.schema import Section, did_you_mean, merge, parse_override, read_yaml, set_dotted, validate
from cineloop.training.schema import TrainSection

SCHEMA = 1


class Recipe(Section):
    """A complete, typed description of a run; each task narrows the sections.

    Attributes:
        schema_version: The version of this layout, written ``schema``.
        about: What the recipe is for, in one line.
        task: The task's name.
        data: Where the recordings are and what of them is shown to the model.
        model: The network and its first weights.
        train: The loop.
        evaluate: How the outcome is judged.
    """

    schema_version: Literal[1] = Field(alias="schema")
    about: str = ""
    task: str
    data: DataSection
    model: Section
    train: TrainSection
    evaluate: EvaluateSection

    def plain(self) -> dict[str, Any]:
        """Return the recipe as plain data; reading it back gives an equal recipe."""
        data: dict[str, Any] = self.model_dump(mode="json", by_alias=True)
        return data

    def first_weights(self) -> Path | None:
        """Return where the first weights come from, None for random ones."""
        return None

    def fingerprint(self) -> str:
        """Return the SHA-256 of the resolved recipe."""
        return fingerprint(self.plain())


def shipped_folder() -> Path:
    """Return the folder of the recipes that come with the package."""
    return Path(str(resources.files("cineloop") / "recipes"))


def shipped() -> list[str]:
    """Return the names of the shipped recipes, sorted; parts that are only composed into others are left out."""
    folder = shipped_folder()
    names = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))
    return sorted(name for name in names if not any(part.startswith("_") for part in name.split("/")))


def _find(name: str, beside: Path | None, where: str) -> Path:
    folder = shipped_folder()
    candidates: list[Path] = []
    for base in ([beside] if beside is not None else []) + [folder]:
        candidates += [base / name, base / f"{name}.yaml"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise RecipeError(f"There is no recipe called {name!r}", where=where, mend=did_you_mean(name, shipped()))


def find_recipe(name: str) -> Path:
    """Return the file of a recipe: a path, or the name of a shipped one.

    Raises:
        RecipeError: There is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    if path.suffix in (".yaml", ".yml") or path.is_absolute():
        raise RecipeError("The recipe does not exist", where=path, mend=did_you_mean(path.stem, shipped()))
    return _find(name, None, name)


def compose(path: Path, *, _above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Read a recipe file and lay it over what it extends, in order.

    Raises:
        RecipeError: A file is missing or not plain data, or recipes extend each other in a circle.
    """
    if path.suffix.lower() in TABLES:
        raise RecipeError(
            "This is a table, not a recipe",
            where=path,
            mend=f"Name its folder in its place: {path.parent} --format table --path {path.name}.",
        )
    resolved = path.resolve()
    if resolved in _above:
        chain = " -> ".join(file.name for file in (*_above, resolved))
        raise RecipeError(f"Recipes extend each other in a circle: {chain}", where=path, mend="Break the circle.")
    value = read_yaml(path)
    if not isinstance(value, Mapping):
        raise RecipeError("A recipe is a mapping of sections", where=path, mend="Begin it with `schema: 1`.")
    extends = value.get("extends", [])
    if isinstance(extends, str):
        extends = [extends]
    if not isinstance(extends, Sequence) or not all(isinstance(name, str) for name in extends):
        raise RecipeError("`extends` is a list of recipes", where=path, mend="Write extends: [base, data/mine].")
    merged: dict[str, Any] = {}
    for name in extends:
        merged = merge(merged, compose(_find(name, path.parent, str(path)), _above=(*_above, resolved)))
    return merge(merged, {key: item for key, item in value.items() if key != "extends"})


def resolve(data: Mapping[str, Any], *, where: str | Path) -> Recipe:
    """Validate plain data as a recipe of its task.

    Raises:
        RecipeError: A key is unknown, missing or has a wrong value; or the version or task is unknown.
    """
    from cineloop.tasks.task import TASKS

    version = data.get("schema")
    if version is None:
        raise RecipeError("missing key 'schema'", where=where, mend="Begin the recipe with `schema: 1`.")
    if version != SCHEMA:
        raise RecipeError(
            f"This recipe is of version {version!r}; this is Cineloop's version {SCHEMA}",
            where=where,
            mend="Use the Cineloop it was written for, or write `schema: 1`.",
        )
    task = data.get("task")
    if not isinstance(task, str):
        raise RecipeError("missing key 'task'", where=where, mend=f"Known tasks: {', '.join(TASKS.names())}.")
    return validate(TASKS.get(task, where=f"{where}: task").Recipe, data, where=where)


def load_recipe(source: str | Path | Mapping[str, Any], overrides: Iterable[str] = ()) -> Recipe:
    """Read, compose, override and validate a recipe.

    Args:
        source: A file, the name of a shipped recipe, or plain data.
        overrides: ``key=value`` texts; values are YAML.

    Raises:
        RecipeError: See :func:`compose` and :func:`resolve`.
    """
    if isinstance(source, Mapping):
        where, data = "recipe", dict(source)
    else:
        path = find_recipe(str(source))
        where, data = str(path), compose(path)
    changes = list(overrides)
    for text in changes:
        key, value = parse_override(text)
        set_dotted(data, key, value)
    if changes:
        where += f" with {' '.join(changes)}"
    return resolve(data, where=where)


def _anchor(section: Section) -> Section:
    changes: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Path) and not value.is_absolute() and value.exists():
            changes[name] = value.absolute()
        elif isinstance(value, Section):
            anchored_value = _anchor(value)
            if anchored_value is not value:
                changes[name] = anchored_value
    return section.model_copy(update=changes) if changes else section


def anchored(recipe: Recipe) -> Recipe:
    """Return the recipe with every relative path that leads somewhere from here made absolute.

    A run's recipe is read again later, and from other folders.
    """
    result = _anchor(recipe)
    assert isinstance(result, Recipe)
    return result


def differences(one: Any, other: Any, prefix: str = "") -> list[str]:
    """Return the dotted keys in which two recipes, as plain data, differ, sorted."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return sorted(
            name
            for key in one.keys() | other.keys()
            for name in differences(one.get(key), other.get(key), f"{prefix}.{key}" if prefix else str(key))
        )
    return [] if one == other else [prefix]


def json_schema() -> str:
    """Return the JSON Schema of all tasks' recipes, for editors."""
    from cineloop.tasks.task import TASKS

    schemas = [
        spec.Recipe.model_json_schema(by_alias=True, ref_template=f"#/$defs/{spec.name}/{{model}}") for spec in TASKS
    ]
    definitions = {spec.name: schema.pop("$defs", {}) for spec, schema in zip(TASKS, schemas, strict=True)}
    for schema in schemas:
        schema["properties"]["extends"] = {"type": ["string", "array"], "items": {"type": "string"}}
        schema["required"] = []
    # What a recipe extends may say what it leaves out; only one that extends nothing must be complete by itself.
    needed: dict[str, list[str]] = {"model": ["name"]}
    for spec in TASKS:
        for name, field in spec.Recipe.model_fields.items():
            section = definitions[spec.name].get(getattr(field.annotation, "__name__", ""))
            if section is not None and "required" in section:
                needed[name] = section.pop("required")
    complete = {
        "required": ["schema", "task", *needed],
        "properties": {name: {"required": keys} for name, keys in needed.items()},
    }
    return json.dumps(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "anyOf": schemas,
            "if": {"not": {"required": ["extends"]}},
            "then": complete,
            "$defs": definitions,
        },
        indent=2,
    )
