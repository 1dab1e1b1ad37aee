from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cineloop.evaluation.bootstrap import Resampling, replicate
from cineloop.evaluation.intervals import clopper_pearson, estimate, find, newcombe_auroc, wilson
from cineloop.evaluation.metrics import METRICS
from cineloop.evaluation.scorer import Scorer
from made_predictions import binary, made, predictions


def estimates(some, **options):
    return estimate(Scorer(some, **options), Resampling(200))


@settings(max_examples=40, deadline=None)
@given(predictions(every_class=False))
def test_an_estimate_is_whole_or_says_what_it_lacks(some):
    for one in estimates(some):
        assert (one.low is None) == (one.high is None) == (one.method is None)
        assert (one.reason is not None) == (one.value is None or one.low is None)
        if one.low is not None:
            assert one.low <= one.high
        if one.low is not None and METRICS[one.key.metric].unit_range:
            assert one.low >= -1e-9
            assert one.high <= 1 + 1e-9
        json.dumps(one.to_json(), allow_nan=False)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_hold_the_estimate_and_narrow_with_patients(method):
    def width(patients):
        found = estimate(Scorer(made(1, patients=patients), metrics=["auroc", "brier"]), Resampling(300, method=method))
        assert all(one.low < one.value < one.high and one.method == method for one in found)
        return found[0].high - found[0].low

    assert width(400) < 0.6 * width(60)


def test_one_patient_has_figures_without_intervals():
    found = find(estimates(binary([0.1, 0.8, 0.7, 0.4], [0, 1, 1, 0], clusters="aaaa")), "auroc")
    assert found.value == 1.0
    assert found.low is None
    assert "one patient" in found.reason


def test_a_figure_of_one_patient_has_no_interval_among_many():
    found = find(estimates(binary([0.1, 0.8, 0.7, 0.4], [0, 1, 1, 0], clusters="abbc")), "sensitivity")
    assert (found.n_items, found.n_patients) == (2, 1)
    assert found.low is None


def test_a_class_of_one_patient_gives_no_interval_to_what_compares_classes():
    some = binary([0.1, 0.3, 0.2, 0.4, 0.35, 0.9], [0, 0, 0, 0, 1, 1], clusters=["a", "b", "c", "d", "e", "e"])
    found = estimate(Scorer(some, metrics=["auroc", "ppv", "f1", "specificity", "sensitivity"]), Resampling(200))
    for metric in ("auroc", "ppv", "f1", "sensitivity"):
        assert find(found, metric).low is None, metric
        assert "one patient only" in find(found, metric).reason
    assert find(found, "specificity").low is not None


def test_undefined_replicates_are_left_out_and_counted():
    scarce = binary([0.9, 0.3] + [0.1, 0.6] * 30, [1, 1] + [0] * 60)
    found = find(estimates(scarce), "sensitivity")
    assert found.undefined_share == pytest.approx((1 - 2 / 62) ** 62, abs=0.1)
    assert found.low is not None
    assert find(estimates(scarce), "specificity").undefined_share == 0


def test_mostly_undefined_replicates_give_no_interval():
    # Three patients of a class each: all three are drawn in 3! of 27 replicates, else a class is missing.
    some = made(0, patients=3, classes=("a", "b", "c"))
    some = replace(some, targets=some.cluster_index)
    found = find(estimates(some), "auroc")
    assert found.undefined_share == pytest.approx(1 - 6 / 27, abs=0.1)
    assert found.value is not None
    assert found.low is None
    assert "of the replicates" in found.reason


def test_a_perfect_result_is_not_certain():
    some = binary(np.r_[np.full(20, 0.9), np.full(30, 0.1)], np.r_[np.ones(20, int), np.zeros(30, int)])
    found = {str(one.key): one for one in estimates(some)}
    sensitivity = found["sensitivity"]
    assert (sensitivity.value, sensitivity.high, sensitivity.method) == (1.0, 1.0, "clopper-pearson")
    assert sensitivity.low == pytest.approx(0.025 ** (1 / 20))
    assert found["auroc"].method == "newcombe"
    assert 0.85 < found["auroc"].low < 0.95


def test_a_perfect_result_counts_patients_not_items():
    some = binary(
        np.r_[np.full(20, 0.9), np.full(30, 0.1)],
        np.r_[np.ones(20, int), np.zeros(30, int)],
        clusters=np.r_[np.arange(20) // 4, 100 + np.arange(30) // 6],
    )
    assert find(estimates(some), "sensitivity").low == pytest.approx(0.025 ** (1 / 5))


def test_the_bias_of_a_resampled_calibration_error_is_taken_off():
    # Perfectly calibrated: the true error is 0, resampling only adds to the error of the sample.
    rng = np.random.default_rng(0)
    scores = rng.random(2000)
    some = binary(scores, (rng.random(2000) < scores).astype(int))
    scorer = Scorer(some, metrics=["ece", "ece_mass"])
    drawn = replicate(scorer.score, scorer.n_patients, Resampling(200), chunk=50)
    for found, column in zip(estimate(scorer, Resampling(200)), drawn.T, strict=True):
        low, high = np.quantile(column, [0.025, 0.975])
        assert np.median(column) > found.value
        assert found.method == "basic"
        assert (found.low, found.high) == pytest.approx(
            (max(0, 2 * found.value - high), max(found.value, 2 * found.value - low))
        )


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_exact_interval_equals_scipy(pair):
    hits, n = pair
    theirs = stats.binomtest(hits, n).proportion_ci(0.95, method="exact")
    assert clopper_pearson(hits / n, n, 0.95) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (0, 40), (40, 40), (7, 40), (333, 1000)])
def test_wilson_equals_scipy(hits, n):
    theirs = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits, n, 0.95) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_newcombe_turns_around():
    low, high = newcombe_auroc(1.0, 12, 30, 0.95)
    assert high == 1.0
    assert newcombe_auroc(0.0, 12, 30, 0.95) == pytest.approx((0.0, 1 - low), abs=0.03)
    assert newcombe_auroc(1.0, 120, 300, 0.95)[0] > low


def test_newcombe_ends_are_one_standard_normal_away():
    value, m, n = 0.81, 17, 29
    z = stats.norm.ppf(0.975)
    for area in newcombe_auroc(value, m, n, 0.95):
        # Hanley and McNeil's variance with both sizes replaced by their mean, written out once more.
        extra = (m + n) / 2 - 1
        q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
        variance = (area * (1 - area) + extra * (q1 - area**2) + extra * (q2 - area**2)) / (m * n)
        assert abs(area - value) == pytest.approx(z * variance**0.5, rel=1e-6)
