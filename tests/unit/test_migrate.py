"""The tables for those who come from a published system: nothing of theirs is left out, nothing of ours made up.

That the commands on these pages exist, with their options, is held for all pages by ``test_docs.py``.
"""

from __future__ import annotations

import importlib
import re

import pytest

from cineloop.errors import RecipeError
from cineloop.schema import parse_override, set_dotted
from cineloop.tasks.recipe import compose, find_recipe, load_recipe
from migrations import COLONOSCOPY_KEYS, COLONOSCOPY_NAMES, INBODY, QUICK_FLAGS, STAGES, VIEW_FLAGS
from pages import text_of
from support import shared

# Each page, and the recipe that does what its published system does.
PAGES = {
    "docs/migrate/laryngeal.md": "laryngeal/upstream",
    "docs/migrate/colonoscopy.md": "frame-quality/upstream",
    "docs/migrate/inbody.md": "inbody/upstream",
}
LARYNGEAL, COLONOSCOPY, IN_BODY = PAGES
# What ends like this is no key.
FILES = ("json", "pt", "ths", "engine")
COHORTS = ("balanced", "bagls", "duke", "polypdiag")


def tables(page, section=None):
    """Yield the tables of a page, or of one of its sections, that map what is published: rows of cells, no header."""
    text = text_of(page)
    if section is not None:
        text = text.partition(f"# `{section}`\n")[2].partition("\n#")[0]
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        lines = [line.strip().strip("|").split(" | ") for line in table.splitlines()]
        header, _, *rows = [[cell.strip() for cell in line] for line in lines]
        if header[0].startswith(("published", "option")):
            yield rows


def published(page, section=None):
    """Return every name that stands in code in a first column."""
    return {name for rows in tables(page, section) for row in rows for name in re.findall(r"`([^`]+)`", row[0])}


def ours(page):
    """Return every recipe key of a page outside of the first columns, with the value that it is given, if any."""
    mapped = {row[0] for rows in tables(page) for row in rows}
    text = "\n".join(
        line.partition(" | ")[2] if line.strip("| ").partition(" | ")[0].strip() in mapped else line
        for line in text_of(page).splitlines()
    )
    spans = re.findall(r"`((?:data|model|train|evaluate)(?:\.\w+)+)(?:(?:=|: )([^`]+))?`", text)
    return sorted({(key, value) for key, value in spans if key.rpartition(".")[2] not in FILES})


@pytest.mark.parametrize(("page", "key", "value"), [(page, *one) for page in PAGES for one in ours(page)])
def test_every_key_is_one(page, key, value):
    plain = compose(find_recipe(PAGES[page]))
    if page == LARYNGEAL:
        set_dotted(plain, "data.sampling.train.rounds", {"step": 16})
    if value and "..." not in value:
        set_dotted(plain, *parse_override(f"{key}={value}"))
    known = load_recipe(plain).plain()
    for part in key.split("."):
        assert part in known, key
        known = known[part]


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_name_many_keys(page):
    assert len(ours(page)) > 20


@pytest.mark.parametrize("page", PAGES)
def test_every_function_is_there(page):
    for name, module in re.findall(r"`(\w+)` in `(cineloop[.\w]+)`", text_of(page)):
        assert hasattr(importlib.import_module(module), name), name


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        (COLONOSCOPY, QUICK_FLAGS),
        (COLONOSCOPY, STAGES),
        (COLONOSCOPY, VIEW_FLAGS),
        (COLONOSCOPY, COLONOSCOPY_KEYS),
        (COLONOSCOPY, COLONOSCOPY_NAMES),
        *((IN_BODY, names) for name, names in INBODY.items() if not name.endswith(".json")),
    ],
)
def test_everything_that_is_published_has_a_row(page, wanted):
    assert wanted - published(page) == set()


@pytest.mark.parametrize("name", [name for name in INBODY if name.endswith(".json")])
def test_every_key_of_a_published_configuration_has_a_row(name):
    assert INBODY[name] - published(IN_BODY, name) == set()


