"""The page of a table of samples: what it is, figures that need no script, and the interactive rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cineloop.report.html import Banner, Column, Fact, Facts, Live, Page, Paragraph, Section, Table, count, number
from cineloop.report.program import Program
from cineloop.report.sampling.pack import blob
from cineloop.report.sampling.samples import Samples
from cineloop.report.sampling.sheets import Sheet
from cineloop.report.sampling.statistics import Summary, summarise

BUDGET = 1_200_000
"""Sampled frames on a page; more are thinned out by epochs. Each takes a byte or two."""

_READING = "Every mark is a sampled frame. A method ×3 has three rows of the video: rounds or epochs. Many are a shade."
_OWN = ("data", "measures", "dom", "controls", "timeline", "charts", "sheets", "page")
_SCRIPTS = ("shared/unpack.js", "shared/dom.js", *(f"sampling/{name}.js" for name in _OWN))
_KINDS = {
    "decoded": (
        "Decoded",
        "These frames were decoded: each was recorded by the process that read it, while it was read.",
    ),
    "planned": (
        "Planned",
        "Nothing was decoded or trained: these are the frames that each method would choose.",
    ),
    "read": (
        "From CSV files",
        "These frames stand in CSV files. What a model was really shown, they do not prove: the published training "
        "writes such files, but its sampling option does not change what its decoder reads.",
    ),
}


@dataclass(frozen=True)
class Origin:
    """Where a table comes from.

    Attributes:
        kind: ``decoded`` by a run, ``planned`` by samplers, or ``read`` from published CSV files.
        title: The cohort's or data set's name.
        names: How videos are called: ``pseudonyms``, ``plain``, or ``as recorded``.
        clock: Whose frame times these are, as a sentence.
        facts: What else is known: seeds, fingerprints.
        notes: A method's name, and what it does in words.
        remarks: What a reader must know, as sentences.
    """

    kind: Literal["decoded", "planned", "read"]
    title: str
    names: Literal["pseudonyms", "plain", "as recorded"]
    clock: str
    facts: tuple[Fact, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()


_NAMES = {
    "pseudonyms": "pseudonyms, made with a secret of this machine; `cineloop cohort find` turns them back there",
    "plain": "as in the cohort",
    "as recorded": "as in the files that were read",
}


def page(samples: Samples, origin: Origin, *, sheets: Sequence[Sheet] = ()) -> Page:
    """Return the page.

    Args:
        samples: The table, with the names that the page shall show.
        origin: Where it comes from.
        sheets: Frames to show, of rows of this table.
    """
    shown = samples if sheets else samples.thinned(BUDGET)
    n_epochs = len([epoch for epoch in samples.epochs if epoch])
    kept = len([epoch for epoch in shown.epochs if epoch])
    word, said = _KINDS[origin.kind]
    remarks = list(origin.remarks)
    if kept < n_epochs:
        remarks.append(f"{kept} of {n_epochs} epochs are on this page, first and last among them.")
    still = Paragraph("Selecting, and the parts without content, need scripts; the figures do not.", "muted")
    sections = [
        Section("Selection", (Live("controls", (still,)),)),
        Section("Figures", (Live("summary", (_table(summarise(shown)),)),)),
        Section("Videos", (Live("timeline"),), intro=_READING),
        Section("Distributions", (Live("charts"),)),
    ]
    if sheets:
        sections.append(Section("Frames", (Live("sheets"),)))
    sections.append(Section("Where this comes from", (Facts(_facts(samples, origin)),), short="Origin"))
    return Page(
        title=origin.title,
        kicker="Frame sampling",
        subtitle=said,
        chips=(
            Fact("what", word.lower()),
            Fact("videos", f"{len(samples.clips):,}"),
            Fact("methods", f"{len(samples.methods)}"),
            Fact("rows", f"{len(samples):,}"),
        ),
        banners=tuple(Banner(text, "info") for text in remarks),
        sections=tuple(sections),
        program=Program(
            _SCRIPTS,
            "sampling/page.css",
            blob(shown, notes=origin.notes, sheets=sheets),
        ),
    )


def _facts(samples: Samples, origin: Origin) -> tuple[Fact, ...]:
    rounds = int((samples.round > 0).sum())
    epochs = [epoch for epoch in samples.epochs if epoch]
    return (
        *(Fact(name, text) for name, text in origin.notes),
        *origin.facts,
        Fact("rows", f"{len(samples) - rounds:,} originals, {count(rounds, 'row')} of augmentation rounds"),
        *([Fact("epochs", f"{min(epochs)} to {max(epochs)}")] if epochs else []),
        Fact("names", _NAMES[origin.names]),
        Fact("times", origin.clock),
    )


def _table(rows: Sequence[Summary]) -> Table:
    """Return the figures as they stand before anything is filtered, for paper and for browsers without scripts."""
    return Table(
        "All rows, by method and split.",
        (
            Column("Method"),
            Column("Split"),
            Column("Rows", numeric=True),
            Column("Videos", numeric=True),
            Column("Frames", numeric=True),
            Column("Span", numeric=True),
            Column("Windows hit", numeric=True),
            Column("Longest gap", numeric=True),
            Column("Gap CV", numeric=True),
            Column("Rows with repeats", numeric=True),
            Column("Frames seen", numeric=True),
        ),
        tuple(
            (
                row.method,
                row.split,
                f"{row.rows:,}",
                f"{row.videos:,}",
                f"{row.frames:.1f}",
                _share(row.span),
                _share(row.windows),
                _share(row.gap),
                number(row.variation, 2),
                _share(row.repeated),
                _share(row.distinct),
            )
            for row in rows
        ),
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}%"
