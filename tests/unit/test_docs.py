"""The pages are true: links lead somewhere, commands and options exist, recipes are valid, promises have tests."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import shlex
from pathlib import Path

import pytest

from cineloop import models
from cineloop.errors import CineloopError
from cineloop.schema import dump_yaml, merge, parse_override, parse_yaml
from cineloop.tasks.recipe import compose, find_recipe, load_recipe, shipped
from pages import PAGES, SHELL, blocks, commands, prose, text_of
from program import call, cineloop
from support import ROOT

ACME = ROOT / "examples" / "plugin" / "acme.py"
SECTIONS = ("data", "model", "train", "evaluate")
# What a page's part of a recipe is laid over.
BASE_OF = {"clip-classification": "clip-classification/timesformer-tiny", "frame-classification": "frame-quality/small"}


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


def check_options(words):
    """Raise a CineloopError where a command gives a shipped recipe or a model an option that it does not have."""
    given = [word for word in words if re.match(r"[a-z_.]+=", word)]
    if words[0] in ("train", "recipes") and words[1:] and words[1] in shipped():
        load_recipe(words[1], given)
    if words[0] == "weights" and "--model" in words:
        models.configure(words[words.index("--model") + 1], dict(parse_override(word) for word in given))


@pytest.mark.parametrize("page", PAGES)
def test_every_option_of_a_shown_command_is_valid(page):
    for words in commands(page):
        check_options(words)


@pytest.mark.parametrize("path", sorted((ROOT / "src/cineloop/recipes").rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_command_in_a_recipe_s_comments_is_valid(path):
    comments = re.findall(r"^#(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    for line in "\n".join(comments).replace("\\\n", " ").splitlines():
        found = re.match(r" +cineloop (.+)$", line)
        if found:
            words = shlex.split(found[1])
            check_command(words)
            check_options(words)


@pytest.mark.parametrize(
    "words", ["train inbody/small data.rooot=x", "weights inspect x.ckpt --model vitl14-336-csra depht=2"]
)
def test_an_option_that_is_not_there_is_noticed(words):
    with pytest.raises(CineloopError):
        check_options(words.split())


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


def _task_of(data):
    """Return the task that the keys of a data section are of; clip classification where they are of any."""
    from cineloop.tasks.task import TASKS

    clips, frames = (TASKS.get(task).Recipe.model_fields["data"].annotation.model_fields for task in BASE_OF)
    return list(BASE_OF)[bool(data.keys() & (frames.keys() - clips.keys()))]


def validate_block(block, tmp_path):
    """Validate a YAML block: a whole recipe, some sections of one, or keys of its data section."""
    plain = parse_yaml(block, where="block")
    if "schema" not in plain:
        if not set(plain) <= {*SECTIONS, "about"}:
            plain = {"data": plain}
        base = compose(find_recipe(BASE_OF[_task_of(plain.get("data", {}))]))
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


def test_every_verb_stands_in_the_readme():
    from cineloop.cli.main import VERBS

    table = text_of("README.md").partition("## All verbs\n")[2].partition("\n#")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(VERBS)


def promises():
    """Return each row of docs/promises.md: the promise, and the tests it names."""
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", text_of("docs/promises.md"), re.MULTILINE)
    return [(promise, cell) for promise, cell in rows if promise != "promise"]


def test_every_promise_names_tests_that_exist():
    assert len(promises()) > 30
    for promise, cell in promises():
        named = re.findall(r"\[`([\w/]+\.py)::(\w+)`\]\(\.\./tests/([\w/]+\.py)\)(?: \((slow|long)\))?", cell)
        assert named, promise
        assert len(named) == cell.count("::"), promise
        for path, name, linked, kind in named:
            assert path == linked, promise
            tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
            tests = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert name in tests, f"{path}::{name}"
            marks = {ast.unparse(decorator) for decorator in tests[name].decorator_list}
            marks |= {
                ast.unparse(node.value)
                for node in tree.body
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
            }
            expected = {f"pytest.mark.{kind}"} if kind else set()
            assert marks & {"pytest.mark.slow", "pytest.mark.long"} == expected, f"{path}::{name}"


def test_the_picture_needs_nothing_from_outside():
    from xml.etree import ElementTree

    for path in Path(ROOT / "docs" / "figures").glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        ElementTree.fromstring(text)
        assert not re.search(r"https?://(?!www\.w3\.org/)|<script|<image", text)
        assert "prefers-color-scheme: dark" in text