def test_the_flags_are_those_of_the_published_quality_control():
    text = (shared("mission") / "colonoscopy-quality-control.md").read_text(encoding="utf-8")
    usage = text[text.index("usage: QuickLauncher.py") : text.index("## Launch with Deployment Configuration")]
    found = set(re.findall(r"(?:^|[\s\[,])(--?[a-z_]+)(?=[\s,\]])", usage))
    assert found == QUICK_FLAGS
    assert set(re.findall(r"\w+", re.search(r"--stage \{([\w,]+)\}", text)[1])) == STAGES
    assert set(re.findall(r"(--[a-z_]+)", text)) - {"--config"} <= QUICK_FLAGS


def test_keys_metrics_and_views_are_those_of_the_published_quality_control():
    text = (shared("spec") / "frame-quality.md").read_text(encoding="utf-8")
    section = dict(re.findall(r"^## (\d+)\. (.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    listed = re.search(r"`hyper_parameters` keys \(v2 and v3\): `(.+?)`", section["2"])[1]
    hyper = set(re.findall(r"(?:^|, )([a-z_]+)", re.sub(r"\(.*?\)", "", listed)))
    assert {f"model.init_args.{name}" for name in hyper} <= COLONOSCOPY_KEYS
    data = re.search(r"ColonoscopyMultiLabelDataModule, init_args (.+?);", section["9"])[1]
    named = set(re.findall(r"[a-z]+_[a-z_]+", data))
    assert len(named) > 6
    assert {f"data.init_args.{name}" for name in named} <= COLONOSCOPY_KEYS
    assert set(re.findall(r"(--[a-z_]+)", section["8"])) <= VIEW_FLAGS
    assert set(re.findall(r"`(-[a-z])`", section["8"])) <= VIEW_FLAGS
    page = text_of(COLONOSCOPY)
    kept = re.search(r"five top-1 maximisers: (.+?), each followed", section["5"])[1]
    for metric, name in re.findall(r"`(\w+)`->`(?:MuLModel_best_|\.\.)(\w+?)_`", kept):
        assert f"`MuLModel_best_{name}_...`" in page
        assert metric.removeprefix("val_") in page
    functions = set(re.findall(r"^\*\*7\.\d `(\w+)", section["7"], re.MULTILINE))
    assert len(functions) == 5
    assert functions <= published(COLONOSCOPY)


def test_verbs_and_flags_are_those_of_the_published_bundle():
    text = (shared("mission") / "inbody-classification.md").read_text(encoding="utf-8")
    flags = set(re.findall(r"(?<![\w-])(--[a-z_]+)", text))
    assert len(flags) > 8
    assert flags <= published(IN_BODY) | {"--nproc"}
    assert set(re.findall(r"`(\w+_json)`", text)) <= INBODY["train.json"]
    spec = (shared("spec") / "inbody.md").read_text(encoding="utf-8")
    verbs = re.search(r"exposes \(1\.6\.1, \[read\], list complete\): (.+?)\.", spec)[1]
    assert set(verbs.split(", ")) == INBODY["verbs"]
    required = re.search(r"^Mandatory: (.+?), network_data_format", spec, re.MULTILINE)[1]
    assert set(re.findall(r"[a-z_]+", re.sub(r"\(.*?\)", "", required))) <= INBODY["metadata.json"]


def test_every_flag_variable_and_tool_of_the_mission_has_a_row():
    text = (shared("mission") / "laryngeal-video-classifier.md").read_text(encoding="utf-8")
    wanted = set(re.findall(r"(?<![\w-])(--[a-z_]+)", text)) - {"--nproc"}
    wanted |= set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    wanted |= set(re.findall(r"`(DATA\.[A-Z_]+)`", text))
    assert len(wanted) > 25
    assert wanted <= published(LARYNGEAL)
    tools = set(re.findall(r"\b(\w+\.py)\b", text)) - {"eval_finetune_new.py"}
    named = " ".join(published(LARYNGEAL))
    assert {tool for tool in tools if tool not in named} == set()


@pytest.mark.parametrize("cohort", COHORTS)
@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize("frames", [8, 32])
def test_the_four_methods_on_four_cohorts_with_8_and_32_frames(cohort, augmented, stages, frames):
    name = f"laryngeal/{cohort}{'-augmented' if augmented else ''}"
    second = ["model.weights=runs/first"] if stages == 2 else []
    recipe = load_recipe(name, [f"data.sampling.frames={frames}", *second])
    assert str(recipe.data.root).startswith("data/downstream/")
    assert (recipe.data.sampling.train.rounds is not None) == augmented
    assert str(recipe.model.weights) == ("runs/first" if stages == 2 else "checkpoints/endo_fm.pth")
    assert recipe.data.sampling.frames == frames
    # The published arithmetic: 0.001 x 2 / 256.
    assert recipe.train.learning_rate == pytest.approx(7.8125e-6)
    assert (recipe.train.loss.name, recipe.train.loss.config.gamma, recipe.train.loss.config.alpha) == ("focal", 1, 0.5)


def test_the_upstream_recipe_does_what_the_script_does():
    recipe = load_recipe("laryngeal/upstream")
    sampling = recipe.data.sampling
    assert {sampling.train.mode, sampling.val.mode, sampling.test.mode} == {"clip"}
    assert (sampling.train.clip.start, sampling.val.clip.start) == ("random", "spread")
    assert recipe.data.spatial.fit == "left_or_top"
    assert recipe.data.spatial.short_side == recipe.data.spatial.size == 224
    assert recipe.train.select.rule == "upstream"
    with pytest.raises(RecipeError, match="rule"):
        load_recipe("laryngeal/upstream", ["train.select.rule=upstreem"])


def test_the_upstream_recipe_of_frames_has_the_published_numbers():
    recipe = load_recipe("frame-quality/upstream")
    data, train = recipe.data, recipe.train
    assert (recipe.model.network.name, data.input.size, data.input.resize) == ("vitl14-336-csra", (336, 336), "squash")
    assert (data.augment.brightness, data.augment.contrast, data.augment.saturation, data.augment.hue) == (0.8,) * 3 + (
        0.0,
    )
    assert data.resample.counts == {"nobbps": 500, "bbps0": 400, "bbps1": 400, "bbps2": 1600, "bbps3": 1600}
    assert data.resample.rule == "upstream"
    optimizer = train.optimizer
    assert (optimizer.name, optimizer.lr, optimizer.momentum, optimizer.weight_decay) == ("sgd", 1e-4, 0.9, 1e-4)
    assert (optimizer.decay, optimizer.head_lr_scale, train.schedule.by) == ("all", 10, "epoch")
    assert (train.seed, train.epochs, train.batch_size, train.loss.config.cls_weight) == (0, 400, 16, 0.2)
    assert (train.keep.every_epochs, len(train.keep.best)) == (20, 5)
    assert (recipe.evaluate.outside_gate, recipe.evaluate.nonsense_gate) == (0.9, 0.9)


def test_the_upstream_recipe_of_the_bundle_has_the_published_numbers():
    from cineloop.models.seresnet import PUBLISHED_INPUT

    recipe = load_recipe("inbody/upstream")
    data, train = recipe.data, recipe.train
    assert data.input.model_copy(update={"mean": (0.0,) * 3, "std": (1.0,) * 3}) == PUBLISHED_INPUT
    assert (data.augment.rotation, data.augment.rotation_probability) == (pytest.approx(0.3 * 57.29578, abs=1e-3), 0.2)
    assert (data.jitter.scale, data.jitter.shift, data.jitter.noise) == (0.3, 0.1, 0.01)
    assert (data.jitter.scale_probability, data.jitter.shift_probability, data.jitter.noise_probability) == (
        0.5,
        0.5,
        0.15,
    )
    assert (train.seed, train.epochs, train.batch_size, train.schedule.name) == (123, 25, 64, "constant")
    assert (train.optimizer.name, train.optimizer.lr, train.optimizer.weight_decay) == ("adamw", 1e-3, 0.0)
