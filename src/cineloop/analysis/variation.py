"""How much indicators depend on thresholds and filters, which nobody knows exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import TypeAlias

from cineloop.analysis.course import Course
from cineloop.analysis.indicator import Indicator
from cineloop.analysis.indicators import MEASURES, Facts, measure
from cineloop.analysis.settings import Settings, Variation

CourseAt: TypeAlias = Callable[[float, float], Course]
"""Decides the course anew: with a shift of each threshold, and filters widened by a factor."""


def grid_of(vary: Variation) -> tuple[tuple[float, float], ...]:
    """Return the settings to try as pairs of a shift and a factor, each once, the ones as they are first."""
    shifts = dict.fromkeys((0.0, -vary.threshold, vary.threshold))
    factors = dict.fromkeys((1.0, 1 / vary.kernel, vary.kernel))
    return tuple(product(shifts, factors))


def varied(facts: Facts, course_at: CourseAt, settings: Settings) -> tuple[Indicator, ...]:
    """Return every indicator of a procedure with its smallest and largest value over varied settings.

    Args:
        facts: The procedure, decided with the settings as they are.
        course_at: Decides its course with others.
        settings: How far they are varied.
    """
    indicators = measure(facts, settings)
    others = [
        measure(Facts.of(course_at(shift, factor), settings, facts.windows), settings)
        for shift, factor in grid_of(settings.vary)[1:]
    ]
    everywhere = zip(indicators, *others, strict=True)
    return tuple(_spread(same) if one.varies else same[0] for one, same in zip(MEASURES, everywhere, strict=True))


def _spread(same: Sequence[Indicator]) -> Indicator:
    """Return the first of an indicator's versions, with what all of them say."""
    found = [one for one in same if one.value is not None]
    values = [value for one in found for value in (one.value, one.low, one.high) if value is not None]
    undetermined = 1 - len(found) / len(same)
    if same[0].value is None:
        return replace(same[0], undetermined=undetermined)
    return replace(same[0], low=min(values), high=max(values), undetermined=undetermined)
