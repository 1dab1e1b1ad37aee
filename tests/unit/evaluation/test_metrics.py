"""Every metric equals scikit-learn, or its own definition written out; what is undefined stays undefined."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn import metrics as sk

from cineloop.errors import EvaluationError
from cineloop.evaluation.metrics import METRICS
from cineloop.evaluation.ranking import Curve, Ranking
from cineloop.evaluation.scorer import Scorer, calibrated, edges, figures
from made_predictions import binary, made, predictions, reference


def expected(some, decided):
    confidence, _ = calibrated(some)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return reference(
            some.targets,
            some.probabilities,
            decided,
            inner_width=edges(confidence, 10, equal_mass=False),
            inner_mass=edges(confidence, 10, equal_mass=True),
        )


def by_index(key, classes):
    return key.metric if key.label is None else f"{key.metric}:{classes.index(key.label)}"


@settings(max_examples=25, deadline=None)
@given(predictions())
def test_metrics_equal_scikit_learn(some):
    scorer = Scorer(some, ordinal=True, per_class=True)
    wanted = expected(some, scorer.decided)
    for key, value in zip(scorer.keys, scorer.point(), strict=True):
        theirs = wanted[by_index(key, some.classes)]
        if np.isnan(value):
            # Where scikit-learn answers 0 for want of a definition, there is none here.
            assert key.metric in ("ppv", "npv", "mcc"), key
            assert np.isnan(theirs) or theirs == 0
        else:
            assert value == pytest.approx(theirs, abs=1e-12), key


@settings(max_examples=25, deadline=None)
@given(predictions(n_classes=2))
def test_a_threshold_moves_the_decisions(some):
    for threshold in (0.0, 0.3, 0.5, 0.99):
        scorer = Scorer(some, threshold=threshold)
        decided = (some.probabilities[:, 1] >= threshold).astype(int)
        assert (scorer.decided == decided).all()
        wanted = sk.confusion_matrix(some.targets, decided, labels=[0, 1])
        assert (scorer.confusion() == wanted).all()


@settings(max_examples=40, deadline=None)
@given(predictions(n_classes=2))
def test_auroc_is_the_share_of_pairs_in_order(some):
    scores, positive = some.probabilities[:, 1], some.targets == 1
    pairs = scores[positive][:, None] - scores[~positive][None, :]
    wanted = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
    ranking = Ranking.of(scores, positive, some.cluster_index)
    area, _ = ranking.score(np.ones((1, some.n_clusters)))
    assert area[0] == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(predictions(n_classes=2))
def test_curves_equal_scikit_learn(some):
    scores, positive = some.probabilities[:, 1], some.targets == 1
    curve = Curve.of(scores, positive)
    rate, sensitivity, _ = sk.roc_curve(positive, scores, drop_intermediate=False)
    assert curve.false_positive_rate == pytest.approx(rate)
    assert curve.sensitivity == pytest.approx(sensitivity)
    precision, recall, _ = sk.precision_recall_curve(positive, scores)
    assert curve.precision[1:] == pytest.approx(precision[:-1][::-1])
    assert curve.sensitivity[1:] == pytest.approx(recall[:-1][::-1])


def test_equal_scores_count_half():
    assert figures(binary([0.3, 0.3, 0.3], [0, 1, 1]))["auroc"] == 0.5
    assert figures(binary([0.3, 0.3, 0.9], [0, 1, 1]))["auroc"] == 0.75


def undefined(some, **options):
    scorer = Scorer(some, **options)
    return {
        str(key): scorer.reason(key) for key, value in zip(scorer.keys, scorer.point(), strict=True) if np.isnan(value)
    }


def test_one_class_only_leaves_undefined_what_needs_two():
    every = "every item is 'no'"
    assert undefined(binary([0.1, 0.6, 0.3], [0, 0, 0])) == dict.fromkeys(
        ("auroc", "auprc", "balanced_accuracy", "sensitivity", "ppv", "f1", "macro_f1", "mcc", "kappa"), every
    )
    every = "every item is 'yes'"
    assert undefined(binary([0.1, 0.6, 0.3], [1, 1, 1])) == dict.fromkeys(
        ("auroc", "auprc", "balanced_accuracy", "specificity", "npv", "macro_f1", "mcc", "kappa"), every
    )


def test_one_decision_only_leaves_predictive_values_undefined():
    assert undefined(binary([0.1, 0.2], [0, 1])) == {
        "ppv": "no item was decided 'yes'",
        "mcc": "every item was decided 'no'",
    }
    assert undefined(binary([0.9, 0.8], [0, 1])) == {
        "npv": "every item was decided 'yes'",
        "mcc": "every item was decided 'yes'",
    }


def test_a_class_without_items_is_left_out_of_the_mean_and_undefined_itself():
    three = made(classes=("a", "b", "c"))
    some = three.select(three.targets != 2)
    values = figures(some)
    assert values["auroc"] == pytest.approx((values["auroc:a"] + values["auroc:b"]) / 2)
    assert values["balanced_accuracy"] == pytest.approx((values["sensitivity:a"] + values["sensitivity:b"]) / 2)
    missing = undefined(some)
    assert missing["auroc:c"] == missing["f1:c"] == missing["ppv:c"] == "no item is 'c'"


def test_items_of_unknown_class_do_not_count():
    some = binary([0.1, 0.6, 0.3, 0.9], [0, 1, -1, -1])
    assert figures(some) == figures(some.select([0, 1]))
    with pytest.raises(EvaluationError, match="none of 2 items"):
        Scorer(some.select([2, 3]))


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(EvaluationError, match="auroc") as raised:
        Scorer(made(), metrics=["aurocc"])
    assert "auroc" in raised.value.mend


def test_only_the_wanted_figures_are_made():
    assert list(figures(made(), metrics=["f1", "auroc"])) == ["auroc", "f1"]
    assert list(figures(made(classes=("a", "b", "c")), metrics=["f1"])) == ["f1:a", "f1:b", "f1:c"]


def test_quadratic_kappa_is_for_ordered_classes():
    assert "quadratic_kappa" not in figures(made())
    assert "quadratic_kappa" in figures(made(), ordinal=True)


def test_a_certain_mistake_has_a_finite_log_loss():
    assert figures(binary([0.0], [1]))["log_loss"] == pytest.approx(-np.log(np.finfo(np.float64).eps))


def test_support_counts_what_a_figure_is_a_share_of():
    scorer = Scorer(binary([0.9, 0.8, 0.2, 0.1, 0.7], [1, 0, 0, 0, 1], clusters="aabbc"))
    found = {
        str(key): (scorer.support(key).n_items, scorer.support(key).n_patients)
        for key in scorer.keys
        if key.metric in ("auroc", "sensitivity", "specificity", "ppv", "npv")
    }
    assert found == {"auroc": (5, 3), "sensitivity": (2, 2), "specificity": (3, 2), "ppv": (3, 2), "npv": (2, 1)}


def test_every_metric_is_defined_in_words():
    assert all(metric.definition.endswith(".") and metric.title for metric in METRICS.values())
