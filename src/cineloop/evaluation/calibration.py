"""Calibration: whether a probability of 0.8 comes true in eight of ten, and a temperature that helps it to.

The temperature is fitted on validation items and only ever applied to the evaluated ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special

from cineloop.evaluation.bootstrap import DEFAULT, Resampling, replicate
from cineloop.evaluation.confusion import ratio
from cineloop.evaluation.intervals import TWO_SIDED, Estimate, estimate, rounded
from cineloop.evaluation.predictions import FloatArray, IntArray, Predictions
from cineloop.evaluation.scorer import Scorer, calibrated, edges
from cineloop.evaluation.thresholds import unfit

_COLDEST, _HOTTEST = 0.05, 20.0
_SCORES = ("ece", "ece_mass", "brier", "log_loss")


@dataclass(frozen=True, eq=False)
class Reliability:
    """Observed against predicted frequency, bin by bin; empty bins are left out.

    Attributes:
        predicted: Mean predicted probability, float64 [B].
        observed: Share that came true, float64 [B].
        low: Lower end of the two-sided interval over patients, float64 [B]; NaN where too few replicates had items.
        high: Upper end, float64 [B].
        n_items: int64 [B].
    """

    predicted: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray
    n_items: IntArray

    def to_json(self) -> list[dict[str, object]]:
        """Return plain data, a mapping a bin."""
        columns = zip(self.predicted, self.observed, self.low, self.high, self.n_items, strict=True)
        return [
            {
                "predicted": rounded(float(predicted)),
                "observed": rounded(float(observed)),
                "low": None if np.isnan(low) else rounded(float(low)),
                "high": None if np.isnan(high) else rounded(float(high)),
                "sides": TWO_SIDED,
                "n_items": int(n_items),
            }
            for predicted, observed, low, high, n_items in columns
        ]


@dataclass(frozen=True)
class Temperature:
    """A divisor of the logits (Guo et al. 2017): above 1 it makes probabilities less certain.

    Attributes:
        value: The divisor.
        n_items: How many validation items it was fitted on.
        log_loss_before: Their log-loss without it.
        log_loss_after: Their log-loss with it, never larger.
    """

    value: float
    n_items: int
    log_loss_before: float
    log_loss_after: float

    def apply(self, predictions: Predictions) -> Predictions:
        """Return ``predictions`` at this temperature; no order of probabilities within an item changes."""
        scaled = special.softmax(_logits(predictions) / self.value, axis=1)
        return replace(predictions, probabilities=scaled)


@dataclass(frozen=True)
class Calibration:
    """How well probabilities are calibrated, as predicted and at the validation's temperature.

    Attributes:
        reliability: As predicted, in bins of equal width.
        temperature: None where it could not be fitted.
        reason: Why not.
        scaled: At the temperature; None without one.
        estimates: Calibration errors, Brier score and log-loss at the temperature; empty without one.
    """

    reliability: Reliability
    temperature: Temperature | None
    reason: str | None
    scaled: Reliability | None
    estimates: tuple[Estimate, ...]

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "temperature": rounded(self.temperature.value) if self.temperature is not None else None,
            "reason": self.reason,
            "at_temperature": {one.key.metric: one.to_json() for one in self.estimates},
            "reliability": self.reliability.to_json(),
            "reliability_at_temperature": self.scaled.to_json() if self.scaled is not None else None,
        }


def _logits(predictions: Predictions) -> FloatArray:
    # A softmax forgets a constant, so logarithms of probabilities serve as logits.
    return np.asarray(np.log(np.clip(predictions.probabilities, np.finfo(np.float64).eps, 1.0)))


def fit_temperature(validation: Predictions | None) -> Temperature | str:
    """Fit the temperature that minimises the log-loss of ``validation``.

    Returns:
        The temperature, or why there is none: no items, one class only, or classes so well apart that the log-loss
        has no minimum between 0.05 and 20.
    """
    reason = unfit(validation)
    if validation is None or reason is not None:
        return reason or ""
    known = validation.known()
    logits, rows = _logits(known), np.arange(len(known))

    def loss(log_temperature: float) -> float:
        scaled = special.log_softmax(logits * np.exp(-log_temperature), axis=1)
        return -float(scaled[rows, known.targets].mean())

    ends = (float(np.log(_COLDEST)), float(np.log(_HOTTEST)))
    best = optimize.minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-6})
    if min(loss(end) for end in ends) <= best.fun + 1e-9:
        return "the log-loss of the validation items has no minimum: they are too few, or perfectly told apart"
    if best.fun > loss(0.0):
        return Temperature(1.0, len(known), loss(0.0), loss(0.0))
    return Temperature(float(np.exp(best.x)), len(known), loss(0.0), float(best.fun))


def reliability(
    predictions: Predictions,
    *,
    bins: int = 10,
    equal_mass: bool = False,
    resampling: Resampling = DEFAULT,
) -> Reliability:
    """Return the reliability curve of the positive class's probability, or of the decided class's with more than two.

    Args:
        predictions: Items of unknown class are left out.
        bins: At most so many.
        equal_mass: Bins of equally many items instead of equal width.
        resampling: Of the intervals, which are percentile intervals.
    """
    known = predictions.known()
    score, outcome = calibrated(known)
    inner = edges(score, bins, equal_mass=equal_mass)
    cell, n_bins = np.searchsorted(inner, score, side="left"), len(inner) + 1
    place = known.cluster_index * n_bins + cell

    def by_patient(weights: FloatArray) -> FloatArray:
        flat = np.bincount(place, weights=weights, minlength=known.n_clusters * n_bins)
        return flat.reshape(known.n_clusters, n_bins).astype(np.float64)

    items, hits, mass = by_patient(np.ones(len(known))), by_patient(outcome), by_patient(score)
    n_items = items.sum(axis=0)
    filled = n_items > 0
    drawn = replicate(
        lambda counts: ratio(counts @ hits, counts @ items),
        known.n_clusters,
        resampling,
        chunk=max(1, 2**19 // known.n_clusters),
    )[:, filled]
    seen = np.isfinite(drawn).mean(axis=0) >= 0.5
    low, high = np.full((2, int(filled.sum())), np.nan)
    if seen.any() and known.n_clusters > 1:
        tail = (1 - resampling.confidence) / 2
        low[seen], high[seen] = np.nanquantile(drawn[:, seen], [tail, 1 - tail], axis=0)
    return Reliability(
        predicted=mass.sum(axis=0)[filled] / n_items[filled],
        observed=hits.sum(axis=0)[filled] / n_items[filled],
        low=low,
        high=high,
        n_items=n_items[filled].astype(np.int64),
    )


def calibrate(
    predictions: Predictions,
    validation: Predictions | None,
    *,
    bins: int = 10,
    resampling: Resampling = DEFAULT,
) -> Calibration:
    """Judge the calibration of ``predictions`` before and after the temperature of ``validation``."""
    curve = reliability(predictions, bins=bins, resampling=resampling)
    temperature = fit_temperature(validation)
    if isinstance(temperature, str):
        return Calibration(curve, None, temperature, None, ())
    scaled = temperature.apply(predictions)
    scorer = Scorer(scaled, metrics=_SCORES, per_class=False, bins=bins)
    return Calibration(
        reliability=curve,
        temperature=temperature,
        reason=None,
        scaled=reliability(scaled, bins=bins, resampling=resampling),
        estimates=estimate(scorer, resampling),
    )
