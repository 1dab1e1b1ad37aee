"""Training curves and confusion matrices of a run, read back from its records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cineloop import runs
from cineloop.evaluation.metrics import METRICS
from cineloop.report.charts import Line, Panel
from cineloop.report.epochs import EpochConfusion

_PREFIX = "val_"


_VALIDATION, _RATE = 1, 2
"""Colours of what is measured on validation, everywhere the same, and of the learning rate."""


def _line(label: str, records: list[dict[str, Any]], x: str, y: str, place: int | None = None) -> Line | None:
    """Return a value over the records that have it; where it is undefined (null) there is a gap."""
    points = [(record[x], record[y]) for record in records if y in record]
    if all(value is None for _, value in points):
        return None
    xs, ys = np.array(points, dtype=np.float64).T
    return Line(label, xs, ys, place=place)


def _title(metric: str) -> str:
    return METRICS[metric].title if metric in METRICS else metric


def _of_unit_range(metric: str) -> bool:
    """Return whether a metric is best drawn from 0 to 1; errors are small and want a scale of their own."""
    return metric in METRICS and METRICS[metric].unit_range and METRICS[metric].higher_is_better


def _kept(run: runs.Run) -> int | None:
    best: int | None = run.ledger().get("training", {}).get("best_epoch")
    return best


def _panel(title: str, lines: Sequence[Line | None], kept: int | None = None, **more: Any) -> list[Panel]:
    """Return a panel of the lines that have points, none where none has."""
    drawn = tuple(line for line in lines if line is not None)
    if not drawn:
        return []
    marked = float(kept) if kept is not None else None
    return [Panel(title, drawn, marked=marked, marked_label="" if kept is None else "kept epoch", **more)]


def training_panels(run: runs.Run, metric: str) -> list[Panel]:
    """Return the loss and the selection metric over epochs, and the learning rate over steps.

    Args:
        run: The run.
        metric: The selection metric.
    """
    records = runs.read_lines(run.metrics_file)
    epochs = [record for record in records if record["kind"] == "epoch"]
    steps = [record for record in records if record["kind"] == "step"]
    # A short training records few steps, or none.
    rates = _line("learning rate", steps if len(steps) >= len(epochs) else epochs, "step", "lr", _RATE)
    losses = [_line("training", epochs, "epoch", "train_loss"), _line("validation", epochs, "epoch", "val_loss")]
    kept = _kept(run)
    return [
        *_panel("Loss", losses, kept),
        *_panel(
            f"Validation {_title(metric)}",
            [_line(_title(metric), epochs, "epoch", _PREFIX + metric, _VALIDATION)],
            kept,
            unit=_of_unit_range(metric),
        ),
        *_panel("Learning rate", [rates], x="step"),
    ]


def metric_panels(run: runs.Run, without: str) -> list[Panel]:
    """Return every overall validation metric over epochs but one, those of the catalogue in its order first.

    Args:
        run: The run.
        without: The selection metric, which has a panel already.
    """
    epochs = [record for record in runs.read_lines(run.metrics_file) if record["kind"] == "epoch"]
    found = {
        key.removeprefix(_PREFIX)
        for record in epochs
        for key, value in record.items()
        if key.startswith(_PREFIX) and isinstance(value, int | float)
    }
    # The loss has a panel, and a colon stands before a class.
    names = [name for name in METRICS if name in found] + sorted(found - set(METRICS))
    panels = []
    for name in names:
        if name in (without, "loss", "log_loss") or ":" in name:
            continue
        line = _line(_title(name), epochs, "epoch", _PREFIX + name, _VALIDATION)
        panels += _panel(_title(name), [line], _kept(run), unit=_of_unit_range(name))
    return panels


def epoch_confusions(run: runs.Run, classes: Sequence[str]) -> list[EpochConfusion]:
    """Return the confusion matrix of every epoch that was validated.

    Args:
        run: The run.
        classes: Their names, in the order of the records: of two, the positive one last.
    """
    kept = _kept(run)
    return [
        EpochConfusion(
            record["epoch"],
            np.array(record["val_confusion"], dtype=np.float64),
            tuple(classes),
            record["epoch"] == kept,
        )
        for record in runs.read_lines(run.metrics_file)
        if record["kind"] == "epoch" and record.get("val_confusion")
    ]
