"""Estimates: a figure with its interval, what it stands on, and why where it has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from cineloop.evaluation.bootstrap import DEFAULT, Resampling, bca_interval, jackknife, percentile_interval, replicate
from cineloop.evaluation.metrics import METRICS, Key, Metric
from cineloop.evaluation.predictions import FloatArray
from cineloop.evaluation.scorer import Scorer

TWO_SIDED = "two-sided"
"""What files say of an interval: half of the doubt lies below it and half above."""

_LEAST_DEFINED = 0.5
_BIASED = ("ece", "ece_mass")
_PROPORTIONS = ("accuracy", "sensitivity", "specificity", "ppv", "npv")


@dataclass(frozen=True)
class Estimate:
    """One figure of a report.

    Attributes:
        key: Which figure.
        value: The figure, or None where it is undefined.
        low: Lower end of the two-sided interval, or None where there is none.
        high: Upper end of the interval.
        n_items: How many items it is a share or a mean of.
        n_patients: How many patients they come from.
        reason: Why ``value``, or only the interval, is None.
        method: How the interval was made: ``percentile``, ``bca``, ``basic``, ``clopper-pearson`` or ``newcombe``.
        undefined_share: The share of bootstrap replicates in which the figure was undefined and left out.
    """

    key: Key
    value: float | None
    low: float | None = None
    high: float | None = None
    n_items: int = 0
    n_patients: int = 0
    reason: str | None = None
    method: str | None = None
    undefined_share: float = 0.0

    @property
    def metric(self) -> Metric:
        """The catalogue's entry."""
        return METRICS[self.key.metric]

    def to_json(self) -> dict[str, object]:
        """Return plain data; numbers carry 12 significant digits, below which threads may differ."""
        return {
            "metric": self.key.metric,
            "class": self.key.label,
            "value": rounded(self.value),
            "low": rounded(self.low),
            "high": rounded(self.high),
            "sides": TWO_SIDED,
            "n_items": self.n_items,
            "n_patients": self.n_patients,
            "reason": self.reason,
            "interval": self.method,
            "undefined_share": rounded(self.undefined_share),
        }


def rounded(value: float | None) -> float | None:
    """Return ``value`` with 12 significant digits."""
    return None if value is None else float(f"{value:.12g}")


def estimate(scorer: Scorer, resampling: Resampling = DEFAULT) -> tuple[Estimate, ...]:
    """Return every figure of ``scorer`` with its patient-clustered bootstrap interval, in the order of its keys."""
    drawn = replicate(scorer.score, scorer.n_patients, resampling, chunk=scorer.chunk)
    left_out = None
    if resampling.method == "bca":
        left_out = jackknife(scorer.score, scorer.n_patients, chunk=scorer.chunk)
    point = scorer.point()
    return tuple(
        _estimate(scorer, key, float(point[column]), drawn[:, column], _column(left_out, column), resampling.confidence)
        for column, key in enumerate(scorer.keys)
    )


def _column(table: FloatArray | None, column: int) -> FloatArray | None:
    return None if table is None else table[:, column]


def _estimate(
    scorer: Scorer, key: Key, value: float, drawn: FloatArray, left_out: FloatArray | None, confidence: float
) -> Estimate:
    support = scorer.support(key)
    stands_on = (support.n_items, support.n_patients)
    if np.isnan(value):
        return Estimate(key, None, None, None, *stands_on, reason=scorer.reason(key))
    undefined = float(np.isnan(drawn).mean())
    sides = _sides(scorer, key) if key.metric not in ("sensitivity", "specificity") else None
    if scorer.n_patients < 2 or support.n_patients < 2 or (sides is not None and min(sides) == 1):
        # What the only patient of a class adds to the spread cannot be seen.
        return Estimate(key, value, None, None, *stands_on, reason="one patient only: no interval")
    if undefined > _LEAST_DEFINED:
        reason = f"undefined in {undefined:.0%} of the replicates, so there is no interval"
        return Estimate(key, value, None, None, *stands_on, reason=reason, undefined_share=undefined)
    found = _interval(scorer, key, value, drawn, left_out, confidence)
    if found is None:
        reason = "perfect in every replicate: no interval"
        return Estimate(key, value, None, None, *stands_on, reason=reason, undefined_share=undefined)
    low, high, method = found
    return Estimate(key, value, low, high, *stands_on, method=method, undefined_share=undefined)


