"""Whether an epoch can be chosen on a validation split at all."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cineloop.cohort import Cohort
from cineloop.errors import CohortError
from cineloop.tasks.recipe import Recipe


def require_selectable(recipe: Recipe, cohort: Cohort, perfect: Mapping[str, float | None]) -> None:
    """Refuse, before an epoch is spent, a validation split that leaves the metric of the selection undefined.

    Args:
        recipe: The resolved recipe.
        cohort: Its data.
        perfect: What the validation would measure if every item of it were predicted rightly.

    Raises:
        CohortError: Even then there is no value to compare epochs by.
    """
    select = recipe.train.select
    if select.rule != "metric" or perfect.get(select.metric) is not None:
        return
    absent = cohort.lacking().get("val", [])
    of = f", which has no item of {', '.join(map(repr, absent))}" if absent else ""
    raise CohortError(
        f"No epoch could be chosen: {select.metric} is undefined on the validation split{of}\n{_counted(cohort)}",
        where=cohort.root,
        mend=f"{_more(cohort, absent)}, or select by what is defined there: train.select={{metric: loss, mode: min}}.",
    )


def _people(cohort: Cohort, number: int) -> str:
    """Return a number of what is not divided, in words."""
    kind = "patient" if cohort.identity_known.patient else "procedure"
    return f"{number} {kind}{'' if number == 1 else 's'}"


def _counted(cohort: Cohort) -> str:
    """Return a line for each split with its items by class, and of how many patients they are."""
    counts = {(count.split, count.label): count for count in cohort.counts()}
    lines = []
    for split in cohort.split_names:
        words = []
        for name in cohort.classes:
            count = counts.get((split, name))
            words.append(f"{count.items} {name} ({_people(cohort, count.patients)})" if count else f"0 {name}")
        lines.append(f"  {split}: {', '.join(words)}")
    return "\n".join(lines)


def _more(cohort: Cohort, absent: list[str]) -> str:
    """Return what would bring the absent classes into validation."""
    if not absent:
        return "Add labelled items to it"
    usable = cohort.rows.filter(pl.col("error").is_null())
    holders = {name: usable.filter(pl.col("label") == name)["patient"].n_unique() for name in absent}
    rare, count = min(holders.items(), key=lambda item: item[1])
    splits = len(cohort.split_names)
    if count < splits:
        has = "has" if count == 1 else "have"
        return f"Add recordings of {rare!r}: {_people(cohort, count)} {has} any, and {splits} splits need as many"
    return (
        "Divide anew so that each split has it: data.split={test: 0.2, val: 0.2}, or, where the test split is fixed, "
        "data.split={keep: [test], val: 0.2}"
    )
