"""The figures of one small fixed set of predictions, kept as text: a change of any of them must be meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cineloop.evaluation.bootstrap import Resampling
from cineloop.evaluation.intervals import estimate
from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.scorer import Scorer

KEPT = Path(__file__).parent / "metric_values.txt"


def fixed(n_classes):
    """Return 48 items of 16 patients from plain arithmetic, so that no generator's version matters."""
    items = np.arange(48)
    targets = (items // 3) % n_classes
    parts = np.stack([(items * (7 + 4 * column) + 3 * column) % 11 + 1.0 for column in range(n_classes)], axis=1)
    parts[items, targets] += (items * 5) % 13
    return Predictions(
        ids=[f"item {item:02d}" for item in items],
        clusters=[f"patient {item // 3:02d}" for item in items],
        targets=targets,
        probabilities=parts / parts.sum(axis=1, keepdims=True),
        classes=("normal", "lesion", "polyp")[:n_classes],
    )


def lines():
    for n_classes in (2, 3):
        yield f"{n_classes} classes: figure, value, low, high, items, patients, interval"
        scorer = Scorer(fixed(n_classes), ordinal=True)
        for one in estimate(scorer, Resampling(replicates=500, seed=7)):
            ends = "          -          -" if one.low is None else f"{one.low:11.7f}{one.high:11.7f}"
            yield f"{one.key!s:22}{one.value:11.7f}{ends}{one.n_items:5}{one.n_patients:5}  {one.method or one.reason}"


def test_the_figures_are_those_that_were_kept():
    assert "\n".join(lines()) + "\n" == KEPT.read_text(encoding="utf-8")
