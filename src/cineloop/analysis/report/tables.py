"""Events and gaps, models, files and settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cineloop.analysis.report.figures import clock, lasting, span
from cineloop.analysis.report.words import Words
from cineloop.analysis.result import Analysis, Event, Gap, PartFacts, StageFacts
from cineloop.report.html import (
    Block,
    Bullets,
    Cell,
    Column,
    Details,
    Fact,
    Facts,
    Grid,
    Live,
    Paragraph,
    Row,
    Stack,
    Table,
)


def events(analysis: Analysis, say: Words) -> tuple[Block, ...]:
    """Return what happened and what could not be decoded."""
    if not analysis.events:
        found: list[Block] = [Paragraph(say("no_events"), "muted")]
    else:
        several = len(analysis.parts) > 1
        columns = [Column(say("time")), Column(say("event")), Column(say("detail"))]
        # Of a whole recording everything is known at its end.
        known = [Column(say("known_at"), numeric=True, hint=say("known_hint"))] if analysis.settings.causal else []
        columns += [*known, Column(say("frame"), numeric=True)]
        columns += [Column(say("in_file"))] if several else []
        rows = tuple(_event(event, analysis, say) for event in analysis.events)
        found = [Live("events", (Table(say("events_caption"), tuple(columns), rows),))]
    if analysis.gaps:
        columns = [Column(say("from")), Column(say("until")), Column(say("lasts"), numeric=True)]
        columns += [Column(say("frames"), numeric=True)]
        found.append(Table(say("gaps_caption"), tuple(columns), tuple(_gap(gap, say) for gap in analysis.gaps)))
    return tuple(found)


def _event(event: Event, analysis: Analysis, say: Words) -> Row:
    place = event.place
    cells = [clock(place.seconds), say.event(event.name), event.detail]
    cells += [clock(event.known_at)] if analysis.settings.causal else []
    cells.append(f"{place.frame:,}")
    if len(analysis.parts) > 1:
        cells.append(f"{place.part + 1}: {clock(place.part_seconds)}")
    return tuple(cells)


def _gap(gap: Gap, say: Words) -> Row:
    first = Cell(clock(gap.start), detail=gap.reason)
    return first, clock(gap.end), lasting(gap.end - gap.start, say), f"{gap.stop - gap.first:,}"


def models(analysis: Analysis, say: Words) -> tuple[Block, ...]:
    """Return what each model is."""
    found = []
    for stage in analysis.stages:
        blocks: list[Block] = [Paragraph(say(f"stage_{stage.stage}"), "muted"), Facts(tuple(_stage(stage, say)))]
        if stage.warnings:
            blocks.append(Bullets(stage.warnings))
        found.append(Stack(tuple(blocks)))
    return (Grid(tuple(found)),)


def _stage(stage: StageFacts, say: Words) -> Iterator[Fact]:
    said = ", ".join(f"{name} ≥ {value:g}" for name, value in stage.thresholds.items()) or say("none")
    yield Fact(say("run"), stage.run or say("weights_alone"))
    yield Fact(say("architecture"), stage.architecture)
    yield Fact(say("engine"), stage.engine)
    yield Fact(say("tells"), ", ".join(stage.classes))
    yield Fact(say("thresholds"), say("tuned" if stage.tuned else "untuned", what=said))
    yield Fact(say("judged"), f"{stage.looked:,}")
    yield Fact(say("weights"), stage.weights_sha256)
    yield Fact(say("corpus"), stage.corpus or say("unknown"))


def recording(analysis: Analysis, say: Words) -> tuple[Block, ...]:
    """Return the files, the settings, and all warnings."""
    columns = [Column(say("file")), Column(say("begins"), numeric=True), Column(say("lasts"), numeric=True)]
    columns += [Column(say("frames"), numeric=True), Column(say("rate"), numeric=True)]
    columns += [Column(say("size"), numeric=True), Column(say("codec"))]
    settings = _flat(analysis.settings.model_dump(mode="json"), say)
    warnings = Bullets(analysis.warnings) if analysis.warnings else Paragraph(say("no_warnings"), "muted")
    return (
        Table(say("files_caption"), tuple(columns), tuple(_part(part, say) for part in analysis.parts)),
        Details(say("settings"), (Facts(tuple(settings)),)),
        Details(say("warnings"), (warnings,), open=bool(analysis.warnings)),
    )


def _part(part: PartFacts, say: Words) -> Row:
    name = f"{part.name} ({say('truncated')})" if part.truncated else part.name
    numbers = clock(part.start), span(part.seconds), f"{part.frames:,}", f"{part.fps:g}"
    return Cell(name, detail=f"SHA-256 {part.sha256}"), *numbers, f"{part.width} × {part.height}", part.codec


def _flat(values: Mapping[str, Any], say: Words, before: str = "") -> Iterator[Fact]:
    """Yield the settings by their keys, sections with a dot."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, say, f"{before}{name}.")
        else:
            yield Fact(before + name, _text(value, say))


def _text(value: Any, say: Words) -> str:
    if isinstance(value, list):
        said = (f"{one[0]:g}–{one[1]:g}" if isinstance(one, list) else _text(one, say) for one in value)
        return ", ".join(said) or "–"
    if isinstance(value, bool):
        return say("yes" if value else "no")
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
