"""The catalogue: every metric by name, with the definition that stands beside its value."""

from __future__ import annotations

from dataclasses import dataclass

from cineloop.errors import EvaluationError
from cineloop.schema import did_you_mean


@dataclass(frozen=True)
class Metric:
    """What a metric is.

    Attributes:
        name: As recipes and ``metrics.json`` write it.
        title: As a page prints it.
        definition: One sentence, with its conventions.
        higher_is_better: The direction of improvement.
        one_class: It is about one class against the rest: in a binary problem the positive one.
        unit_range: Its values lie in [0, 1].
    """

    name: str
    title: str
    definition: str
    higher_is_better: bool = True
    one_class: bool = False
    unit_range: bool = True


_METRICS = (
    Metric(
        "auroc",
        "AUROC",
        "Area under the receiver operating characteristic: the probability that a positive scores above a negative, "
        "ties counting half. With more than two classes the mean of one-versus-rest areas over classes with items.",
    ),
    Metric(
        "auprc",
        "AUPRC",
        "Average precision: the sum over thresholds of precision times gain in recall, without interpolation; chance "
        "level is the prevalence. With more than two classes the mean of one-versus-rest values over classes with "
        "items.",
    ),
    Metric(
        "balanced_accuracy", "Balanced accuracy", "Mean sensitivity over the classes with items; chance level is 1/K."
    ),
    Metric("sensitivity", "Sensitivity", "Share of a class's items decided so (recall).", one_class=True),
    Metric("specificity", "Specificity", "Share of the other items not decided so.", one_class=True),
    Metric("ppv", "PPV", "Share of the items decided so that are so (precision).", one_class=True),
    Metric("npv", "NPV", "Share of the items not decided so that are not so.", one_class=True),
    Metric(
        "f1", "F1", "Harmonic mean of sensitivity and positive predictive value: 2TP / (2TP + FP + FN).", one_class=True
    ),
    Metric("accuracy", "Accuracy", "Share of items decided rightly."),
    Metric("macro_f1", "Macro F1", "Mean F1 over the classes with items."),
    Metric("weighted_f1", "Weighted F1", "Mean F1 over the classes, weighted by their items."),
    Metric(
        "mcc",
        "MCC",
        "Matthews correlation of decided and true class (R_K for more than two); 0 is chance.",
        unit_range=False,
    ),
    Metric("kappa", "Cohen's kappa", "Agreement of decided and true class beyond chance.", unit_range=False),
    Metric(
        "quadratic_kappa",
        "Quadratic kappa",
        "Agreement beyond chance of ordered classes, a disagreement weighing the squared distance.",
        unit_range=False,
    ),
    Metric(
        "log_loss",
        "Log-loss",
        "Mean negative natural logarithm of the probability given to the true class (at least 2.2e-16).",
        higher_is_better=False,
        unit_range=False,
    ),
    Metric(
        "brier",
        "Brier score",
        "Mean squared error of the positive class's probability (0 to 1); with more than two classes the squared error "
        "summed over classes (0 to 2).",
        higher_is_better=False,
        unit_range=False,
    ),
    Metric(
        "ece",
        "ECE",
        "Expected calibration error in bins of equal width: mean distance of predicted and observed frequency, of the "
        "positive class, or with more than two classes of the decided one.",
        higher_is_better=False,
    ),
    Metric(
        "ece_mass",
        "ECE (equal mass)",
        "Expected calibration error in bins of equally many items, whose edges stay fixed under resampling.",
        higher_is_better=False,
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _METRICS}
"""Every metric by name, in the order in which they are shown."""

RANKING = ("auroc", "auprc")
PER_CLASS = ("auroc", "auprc", "sensitivity", "specificity", "ppv", "npv", "f1")


def metric(name: str, *, where: str | None = None) -> Metric:
    """Return the metric called ``name``.

    Raises:
        EvaluationError: There is none; the message gives the nearest.
    """
    if name not in METRICS:
        raise EvaluationError(f"Unknown metric: {name!r}", where=where, mend=did_you_mean(name, METRICS))
    return METRICS[name]


@dataclass(frozen=True, order=True)
class Key:
    """Names one figure: a metric, and a class where it is about one class of several.

    ``str(key)`` is ``"auroc"`` or ``"sensitivity:polyp"``.
    """

    metric: str
    label: str | None = None

    def __str__(self) -> str:
        return self.metric if self.label is None else f"{self.metric}:{self.label}"
