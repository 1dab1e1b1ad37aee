"""Which epoch's weights are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cineloop.errors import TrainingError
from cineloop.training.schema import SelectSection

Metrics = Mapping[str, float | None]
Confusion = Sequence[Sequence[int]]

UPSTREAM = ("specificity", "sensitivity", "weighted_f1", "auroc", "auprc")


@dataclass(frozen=True)
class Choice:
    """What a rule says of an epoch.

    Attributes:
        value: What epochs are compared by; None where it is undefined.
        keep: Whether this epoch's weights take the place of those kept so far.
        gain: Whether early stopping begins to wait anew.
        reason: Why it is kept, in words; empty otherwise.
    """

    value: float | None
    keep: bool
    gain: bool
    reason: str = ""


def by_metric(metrics: Metrics, best: Metrics, select: SelectSection, min_delta: float) -> Choice:
    """Compare epochs by one metric; of equal ones that with the least validation loss is kept.

    Args:
        metrics: Of this epoch.
        best: Of the kept epoch, empty before the first.
        select: The metric and its direction.
        min_delta: What counts as a gain for early stopping.

    Raises:
        TrainingError: The validation gives no such metric.
    """
    if select.metric not in metrics:
        raise TrainingError(
            f"The validation gives no metric called {select.metric!r}",
            where="train.select.metric",
            mend=f"Choose one of: {', '.join(sorted(metrics))}.",
        )
    value = metrics[select.metric]
    if value is None:
        return Choice(None, keep=False, gain=False)
    before = best.get(select.metric)
    if before is None:
        return Choice(value, keep=True, gain=True, reason="the first")
    ahead = value - before if select.mode == "max" else before - value
    if ahead > 0:
        return Choice(value, keep=True, gain=ahead > min_delta, reason=f"{select.metric} {value:.4g}, was {before:.4g}")
    loss, least = metrics.get("loss"), best.get("loss")
    less = ahead == 0 and loss is not None and least is not None and loss < least
    return Choice(value, keep=less, gain=False, reason=f"loss {loss:.4g}, was {least:.4g}" if less else "")


def _of_one_class_or_mean(metrics: Metrics, name: str) -> float:
    value = metrics.get(name)
    if value is not None:
        return value
    found = [item or 0.0 for key, item in metrics.items() if key.startswith(f"{name}:")]
    return sum(found) / len(found) if found else 0.0


def composite_score(metrics: Metrics, confusion: Confusion) -> float:
    """Return the score that the published laryngeal classifier selects by.

    0.35 specificity + 0.30 sensitivity + 0.20 weighted F1 + 0.10 AUROC + 0.05 average precision, with two classes times
    1 + 0.02 for each true negative up to five. With more classes sensitivity and specificity are means over them. What
    is undefined counts as 0.

    Args:
        metrics: Of a validation, decided by the more probable class.
        confusion: Items by true and decided class.
    """
    specificity, sensitivity, f1, auroc, auprc = (_of_one_class_or_mean(metrics, name) for name in UPSTREAM)
    score = 0.35 * specificity + 0.3 * sensitivity + 0.2 * f1 + 0.1 * auroc + 0.05 * auprc
    if len(confusion) == 2:
        score *= 1.0 + 0.1 * min(confusion[0][0], 5) / 5.0
    return score


def by_upstream_rule(metrics: Metrics, confusion: Confusion, best: Metrics, best_score: float | None) -> Choice:
    """Keep an epoch when the published laryngeal classifier would.

    It compares with the values of the epoch it kept last, which need not be the highest so far: an epoch may be kept
    for its specificity though its score is lower.

    Args:
        metrics: Of this epoch.
        confusion: Items by true and decided class.
        best: Metrics of the kept epoch, empty before the first.
        best_score: Its composite score.
    """
    score = composite_score(metrics, confusion)
    specificity, sensitivity, f1 = (_of_one_class_or_mean(metrics, name) for name in UPSTREAM[:3])
    kept_specificity, kept_sensitivity, kept_f1 = (_of_one_class_or_mean(best, name) for name in UPSTREAM[:3])
    kept_score = best_score or 0.0
    rules = (
        (specificity >= kept_specificity + 0.05, "specificity rose by 0.05 at least"),
        (
            sensitivity > 1.2 * kept_sensitivity and specificity >= 0.6,
            "sensitivity rose by a fifth, specificity is 0.6 at least",
        ),
        (
            specificity >= 0.95 * kept_specificity and score >= kept_score + 0.01,
            "the composite score rose by 0.01 at least, specificity held",
        ),
        (kept_score == 0 or score >= 1.05 * kept_score, "the composite score rose by a twentieth, or is the first"),
        (
            specificity >= 0.9 * kept_specificity and f1 >= 1.1 * kept_f1,
            "F1 rose by a tenth, specificity nearly held",
        ),
    )
    reason = next((why for holds, why in rules if holds), "")
    return Choice(score, keep=bool(reason), gain=bool(reason), reason=reason)
