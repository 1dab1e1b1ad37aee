"""Indicators, each with what stands behind it, and how clean the bowel was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cineloop.analysis.indicator import Indicator, Reference
from cineloop.analysis.report.figures import bare, percent, range_text, span, with_unit
from cineloop.analysis.report.lanes import PHASE, Lane
from cineloop.analysis.report.words import Words
from cineloop.analysis.result import Analysis
from cineloop.report.coloured import Key, Share, Shares
from cineloop.report.entries import Entries, Entry, Line
from cineloop.report.html import Block, Bullets, Fact, Facts, Paragraph


def indicators(analysis: Analysis, say: Words) -> tuple[Block, ...]:
    """Return all indicators, in the order in which they are shown."""
    if not analysis.indicators:
        return (Paragraph(say("no_indicators"), "muted"),)
    return (Entries(tuple(_entry(one, say) for one in analysis.indicators)),)


def _entry(one: Indicator, say: Words) -> Entry:
    about = one.definition
    blocks: list[Block] = [Facts(tuple(_facts(one, say)))]
    if one.remarks:
        blocks.append(Bullets(one.remarks))
    value = with_unit(one.value, about.unit, say) if one.value is not None else say("because", reason=one.reason)
    lines = tuple(_line(reference, say) for reference in one.references)
    return Entry(about.title, value, range_text(one, say), lines, tuple(blocks), muted=one.value is None)


def _line(reference: Reference, say: Words) -> Line:
    text = reference.text
    if reference.applies:
        text += f" ({say('applies', what=reference.applies)})"
    return Line(text, say(reference.side), "" if reference.verified else say("unverified"))


def _facts(one: Indicator, say: Words) -> Iterator[Fact]:
    about = one.definition
    yield Fact(say("definition"), about.definition)
    yield Fact(say("formula"), about.formula)
    yield Fact(say("source"), about.source or say("own"))
    if one.parts:
        yield Fact(say("parts"), ", ".join(f"{name} {_part(value, about.unit)}" for name, value in one.parts.items()))
    yield Fact(say("needs"), ", ".join(say(f"stage_{name}") for name in about.inputs) or say("none"))
    if one.undetermined and one.value is not None:
        yield Fact(say("variation"), say("some_undetermined", share=percent(one.undetermined)))
    for reference in one.references:
        yield Fact(say("reference"), reference.source)


def _part(value: float, unit: str) -> str:
    return bare(value, unit) if unit == "s" or (unit == "share" and 0 <= value <= 1) else f"{value:g}"


def cleanliness(analysis: Analysis, lanes: Sequence[Lane], say: Words) -> tuple[Block, ...]:
    """Return how readable time is divided among the scores of frames, of the withdrawal and of the whole stay."""
    lane = next((one for one in lanes if one.name == "bbps"), None)
    if lane is None:
        return (Paragraph(say("no_cleanliness"), "muted"),)
    out = [one for one in analysis.stretches if one.name == PHASE and one.value == "withdrawal"]
    seconds = sum((lane.within(one.start.seconds, one.stop) for one in out), np.zeros(len(lane.states)))
    title = say("bbps_withdrawal")
    if not seconds.sum():
        seconds, title = lane.within(0, analysis.seconds), say("bbps_inside")
    shares = tuple(
        Share(
            Key(say(f"bbps_{score}"), f"bbps-{score}"), time / seconds.sum(), percent(time / seconds.sum()), span(time)
        )
        for score, time in enumerate(seconds.tolist())
    )
    return (Shares(title, shares, say("bbps_note")),)
