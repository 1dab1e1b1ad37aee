"""Training curves of a run, read back from its records."""

from __future__ import annotations

from typing import Any

import numpy as np

from cineloop import runs
from cineloop.report.charts import Line, Panel


def _line(label: str, records: list[dict[str, Any]], x: str, y: str) -> Line | None:
    points = [(record[x], record[y]) for record in records if record.get(y) is not None]
    if not points:
        return None
    xs, ys = np.array(points, dtype=np.float64).T
    return Line(label, xs, ys)


def training_panels(run: runs.Run, metric: str) -> list[Panel]:
    """Return the loss and the selection metric over epochs, and the learning rate over steps.

    Args:
        run: The run.
        metric: The selection metric.
    """
    records = runs.read_lines(run.metrics_file)
    epochs = [record for record in records if record["kind"] == "epoch"]
    steps = [record for record in records if record["kind"] == "step"]
    best = run.ledger().get("training", {}).get("best_epoch")
    marked = float(best) if best is not None else None
    found = [
        ("Loss", [_line("training", epochs, "epoch", "train_loss"), _line("validation", epochs, "epoch", "val_loss")]),
        (f"Validation {metric}", [_line(metric, epochs, "epoch", f"val_{metric}")]),
        ("Learning rate", [_line("over steps", steps, "step", "lr")]),
    ]
    return [
        Panel(
            title,
            tuple(line for line in lines if line is not None),
            marked=marked if title != "Learning rate" else None,
            marked_label="kept" if title != "Learning rate" and marked is not None else "",
        )
        for title, lines in found
        if any(line is not None for line in lines)
    ]
