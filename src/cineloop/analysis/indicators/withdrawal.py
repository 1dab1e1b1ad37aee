"""How long the withdrawal takes, and how much of it can be seen."""

from __future__ import annotations

from cineloop.analysis.indicator import Definition
from cineloop.analysis.indicators.caecum import look_remarks
from cineloop.analysis.indicators.facts import Facts, Finding, Measure
from cineloop.analysis.settings import Settings
from cineloop.analysis.spans import Spans, total, without
from cineloop.analysis.words import Said

_TOLD = 1.5
"""Seconds in which nothing can be recognised from which on it is told that the withdrawal begins in them."""


def examined(facts: Facts, settings: Settings) -> Spans:
    """Return the withdrawal without the user's pauses; nothing where there is none."""
    withdrawal = facts.phases.withdrawal
    return () if withdrawal is None else without((withdrawal,), settings.pauses)


def cut_remark(facts: Facts) -> tuple[Said, ...]:
    """Return what is to be said of a withdrawal that the recording does not have to its end."""
    return (Said("at_least_ends_inside"),) if facts.phases.cut else ()


def _withdrawal(facts: Facts, settings: Settings) -> Finding:
    span = facts.phases.withdrawal
    if span is None:
        return Finding(reason=facts.phases.why_not("withdrawal_start"))
    whole, net = span[1] - span[0], total(examined(facts, settings))
    parts = {"start_seconds": span[0], "stop_seconds": span[1], "whole_seconds": whole, "paused_seconds": whole - net}
    elsewhere = (Said("pauses_elsewhere"),) if settings.pauses and net == whole else ()
    look = facts.phases.looks[-1]
    blind = max(0.0, look.blind - look.stop)
    unseen = (Said("left_unseen", {"seconds": blind}),) if blind >= _TOLD else ()
    low, high = (total(without(((start, span[1]),), settings.pauses)) for start in (look.stop + blind, look.stop))
    remarks = cut_remark(facts) + look_remarks(facts.phases) + unseen + elsewhere
    return Finding(net, parts=parts, remarks=remarks, low=low, high=high)


def _readable(facts: Facts, settings: Settings) -> Finding:
    span = facts.phases.withdrawal
    if span is None:
        return Finding(reason=facts.phases.why_not("withdrawal_start"))
    spans = examined(facts, settings)
    seen = facts.seen_in(spans)
    withdrawal = total(spans)
    paused = span[1] - span[0] - withdrawal
    parts = {"withdrawal_seconds": withdrawal, **seen.parts, "paused_seconds": paused}
    del parts["readable_seconds"]
    return Finding(seen.readable, parts=parts, remarks=cut_remark(facts))


WITHDRAWAL = Measure(
    Definition(
        name="withdrawal_seconds",
        title="Withdrawal time",
        unit="s",
        definition="From when the scope leaves the caecum for the last time to when it is out of the body, without the "
        "pauses that the user gave. Guidelines mean examinations without biopsy or polypectomy.",
        formula="start of the next sustained stay outside - end of the last look at the ileocecal region (middle of "
        "what follows it in which nothing can be recognised) - pauses",
        source="Barclay et al. 2006, doi 10.1056/NEJMoa055498",
        inputs=("inbody", "quality"),
    ),
    _withdrawal,
)

READABLE_WITHDRAWAL = Measure(
    Definition(
        name="readable_withdrawal_seconds",
        title="Readable withdrawal time",
        unit="s",
        definition="The part of the withdrawal time in which the picture is good enough to recognise something. Our "
        "own; others call such a time effective withdrawal time.",
        formula="withdrawal time - frames in which nothing can be recognised - frames outside - frames not decoded",
        source="",
        inputs=("inbody", "quality"),
    ),
    _readable,
)
