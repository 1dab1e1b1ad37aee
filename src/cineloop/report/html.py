"""One page toolkit for everything the product writes: self-contained, offline, and without scripts but for one kind.

A page is plain data (:class:`Page` of :class:`Section` of blocks) and one template turns it into HTML. All text is
escaped by the template; the only markup that passes through is a :class:`~cineloop.report.drawing.Drawing`, whose text
was escaped when it was drawn. The page forbids every fetch by its content security policy, follows the reader's light
or dark setting, and fits a phone and paper. A page with a :class:`Program` runs that script of the package's own, and
no other: its policy names the script by hash.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

import jinja2
from markupsafe import Markup

from cineloop.files import write_text
from cineloop.report.coloured import Keys, Shares
from cineloop.report.drawing import Drawing
from cineloop.report.entries import Entries
from cineloop.report.furniture import ENGLISH, Furniture
from cineloop.report.program import Program, resource

Tone = Literal["plain", "good", "warn", "bad", "muted"]


@dataclass(frozen=True)
class Banner:
    """A message across the page's top: what a reader must know before anything else."""

    text: str
    tone: Literal["info", "warn", "bad"] = "warn"


@dataclass(frozen=True)
class Fact:
    """A name and a value: of a list of facts, a header's chip, or provenance."""

    name: str
    value: str


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    kind: ClassVar[str] = "paragraph"

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Range:
    """Where a value and its interval stand on a scale, each as a share of the scale in [0, 1]."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Card:
    """One figure, large.

    Attributes:
        label: What it is.
        value: The figure as text, or "–".
        detail: Below it: the interval, or why there is none.
        hint: A definition, shown on hovering and read by screen readers.
        range: A small bar of the interval.
        lead: Emphasised.
    """

    label: str
    value: str
    detail: str = ""
    hint: str = ""
    range: Range | None = None
    lead: bool = False


@dataclass(frozen=True)
class Cards:
    """A row of cards that wraps."""

    kind: ClassVar[str] = "cards"

    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Cell:
    """A table's cell.

    Attributes:
        text: What it says.
        tone: Its colour.
        detail: A second, smaller line.
        link: A file beside the page, or below it, that says more; its path relative to the page.
    """

    text: str
    tone: Tone = "plain"
    detail: str = ""
    link: str = ""


Row: TypeAlias = tuple[str | Cell, ...]


def row(*cells: str | Cell) -> Row:
    """Return the cells of a table's row."""
    return cells


@dataclass(frozen=True)
class Column:
    """A table's column: its title, and whether it holds numbers (aligned right)."""

    title: str
    numeric: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a caption, header cells, and rows whose first cell is their header.

    Attributes:
        caption: What the table is, one sentence.
        columns: [M].
        rows: Each [M]: text or :class:`Cell`.
        note: Below the table.
    """

    kind: ClassVar[str] = "table"

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), "one cell a column"

    def cells(self) -> Iterator[tuple[Cell, ...]]:
        """Yield each row with its text as cells."""
        for row in self.rows:
            yield tuple(Cell(cell) if isinstance(cell, str) else cell for cell in row)


@dataclass(frozen=True)
class Figure:
    """A drawing with a title and a caption; its text alternative is the drawing's.

    Attributes:
        drawing: What is shown.
        caption: Below it.
        title: Above it.
    """

    kind: ClassVar[str] = "figure"

    drawing: Drawing
    caption: str = ""
    title: str = ""


@dataclass(frozen=True)
class Picture:
    """Encoded pixels.

    Attributes:
        data: The file's bytes.
        alt: What a reader who cannot see it should know.
        width: In pixels.
        height: In pixels.
        media_type: As in ``data:`` addresses.
        caption: Below it.
    """

    kind: ClassVar[str] = "picture"

    data: bytes
    alt: str
    width: int
    height: int
    media_type: Literal["image/jpeg", "image/png"] = "image/jpeg"
    caption: str = ""

    @property
    def uri(self) -> str:
        """The pixels as a ``data:`` address."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode('ascii')}"


