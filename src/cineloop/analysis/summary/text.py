"""The figures of a unit as text."""

from __future__ import annotations

from cineloop.analysis.summary.rates import Rate
from cineloop.report.html import number


def value_text(value: float | None, unit: str) -> str:
    """Return a value with its unit: a share in per cent, a time as minutes and seconds; a dash where there is none."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{number(100 * value, 1)}%"
    if unit == "s":
        minutes, seconds = divmod(round(value), 60)
        return f"{minutes}:{seconds:02d} min"
    return f"{value:g}"


def interval_of(rate: Rate) -> str:
    """Return a rate's interval; empty where there is none."""
    if rate.low is None or rate.high is None:
        return ""
    low, high = (value_text(end, rate.definition.unit) for end in (max(0.0, rate.low), rate.high))
    return f"{low.removesuffix('%').removesuffix(' min')}–{high}"


def count_of(rate: Rate) -> str:
    """Return of how many procedures a rate is, and of how many it is not known."""
    counted = f"{rate.n}" if rate.hits is None else f"{rate.hits}/{rate.n}"
    return f"{counted}, {rate.missing} not known" if rate.missing else counted
