from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cineloop.evaluation.bootstrap import (
    Resampling,
    bca_interval,
    draw_counts,
    jackknife,
    percentile_interval,
    replicate,
)
from cineloop.evaluation.intervals import estimate, find
from cineloop.evaluation.scorer import Scorer, calibrated, edges
from made_predictions import binary, made, predictions, reference, softmax


def drawn_items(some, counts):
    """Return the rows of a replicate: each patient's items, as often as it was drawn."""
    return np.concatenate(
        [np.tile(np.flatnonzero(some.cluster_index == patient), int(times)) for patient, times in enumerate(counts)]
    )


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c")])
def test_replicates_equal_scikit_learn_on_the_drawn_items(classes):
    some = made(3, patients=25, per_patient=4, classes=classes, skill=0.7)
    some = some.select(np.arange(len(some))[np.random.default_rng(1).random(len(some)) < 0.7])
    scorer = Scorer(some, ordinal=True, per_class=True)
    confidence, _ = calibrated(some)
    inner = {
        "inner_width": edges(confidence, 10, equal_mass=False),
        "inner_mass": edges(confidence, 10, equal_mass=True),
    }
    (counts,) = draw_counts(scorer.n_patients, Resampling(8), chunk=8)
    for row, values in zip(counts, scorer.score(counts), strict=True):
        items = drawn_items(some, row)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = reference(some.targets[items], some.probabilities[items], scorer.decided[items], **inner)
        for key, value in zip(scorer.keys, values, strict=True):
            name = key.metric if key.label is None else f"{key.metric}:{classes.index(key.label)}"
            assert value == pytest.approx(wanted[name], abs=1e-10), key


@settings(max_examples=50, deadline=None)
@given(predictions(), st.integers(1, 7))
def test_neither_the_block_size_nor_the_names_change_a_replicate(some, chunk):
    scorer = Scorer(some)
    whole = replicate(scorer.score, scorer.n_patients, Resampling(20, seed=5), chunk=20)
    parts = replicate(scorer.score, scorer.n_patients, Resampling(20, seed=5), chunk=chunk)
    np.testing.assert_allclose(whole, parts, rtol=1e-13)


def test_each_replicate_draws_as_many_patients_as_there_are():
    counts = np.concatenate(list(draw_counts(30, Resampling(200), chunk=64)))
    assert counts.shape == (200, 30)
    assert (counts.sum(axis=1) == 30).all()
    # Each patient is drawn once a replicate on average, with the variance of a multinomial.
    assert abs(counts.mean(axis=0) - 1).max() < 5 * np.sqrt((1 - 1 / 30) / 200)
    assert counts.var() == pytest.approx(1 - 1 / 30, rel=0.1)


def test_the_seed_decides_the_draws():
    def draws(seed):
        return np.concatenate(list(draw_counts(12, Resampling(5, seed=seed), chunk=5)))

    assert (draws(1) == draws(1)).all()
    assert (draws(1) != draws(2)).any()


def test_whole_patients_are_drawn():
    # Two patients whose items are all right and all wrong: a replicate can only have 0, half or 1.
    some = binary([0.9, 0.9, 0.1, 0.1], [1, 1, 1, 1], clusters="aabb")
    scorer = Scorer(some, metrics=["accuracy"])
    values = replicate(scorer.score, 2, Resampling(200), chunk=50)
    assert set(values[:, 0]) == {0.0, 0.5, 1.0}


def test_the_jackknife_leaves_out_one_patient_at_a_time():
    some = made(4, patients=9, per_patient=3)
    scorer = Scorer(some, metrics=["auroc", "brier", "f1"])
    left_out = jackknife(scorer.score, scorer.n_patients, chunk=4)
    for patient in range(9):
        kept = Scorer(some.select(some.cluster_index != patient), metrics=["auroc", "brier", "f1"])
        np.testing.assert_allclose(left_out[patient], kept.point(), rtol=1e-12)


def test_bca_equals_scipy_on_the_same_replicates():
    rng = np.random.default_rng(0)
    sample = rng.exponential(size=40)
    theirs = stats.bootstrap((sample,), np.mean, n_resamples=999, method="BCa", rng=np.random.default_rng(1))
    left_out = (sample.sum() - sample) / 39
    low, high = bca_interval(theirs.bootstrap_distribution, sample.mean(), left_out, 0.95)
    assert (low, high) == pytest.approx(tuple(theirs.confidence_interval), rel=1e-9)


def test_bca_has_no_answer_without_variation():
    assert bca_interval(np.ones(100), 1.0, np.ones(20), 0.95) is None


def test_percentiles_leave_out_what_is_undefined():
    assert percentile_interval(np.array([np.nan, *np.arange(101.0)]), 0.9) == pytest.approx((5.0, 95.0))


@pytest.mark.slow
def test_the_clustered_interval_covers_where_the_naive_one_does_not():
    """Patients with strongly alike items: 95% intervals over patients hold the truth in about 95% of studies.

    The truth is the value of the same generator over very many patients.
    """
    metrics = ["auroc", "sensitivity", "accuracy", "brier", "log_loss"]

    def study(rng, patients):
        owner = np.repeat(np.arange(patients), 8)
        targets = rng.integers(0, 2, patients)[owner]
        logits = 0.4 * rng.normal(size=(len(owner), 2)) + 1.2 * rng.normal(size=(patients, 2))[owner]
        logits[np.arange(len(owner)), targets] += 1.2
        return binary(softmax(logits)[:, 1], targets, clusters=owner)

    rng = np.random.default_rng(2026)
    scorer = Scorer(study(rng, 40_000), metrics=metrics)
    truth = {str(key): value for key, value in zip(scorer.keys, scorer.point(), strict=True)}
    studies, held = 400, {kind: dict.fromkeys(metrics, 0) for kind in ("clustered", "naive")}
    for _ in range(studies):
        some = study(rng, 60)
        alone = binary(some.probabilities[:, 1], some.targets)
        for kind, which in (("clustered", some), ("naive", alone)):
            found = estimate(Scorer(which, metrics=metrics), Resampling(400))
            for name in metrics:
                one = find(found, name)
                held[kind][name] += one.low <= truth[name] <= one.high
    for name in metrics:
        assert 0.90 <= held["clustered"][name] / studies <= 0.985, name
        assert held["naive"][name] / studies < 0.75, name