def _interval(
    scorer: Scorer, key: Key, value: float, drawn: FloatArray, left_out: FloatArray | None, confidence: float
) -> tuple[float, float, str] | None:
    low, high = percentile_interval(drawn, confidence)
    if key.metric in _BIASED:
        # Noise alone makes a calibration error positive, and resampling adds noise, so that percentiles lie too high
        # and may miss the estimate: the basic interval turns them around it.
        return max(0.0, 2 * value - high), max(value, 2 * value - low), "basic"
    if high - low < 1e-12 and value in (0.0, 1.0):
        # Every replicate of a perfect result is perfect: resampling cannot see what it has not met.
        if key.metric in _PROPORTIONS:
            return *clopper_pearson(value, scorer.support(key).n_patients, confidence), "clopper-pearson"
        if key.metric == "auroc" and (sides := _sides(scorer, key)) is not None:
            return *newcombe_auroc(value, *sides, confidence), "newcombe"
        return None
    if left_out is not None and (corrected := bca_interval(drawn, value, left_out, confidence)) is not None:
        return *corrected, "bca"
    return low, high, "percentile"


def _sides(scorer: Scorer, key: Key) -> tuple[int, int] | None:
    """Return how many patients have items of the class and how many have others; None where no one class is meant."""
    p = scorer.predictions
    if key.label is None and p.positive is None:
        return None
    positive = p.targets == (len(p.classes) - 1 if key.label is None else p.classes.index(key.label))
    return len(np.unique(p.cluster_index[positive])), len(np.unique(p.cluster_index[~positive]))


def clopper_pearson(share: float, n: int, confidence: float) -> tuple[float, float]:
    """Return the exact binomial interval of ``share`` of ``n`` independent units (Clopper and Pearson 1934)."""
    hits = round(share * n)
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(special.betaincinv(hits, n - hits + 1, tail))
    high = 1.0 if hits == n else float(special.betaincinv(hits + 1, n - hits, 1 - tail))
    return low, high


def wilson(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a share of ``n`` independent units (Wilson 1927)."""
    z = float(special.ndtri((1 + confidence) / 2))
    share, reach = hits / n, z * z / n
    middle = (share + reach / 2) / (1 + reach)
    half = z * float(np.sqrt(share * (1 - share) / n + reach / (4 * n))) / (1 + reach)
    # At none and at all the interval ends there, and rounding keeps it from it.
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == n else middle + half)


def newcombe_auroc(value: float, n_positive: int, n_negative: int, confidence: float) -> tuple[float, float]:
    """Return an interval of an area that does not collapse at 0 or 1 (Newcombe 2006, method 5).

    Its ends are the areas whose own standard error puts ``value`` at the edge.
    """
    z = float(special.ndtri((1 + confidence) / 2))
    extra = (n_positive + n_negative) / 2 - 1

    def variance(area: float) -> float:
        more = 1 + extra * (1 - area) / (2 - area) + extra * area / (1 + area)
        return area * (1 - area) * more / (n_positive * n_negative)

    def excess(area: float) -> float:
        return abs(area - value) - z * float(np.sqrt(variance(area)))

    inside = 1e-9
    low = 0.0 if value <= 0 else float(optimize.brentq(excess, inside, value - min(inside, value / 2)))
    high = 1.0 if value >= 1 else float(optimize.brentq(excess, value + min(inside, (1 - value) / 2), 1 - inside))
    return low, high


def find(estimates: Sequence[Estimate], metric: str, label: str | None = None) -> Estimate | None:
    """Return the estimate of a metric (and class) among ``estimates``, or None."""
    return next((one for one in estimates if one.key == Key(metric, label)), None)
