"""Figures by subgroup: site, scope, age, whatever is known of the items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cineloop.errors import EvaluationError
from cineloop.evaluation.bootstrap import DEFAULT, Resampling
from cineloop.evaluation.intervals import Estimate, estimate
from cineloop.evaluation.predictions import Attribute, BoolArray, Predictions
from cineloop.evaluation.scorer import Scorer, equal_parts
from cineloop.schema import did_you_mean

UNKNOWN_LEVEL = "unknown"
_MOST_LEVELS = 20
_DISTINCT_NUMBERS = 6


@dataclass(frozen=True)
class Subgroup:
    """The items of one level of an attribute.

    Attributes:
        level: The level's name.
        n_items: Its items of known class.
        n_patients: Their patients.
        estimates: Its figures; empty where there are too few patients.
        reason: Why there are none.
    """

    level: str
    n_items: int
    n_patients: int
    estimates: tuple[Estimate, ...] = ()
    reason: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "level": self.level,
            "n_items": self.n_items,
            "n_patients": self.n_patients,
            "estimates": {one.key.metric: one.to_json() for one in self.estimates},
            "reason": self.reason,
        }


@dataclass(frozen=True)
class SubgroupTable:
    """One attribute's subgroups.

    Attributes:
        attribute: Its name.
        rows: Its levels.
        reason: Why there are no rows: one level only, or too many.
    """

    attribute: str
    rows: tuple[Subgroup, ...]
    reason: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "attribute": self.attribute,
            "levels": [row.to_json() for row in self.rows],
            "reason": self.reason,
        }


def subgroup_tables(
    predictions: Predictions,
    *,
    metrics: Sequence[str],
    threshold: float | None = None,
    attributes: Sequence[str] | None = None,
    least_patients: int = 10,
    resampling: Resampling = DEFAULT,
) -> tuple[SubgroupTable, ...]:
    """Break figures down by what is known of the items.

    A text attribute is broken down by its values; a number by its values where there are at most six, else into
    thirds of the items. Items without a value form a level of their own.

    Args:
        predictions: Items of unknown class are left out.
        metrics: The figures wanted, by name.
        threshold: Of a binary problem.
        attributes: Which to break down by; None means all.
        least_patients: A subgroup of fewer patients gets counts and no figures.
        resampling: Of the intervals.

    Raises:
        EvaluationError: An attribute that is asked for is not known.
    """
    known = predictions.known()
    tables = []
    for name in known.attributes if attributes is None else attributes:
        if name not in known.attributes:
            raise EvaluationError(
                f"Nothing is known of the attribute {name!r}",
                where="evaluate.subgroups",
                mend=did_you_mean(name, known.attributes),
            )
        levels = _levels(known.attributes[name])
        if len(levels) < 2 or len(levels) > _MOST_LEVELS:
            reason = "one value only" if len(levels) < 2 else f"{len(levels)} values, which form no subgroups"
            tables.append(SubgroupTable(name, (), reason))
            continue
        rows = []
        for level, mask in levels.items():
            members = known.select(mask)
            if members.n_clusters < least_patients:
                reason = f"fewer than {least_patients} patients"
                rows.append(Subgroup(level, len(members), members.n_clusters, reason=reason))
                continue
            scorer = Scorer(members, threshold=threshold, metrics=metrics, per_class=False)
            rows.append(Subgroup(level, len(members), members.n_clusters, estimate(scorer, resampling)))
        tables.append(SubgroupTable(name, tuple(rows)))
    return tuple(tables)


def _levels(values: Sequence[Attribute]) -> dict[str, BoolArray]:
    """Return which items [N] belong to each level, the unknown last."""
    missing = np.array([value is None or (isinstance(value, float) and np.isnan(value)) for value in values])
    present = [value for value, gone in zip(values, missing, strict=True) if not gone]
    if any(isinstance(value, str) for value in present):
        text = np.array(["" if gone else str(value) for value, gone in zip(values, missing, strict=True)], dtype=object)
        levels = {level: (text == level) & ~missing for level in sorted({str(value) for value in present})}
    else:
        levels = _number_levels(values, missing)
    if missing.any():
        levels[UNKNOWN_LEVEL] = missing
    return levels


def _number_levels(values: Sequence[Attribute], missing: BoolArray) -> dict[str, BoolArray]:
    numbers = np.array([np.nan if gone else value for value, gone in zip(values, missing, strict=True)], dtype=float)
    distinct = np.unique(numbers[~missing])
    if len(distinct) <= _DISTINCT_NUMBERS:
        return {f"{value:g}": numbers == value for value in distinct}
    first, second = (float(value) for value in equal_parts(numbers[~missing], 3))
    return {
        f"≤ {first:g}": numbers <= first,
        f"> {first:g} to {second:g}": (numbers > first) & (numbers <= second),
        f"> {second:g}": numbers > second,
    }
