"""What a run's own evaluations measured, and the thresholds that they chose."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cineloop.inference.load import Loaded


def _evaluations(loaded: Loaded) -> Iterator[dict[str, Any]]:
    """Yield what the run's own evaluations wrote of themselves."""
    if loaded.run is None:
        return
    cohort = loaded.run.ledger()["cohort"]["name"]
    for split in ("test", "val"):
        path = loaded.run.evaluation(cohort, split) / "metrics.json"
        if path.exists():
            yield json.loads(path.read_text(encoding="utf-8"))


def _meant(threshold: Mapping[str, Any]) -> bool:
    """Return whether a threshold was chosen on validation or fixed beforehand."""
    return threshold.get("source") in ("validation", "fixed")


def measured(loaded: Loaded, metric: str) -> float | None:
    """Return a headline figure of the run's own evaluation, None where it was not evaluated or is undefined."""
    for found in _evaluations(loaded):
        value = found["headline"].get(metric, {}).get("value")
        if value is not None:
            return float(value)
    return None


def chosen_threshold(loaded: Loaded) -> float | None:
    """Return the threshold of an export, or that the run's evaluation chose on validation; None where there is none."""
    if len(loaded.thresholds) == 1:
        return next(iter(loaded.thresholds.values()))
    for found in _evaluations(loaded):
        threshold = found.get("threshold")
        if threshold is not None and _meant(threshold):
            return float(threshold["value"])
    return None


def chosen_thresholds(loaded: Loaded) -> dict[str, float]:
    """Return the thresholds of a model's questions: of an export, or those that its evaluation chose on validation."""
    if len(loaded.thresholds) > 1:
        return dict(loaded.thresholds)
    for found in _evaluations(loaded):
        thresholds = {name: answer["threshold"] for name, answer in found.get("questions", {}).items()}
        tuned = {name: float(one["value"]) for name, one in thresholds.items() if one and _meant(one)}
        if tuned:
            return tuned
    return {}
