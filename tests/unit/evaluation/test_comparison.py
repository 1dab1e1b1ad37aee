from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cineloop.errors import EvaluationError
from cineloop.evaluation.bootstrap import Resampling
from cineloop.evaluation.comparison import Contender, compare
from cineloop.evaluation.paired_tests import delong, mcnemar
from cineloop.evaluation.scorer import figures
from made_predictions import made, softmax


def noisy(some, amount, seed=9):
    rng = np.random.default_rng(seed)
    logits = np.log(some.probabilities) + amount * rng.normal(size=some.probabilities.shape)
    return replace(some, probabilities=softmax(logits))


def delong_by_pairs(first, second, positive):
    """Return z and the areas by the structural components of every pair, as the paper defines them."""
    areas, over, under = [], [], []
    for scores in (first, second):
        pairs = scores[positive][:, None] - scores[~positive][None, :]
        wins = (pairs > 0) + 0.5 * (pairs == 0)
        areas.append(wins.mean())
        over.append(wins.mean(axis=1))
        under.append(wins.mean(axis=0))
    covariance = np.cov(over) / positive.sum() + np.cov(under) / (~positive).sum()
    return (areas[0] - areas[1]) / np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(2, 30))
def test_delong_equals_its_definition(seed, n_positive, n_negative):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 8, n_positive + n_negative) / 8
    second = np.clip(first + rng.integers(-2, 3, len(first)) / 8, 0, 1)
    positive = np.arange(len(first)) < n_positive
    found = delong(first, second, positive)
    if found.p_value is not None:
        z = delong_by_pairs(first, second, positive)
        assert found.statistic == pytest.approx(z, abs=1e-9)
        assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-9)


def test_delong_cannot_tell_a_score_from_itself():
    assert delong(np.arange(6.0), np.arange(6.0) ** 2, np.arange(6) > 2).p_value is None


@given(st.integers(0, 30), st.integers(0, 30))
def test_mcnemar_equals_the_binomial_test(only_first, only_second):
    first = np.r_[np.ones(only_first, bool), np.zeros(only_second, bool), np.ones(5, bool)]
    second = np.r_[np.zeros(only_first, bool), np.ones(only_second, bool), np.ones(5, bool)]
    found = mcnemar(first, second)
    if only_first + only_second == 0:
        assert found.p_value is None
    else:
        assert found.p_value == pytest.approx(stats.binomtest(only_first, only_first + only_second).pvalue)


def test_a_difference_is_the_second_minus_the_first():
    one = made(0, patients=60)
    other = noisy(one, 1.0)
    found = compare(Contender("noisy", other, 0.4), Contender("clear", one, 0.6), resampling=Resampling(200))
    before, after = figures(other, threshold=0.4), figures(one, threshold=0.6)
    assert (found.n_items, found.n_patients) == (180, 60)
    for difference in found.differences:
        name = difference.key.metric
        assert (difference.first, difference.second) == (before[name], after[name])
        assert difference.difference == pytest.approx(after[name] - before[name])
        assert difference.low <= difference.high
    assert "clear minus noisy" in found.text()


def test_a_clear_difference_is_found_and_none_is_not():
    one = made(0, patients=150, skill=1.5)
    resampling = Resampling(400)
    clear = compare(Contender("a", noisy(one, 3.0)), Contender("b", one), resampling=resampling)
    assert clear.differences[0].low > 0
    assert clear.differences[0].p_value == pytest.approx(2 / 401)
    same = compare(Contender("a", one), Contender("b", one), resampling=resampling)
    assert all(found.difference == found.low == found.high == 0 for found in same.differences)
    assert all(found.p_value == 1 for found in same.differences)


def test_pairing_sees_more_than_two_separate_intervals():
    one = made(3, patients=80)
    other = noisy(one, 0.3)
    found = compare(Contender("a", other), Contender("b", one), resampling=Resampling(400)).differences[0]
    alone = np.diff(
        [np.quantile([figures(one.select(rows))["auroc"] for rows in _resamples(one)], q) for q in (0.025, 0.975)]
    )[0]
    assert found.high - found.low < 0.7 * alone


def _resamples(some):
    rng = np.random.default_rng(0)
    owners = some.cluster_index
    for _ in range(100):
        yield np.unique(np.flatnonzero(np.isin(owners, rng.integers(0, some.n_clusters, some.n_clusters))))


def test_tests_of_independent_items_need_one_item_a_patient():
    several = made(0)
    found = compare(Contender("a", several), Contender("b", noisy(several, 1)), resampling=Resampling(100))
    assert found.tests == ()
    assert "independent" in found.note
    single = made(0, per_patient=1)
    found = compare(Contender("a", single), Contender("b", noisy(single, 1)), resampling=Resampling(100))
    assert [test.name for test in found.tests] == ["delong", "mcnemar"]
    three = made(0, per_patient=1, classes=("a", "b", "c"))
    found = compare(Contender("a", three), Contender("b", noisy(three, 1)), resampling=Resampling(100))
    assert [test.name for test in found.tests] == ["mcnemar"]


def test_only_common_items_are_compared_in_any_order():
    one = made(0, patients=30)
    other = noisy(one, 0.5).select(np.arange(len(one))[::-1][:60])
    found = compare(Contender("a", one.select(np.arange(70))), Contender("b", other), resampling=Resampling(100))
    assert (found.n_items, found.only_first, found.only_second) == (40, 30, 20)
    aligned = figures(one.select(np.arange(30, 70)))
    assert found.differences[0].first == aligned["auroc"]


def test_salted_patients_are_still_the_same_patients(tmp_path):
    one, other = (made(0), noisy(made(0), 0.5))
    other.write(tmp_path / "p.parquet", salt="s")
    one, other = one.salted("s"), other.read(tmp_path / "p.parquet")
    assert compare(Contender("a", one), Contender("b", other), resampling=Resampling(100)).n_patients == 40


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (made(0, prefix="q"), "no item in common"),
        (replace(made(0), classes=("normal", "polyp")), "tells"),
        (replace(made(0), targets=1 - made(0).targets), "true class of 120 items"),
        (replace(made(0), clusters=made(0).ids), "belong to one patient"),
    ],
)
def test_what_cannot_be_compared_is_refused(other, said):
    with pytest.raises(EvaluationError, match=said) as raised:
        compare(Contender("this", made(0)), Contender("that", other))
    assert raised.value.mend
