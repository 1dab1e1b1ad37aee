"""Predictions as files for people and programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cineloop import files
from cineloop.errors import CineloopError
from cineloop.evaluation.predictions import UNKNOWN, Predictions

SUFFIXES = (".csv", ".parquet", ".json")


@dataclass(frozen=True)
class Row:
    """What a model said about one item.

    Attributes:
        id: The item.
        path: The file it is in.
        label: The decided class.
        confidence: Its probability.
        probabilities: Of each class, or each of the network's outputs, in the order of the model's.
        frames: The indices of the frames that were looked at, all views together, sorted.
        seconds: Their times.
        truth: The class the cohort gives, None when unknown.
    """

    id: str
    path: str
    label: str
    confidence: float
    probabilities: tuple[float, ...]
    frames: tuple[int, ...]
    seconds: tuple[float, ...]
    truth: str | None

    def record(self, classes: Sequence[str]) -> dict[str, Any]:
        """Return a flat record: id, path, label, confidence, ``p_<class>`` each, frames, seconds, truth."""
        return {
            "id": self.id,
            "path": self.path,
            "label": self.label,
            "confidence": self.confidence,
            **{f"p_{name}": value for name, value in zip(classes, self.probabilities, strict=True)},
            "frames": list(self.frames),
            "seconds": [round(value, 6) for value in self.seconds],
            "truth": self.truth,
        }

    def plain(self, classes: Sequence[str]) -> dict[str, Any]:
        """Return the record with ``video``, ``class`` and ``probabilities``, as JSON has it."""
        return {
            **self.record(classes),
            "video": self.path,
            "class": self.label,
            "probabilities": dict(zip(classes, self.probabilities, strict=True)),
        }


def rows_of(
    predictions: Predictions,
    looked_at: Mapping[str, tuple[tuple[int, ...], tuple[float, ...]]],
    *,
    threshold: float | None = None,
) -> list[Row]:
    """Return one row an item; where the network says more than class probabilities, rows hold its outputs.

    Args:
        predictions: What the model said.
        looked_at: Frame indices and times by item.
        threshold: Of a binary problem, on the positive (last) class; None decides for the more probable class.
    """
    decided = predictions.decide(threshold)
    shown = predictions.outputs if predictions.output_names else predictions.probabilities
    return [
        Row(
            id=item,
            path=predictions.paths[index],
            label=predictions.classes[decided[index]],
            confidence=float(predictions.probabilities[index, decided[index]]),
            probabilities=tuple(float(value) for value in shown[index]),
            frames=looked_at[item][0],
            seconds=looked_at[item][1],
            truth=None
            if predictions.targets[index] == UNKNOWN
            else predictions.classes[int(predictions.targets[index])],
        )
        for index, item in enumerate(predictions.ids)
    ]


def check_target(path: Path) -> None:
    """Check that rows can be written to ``path``, before any work.

    Raises:
        CineloopError: The suffix is unknown, or a file stands there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise CineloopError(
            f"Predictions are not written as {path.suffix or 'a file without suffix'}",
            where=path,
            mend=f"Use one of {', '.join(SUFFIXES)}.",
        )
    if path.exists():
        raise CineloopError("A file is already there", where=path, mend="Give another --out, or remove it.")


def write_rows(rows: Sequence[Row], classes: Sequence[str], path: Path) -> None:
    """Write rows as CSV (lists joined by spaces) or Parquet, by suffix, atomically."""
    records = [row.record(classes) for row in rows]
    suffix = path.suffix.lower()
    schema: dict[str, Any] = {
        "id": pl.String,
        "path": pl.String,
        "label": pl.String,
        "confidence": pl.Float64,
        **{f"p_{name}": pl.Float64 for name in classes},
        "frames": pl.List(pl.Int64),
        "seconds": pl.List(pl.Float64),
        "truth": pl.String,
    }
    table = pl.DataFrame(records, schema=schema)
    with files.atomic_path(path) as temporary:
        if suffix == ".parquet":
            table.write_parquet(temporary)
        else:
            joined = [
                pl.col(name).list.eval(pl.element().cast(pl.String)).list.join(" ") for name in ("frames", "seconds")
            ]
            table.with_columns(joined).write_csv(temporary)
