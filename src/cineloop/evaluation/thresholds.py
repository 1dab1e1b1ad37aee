"""Decision thresholds: chosen on validation items, applied to others, and marked where they could not be tuned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cineloop.evaluation.bootstrap import DEFAULT, Resampling
from cineloop.evaluation.intervals import Estimate, estimate
from cineloop.evaluation.predictions import FloatArray, Predictions
from cineloop.evaluation.ranking import Curve
from cineloop.evaluation.schema import OperatingRule, ThresholdRule
from cineloop.evaluation.scorer import Scorer

DEFAULT_THRESHOLD = 0.5
_POINT_METRICS = ("sensitivity", "specificity", "ppv", "npv")


@dataclass(frozen=True)
class Threshold:
    """A threshold on the positive class's probability, and where it came from.

    Attributes:
        value: Positive is decided at or above it.
        rule: What it was chosen by, as a page names it.
        source: ``validation``; ``fixed`` beforehand, by a recipe or with a packed model; or ``untuned``, the default
            0.5, for want of validation items or of a threshold that tells them apart.
        note: Why it is untuned.
    """

    value: float
    rule: str
    source: Literal["validation", "fixed", "untuned"]
    note: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "value": self.value,
            "rule": self.rule,
            "source": self.source,
            "tuned": self.source == "validation",
            "note": self.note,
        }


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold that reaches a rate on validation, and what it achieves on the evaluated items.

    Attributes:
        rule: The rate that was asked for, as a page names it.
        threshold: The threshold, or None where validation allows none.
        estimates: Sensitivity, specificity, PPV and NPV at it, with intervals; empty without a threshold.
        reason: Why there is no threshold.
    """

    rule: str
    threshold: float | None
    estimates: tuple[Estimate, ...] = ()
    reason: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "rule": self.rule,
            "threshold": self.threshold,
            "achieved": {one.key.metric: one.to_json() for one in self.estimates},
            "reason": self.reason,
        }


def choose_threshold(validation: Predictions | None, rule: ThresholdRule) -> Threshold:
    """Choose a binary problem's threshold on ``validation``.

    A threshold stands halfway between two neighbouring scores. Of equally good ones the nearest to 0.5 is taken, so
    that the choice is stable where classes are well apart. One at which all items of ``validation`` are called alike
    decides nothing and is not taken: the default stands in its place.

    Args:
        validation: Items that no evaluated item's patient is among; None where there are none.
        rule: How to choose.

    Returns:
        A threshold whose ``source`` says whether it was tuned.
    """
    if rule.rule == "fixed":
        assert rule.at is not None
        return Threshold(rule.at, rule.title, "fixed")
    reason = unfit(validation)
    if validation is None or reason is not None:
        return Threshold(DEFAULT_THRESHOLD, "default", "untuned", reason)
    known = validation.known()
    value = _best(known, rule)
    positive = known.probabilities[:, 1] >= value
    alike = "positive" if positive.all() else "negative" if not positive.any() else None
    if alike is not None:
        note = f"by the rule {rule.title!r} every validation item would be called {alike}, which decides nothing"
        return Threshold(DEFAULT_THRESHOLD, "default", "untuned", note)
    return Threshold(value, rule.title, "validation")


def unfit(validation: Predictions | None) -> str | None:
    """Say why a threshold cannot be chosen on ``validation``, or None where it can."""
    if validation is None:
        return "there are no validation items"
    classes = set(validation.known().targets.tolist())
    if len(classes) < 2:
        return "the validation items do not have both classes"
    return None


def _best(validation: Predictions, rule: ThresholdRule) -> float:
    curve = Curve.of(validation.probabilities[:, 1], validation.targets == 1)
    cuts = cut_points(curve.thresholds)
    sensitivity, specificity = curve.sensitivity, 1 - curve.false_positive_rate
    if rule.rule == "youden":
        worth = sensitivity + specificity
    elif rule.rule == "f1":
        n_positive = curve.true_positives[-1]
        worth = 2 * curve.true_positives / (curve.true_positives + curve.false_positives + n_positive)
    else:
        assert rule.at is not None
        held, other = (sensitivity, specificity) if rule.rule == "sensitivity" else (specificity, sensitivity)
        worth = np.where(held >= rule.at - 1e-12, other, -np.inf)
    best = np.flatnonzero(worth >= worth.max() - 1e-12)
    return float(cuts[best[np.abs(cuts[best] - DEFAULT_THRESHOLD).argmin()]])


def cut_points(levels: FloatArray) -> FloatArray:
    """Return a threshold below each level [T] and above the next one, float64 [T].

    Args:
        levels: Distinct scores, descending, the first infinite, as :attr:`Curve.thresholds`.
    """
    below = np.append(levels[1:], 0.0)
    above = np.minimum(levels, 1.0)
    cuts = (above + below) / 2
    # Halfway between equal or adjacent numbers is no threshold between them: take the upper one itself.
    cuts = np.where(cuts <= below, above, cuts)
    if levels[1:].size and levels[1] >= 1.0:
        cuts[0] = np.nextafter(1.0, 2.0)
    return np.asarray(cuts)


def operating_point(
    predictions: Predictions,
    validation: Predictions | None,
    rule: OperatingRule,
    resampling: Resampling = DEFAULT,
) -> OperatingPoint:
    """Choose a threshold that reaches a rate on ``validation`` and report what it achieves on ``predictions``."""
    threshold = choose_threshold(validation, rule)
    if threshold.source == "untuned":
        return OperatingPoint(rule.title, None, reason=threshold.note)
    scorer = Scorer(predictions, threshold=threshold.value, metrics=_POINT_METRICS, per_class=False)
    return OperatingPoint(rule.title, threshold.value, estimate(scorer, resampling))
