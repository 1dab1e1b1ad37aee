"""The indicators of a procedure: a file a family, and the table of all."""

from __future__ import annotations

from cineloop.analysis.indicator import Indicator
from cineloop.analysis.indicators.alarms import ALARM_SHARE, ALARMS
from cineloop.analysis.indicators.bbps import BBPS
from cineloop.analysis.indicators.body import INBODY, INSERTION_START
from cineloop.analysis.indicators.caecum import REACHED, TIME_TO_CAECUM
from cineloop.analysis.indicators.cleanliness import CLEAN
from cineloop.analysis.indicators.facts import Facts, Finding, Measure
from cineloop.analysis.indicators.instruments import INSTRUMENTS
from cineloop.analysis.indicators.readability import UNREADABLE, UNREADABLE_WITHDRAWAL
from cineloop.analysis.indicators.withdrawal import READABLE_WITHDRAWAL, WITHDRAWAL
from cineloop.analysis.settings import Settings

MEASURES: tuple[Measure, ...] = (
    INBODY,
    INSERTION_START,
    REACHED,
    TIME_TO_CAECUM,
    WITHDRAWAL,
    READABLE_WITHDRAWAL,
    UNREADABLE,
    UNREADABLE_WITHDRAWAL,
    CLEAN,
    *BBPS,
    ALARMS,
    ALARM_SHARE,
    INSTRUMENTS,
)
"""All indicators, in the order in which they are shown."""

__all__ = ["MEASURES", "Facts", "Finding", "Measure", "measure"]


def measure(facts: Facts, settings: Settings) -> tuple[Indicator, ...]:
    """Return every indicator of a procedure, with its value or the reason why there is none; settings as they are."""
    found = ((one.definition, one.find(facts, settings)) for one in MEASURES)
    return tuple(
        Indicator(definition, one.value, one.reason, low=one.low, high=one.high, parts=one.parts, remarks=one.remarks)
        for definition, one in found
    )
