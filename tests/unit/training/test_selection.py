from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cineloop.training.schema import SelectSection
from cineloop.training.selection import by_metric, by_upstream_rule, composite_score

NOTHING = {}


def metrics(specificity, sensitivity, f1=0.5, auroc=0.5, auprc=0.5):
    return {
        "specificity": specificity,
        "sensitivity": sensitivity,
        "weighted_f1": f1,
        "auroc": auroc,
        "auprc": auprc,
    }


NO_TN = ((0, 9), (1, 9))


def test_the_composite_score_by_hand():
    found = metrics(0.8, 0.6, f1=0.7, auroc=0.9, auprc=0.5)
    plain = 0.35 * 0.8 + 0.3 * 0.6 + 0.2 * 0.7 + 0.1 * 0.9 + 0.05 * 0.5
    assert composite_score(found, NO_TN) == pytest.approx(plain)
    assert composite_score(found, ((2, 7), (1, 9))) == pytest.approx(plain * 1.04)
    assert composite_score(found, ((50, 7), (1, 9))) == pytest.approx(plain * 1.1)
    assert composite_score(found, ((5, 0, 0), (0, 5, 0), (0, 0, 5))) == pytest.approx(plain)


def test_of_several_classes_sensitivity_and_specificity_are_means():
    found = {"weighted_f1": 0.5, "auroc": 0.5, "auprc": 0.5}
    found |= {"sensitivity:a": 0.2, "sensitivity:b": 0.4, "sensitivity:c": None, "specificity:a": 0.9}
    confusion = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    assert composite_score(found, confusion) == pytest.approx(0.35 * 0.9 + 0.3 * 0.2 + 0.35 * 0.5)


KEPT = metrics(0.7, 0.5, f1=0.6)
SCORE = composite_score(KEPT, NO_TN)


@pytest.mark.parametrize(
    ("found", "because"),
    [
        (metrics(0.76, 0.0, f1=0.0, auroc=0.0, auprc=0.0), "specificity rose"),
        (metrics(0.61, 0.61, f1=0.0, auroc=0.0, auprc=0.0), "sensitivity rose"),
        (metrics(0.59, 0.61, f1=0.0, auroc=0.0, auprc=0.0), None),
        (metrics(0.67, 0.59, f1=0.6), "composite score rose by 0.01"),
        (metrics(0.67, 0.52, f1=0.6), None),
        (metrics(0.5, 0.59, f1=0.9, auroc=1.0), "composite score rose by a twentieth"),
        (metrics(0.64, 0.4, f1=0.661, auroc=0.4), "F1 rose"),
        (metrics(0.62, 0.4, f1=0.661, auroc=0.4), None),
        (KEPT, None),
    ],
)
def test_each_condition_of_the_upstream_rule(found, because):
    choice = by_upstream_rule(found, NO_TN, KEPT, SCORE)
    assert choice.keep == choice.gain == (because is not None)
    assert (because or "") in choice.reason


def test_the_upstream_rule_keeps_the_first_epoch_even_of_score_zero():
    nothing = metrics(0.0, 0.0, f1=0.0, auroc=0.0, auprc=0.0)
    assert by_upstream_rule(nothing, NO_TN, NOTHING, None).keep
    assert by_upstream_rule(nothing, NO_TN, nothing, 0.0).keep


def test_the_upstream_rule_may_keep_a_lower_score():
    choice = by_upstream_rule(metrics(0.76, 0.0, f1=0.0), NO_TN, KEPT, SCORE)
    assert choice.keep
    assert choice.value < SCORE


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=12), mode=st.sampled_from(["max", "min"]))
def test_by_a_metric_the_kept_epoch_is_the_best(values, mode):
    select = SelectSection(metric="auroc", mode=mode)
    kept = NOTHING
    for value in values:
        choice = by_metric({"auroc": value}, kept, select, 0.0)
        kept = {"auroc": value} if choice.keep else kept
        assert choice.gain == choice.keep
    assert kept["auroc"] == (max(values) if mode == "max" else min(values))


def test_a_small_gain_is_kept_and_does_not_count_for_patience():
    choice = by_metric({"auroc": 0.52}, {"auroc": 0.5}, SelectSection(), 0.1)
    assert choice.keep
    assert not choice.gain
