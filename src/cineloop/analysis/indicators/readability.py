"""How often nothing can be recognised."""

from __future__ import annotations

from cineloop.analysis.indicator import Definition
from cineloop.analysis.indicators.facts import Facts, Finding, Measure
from cineloop.analysis.indicators.withdrawal import examined
from cineloop.analysis.settings import Settings
from cineloop.analysis.spans import Spans
from cineloop.analysis.words import Said


def _share(facts: Facts, spans: Spans) -> Finding:
    if facts.course.nonsense is None:
        return Finding(reason=Said("no_quality_model"))
    seen = facts.seen_in(spans)
    judged = seen.readable + seen.unreadable
    if not judged:
        return Finding(reason=Said("nothing_decoded"), parts=seen.parts)
    return Finding(seen.unreadable / judged, parts=seen.parts)


def _inside(facts: Facts, settings: Settings) -> Finding:
    reason = facts.phases.why_not("inside")
    return Finding(reason=reason) if reason is not None else _share(facts, facts.phases.stays)


def _withdrawal(facts: Facts, settings: Settings) -> Finding:
    reason = facts.phases.why_not("withdrawal_start")
    return Finding(reason=reason) if reason is not None else _share(facts, examined(facts, settings))


UNREADABLE = Measure(
    Definition(
        name="unreadable_share",
        title="Unreadable share",
        unit="share",
        definition="The share of the time in the body in which nothing can be recognised: blur, wall contact, bubbles, "
        "fluid. Our own.",
        formula="unreadable seconds / (readable + unreadable seconds), in the stays inside",
        source="",
        inputs=("inbody", "quality"),
    ),
    _inside,
)

UNREADABLE_WITHDRAWAL = Measure(
    Definition(
        name="unreadable_withdrawal_share",
        title="Unreadable share of the withdrawal",
        unit="share",
        definition="The share of the withdrawal, without pauses, in which nothing can be recognised. Our own.",
        formula="unreadable seconds / (readable + unreadable seconds), in the withdrawal",
        source="",
        inputs=("inbody", "quality"),
    ),
    _withdrawal,
)
