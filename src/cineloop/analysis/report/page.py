"""``report.html``: an analysed procedure as one page, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from cineloop.analysis.report.curves import curves_of
from cineloop.analysis.report.figures import clock, percent, with_unit
from cineloop.analysis.report.indicators import cleanliness, indicators
from cineloop.analysis.report.lanes import PHASES, Lane, lanes_of
from cineloop.analysis.report.pack import blob
from cineloop.analysis.report.still import still
from cineloop.analysis.report.summary import banners, cards
from cineloop.analysis.report.tables import events, models, recording
from cineloop.analysis.report.words import Words, capital
from cineloop.analysis.result import Analysis, BestFrame
from cineloop.analysis.words.furniture import FURNITURE
from cineloop.report.coloured import Keys
from cineloop.report.html import (
    Block,
    Fact,
    Figure,
    Gallery,
    Live,
    Page,
    Paragraph,
    Picture,
    Section,
    Strip,
)
from cineloop.report.program import Program

_OWN = ("data", "clock", "view", "lanes", "curves", "marks", "timeline", "moment", "player", "hands", "page")
_SCRIPTS = ("shared/unpack.js", "shared/dom.js", *(f"analysis/{name}.js" for name in _OWN))


def page(analysis: Analysis) -> Page:
    """Return the page of an analysis, in the language of its settings.

    It needs nothing but itself; it plays ``analysis.videos`` where they lie beside it.
    """
    say = Words(analysis.settings.language)
    analysis = replace(analysis, best=_ordered(analysis.best))
    lanes = lanes_of(analysis, say)
    return Page(
        title=analysis.name,
        kicker=say("kicker"),
        subtitle=say("subtitle"),
        chips=_chips(analysis, say),
        banners=banners(analysis, say),
        watermark=analysis.watermark,
        sections=_sections(analysis, lanes, say),
        provenance=(
            Fact(say("fingerprint"), analysis.fingerprint),
            *(Fact(name, version) for name, version in analysis.versions.items()),
        ),
        footnote=f"{say('fingerprint_is')} {say('footnote')}",
        program=Program(
            _SCRIPTS,
            "analysis/page.css",
            blob(analysis, lanes, curves_of(analysis, say), say),
            # Browsers differ in whether a page that is a file has an origin that 'self' could mean.
            media=("blob:", "'self'", "file:") if analysis.videos else ("blob:",),
        ),
        furniture=FURNITURE[say.language],
    )


def _chips(analysis: Analysis, say: Words) -> tuple[Fact, ...]:
    first = analysis.parts[0]
    return (
        Fact(say("duration"), with_unit(analysis.seconds, "s", say)),
        Fact(say("analysed"), analysis.made[:16].replace("T", " ") + " UTC"),
        *([Fact(say("files"), str(len(analysis.parts)))] if len(analysis.parts) > 1 else []),
        Fact(say("picture"), f"{first.width} × {first.height}, {first.fps:g} fps"),
        Fact(say("looked"), f"{len(analysis.timeline):,}"),
    )


def _sections(analysis: Analysis, lanes: Sequence[Lane], say: Words) -> tuple[Section, ...]:
    return (
        Section(say("summary"), cards(analysis, say)),
        Section(say("timeline"), _timeline(analysis, lanes, say), say("timeline_intro")),
        Section(say("indicators"), indicators(analysis, say), say("indicators_intro")),
        Section(say("cleanliness"), cleanliness(analysis, lanes, say)),
        Section(say("best"), _gallery(analysis.best, say), say("best_intro")),
        Section(say("events"), events(analysis, say)),
        Section(say("models"), models(analysis, say)),
        Section(say("recording"), recording(analysis, say), short=say("recording_short")),
    )


def _timeline(analysis: Analysis, lanes: Sequence[Lane], say: Words) -> tuple[Block, ...]:
    keys = Keys(tuple((lane.title, lane.states) for lane in lanes))
    drawing = Figure(still(analysis, lanes, say), say("needs_script"))
    return Live("timeline", (drawing,)), Live("moment"), keys, Paragraph(say("exact"), "muted")


def _ordered(best: Sequence[BestFrame]) -> tuple[BestFrame, ...]:
    """Return best frames phase by phase, in each in order of time."""
    rank = {phase: place for place, phase in enumerate(PHASES)}
    return tuple(sorted(best, key=lambda one: (rank.get(one.phase, len(rank)), one.phase, one.place.seconds)))


def _gallery(best: Sequence[BestFrame], say: Words) -> tuple[Block, ...]:
    if not best:
        return (Paragraph(say("no_best"), "muted"),)
    strips = []
    for phase, frames in groupby(best, key=lambda one: one.phase):
        title = say.phase(phase)
        strips.append(Strip(capital(title), tuple(_picture(one, title, say) for one in frames)))
    return (Live("best", (Gallery(tuple(strips)),)),)


def _picture(one: BestFrame, phase: str, say: Words) -> Picture:
    time = clock(one.place.seconds)
    # Where much is removed even the sharpest that is left is not among the sharpest of the recording.
    sharp = one.sharpness >= 0.5
    rank = percent(max(0.01, 1 - one.sharpness)) if sharp else percent(one.sharpness)
    caption = f"{time} · {say('sharpest' if sharp else 'sharper', share=rank)}"
    alt = say("best_alt", time=time, phase=phase)
    return Picture(one.picture.jpeg, alt, one.picture.width, one.picture.height, caption=caption)
