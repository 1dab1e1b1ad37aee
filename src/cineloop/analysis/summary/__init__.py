"""The indicators of a unit: of many procedures, from a table, from the reports of analyses, or from both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cineloop.analysis.guidelines import references_for
from cineloop.analysis.summary.procedure import Procedure
from cineloop.analysis.summary.rates import RATES, Rate
from cineloop.analysis.summary.read import Procedures, Source, read_procedures
from cineloop.errors import CineloopError
from cineloop.runs import now
from cineloop.schema import did_you_mean

NOT_GIVEN = "(not given)"
"""The group of procedures whose cell is empty."""


@dataclass(frozen=True)
class Group:
    """Some procedures.

    Attributes:
        name: What they have in common.
        procedures: How many they are.
        rates: Their indicators; the same ones of each group.
    """

    name: str
    procedures: int
    rates: tuple[Rate, ...]


@dataclass(frozen=True)
class Summary:
    """What is known of a unit.

    Attributes:
        whole: All procedures.
        groups: Those of each endoscopist, or site; none where it was not asked for.
        by: The column that tells the groups.
        guideline: Against which values lie below or above.
        notes: What a reader must know of the sources.
        sources: Where the procedures come from.
        made: When, ISO 8601, UTC.
    """

    whole: Group
    groups: tuple[Group, ...] = ()
    by: str | None = None
    guideline: str | None = None
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    made: str = ""


def summarise(sources: Sequence[Path], *, by: str | None = None, guideline: str | None = None) -> Summary:
    """Return the indicators of a unit.

    Args:
        sources: As for :func:`~cineloop.analysis.summary.read.read_procedures`.
        by: A column of the tables that divides procedures into groups.
        guideline: As for :func:`~cineloop.analysis.guidelines.guideline`.

    Raises:
        CineloopError: A source cannot be read, or there is no such column or guideline.
    """
    procedures = read_procedures(sources)
    groups: tuple[Group, ...] = ()
    if by is not None:
        alike = [title for title in procedures.columns if title.strip().casefold() == by.strip().casefold()]
        by = by if by in procedures.columns or len(alike) != 1 else alike[0]
        if by not in procedures.columns:
            raise CineloopError(
                f"No table has the column {by!r}", where="--by", mend=did_you_mean(by, procedures.columns)
            )
        names = [one.others.get(by, "").strip() or NOT_GIVEN for one in procedures.rows]
        groups = tuple(
            _group(
                name,
                [one for one, its in zip(procedures.rows, names, strict=True) if its == name],
                procedures,
                guideline,
            )
            for name in sorted(set(names), key=lambda name: (name == NOT_GIVEN, name))
        )
    whole = _group("all", procedures.rows, procedures, guideline)
    return Summary(whole, groups, by, guideline, procedures.notes, procedures.sources, now())


def _group(name: str, rows: Sequence[Procedure], procedures: Procedures, guideline: str | None) -> Group:
    rates = (
        one.of(rows, procedures.told) for one in RATES if not one.pathology or procedures.told.intersection(one.needs)
    )
    return Group(name, len(rows), tuple(replace(rate, references=references_for(rate, guideline)) for rate in rates))
