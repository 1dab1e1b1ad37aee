"""What an indicator is: a definition, a value with its uncertainty, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from cineloop.analysis.words import Said

StageName: TypeAlias = Literal["inbody", "quality", "classify"]
"""The kinds of models that an analysis runs."""

InputName: TypeAlias = StageName | Literal["segment"]
"""The kinds of models that an indicator may need; none that segments can be run yet."""

Side: TypeAlias = Literal["above", "below", "at"]


@dataclass(frozen=True)
class Definition:
    """What an indicator measures.

    Attributes:
        name: Its key in ``report.json``, ``withdrawal_seconds``.
        title: In words, without its unit.
        unit: ``s``, ``share``, ``count``, ``bbps``, ``yes`` (1 or 0) or empty.
        definition: In a sentence or two.
        formula: From what it is computed.
        source: Paper or guideline with its year; empty where it is our own, and the definition then says so.
        inputs: The stages that it is computed from; what any of them tells is taken from the one that ran.
    """

    name: str
    title: str
    unit: str
    definition: str
    formula: str
    source: str
    inputs: tuple[InputName, ...]


@dataclass(frozen=True)
class Reference:
    """A value that a guideline gives.

    Attributes:
        guideline: Its key.
        text: The value and what it is of, in words.
        value: On the indicator's scale.
        side: Where the indicator's value lies, never a verdict.
        source: Guideline, year and where it can be found.
        verified: Whether the figure was read in the source; otherwise it is marked so wherever it is shown.
        applies: What it is meant for, where that is not the single procedure.
    """

    guideline: str
    text: str
    value: float
    side: Side
    source: str
    verified: bool
    applies: str = ""


@dataclass(frozen=True)
class Indicator:
    """An indicator of one procedure.

    Attributes:
        definition: What it is.
        value: None where it cannot be determined.
        reason: Why not; as text it follows "not determinable, because".
        low: The smallest value under varied settings; None where there is no value, or it does not depend on them.
        high: The largest.
        undetermined: Share of the variations under which there is no value, in [0, 1].
        parts: What it consists of, by name, which ends with the unit: ``inside_seconds``, ``bbps3_share``.
        remarks: What a reader must know to understand the value.
        references: Where guidelines give a value.
    """

    definition: Definition
    value: float | None
    reason: Said | None = None
    low: float | None = None
    high: float | None = None
    undetermined: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[Said, ...] = ()
    references: tuple[Reference, ...] = ()

    def __post_init__(self) -> None:
        assert (self.value is None) == (self.reason is not None), "a value, or the reason why there is none"
