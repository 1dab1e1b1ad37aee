"""A list of figures, each with what stands behind it on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from cineloop.report.html import Block


@dataclass(frozen=True)
class Line:
    """A line that is always shown.

    Attributes:
        text: What it says.
        badge: A word before it, set off.
        mark: A word behind it, set off.
    """

    text: str
    badge: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Entry:
    """One figure.

    Attributes:
        title: What it is.
        value: As text.
        detail: Behind the value: its range.
        lines: Below, always shown.
        blocks: What opening it shows.
        muted: There is no value.
    """

    title: str
    value: str
    detail: str = ""
    lines: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()
    muted: bool = False


@dataclass(frozen=True)
class Entries:
    """Figures below each other, their values aligned."""

    kind: ClassVar[str] = "entries"

    entries: tuple[Entry, ...]
