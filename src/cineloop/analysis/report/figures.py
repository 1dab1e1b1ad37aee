"""Figures as text: times, values with their units, ranges."""

from __future__ import annotations

from cineloop.analysis.indicator import Indicator
from cineloop.analysis.report.words import Words
from cineloop.report.html import number
from cineloop.report.render.moment import clock_text


def clock(seconds: float) -> str:
    """Return a moment of the procedure as ``hh:mm:ss``."""
    return clock_text(seconds, hours=True).zfill(8)


def span(seconds: float) -> str:
    """Return how long something lasts as ``m:ss``, ``h:mm:ss`` from an hour on, to the nearest second."""
    whole = int(seconds + 0.5)
    return clock_text(whole, hours=whole >= 3600)


def percent(share: float, digits: int = 0) -> str:
    """Return a share in per cent."""
    return f"{number(100 * share, digits)}%"


def bare(value: float, unit: str) -> str:
    """Return a value without the name of its unit."""
    if unit == "s":
        return span(value)
    if unit == "share":
        return percent(value, 1)
    return number(value, 0 if float(value).is_integer() else 2)


def part_text(value: float, name: str) -> str:
    """Return a part of an indicator, whose name ends with its unit: ``inside_seconds``, ``bbps3_share``."""
    return bare(value, {"seconds": "s", "share": "share"}.get(name.rpartition("_")[2], ""))


def with_unit(value: float, unit: str, say: Words) -> str:
    """Return a value with its unit in words."""
    text = bare(value, unit)
    if unit == "yes":
        return say("yes" if value else "no")
    if unit != "s":
        return text
    minutes, seconds = divmod(int(value + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return say("h" if hours else "min", time=text, hours=hours, minutes=minutes, seconds=seconds)


def lasting(seconds: float, say: Words) -> str:
    """Return how long something lasts with its unit; below ten seconds as seconds with tenths, at least one if any."""
    if round(seconds, 1) < 10:
        return say("s", time=number(max(0.1, seconds), 1) if seconds > 0 else "0")
    return with_unit(seconds, "s", say)


def range_text(indicator: Indicator, say: Words) -> str:
    """Return the range of a value under varied settings, empty where there is none."""
    if indicator.value is None or indicator.low is None or indicator.high is None:
        return ""
    unit = indicator.definition.unit
    ends = (indicator.low, indicator.high)
    low, high = (with_unit(end, unit, say) if unit == "yes" else bare(end, unit) for end in ends)
    return say("unvaried") if low == high else say("to", low=low, high=high)
