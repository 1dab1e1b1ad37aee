from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import optimize
from sklearn.calibration import calibration_curve

from cineloop.evaluation.bootstrap import Resampling
from cineloop.evaluation.calibration import Temperature, calibrate, fit_temperature, reliability
from cineloop.evaluation.scorer import figures
from made_predictions import binary, made, predictions, softmax


def cooled(some, temperature):
    """Return predictions whose logits were divided by ``temperature``."""
    return replace(some, probabilities=softmax(np.log(some.probabilities) / temperature))


@settings(max_examples=40, deadline=None)
@given(predictions(n_classes=2))
def test_the_curve_equals_scikit_learn(some):
    for equal_mass, strategy in ((False, "uniform"),):
        found = reliability(some, bins=5, equal_mass=equal_mass, resampling=Resampling(20))
        observed, predicted = calibration_curve(some.targets, some.probabilities[:, 1], n_bins=5, strategy=strategy)
        assert found.predicted == pytest.approx(predicted)
        assert found.observed == pytest.approx(observed)
        assert found.n_items.sum() == len(some)


def test_bins_of_equal_mass_hold_equally_many():
    scores = np.random.default_rng(0).beta(0.3, 0.3, 1000)
    found = reliability(binary(scores, np.arange(1000) % 2), equal_mass=True, resampling=Resampling(20))
    assert found.n_items.tolist() == [100] * 10
    assert (np.diff(found.predicted) > 0).all()


def test_intervals_of_bins_hold_the_observed_share():
    found = reliability(made(0, patients=200), resampling=Resampling(300))
    assert (found.low <= found.observed).all()
    assert (found.observed <= found.high).all()
    assert (found.high - found.low > 0).any()


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c", "d")])
@pytest.mark.parametrize("truth", [0.5, 1.0, 2.5])
def test_a_temperature_is_found_again(classes, truth):
    honest = made(5, patients=3000, per_patient=1, classes=classes, skill=1.0, shared=0.0)
    own = fit_temperature(honest).value
    found = fit_temperature(cooled(honest, 1 / truth))
    assert found.value == pytest.approx(own * truth, rel=1e-3)
    assert own == pytest.approx(1.0, abs=0.08)


@settings(max_examples=30, deadline=None)
@given(predictions())
def test_a_temperature_never_harms_validation_and_never_reorders(some):
    found = fit_temperature(some)
    if isinstance(found, Temperature):
        after = found.apply(some)
        assert figures(after)["log_loss"] == pytest.approx(found.log_loss_after, abs=1e-9)
        assert found.log_loss_after <= found.log_loss_before + 1e-12
        before = some.probabilities.argsort(axis=1, kind="stable")
        assert (after.probabilities.argsort(axis=1, kind="stable") == before).mean() > 0.99


def test_the_temperature_is_the_best_there_is():
    some = made(2, patients=60)
    logits = np.log(some.probabilities)

    def loss(value):
        return -np.log(softmax(logits / value)[np.arange(len(some)), some.targets]).mean()

    tried = optimize.brute(lambda x: loss(x[0]), [(0.2, 5.0)], Ns=2000, finish=None)
    assert fit_temperature(some).value == pytest.approx(float(tried), abs=0.01)


@pytest.mark.parametrize(
    ("validation", "why"),
    [
        (None, "no validation items"),
        (binary([0.1, 0.2], [0, 0]), "both classes"),
        (binary([0.1, 0.9], [0, 1]), "perfectly told apart"),
    ],
)
def test_no_temperature_is_stated(validation, why):
    found = calibrate(made(), validation, resampling=Resampling(50))
    assert found.temperature is None
    assert found.scaled is None
    assert why in found.reason
    assert found.to_json()["temperature"] is None


def test_the_evaluated_items_never_move_the_temperature():
    validation = made(1, patients=80)
    first, second = (calibrate(made(seed), validation, resampling=Resampling(50)).temperature.value for seed in (2, 3))
    assert first == second == fit_temperature(validation).value


def test_calibration_is_reported_before_and_after():
    validation, test = (cooled(made(seed, patients=400, per_patient=1, shared=0.0), 0.3) for seed in (1, 2))
    found = calibrate(test, validation, resampling=Resampling(100))
    after = {one.key.metric: one.value for one in found.estimates}
    before = figures(test)
    assert after["ece"] < before["ece"] / 2
    assert after["log_loss"] < before["log_loss"]
