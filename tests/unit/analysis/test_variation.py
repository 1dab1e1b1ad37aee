"""Uncertainty: what indicators are under other thresholds and filters."""

from __future__ import annotations

import numpy as np
import pytest

from cineloop.analysis.course import course_of
from cineloop.analysis.indicators import Facts, measure
from cineloop.analysis.result import Windows
from cineloop.analysis.settings import Settings, Variation
from cineloop.analysis.variation import grid_of, varied
from courses import course
from timelines import made_timeline


def by_name(indicators):
    return {one.definition.name: one for one in indicators}


def test_the_grid_has_each_setting_once_and_begins_with_the_one_as_it_is():
    grid = grid_of(Variation(threshold=0.1, kernel=2))
    assert grid[0] == (0.0, 1.0)
    assert set(grid) == {(shift, factor) for shift in (-0.1, 0.0, 0.1) for factor in (0.5, 1.0, 2.0)}
    assert grid_of(Variation(threshold=0, kernel=1)) == ((0.0, 1.0),)
    assert len(grid_of(Variation(threshold=0, kernel=2))) == 3


def test_each_indicator_has_its_smallest_and_largest_value():
    texts = {-0.1: "o10 i60 c5 i80 o10", 0.0: "o10 i61 c5 i79 o10", 0.1: "o10 i80 o85"}
    asked = []

    def at(shift, factor):
        asked.append((shift, factor))
        return course(texts[shift])

    settings = Settings()
    facts = Facts.of(course(texts[0.0]), settings)
    one = by_name(varied(facts, at, settings))
    assert sorted(asked) == sorted(grid_of(settings.vary)[1:])
    withdrawal = one["withdrawal_seconds"]
    assert (withdrawal.value, withdrawal.low, withdrawal.high) == pytest.approx((79, 79, 80))
    assert withdrawal.undetermined == pytest.approx(3 / 9)
    reached = one["caecum_reached"]
    assert (reached.value, reached.low, reached.high, reached.undetermined) == (1, 0, 1, 0)
    # None as it is, though a value with other thresholds.
    facts = Facts.of(course(texts[0.1]), settings)
    missing = by_name(varied(facts, lambda shift, factor: course(texts[-0.1]), settings))["withdrawal_seconds"]
    assert (missing.value, missing.low, missing.high) == (None, None, None)
    assert missing.undetermined == pytest.approx(1 / 9)


def test_values_are_those_without_variation_and_alarms_are_not_varied():
    timeline = made_timeline(1500, stride=5)
    settings = Settings()
    clips = Windows(np.array([10.0]), np.array([14.0]), {"a": np.zeros(1), "b": np.ones(1)}, np.ones(1, int), "b")
    at = lambda shift, factor: course_of(None, timeline, 60.0, settings, shift=shift, factor=factor)  # noqa: E731
    facts = Facts.of(at(0.0, 1.0), settings, clips)
    found = varied(facts, at, settings)
    for one, plain in zip(found, measure(facts, settings), strict=True):
        assert (one.definition, one.value, one.reason, one.parts) == (
            plain.definition,
            plain.value,
            plain.reason,
            plain.parts,
        )
        if one.value is None or one.definition.name.startswith("alarm"):
            assert one.low is one.high is None
        else:
            assert one.low <= one.value <= one.high
    assert by_name(found)["alarms"].value == 1
