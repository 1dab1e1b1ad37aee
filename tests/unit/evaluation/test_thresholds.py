from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cineloop.evaluation.bootstrap import Resampling
from cineloop.evaluation.ranking import Curve
from cineloop.evaluation.schema import EvaluateSection, OperatingRule, ThresholdRule
from cineloop.evaluation.scorer import figures
from cineloop.evaluation.thresholds import choose_threshold, cut_points, operating_point
from made_predictions import binary, made, predictions

RATES = ("sensitivity", "specificity", "f1")


def every_decision(some):
    """Return the figures at every threshold that decides differently."""
    scores = some.probabilities[:, 1]
    return [figures(some, threshold=value, metrics=RATES) for value in [*np.unique(scores), 2.0]]


def at(some, rule):
    """Return the figures at the best threshold, whether or not it is one that is taken over."""
    chosen = choose_threshold(some, rule)
    scores = some.probabilities[:, 1]
    alike = "called positive" in (chosen.note or ""), "called negative" in (chosen.note or "")
    if any(alike):
        assert (chosen.value, chosen.source) == (0.5, "untuned")
        return figures(some, threshold=0.0 if alike[0] else 2.0, metrics=RATES)
    assert chosen.source == "validation"
    assert 0 < (scores >= chosen.value).sum() < len(scores)
    return figures(some, threshold=chosen.value, metrics=RATES)


@settings(max_examples=30, deadline=None)
@given(predictions(n_classes=2))
def test_no_threshold_does_better_than_the_chosen_one(some):
    tried = every_decision(some)
    youden = at(some, ThresholdRule(rule="youden"))
    best = max(one["sensitivity"] + one["specificity"] for one in tried)
    assert youden["sensitivity"] + youden["specificity"] == pytest.approx(best)
    assert at(some, ThresholdRule(rule="f1"))["f1"] == pytest.approx(max(one["f1"] for one in tried))


@settings(max_examples=30, deadline=None)
@given(predictions(n_classes=2), st.sampled_from([0.0, 0.5, 0.8, 0.95, 1.0]))
def test_a_rate_is_reached_at_the_least_cost(some, rate):
    tried = every_decision(some)
    for held, other in (("sensitivity", "specificity"), ("specificity", "sensitivity")):
        found = at(some, ThresholdRule(rule=held, at=rate))
        assert found[held] >= rate - 1e-12
        assert found[other] == pytest.approx(max(one[other] for one in tried if one[held] >= rate - 1e-12))


@example([1.0])
@example([1.0, np.nextafter(1.0, 0.0)])
@example([0.5, np.nextafter(0.5, 1.0), np.nextafter(0.5, 0.0)])
@example([0.0, 5e-324])
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_cuts_lie_between_their_neighbours(scores):
    levels = Curve.of(np.array(scores), np.ones(len(scores), dtype=bool)).thresholds
    cuts = cut_points(levels)
    assert (cuts <= levels).all()
    assert (cuts[:-1] > levels[1:]).all()
    for cut, level in zip(cuts, levels, strict=True):
        assert ((np.array(scores) >= cut) == (np.array(scores) >= level)).all()


def test_well_apart_classes_are_cut_in_the_middle():
    chosen = choose_threshold(binary([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), ThresholdRule())
    assert chosen.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("validation", "why"),
    [
        (None, "no validation items"),
        (binary([0.1, 0.2], [0, 0]), "both classes"),
        (binary([0.1], [-1]), "both classes"),
    ],
)
def test_without_use_of_validation_the_default_is_marked(validation, why):
    chosen = choose_threshold(validation, ThresholdRule())
    assert (chosen.value, chosen.source) == (0.5, "untuned")
    assert why in chosen.note
    assert not chosen.to_json()["tuned"]


@pytest.mark.parametrize(("rate", "alike"), [("sensitivity", "positive"), ("specificity", "negative")])
def test_a_threshold_that_decides_nothing_is_not_taken_and_the_reason_is_said(rate, alike):
    worse_than_chance = binary([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0])
    rule = OperatingRule(rule=rate, at=0.99)
    chosen = choose_threshold(worse_than_chance, rule)
    assert (chosen.value, chosen.source) == (0.5, "untuned")
    assert f"called {alike}" in chosen.note
    point = operating_point(made(), worse_than_chance, rule)
    assert (point.threshold, point.reason) == (None, chosen.note)
    assert choose_threshold(binary([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), ThresholdRule()).note is None


def test_a_fixed_threshold_needs_no_validation():
    assert choose_threshold(None, ThresholdRule(rule="fixed", at=0.3)).value == 0.3


def test_an_operating_point_is_chosen_on_validation_and_measured_elsewhere():
    validation, test = made(1, patients=80), made(2, patients=80)
    rule = OperatingRule(rule="sensitivity", at=0.9)
    point = operating_point(test, validation, rule, Resampling(100))
    assert point.threshold == choose_threshold(validation, rule).value
    wanted = figures(test, threshold=point.threshold)
    for one in point.estimates:
        assert one.value == wanted[one.key.metric]
        assert one.low < one.value < one.high


def test_an_operating_point_is_never_chosen_on_the_items_it_is_measured_on():
    point = operating_point(made(), None, OperatingRule(rule="sensitivity", at=0.9))
    assert (point.threshold, point.estimates) == (None, ())
    assert point.reason == "there are no validation items"


def test_rules_say_what_they_need():
    with pytest.raises(ValidationError, match="needs 'at'"):
        ThresholdRule(rule="sensitivity")
    with pytest.raises(ValidationError, match="takes no 'at'"):
        ThresholdRule(rule="youden", at=0.5)
    with pytest.raises(ValidationError, match="youden"):
        OperatingRule(rule="youden")
    with pytest.raises(ValidationError, match="auroc"):
        EvaluateSection(selection="auro")
