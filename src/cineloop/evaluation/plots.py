"""An evaluation's figures, by name."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from cineloop.evaluation.calibration import Reliability
from cineloop.evaluation.confusion import confusion_matrix
from cineloop.evaluation.intervals import find
from cineloop.evaluation.metrics import METRICS
from cineloop.evaluation.predictions import FloatArray, Predictions
from cineloop.evaluation.ranking import Curve
from cineloop.evaluation.result import Evaluation
from cineloop.evaluation.scorer import figures as measure
from cineloop.report import figures
from cineloop.report.charts import ForestRow, Line, forest_plot, shorten
from cineloop.report.drawing import Drawing
from cineloop.report.figures import Point
from cineloop.report.html import number
from cineloop.report.overview import Part, four_views

_MOST_LINES = 6


def draw(evaluation: Evaluation) -> dict[str, Drawing]:
    """Return the figures that this evaluation has data for, by file name without its ending."""
    drawn = {
        "confusion": figures.confusion_matrix(
            evaluation.confusion, evaluation.predictions.classes, watermark=evaluation.watermark
        ),
        "confusion_normalised": figures.confusion_matrix(
            evaluation.confusion, evaluation.predictions.classes, normalised=True, watermark=evaluation.watermark
        ),
        "reliability": _reliability(evaluation),
    }
    if evaluation.curves:
        drawn |= {"roc": _roc(evaluation), "precision_recall": _precision_recall(evaluation)}
    if evaluation.threshold is not None:
        drawn["scores"] = _scores(evaluation)
    drawn["panel"] = _panel(evaluation)
    forest = _forest(evaluation)
    return drawn | ({"subgroups": forest} if forest is not None else {})


def _label(evaluation: Evaluation, label: str, metric: str, title: str) -> str:
    found = find(evaluation.estimates, metric, None if len(evaluation.predictions.classes) == 2 else label)
    return f"{shorten(label, 32)}, {title} {number(found.value if found else None)}"


def _point(evaluation: Evaluation, x: str, y: str) -> tuple[Point, ...]:
    if evaluation.threshold is None:
        return ()
    values = {name: evaluation[name].value for name in ("sensitivity", "specificity", "ppv")}
    values["false_positive_rate"] = None if values["specificity"] is None else 1 - values["specificity"]
    if (at_x := values[x]) is None or (at_y := values[y]) is None:
        return ()
    return (Point(f"threshold {evaluation.threshold.value:.2f}", at_x, at_y),)


def _roc_lines(evaluation: Evaluation) -> list[Line]:
    lines = []
    for one in evaluation.curves[:_MOST_LINES]:
        curve, band = one.bands.curve, one.bands.roc
        label = _label(evaluation, one.label, "auroc", "AUROC")
        edges = (band.low, band.high, band.grid) if band is not None else (None, None, None)
        lines.append(Line(label, curve.false_positive_rate, curve.sensitivity, *edges))
    return lines


def _roc(evaluation: Evaluation) -> Drawing:
    points = _point(evaluation, "false_positive_rate", "sensitivity")
    return figures.roc_curve(_roc_lines(evaluation), points=points, watermark=evaluation.watermark)


def _precision_recall_lines(evaluation: Evaluation) -> list[Line]:
    lines = []
    for one in evaluation.curves[:_MOST_LINES]:
        curve, band = one.bands.curve, one.bands.precision_recall
        label = _label(evaluation, one.label, "auprc", "AP")
        edges = (band.low, band.high, band.grid) if band is not None else (None, None, None)
        lines.append(Line(label, *_steps(curve), *edges))
    return lines


def _steps(curve: Curve) -> tuple[FloatArray, FloatArray]:
    """Return recall and precision where recall is gained: the area under these steps is the average precision."""
    gains = np.flatnonzero(np.diff(curve.true_positives) > 0) + 1
    recall, precision = curve.sensitivity[gains], curve.precision[gains]
    return np.append(0.0, recall), np.append(precision[0], precision)


def _prevalence(evaluation: Evaluation) -> float | None:
    known = evaluation.predictions.known()
    return float((known.targets == 1).mean()) if evaluation.threshold is not None else None


def _precision_recall(evaluation: Evaluation) -> Drawing:
    return figures.precision_recall_curve(
        _precision_recall_lines(evaluation),
        prevalence=_prevalence(evaluation),
        points=_point(evaluation, "sensitivity", "ppv"),
        watermark=evaluation.watermark,
    )


def _reliability_lines(evaluation: Evaluation) -> list[Line]:
    def line(label: str, curve: Reliability) -> Line:
        return Line(label, curve.predicted, curve.observed, curve.low, curve.high)

    calibration = evaluation.calibration
    lines = [line("as predicted", calibration.reliability)]
    if calibration.scaled is not None and calibration.temperature is not None:
        lines.append(line(f"at temperature {calibration.temperature.value:.2f}", calibration.scaled))
    return lines


def _score_name(evaluation: Evaluation) -> str:
    classes = evaluation.predictions.classes
    binary = evaluation.threshold is not None
    return f"predicted probability of {classes[1]}" if binary else "probability of the decided class"


def _reliability(evaluation: Evaluation) -> Drawing:
    known = evaluation.predictions.known()
    binary = evaluation.threshold is not None
    return figures.reliability_curve(
        _reliability_lines(evaluation),
        scores=known.probabilities[:, 1] if binary else known.probabilities.max(axis=1),
        x=_score_name(evaluation),
        y="observed frequency",
        watermark=evaluation.watermark,
    )


def _panel(evaluation: Evaluation) -> Drawing:
    """Draw what a reader wants at one glance: the decisions, both curves, and how far probabilities can be trusted."""

    def decisions(axes: Axes) -> None:
        figures.draw_confusion(axes, evaluation.confusion, evaluation.predictions.classes)

    def roc(axes: Axes) -> None:
        points = _point(evaluation, "false_positive_rate", "sensitivity")
        figures.draw_roc(axes, _roc_lines(evaluation), points)

    def precision_recall(axes: Axes) -> None:
        points = _point(evaluation, "sensitivity", "ppv")
        figures.draw_precision_recall(axes, _precision_recall_lines(evaluation), _prevalence(evaluation), points)

    def reliability(axes: Axes) -> None:
        figures.draw_reliability(axes, _reliability_lines(evaluation), "observed frequency")
        axes.set(xlabel=_score_name(evaluation), aspect="equal")

    parts: list[Part] = [("Decisions", decisions)]
    if evaluation.curves:
        parts += [("ROC", roc), ("Precision and recall", precision_recall)]
    parts.append(("Reliability", reliability))
    words = figures.confusion_words(evaluation.confusion, evaluation.predictions.classes)
    alt = f"Evaluation at one glance: {', '.join(title for title, _ in parts)}. {words}."
    return four_views(parts, alt=alt, watermark=evaluation.watermark)


def draw_bare(predictions: Predictions, *, watermark: str | None = None) -> dict[str, Drawing]:
    """Return confusion matrices and curves of predictions alone: decided by the most probable class, no intervals.

    Args:
        predictions: A binary problem's positive class last.
        watermark: The reason of a leak that was allowed.
    """
    known = predictions.known()
    table = confusion_matrix(known.targets, known.decide(None), len(known.classes))
    drawn = {
        "confusion": figures.confusion_matrix(table, known.classes, watermark=watermark),
        "confusion_normalised": figures.confusion_matrix(table, known.classes, normalised=True, watermark=watermark),
    }
    values, binary = measure(known), len(known.classes) == 2
    roc, precision_recall = [], []
    for index in (1,) if binary else range(len(known.classes)):
        positive, name = known.targets == index, known.classes[index]
        if not positive.any() or positive.all():
            continue
        curve, ending = Curve.of(known.probabilities[:, index], positive), "" if binary else f":{name}"
        titles = [
            f"{shorten(name, 32)}, {title} {number(values.get(metric + ending))}"
            for metric, title in (("auroc", "AUROC"), ("auprc", "AP"))
        ]
        roc.append(Line(titles[0], curve.false_positive_rate, curve.sensitivity))
        precision_recall.append(Line(titles[1], *_steps(curve)))
    if roc:
        prevalence = float((known.targets == 1).mean()) if binary else None
        drawn["roc"] = figures.roc_curve(roc[:_MOST_LINES], watermark=watermark)
        drawn["precision_recall"] = figures.precision_recall_curve(
            precision_recall[:_MOST_LINES], prevalence=prevalence, watermark=watermark
        )
    return drawn


def _scores(evaluation: Evaluation) -> Drawing:
    assert evaluation.threshold is not None
    known = evaluation.predictions.known()
    groups = [(name, known.probabilities[known.targets == index, 1]) for index, name in enumerate(known.classes)]
    return figures.score_histogram(
        groups,
        x=f"probability of {known.classes[1]}",
        threshold=evaluation.threshold.value,
        threshold_label=f"threshold {evaluation.threshold.value:.2f}",
        watermark=evaluation.watermark,
    )


def _forest(evaluation: Evaluation) -> Drawing | None:
    metric = evaluation.config.selection
    rows = []
    for table in evaluation.subgroups:
        if table.rows:
            rows.append(ForestRow(table.attribute, None, heading=True))
        for row in table.rows:
            found = find(row.estimates, metric)
            value, low, high = (found.value, found.low, found.high) if found else (None, None, None)
            rows.append(ForestRow(row.level, value, low, high, note=f"n = {row.n_patients}"))
    if not any(row.value is not None for row in rows):
        return None
    return forest_plot(
        rows, x=METRICS[metric].title, reference=evaluation[metric].value, watermark=evaluation.watermark
    )
