"""Everything that a recipe can choose is described: every key with its default, every format, network and loss."""

from __future__ import annotations

import functools
import re
import sys
import types
import typing

import pytest
import yaml
from pydantic import BaseModel

from cineloop.api import exporting
from cineloop.tasks.recipe import differences, load_recipe, shipped
from pages import text_of

SECTIONS = ("data", "model", "train", "evaluate")
# A model of each task, for a recipe of defaults.
MODEL_OF = {"clip-classification": "timesformer-tiny", "frame-classification": "resnet10-csra"}


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


def sections():
    """Return the key tables of docs/recipes.md: each key's default as written, and the tasks its section is for."""
    found = {}
    for section in re.split(r"^##+ ", text_of("docs/recipes.md"), flags=re.MULTILINE):
        heading, _, body = section.partition("\n")
        named = [task for task in MODEL_OF if f"`{task}`" in heading]
        for key, cell in re.findall(r"^\| `([\w.]+)` \| (.*?) \|", body, re.MULTILINE):
            assert key not in found, f"{key} stands twice"
            found[key] = (cell, frozenset(named or MODEL_OF))
    return found


def written(cell):
    """Return the value of a cell that gives one, such as `[0.5, 1.0]`."""
    return yaml.safe_load(cell.strip("`"))


def keys_of(task):
    """Return the keys of a task's recipe with their defaults, and the recipe as plain data."""
    from cineloop.tasks.task import TASKS

    plain = {"schema": 1, "task": task, "data": {"format": "endofm", "root": "data"}, "model": {"name": MODEL_OF[task]}}
    recipe = load_recipe(plain)
    found = {
        key: value
        for section in SECTIONS
        for model in models_in(TASKS.get(task).Recipe.model_fields[section].annotation)
        for key, value in keys(model, getattr(recipe, section), section)
    }
    # The same keys again, described once; and the network, which is written flat.
    again = r"data\.procedure\.(?!within)|data\.sampling\.(val|test)\.(redraw|rounds|clip)|model\.network"
    return {key: value for key, value in found.items() if not re.match(again, key)}, recipe.plain()


def test_every_task_has_its_keys_held():
    from cineloop.tasks.task import TASKS

    assert set(MODEL_OF) == {name for name in TASKS.names() if "/" not in name}


def test_every_key_stands_once_under_the_tasks_that_have_it():
    tasks = {}
    for task in MODEL_OF:
        for key in keys_of(task)[0]:
            tasks.setdefault(key, set()).add(task)
    described = {key: set(named) for key, (_, named) in sections().items()}
    for key in ("schema", "extends", "about", "task", "model.name"):
        assert described.pop(key) == set(MODEL_OF), key
    assert tasks.keys() - described.keys() == set()
    assert described.keys() - tasks.keys() == set()
    assert {key: (tasks[key], named) for key, named in described.items() if named != tasks[key]} == {}


@pytest.mark.parametrize("task", MODEL_OF)
def test_every_key_is_described_with_its_default(task):
    described = sections()
    found, plain = keys_of(task)
    for key, value in found.items():
        cell, _ = described[key]
        if cell in ("*model*", "required") or key in ("data.format", "data.root"):
            continue
        if key == "train.loss":
            value = value.name
        elif isinstance(value, tuple):
            value = functools.reduce(lambda below, name: below.get(name) if below else None, key.split("."), plain)
            value = [] if value is None else value
        assert written(cell) == value, key


@pytest.mark.parametrize("task", MODEL_OF)
def test_what_the_model_decides_is_marked_so(task):
    # Another model, another value; and no value that is the same for all stands under that mark.
    described = sections()
    marked = {key for key, (cell, tasks) in described.items() if cell == "*model*" and task in tasks}
    other = {"clip-classification": "r2plus1d-18", "frame-classification": "seresnet50-inbody"}[task]
    plain = {"schema": 1, "task": task, "data": {"format": "endofm", "root": "data"}}
    one, two = (load_recipe({**plain, "model": {"name": name}}).plain() for name in (MODEL_OF[task], other))
    assert set(differences(one["data"], two["data"], "data")) == marked


def test_every_choice_is_described():
    from cineloop.cohort.format import FORMATS
    from cineloop.evaluation.metrics import METRICS
    from cineloop.models import MODELS
    from cineloop.tasks.frame_classification.metrics import LEADING
    from cineloop.tasks.frame_classification.published import VALIDATION
    from cineloop.timeline.quality import LABELS, STATES, UNSCORED
    from cineloop.training.colonoscopy_loss import NAMES as COLONOSCOPY_LOSSES
    from cineloop.training.losses import LOSSES
    from cineloop.video.sampling import MODES

    def builtin(registry):
        return [name for name in registry.names() if "/" not in name]

    task = "src/cineloop/tasks/{}_classification/README.md"
    of_clips = [name for name in builtin(LOSSES) if name not in COLONOSCOPY_LOSSES]
    for page, names in (
        ("docs/recipes.md", [*builtin(FORMATS), *builtin(MODELS), *builtin(LOSSES), *MODES]),
        ("docs/data-formats.md", builtin(FORMATS)),
        ("docs/evaluation.md", list(METRICS)),
        (task.format("clip"), [*MODES, *of_clips]),
        (task.format("frame"), [*builtin(LOSSES), *LABELS[:4], *STATES[:3], *UNSCORED, *LEADING, "quality"]),
        (task.format("frame"), [name.removesuffix("_thresh").removesuffix("_nothresh") for name in VALIDATION]),
    ):
        missing = [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text_of(page))]
        assert not missing, page


def test_every_network_stands_under_its_task_with_its_input():
    from cineloop.models import MODELS

    of_task = {}
    for section in re.split(r"^##+ ", text_of("docs/recipes.md"), flags=re.MULTILINE):
        rows = re.findall(
            r"^\| ((?:`[\w-]+`(?:, )?)+) \| (?:(\d+) frames of )?(\d+) px(, others too)?", section, re.MULTILINE
        )
        for names, frames, side, others in rows:
            task = next(task for task in MODEL_OF if f"`{task}`" in section.partition("\n")[0])
            of_task |= dict.fromkeys(
                re.findall(r"`([\w-]+)`", names), (task, int(frames or 1), int(side), bool(others))
            )
    for name in MODELS.names():
        if "/" in name:
            continue
        io = MODELS.get(name).io(MODELS.get(name).Config())
        task = "clip-classification" if io.input == "clip" else "frame-classification"
        others = io.any_size and io.input == "image"
        assert of_task[name] == (task, io.frames, io.size[0], others), name


def test_every_shipped_recipe_of_frames_stands_in_its_task():
    page = text_of("src/cineloop/tasks/frame_classification/README.md")
    for name in shipped():
        if load_recipe(name).task == "frame-classification":
            assert f"`{name}`" in page, name


def test_every_export_and_its_tolerance_is_described():
    write = sys.modules[exporting.write_export.__module__]
    graph = sys.modules[write.write_onnx.__module__]
    page = text_of("docs/export.md")
    formats = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert formats - {"bundle"} == set(typing.get_args(write.Format))
    rows = re.findall(r"^\| (\w+) \| ([\d.]+) \| ([\d.]+) \|", page, re.MULTILINE)
    tolerances = {name: (float(network), float(resized)) for name, network, resized in rows}
    assert tolerances == {name: (one.network, one.resized) for name, one in write.TOLERANCES.items()}
    assert f"opset {graph.OPSET}" in page
