"""Indicators, each with what stands behind it, and how clean the bowel was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cineloop.analysis.indicator import Indicator, Reference
from cineloop.analysis.report.figures import lasting, part_text, percent, range_text, with_unit
from cineloop.analysis.report.lanes import Lane
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
    yield Fact(say("formula"), say.formula(about))
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
    """Return how readable time is divided among the scores of frames: of the withdrawal, else of the whole stay.

    Of the withdrawal these are the parts of ``clean_share``, so that the two cannot disagree.
    """
    lane = next((one for one in lanes if one.name == "bbps"), None)
    clean = next((one for one in analysis.indicators if one.definition.name == "clean_share"), None)
    if clean is not None and clean.value is not None:
        title = say("bbps_withdrawal")
        seconds = [clean.parts["readable_seconds"] * clean.parts[f"bbps{score}_share"] for score in range(4)]
    elif lane is not None:
        title, seconds = say("bbps_inside"), lane.within(0, analysis.seconds).tolist()
    else:
        return (Paragraph(say("no_cleanliness"), "muted"),)
    whole = sum(seconds)
    shares = tuple(
        Share(Key(say(f"bbps_{score}"), f"bbps-{score}"), time / whole, percent(time / whole), lasting(time, say))
        for score, time in enumerate(seconds)
    )
    return (Shares(title, shares, say("bbps_note")),)
