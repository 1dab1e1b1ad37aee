"""Indicators, each with what stands behind it, and how clean the bowel was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cineloop.analysis.indicator import Indicator, Reference
from cineloop.analysis.report.figures import part_text, percent, range_text, span, with_unit
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
        blocks.append(Bullets(tuple(say.said(remark) for remark in one.remarks)))
    value = say.missing(one.reason) if one.reason is not None else with_unit(one.value or 0.0, about.unit, say)
    lines = tuple(_line(reference, say) for reference in one.references)
    return Entry(say.title(about), value, range_text(one, say), lines, tuple(blocks), muted=one.value is None)


def _line(reference: Reference, say: Words) -> Line:
    text = reference.text
    if reference.applies:
        text += f" ({say('applies', what=reference.applies)})"
    return Line(text, say.side(reference.side), "" if reference.verified else say.unverified)


def _facts(one: Indicator, say: Words) -> Iterator[Fact]:
    about = one.definition
    yield Fact(say("definition"), say.definition(about))
    yield Fact(say("formula"), about.formula)
    yield Fact(say("source"), about.source or say("own"))
    if one.parts:
        parts = (f"{say.part(name)} {part_text(value, name)}" for name, value in one.parts.items())
        yield Fact(say("parts"), ", ".join(parts))
    yield Fact(say("needs"), ", ".join(say(f"stage_{name}") for name in about.inputs) or say("none"))
    if one.undetermined and one.value is not None:
        yield Fact(say("variation"), say("some_undetermined", share=percent(one.undetermined)))
    for reference in one.references:
        yield Fact(say("reference"), reference.source)


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