@dataclass(frozen=True)
class Bar:
    """A share as a bar.

    Attributes:
        label: Of what.
        share: In [0, 1].
        note: A few words behind it.
        tone: Of the bar.
    """

    label: str
    share: float
    note: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Strip:
    """A row of pictures with a heading: frames of one item.

    Attributes:
        title: The item.
        pictures: In order of time.
        detail: What is to be said about it.
        tone: Of the detail.
        bars: Above the pictures: probabilities.
    """

    title: str
    pictures: tuple[Picture, ...]
    detail: str = ""
    tone: Tone = "plain"
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True)
class Gallery:
    """Strips of pictures, one below another."""

    kind: ClassVar[str] = "gallery"

    strips: tuple[Strip, ...]


@dataclass(frozen=True)
class Facts:
    """Names and values in two columns."""

    kind: ClassVar[str] = "facts"

    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    kind: ClassVar[str] = "bullets"

    items: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """Blocks beside each other where there is room, below each other on a phone.

    Attributes:
        blocks: In order.
        small: Each the size of a stamp, so that several stand in a row on a phone too.
    """

    kind: ClassVar[str] = "grid"

    blocks: tuple[Block, ...]
    small: bool = False


@dataclass(frozen=True)
class Stack:
    """Blocks below each other, as one cell of a :class:`Grid`."""

    kind: ClassVar[str] = "stack"

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Details:
    """Blocks behind a summary that opens them; paper shows them opened."""

    kind: ClassVar[str] = "details"

    summary: str
    blocks: tuple[Block, ...]
    open: bool = False


@dataclass(frozen=True)
class Live:
    """A place that the page's program fills.

    Attributes:
        part: Its name there.
        fallback: What stands in it until then, and without scripts.
    """

    kind: ClassVar[str] = "live"

    part: str
    fallback: tuple[Block, ...] = ()


Block: TypeAlias = (
    Paragraph
    | Cards
    | Table
    | Figure
    | Picture
    | Gallery
    | Facts
    | Bullets
    | Grid
    | Stack
    | Details
    | Live
    | Entries
    | Keys
    | Shares
)


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it.

    Attributes:
        title: The heading.
        blocks: In order.
        intro: A sentence under the heading.
        short: A shorter title for the page's navigation.
    """

    title: str
    blocks: tuple[Block, ...]
    intro: str = ""
    short: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A whole document.

    Attributes:
        title: The heading, and the browser's title.
        kicker: A few words above the title: what kind of page this is.
        subtitle: Below the title.
        chips: Facts in the header.
        banners: Messages below the header.
        watermark: The reason for a deliberate exception: printed at the top, at the bottom and across paper.
        sections: In order; more than three get a navigation.
        provenance: Where it all comes from: fingerprints, versions, commits; in the footer.
        footnote: Stands before the disclaimer.
        program: What fills the :class:`Live` places.
        furniture: The words around all this, and the language of the page.
    """

    title: str
    kicker: str = ""
    subtitle: str = ""
    chips: tuple[Fact, ...] = ()
    banners: tuple[Banner, ...] = ()
    watermark: str | None = None
    sections: tuple[Section, ...] = ()
    provenance: tuple[Fact, ...] = ()
    footnote: str = ""
    program: Program | None = None
    furniture: Furniture = ENGLISH

    def render(self) -> str:
        """Return the page as HTML."""
        numbers = iter(range(1, 1_000_000))
        return (
            _template()
            .render(
                page=self,
                words=self.furniture,
                style=Markup(_style()),  # noqa: S704 - the package's own style sheet
                own=None if self.program is None else self.program.placed(),
                inline=lambda drawing: Markup(drawing.inline(f"f{next(numbers)}")),  # noqa: S704 - a drawing's own
            )
            .lstrip()
        )

    def write(self, path: Path) -> Path:
        """Write the page to ``path`` atomically."""
        write_text(path, self.render())
        return path


def number(value: float | None, digits: int = 3) -> str:
    """Return a figure as text, "–" where there is none, with a true minus sign."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """Return an interval as text, empty where there is none."""
    if low is None or high is None:
        return ""
    separator = " to " if low < 0 else "–"
    return f"{number(low, digits)}{separator}{number(high, digits)}"


def count(n: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: ``1 patient``, ``2,310 videos``."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


@cache
def _style() -> str:
    return resource("page.css")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(resource),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
