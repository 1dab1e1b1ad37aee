"""A class that validation lacks: avoided where we divide, refused where no epoch could be chosen, told elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cineloop import api
from cineloop.cohort import Cohort
from cineloop.cohort.item import Item
from cineloop.errors import CohortError
from cineloop.tasks.frame_classification.labels import KNOWN, Colonoscopy, Exclusive
from cineloop.tasks.frame_classification.learner import FrameLearner
from cineloop.tasks.frame_classification.metrics import best_metrics, metrics_of
from cineloop.tasks.frame_classification.schema import FrameEvaluate
from cineloop.tasks.frame_classification.scoring import predictions_of
from cineloop.tasks.recipe import load_recipe
from cineloop.tasks.scoring import Scores
from tiny_frames import save

NEED_BOTH = {"auroc", "auprc", "balanced_accuracy", "macro_f1", "mcc", "kappa"}


def tree(root, outside):
    """Write frames of 12 videos inside the body, of which the first ``outside`` also have frames outside of it."""
    for video in range(12):
        for kind, folder in enumerate(("inbody", "outbody")):
            if kind == 0 or video < outside:
                for number in range(2):
                    save(root / folder / f"v{video}" / f"{number}.png", kind, seed=100 * video + 10 * kind + number)
    return root


def recipe(root, *overrides):
    small = ("train.workers=0", "train.batch_size=4", "data.input.size=[64, 64]", "model.img_size=64")
    return load_recipe("inbody/small", [f"data.root={root}", *small, *overrides])


def held(root, outside, *overrides):
    cohort = Cohort.read(recipe(tree(root, outside), *overrides).data)
    return {name for name in cohort.split_names if "out_of_body" not in cohort.lacking().get(name, [])}


@pytest.mark.parametrize("seed", range(5))
def test_every_split_has_a_class_that_stands_in_enough_videos(tmp_path, seed):
    change = f"data.split={{val: 0.2, test: 0.2, seed: {seed}}}"
    assert held(tmp_path / "three", 3, change) == {"train", "val", "test"}
    assert held(tmp_path / "two", 2, change) == {"train", "val"}
    assert held(tmp_path / "one", 1, change) == {"train"}


def test_a_validation_on_which_no_epoch_could_be_chosen_is_refused_with_what_mends_it(tmp_path):
    root = tree(tmp_path / "tree", 1)
    plain = recipe(root).plain()
    with pytest.raises(CohortError, match="auroc is undefined on the validation split") as refused:
        api.plan(plain)
    assert "which has no item of 'out_of_body'" in refused.value.what
    assert ", 2 out_of_body (1 procedure)" in refused.value.what
    assert "  val: 6 in_body (3 procedures), 0 out_of_body" in refused.value.what
    assert "1 procedure has any, and 3 splits need as many" in refused.value.mend
    assert "train.select={metric: loss, mode: min}" in refused.value.mend
    with pytest.raises(CohortError, match="auroc is undefined"):
        api.train(plain, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_defined_there_selects_and_the_lack_is_told(tmp_path):
    root = tree(tmp_path / "tree", 1)
    for overrides in (["train.select={metric: loss, mode: min}"], ["train.select.metric=accuracy"]):
        warnings = "\n".join(api.plan(recipe(root, *overrides).plain()).prepared.warnings)
        assert "No validation item is 'out_of_body'" in warnings
        assert "No test item is 'out_of_body'" in warnings


def test_a_lock_is_held_to_the_same(tmp_path):
    from program import call

    root, lock = tree(tmp_path / "tree", 12), tmp_path / "lock.json"
    split = ("cohort", "split", root, "--format", "inbody-tree", "--out", lock)
    done = call(*split)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    api.plan(recipe(root, f"data.lock={lock}", "data.split=null").plain())
    one = tree(tmp_path / "one", 1)
    done = call(*split[:2], one, *split[3:-1], tmp_path / "one.json")
    assert "WARNING: the split 'val' of one.json has no item of 'out_of_body'" in done.stderr
    with pytest.raises(CohortError, match="auroc is undefined"):
        api.plan(recipe(one, f"data.lock={tmp_path / 'one.json'}", "data.split=null").plain())


def test_a_division_that_could_be_better_is_advised(tmp_path):
    """Three videos have the class; a layout's own splits keep them all in training."""
    rows = ["path,label,split"]
    for path in sorted(tree(tmp_path, 3).rglob("*.png")):
        video = path.parent.name
        split = {"v9": "val", "v8": "test"}.get(video, "train")
        rows.append(f"{path.relative_to(tmp_path)},{path.parent.parent.name},{split}")
    (tmp_path / "cohort.csv").write_text("\n".join(rows) + "\n")
    table = "data.format=table", "data.path=cohort.csv", "data.split=null", "evaluate.positive=outbody"
    patients = "data.patient={regex: '(v[0-9]+)/'}"
    found = recipe(tmp_path, *table, patients)
    with pytest.raises(CohortError, match="no item of 'outbody'") as refused:
        FrameLearner(found, Cohort.read(found.data))
    assert refused.value.mend.startswith("Divide anew so that each split has it")
    divided = recipe(tmp_path, *table[:2], "data.split={keep: [test], val: 0.2}", table[3], patients)
    FrameLearner(divided, Cohort.read(divided.data))


def items_of(labels, names):
    return [
        Item(f"i{at}", f"i{at}", None, f"P{at}", f"P{at}", name, names.index(name), None, None, 1)
        for at, name in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("labels", "undefined"),
    [
        (["in", "out", "in"], set()),
        (["in", "in"], {*NEED_BOTH, "sensitivity", "ppv", "f1"}),
        (["out"], {*NEED_BOTH, "specificity", "npv"}),
    ],
)
def test_what_stays_undefined_though_all_is_right(labels, undefined):
    found = best_metrics(items_of(labels, ["in", "out"]), Exclusive(("in", "out")), FrameEvaluate())
    assert {name for name, value in found.items() if value is None} == undefined
    assert found["accuracy"] == 1.0


@pytest.mark.parametrize("without", [None, "ileocecal", "nonsense", "bbps"])
def test_a_question_that_validation_does_not_answer_leaves_the_quality_undefined(without):
    states = [name for name in KNOWN if without is None or without not in name]
    rng = np.random.default_rng(0)
    items = items_of([str(name) for name in rng.choice(states, 200)], KNOWN)
    evaluate = FrameEvaluate()
    best = best_metrics(items, Colonoscopy(), evaluate)
    assert (best["quality"] is None) == (without is not None)
    # Another network's figures are defined and undefined alike.
    probabilities, outputs = Colonoscopy().scores(rng.normal(size=(200, 7)))
    scores = Scores(dict(enumerate(probabilities)), dict(enumerate(outputs)))
    some = metrics_of(predictions_of(items, scores, Colonoscopy(), identity_known=True), items, Colonoscopy(), evaluate)
    assert best.keys() == some.keys()
    assert {name for name, value in best.items() if value is None} == {
        name for name, value in some.items() if value is None
    }
    json.dumps(best)
