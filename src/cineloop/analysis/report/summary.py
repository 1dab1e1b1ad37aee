"""What a reader sees first: warnings, and the figures that matter most."""

from __future__ import annotations

from collections.abc import Sequence

from cineloop.analysis.indicator import Indicator
from cineloop.analysis.report.figures import lasting, range_text, with_unit
from cineloop.analysis.report.words import Words
from cineloop.analysis.result import Analysis
from cineloop.report.html import Banner, Card, Cards, Paragraph, Range

HEADLINE = (
    "withdrawal_seconds",
    "readable_withdrawal_seconds",
    "caecum_reached",
    "unreadable_share",
    "clean_share",
    "alarms",
)
"""The indicators on cards, in this order; where hardly any of them is there, the first six of the analysis."""

_CARDS = 6
_BANNERS = 3


def banners(analysis: Analysis, say: Words) -> tuple[Banner, ...]:
    """Return warnings, the first three in full, and how much could not be decoded."""
    found = [Banner(text) for text in analysis.warnings[:_BANNERS]]
    more = len(analysis.warnings) - len(found)
    if more > 0:
        found.append(Banner(say("more_warnings", n=more)))
    if analysis.gaps:
        lost = lasting(sum(gap.end - gap.start for gap in analysis.gaps), say)
        found.append(Banner(say("gap_banner", n=len(analysis.gaps), time=lost), "info"))
    return tuple(found)


def cards(analysis: Analysis, say: Words) -> tuple[Cards | Paragraph, ...]:
    """Return the figures that matter most, each with its range or the reason why there is none."""
    chosen = _chosen(analysis.indicators)
    if not chosen:
        return (Paragraph(say("no_indicators"), "muted"),)
    shown = tuple(_card(one, say, lead=number == 0) for number, one in enumerate(chosen))
    note = (Paragraph(say("range_is"), "muted"),) if any(one.low is not None for one in chosen) else ()
    return (Cards(shown), *note)


def _chosen(indicators: Sequence[Indicator]) -> Sequence[Indicator]:
    by_name = {one.definition.name: one for one in indicators}
    known = [by_name[name] for name in HEADLINE if name in by_name]
    return known if len(known) >= min(3, len(indicators)) else indicators[:_CARDS]


def _card(one: Indicator, say: Words, *, lead: bool) -> Card:
    about = one.definition
    if one.value is None:
        assert one.reason is not None, "a value, or a reason"
        return Card(say.title(about), "–", say.missing(one.reason), say.definition(about))
    value = with_unit(one.value, about.unit, say)
    return Card(say.title(about), value, range_text(one, say), say.definition(about), _range(one), lead)


def _range(one: Indicator) -> Range | None:
    """Return where a value and its range stand on a scale from nothing to all, or to a little beyond the largest."""
    if one.value is None or one.low is None or one.high is None or one.low < 0 or one.definition.unit == "yes":
        return None
    top = 1.0 if one.definition.unit == "share" else 1.15 * max(one.high, one.value)
    return Range(one.value / top, one.low / top, one.high / top) if top > 0 and one.high <= top else None
