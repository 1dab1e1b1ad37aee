"""An evaluation's figures, by name."""

from __future__ import annotations

import numpy as np

from cineloop.evaluation.calibration import Reliability
from cineloop.evaluation.intervals import find
from cineloop.evaluation.metrics import METRICS
from cineloop.evaluation.result import Evaluation
from cineloop.report import figures
from cineloop.report.charts import ForestRow, Line, forest_plot, shorten
from cineloop.report.drawing import Drawing
from cineloop.report.figures import Point
from cineloop.report.html import number

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


def _roc(evaluation: Evaluation) -> Drawing:
    lines = []
    for one in evaluation.curves[:_MOST_LINES]:
        curve, band = one.bands.curve, one.bands.roc
        label = _label(evaluation, one.label, "auroc", "AUROC")
        edges = (band.low, band.high, band.grid) if band is not None else (None, None, None)
        lines.append(Line(label, curve.false_positive_rate, curve.sensitivity, *edges))
    points = _point(evaluation, "false_positive_rate", "sensitivity")
    return figures.roc_curve(lines, points=points, watermark=evaluation.watermark)


def _precision_recall(evaluation: Evaluation) -> Drawing:
    lines = []
    for one in evaluation.curves[:_MOST_LINES]:
        curve, band = one.bands.curve, one.bands.precision_recall
        label = _label(evaluation, one.label, "auprc", "AP")
        edges = (band.low, band.high, band.grid) if band is not None else (None, None, None)
        # Average precision is exactly the area under the steps between the points where recall is gained.
        gains = np.flatnonzero(np.diff(curve.true_positives) > 0) + 1
        recall, precision = curve.sensitivity[gains], curve.precision[gains]
        lines.append(Line(label, np.append(0.0, recall), np.append(precision[0], precision), *edges))
    known = evaluation.predictions.known()
    return figures.precision_recall_curve(
        lines,
        prevalence=float((known.targets == 1).mean()) if evaluation.threshold is not None else None,
        points=_point(evaluation, "sensitivity", "ppv"),
        watermark=evaluation.watermark,
    )


def _reliability(evaluation: Evaluation) -> Drawing:
    def line(label: str, curve: Reliability) -> Line:
        return Line(label, curve.predicted, curve.observed, curve.low, curve.high)

    calibration, known = evaluation.calibration, evaluation.predictions.known()
    lines = [line("as predicted", calibration.reliability)]
    if calibration.scaled is not None and calibration.temperature is not None:
        lines.append(line(f"at temperature {calibration.temperature.value:.2f}", calibration.scaled))
    binary = evaluation.threshold is not None
    return figures.reliability_curve(
        lines,
        scores=known.probabilities[:, 1] if binary else known.probabilities.max(axis=1),
        x=f"predicted probability of {known.classes[1]}" if binary else "probability of the decided class",
        y="observed frequency",
        watermark=evaluation.watermark,
    )


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
