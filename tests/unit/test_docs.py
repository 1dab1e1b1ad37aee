"""The pages are true: links lead somewhere, commands and options exist, recipes are valid, promises have tests."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import shlex
import types
import typing
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from cineloop.schema import dump_yaml, merge, parse_yaml
from cineloop.tasks.recipe import compose, find_recipe, load_recipe
from program import call, cineloop
from support import ROOT

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "src/**/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
SHELL = ("sh", "bash", "console", "")
SECTIONS = ("data", "model", "train", "evaluate")
ACME = ROOT / "examples" / "plugin" / "acme.py"


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, *languages):
    """Return the fenced code blocks of a page in these languages."""
    found = re.findall(r"^```(\S*)[^\n]*\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)
    return [body for language, body in found if language in languages]


def prose(page):
    """Return a page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def anchors(page):
    """Return the fragments that a page's headings can be reached by."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    broken = []
    # Code spans may hold brackets; a link's own label may be one.
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        if not path.exists() or (fragment and fragment not in anchors(path.resolve().relative_to(ROOT))):
            broken.append(target)
    assert not broken


@functools.cache
def help_of(*words):
    """Return the help page of a verb, or None where there is no such verb."""
    done = call(*words, "--help")
    return done.stdout if done.returncode == 0 else None


@functools.cache
def verbs_of(*words):
    """Return the verbs that a help page lists."""
    _, _, listed = (help_of(*words) or "").partition("Commands:\n")
    return frozenset(re.findall(r"^  (\S+)", listed, re.MULTILINE))


def commands(page):
    """Return the words of every ``cineloop ...`` line of a page's code blocks and code spans, without the program."""
    lines = [line.strip() for body in blocks(page, *SHELL) for line in body.replace("\\\n", " ").splitlines()]
    lines += [line.lstrip("# ") for body in blocks(page, "yaml") for line in body.splitlines() if line.startswith("#")]
    lines += re.findall(r"`(cineloop [^`]+)`", prose(page))
    for line in lines:
        found = re.search(r"(?:^|[/ ])cineloop (.+)$", line)
        if found and "pip " not in line:
            yield shlex.split(found[1], comments=True)


def check_command(words):
    """Raise AssertionError for a verb or option that is not there."""
    words = [word for word in words if word not in (">", "|")]
    verb = []
    for word in words:
        if word not in verbs_of(*verb):
            break
        verb.append(word)
    named = [word for word in words if not word.startswith("-")]
    assert verb or not named or named[0].isupper(), f"there is no verb {named[0]!r}"
    assert not verbs_of(*verb) or len(named) == len(verb), f"{' '.join(verb)} has no {named[len(verb)]!r}"
    options = {word.partition("=")[0] for word in words if re.match(r"--\w", word)}
    missing = {option for option in options if not re.search(rf"{option}\b(?!-)", help_of(*verb))}
    assert not missing, f"cineloop {' '.join(verb)} has no option {', '.join(sorted(missing))}"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists(page):
    for words in commands(page):
        check_command(words)


@pytest.mark.parametrize(
    "words", ["trane x.yaml", "train x.yaml --ouut y", "cohort chek x", "cohort check x --against y", "--versio"]
)
def test_a_command_that_is_not_there_is_noticed(words):
    with pytest.raises(AssertionError):
        check_command(words.split())


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_exists(page):
    targets = set(re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE))
    shown = [line for body in blocks(page, *SHELL) for line in body.splitlines() if line.startswith("make ")]
    shown += re.findall(r"`(make [^`]+)`", prose(page))
    for line in shown:
        for word in line.partition("#")[0].split()[1:]:
            assert word in targets or "=" in word, line


def validate_block(block, tmp_path):
    """Validate a YAML block: a whole recipe, some sections of one, or keys of its data section."""
    plain = parse_yaml(block, where="block")
    if "schema" not in plain:
        if not set(plain) <= {*SECTIONS, "about"}:
            plain = {"data": plain}
        base = compose(find_recipe("clip-classification/timesformer-tiny"))
        plain = merge(base, {**plain, "data": {**base["data"], **plain.get("data", {})}})
    path = tmp_path / "recipe.yaml"
    path.write_text(dump_yaml(plain))
    if "acme/" in block:
        # In a process of its own, as a plug-in stays enabled.
        done = cineloop("recipes", path, "--plugin", ACME)
        assert done.returncode == 0, done.stderr
    else:
        load_recipe(path)


@pytest.mark.parametrize("page", PAGES)
def test_every_recipe_is_valid(page, tmp_path):
    for block in blocks(page, "yaml"):
        validate_block(block, tmp_path)


