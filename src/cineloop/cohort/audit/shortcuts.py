"""Technical properties that tell the classes apart, from which a model can learn the recorder and not the disease."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from cineloop.cohort.audit.result import Finding
from cineloop.cohort.cohort import Cohort
from cineloop.cohort.stills import still

# A property is worth a warning from this strength, at this chance of seeing it by accident (before Bonferroni).
_AUROC, _CRAMER, _CHANCE = 0.75, 0.4, 0.01

_NUMBERS = {
    "fps": ("frame rate", "frames/s"),
    "duration": ("duration", "s"),
    "frames": ("number of frames", ""),
    "pixels": ("picture size", "pixels"),
    "aspect": ("aspect ratio", ""),
    "bitrate": ("bits a second", "bit/s"),
    "bytes": ("size of a picture's file", "bytes"),
}
_WORDS = {"codec": "codec", "resolution": "resolution", "suffix": "file type", "dataset": "data set", "site": "site"}
_WORDS |= {"scope": "scope"}


def shortcuts(cohort: Cohort) -> Iterator[Finding]:
    """Give a warning for each property that predicts the label, each patient counted once a label."""
    rows = _rows(cohort)
    if rows["label"].n_unique() < 2:
        return
    chance = _CHANCE / (len(_NUMBERS) + len(_WORDS))
    for column, (name, unit) in _NUMBERS.items():
        found = _number(rows, column, chance)
        if found is not None:
            auroc, label = found
            yield Finding(
                "shortcut",
                "warning",
                f"The {name} tells {label!r} from the rest: AUROC {auroc:.2f} without a look at any picture. "
                "A model can learn the recording in place of the finding.",
                items=tuple(_medians(rows, column, unit)),
            )
    for column, name in _WORDS.items():
        strength = _word(rows, column, chance)
        if strength is not None:
            yield Finding(
                "shortcut",
                "warning",
                f"The {name} goes with the label: Cramér's V {strength:.2f}. "
                "A model can learn the recording in place of the finding.",
                items=tuple(_table(rows, column)),
            )


def _rows(cohort: Cohort) -> pl.DataFrame:
    """Return one row for each patient and label, so that many clips of one person do not count as many."""
    rows = cohort.rows.filter(pl.col("error").is_null() & pl.col("label").is_not_null()).with_columns(
        pixels=pl.col("width") * pl.col("height"),
        aspect=pl.col("width") / pl.col("height"),
        # A decoder gives a picture a time, which nobody recorded.
        bitrate=pl.when(~still()).then(8 * pl.col("size") / pl.col("duration")),
        bytes=pl.when(still()).then(pl.col("size")),
        resolution=pl.format("{}x{}", "width", "height"),
        suffix=pl.col("path").str.extract(r"(\.[^./]+)$").str.to_lowercase(),
    )
    return (
        rows.sort("id")
        .group_by("patient", "label", maintain_order=True)
        .agg(
            *(pl.col(column).median() for column in _NUMBERS),
            *(pl.col(column).drop_nulls().mode().sort().first() for column in _WORDS),
        )
    )


def _number(rows: pl.DataFrame, column: str, chance: float) -> tuple[float, str] | None:
    """Return the AUROC of a property for the label that it tells best from the rest, and that label."""
    known = rows.filter(pl.col(column).is_finite())
    best: tuple[float, str] | None = None
    for label in sorted(known["label"].unique()):
        inside = known.filter(pl.col("label") == label)[column].to_numpy()
        outside = known.filter(pl.col("label") != label)[column].to_numpy()
        if len(inside) < 3 or len(outside) < 3:
            continue
        test = stats.mannwhitneyu(inside, outside)
        auroc = float(test.statistic) / (len(inside) * len(outside))
        strength = max(auroc, 1 - auroc)
        if strength >= _AUROC and test.pvalue < chance and (best is None or strength > best[0]):
            best = strength, label
    return best


def _word(rows: pl.DataFrame, column: str, chance: float) -> float | None:
    """Return Cramér's V (corrected for chance) of a property and the label, when it is strong."""
    known = rows.filter(pl.col(column).is_not_null())
    counts: npt.NDArray[np.float64] = (
        known.group_by("label", column).len().pivot(column, index="label", values="len").drop("label").fill_null(0)
    ).to_numpy()
    if known.height < 6 or min(counts.shape) < 2:
        return None
    test = stats.chi2_contingency(counts)
    total = counts.sum()
    # Bergsma's correction: many rare values agree with any label by chance.
    rows_count, columns_count = counts.shape
    phi = max(0.0, test.statistic / total - (rows_count - 1) * (columns_count - 1) / (total - 1))
    smaller = min(
        rows_count - (rows_count - 1) ** 2 / (total - 1), columns_count - (columns_count - 1) ** 2 / (total - 1)
    )
    strength = float(np.sqrt(phi / max(smaller - 1, 1e-9)))
    return strength if strength >= _CRAMER and test.pvalue < chance else None


def _medians(rows: pl.DataFrame, column: str, unit: str) -> list[str]:
    found = rows.group_by("label").agg(pl.col(column).median(), pl.len()).sort("label")
    return [
        f"{label}: median {value:g}{f' {unit}' if unit else ''} ({count} patients)"
        for label, value, count in found.iter_rows()
    ]


def _table(rows: pl.DataFrame, column: str) -> list[str]:
    found = rows.group_by(column, "label").len().sort(column, "label", nulls_last=True)
    lines: dict[str, list[str]] = {}
    for value, label, count in found.iter_rows():
        lines.setdefault("unknown" if value is None else str(value), []).append(f"{label} {count}")
    return [f"{value}: {', '.join(parts)}" for value, parts in lines.items()]
