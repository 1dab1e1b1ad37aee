"""The figures of a unit as text."""

from __future__ import annotations

from cineloop.analysis.report.figures import with_unit
from cineloop.analysis.report.words import Words
from cineloop.analysis.summary.rates import Rate

_SAY = Words("en")


def value_text(value: float | None, unit: str) -> str:
    """Return a value with its unit as a report tells it; a dash where there is none."""
    return "–" if value is None else with_unit(value, unit, _SAY)


def interval_of(rate: Rate) -> str:
    """Return a rate's interval; empty where there is none."""
    if rate.low is None or rate.high is None:
        return ""
    low, high = (value_text(end, rate.definition.unit) for end in (max(0.0, rate.low), rate.high))
    unit = high.lstrip("0123456789:.")
    return f"{low.removesuffix(unit)}–{high}"


def count_of(rate: Rate) -> str:
    """Return of how many procedures a rate is, and of how many it is not known."""
    counted = f"{rate.n}" if rate.hits is None else f"{rate.hits}/{rate.n}"
    return f"{counted}, {rate.missing} not known" if rate.missing else counted