@pytest.mark.parametrize("page", PAGES)
def test_every_import_exists(page):
    for body in blocks(page, "python"):
        for node in ast.walk(ast.parse(body)):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "cineloop":
                module = importlib.import_module(node.module)
                for name in node.names:
                    assert hasattr(module, name.name) or importlib.import_module(f"{node.module}.{name.name}")
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "cineloop":
                assert hasattr(importlib.import_module("cineloop"), node.attr), node.attr


def models_in(annotation):
    """Return the sections that an annotation allows, alone or beside None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        return [model for argument in typing.get_args(annotation) for model in models_in(argument)]
    return []


def keys(model, instance, prefix):
    """Yield the dotted key and the default of everything below a section; ... stands for a required one."""
    for name, info in model.model_fields.items():
        key = f"{prefix}.{name}"
        value = getattr(instance, name) if instance is not None else info.get_default(call_default_factory=True)
        inner = value if isinstance(value, BaseModel) else None
        if inner is None:
            yield key, ... if info.is_required() else value
        for below in models_in(info.annotation):
            yield from keys(below, inner, key)


def described():
    """Return the keys that docs/recipes.md describes, with the default it gives, None where it gives none."""
    rows = re.findall(r"^\| `([\w.]+)` \| (.*?) \|", text_of("docs/recipes.md"), re.MULTILINE)
    return {key: yaml.safe_load(cell.strip("`")) if cell.startswith("`") else None for key, cell in rows}, dict(rows)


def test_every_key_is_described_with_its_default():
    from cineloop.tasks.clip_classification.schema import ClipRecipe

    recipe = load_recipe(
        {"schema": 1, "task": "clip-classification", "data": {"format": "endofm", "root": "data"}}
        | {"model": {"name": "timesformer-tiny"}}
    )
    found = {
        key: value
        for section in SECTIONS
        for model in models_in(ClipRecipe.model_fields[section].annotation)
        for key, value in keys(model, getattr(recipe, section), section)
    }
    # The same keys again, described once; and the network, which is written flat.
    again = r"data\.procedure\.(?!within)|data\.sampling\.(val|test)\.(redraw|rounds|clip)|model\.network"
    found = {key: value for key, value in found.items() if not re.match(again, key)}
    values, cells = described()
    top = {"schema", "extends", "about", "task", "model.name"}
    assert found.keys() - values.keys() == set()
    assert values.keys() - found.keys() - top == set()
    plain = recipe.plain()
    for key, value in found.items():
        if cells[key] in ("*model*", "required") or key in ("data.format", "data.root"):
            continue
        if key == "train.loss":
            value = value.name
        elif isinstance(value, tuple):
            value = functools.reduce(lambda below, name: below.get(name) if below else None, key.split("."), plain)
            value = [] if value is None else value
        assert values[key] == value, key


def test_every_choice_is_described():
    from cineloop.cohort.format import FORMATS
    from cineloop.evaluation.metrics import METRICS
    from cineloop.models import MODELS
    from cineloop.training.losses import LOSSES
    from cineloop.video.sampling import MODES

    def builtin(registry):
        return [name for name in registry.names() if "/" not in name]

    for page, names in (
        ("docs/recipes.md", [*builtin(FORMATS), *builtin(MODELS), *builtin(LOSSES), *MODES]),
        ("docs/evaluation.md", list(METRICS)),
        ("src/cineloop/tasks/clip_classification/README.md", [*MODES, *builtin(LOSSES)]),
    ):
        missing = [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text_of(page))]
        assert not missing, page


def promises():
    """Return each row of docs/promises.md: the promise, and the tests it names."""
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", text_of("docs/promises.md"), re.MULTILINE)
    return [(promise, cell) for promise, cell in rows if promise != "promise"]


def test_every_promise_names_tests_that_exist():
    assert len(promises()) > 30
    for promise, cell in promises():
        named = re.findall(r"\[`([\w/]+\.py)::(\w+)`\]\(\.\./tests/([\w/]+\.py)\)( \(slow\))?", cell)
        assert named, promise
        assert len(named) == cell.count("::"), promise
        for path, name, linked, slow in named:
            assert path == linked, promise
            tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
            tests = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert name in tests, f"{path}::{name}"
            marks = [ast.unparse(decorator) for decorator in tests[name].decorator_list]
            assert bool(slow) == ("pytest.mark.slow" in marks), f"{path}::{name}"


def test_the_picture_needs_nothing_from_outside():
    from xml.etree import ElementTree

    for path in Path(ROOT / "docs" / "figures").glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        ElementTree.fromstring(text)
        assert not re.search(r"https?://(?!www\.w3\.org/)|<script|<image", text)
        assert "prefers-color-scheme: dark" in text
