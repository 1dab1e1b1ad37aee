"""The summary of a unit as a page for a person."""

from __future__ import annotations

from collections.abc import Iterator

from cineloop._version import __version__
from cineloop.analysis.guidelines import guideline
from cineloop.analysis.indicator import Reference
from cineloop.analysis.summary import Summary
from cineloop.analysis.summary.rates import Rate
from cineloop.analysis.summary.text import count_of, interval_of, value_text
from cineloop.report.entries import Entries, Entry, Line
from cineloop.report.html import (
    Banner,
    Block,
    Card,
    Cards,
    Cell,
    Column,
    Fact,
    Facts,
    Page,
    Paragraph,
    Range,
    Section,
    Table,
    count,
    row,
)

INTERVALS = (
    "Intervals are of 95%: Wilson's of shares, Student's of the mean. They take procedures as independent, though "
    "those of one endoscopist resemble each other."
)


def page(summary: Summary) -> Page:
    """Return the page of a summary."""
    return Page(
        title="Summary of procedures",
        kicker="Unit indicators",
        chips=(
            Fact("procedures", f"{summary.whole.procedures:,}"),
            Fact("made", summary.made[:16].replace("T", " ") + " UTC"),
            *((Fact("by", summary.by),) if summary.by else ()),
            *((Fact("guideline", guideline(summary.guideline).title),) if summary.guideline else ()),
        ),
        banners=tuple(Banner(text, "info") for text in summary.notes),
        sections=tuple(_sections(summary)),
        provenance=(
            Fact("cineloop", __version__),
            *(
                Fact(f"{source.name} ({count(source.procedures, 'procedure')}), SHA-256", source.sha256)
                for source in summary.sources
            ),
        ),
    )


def _sections(summary: Summary) -> Iterator[Section]:
    remarks = dict.fromkeys(str(remark) for rate in summary.whole.rates for remark in rate.remarks)
    paragraphs: tuple[Block, ...] = tuple(Paragraph(text, "muted") for text in (INTERVALS, *remarks))
    whole = Cards(tuple(_card(rate) for rate in summary.whole.rates))
    yield Section("All procedures", (whole, *paragraphs), short="All")
    if summary.groups:
        yield Section(f"By {summary.by}", (_groups(summary),), "Small groups vary by chance: mind the intervals.")
    yield Section(
        "What the figures are",
        (Entries(tuple(_entry(rate) for rate in summary.whole.rates)),),
        "With the values of the guideline, and on which side of them the figures of all procedures lie; whether that "
        "is good enough is not for a page to say."
        if summary.guideline
        else "How each is defined and computed.",
        "Figures",
    )


def _card(rate: Rate) -> Card:
    about = rate.definition
    if rate.value is None:
        return Card(about.title, "–", f"not determinable, because {rate.reason}", about.definition)
    detail = ", ".join(part for part in (interval_of(rate), f"of {count_of(rate)}") if part)
    scale = None
    if about.unit == "share" and rate.low is not None and rate.high is not None:
        scale = Range(rate.value, rate.low, rate.high)
    return Card(about.title, value_text(rate.value, about.unit), detail, about.definition, scale)


def _groups(summary: Summary) -> Table:
    # What is known of no procedure is told once, with its reason, and is no column.
    rates = [rate for rate in summary.whole.rates if rate.value is not None]
    names = {rate.definition.name for rate in rates}
    columns = (
        Column(summary.by or ""),
        Column("Procedures", numeric=True),
        *(Column(rate.definition.title, numeric=True, hint=rate.definition.definition) for rate in rates),
    )
    rows = tuple(
        row(
            group.name, f"{group.procedures:,}", *(_cell(rate) for rate in group.rates if rate.definition.name in names)
        )
        for group in summary.groups
    )
    return Table(f"{count(len(rows), 'group')}, each with its intervals and counts.", columns, rows)


def _cell(rate: Rate) -> Cell:
    if rate.value is None:
        return Cell("–", "muted", str(rate.reason))
    detail = ", ".join(part for part in (interval_of(rate), count_of(rate)) if part)
    return Cell(value_text(rate.value, rate.definition.unit), detail=detail)


def _entry(rate: Rate) -> Entry:
    about = rate.definition
    facts = [Fact("definition", about.definition), Fact("formula", about.formula)]
    facts.append(Fact("source", about.source or "this software's own"))
    facts += [Fact("reference", reference.source) for reference in rate.references]
    value = f"not determinable, because {rate.reason}" if rate.value is None else value_text(rate.value, about.unit)
    lines = tuple(_line(reference) for reference in rate.references)
    return Entry(about.title, value, interval_of(rate), lines, (Facts(tuple(facts)),), muted=rate.value is None)


def _line(reference: Reference) -> Line:
    text = reference.text + (f" (for {reference.applies})" if reference.applies else "")
    return Line(text, reference.side, "" if reference.verified else "figure not verified in the source")
