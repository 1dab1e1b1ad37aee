"""What is said of an analysis, by keys, and what a language has to say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cineloop.analysis.indicator import Definition


@dataclass(frozen=True)
class Said:
    """A sentence, or a part of one, by its key; as text it is English.

    Attributes:
        key: Which, of ``Words.sentences``.
        values: What stands in it, by name.
    """

    key: str
    values: Mapping[str, int | float | str] = field(default_factory=dict)

    def __str__(self) -> str:
        from cineloop.analysis.words.english import ENGLISH

        return ENGLISH.say(self)


class _Form(Formatter):
    """Fills a sentence in."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return a value as text; as ``clock`` a moment as ``hh:mm:ss``."""
        if format_spec != "clock":
            return str(super().format_field(value, format_spec))
        from cineloop.analysis.report.figures import clock

        return clock(value)


@dataclass(frozen=True)
class Words:
    """One language.

    Attributes:
        sentences: Reasons, which follow "not determinable, because", and remarks, by key; ``{name}`` is a value, and
            ``{name:clock}`` a moment of the procedure.
        titles: What indicators are called, by name; where one is missing, the English title stands.
        definitions: What they are, likewise.
        formulas: How they are computed, likewise.
        parts: What parts of indicators are called, by name.
        phases: What the stretches of the course are called.
        events: What events are called.
        sides: Where a value lies, against a reference.
        missing: Before a reason: there is no value.
        unverified: A reference's figure was not read in its source.
    """

    sentences: Mapping[str, str]
    parts: Mapping[str, str]
    phases: Mapping[str, str]
    events: Mapping[str, str]
    sides: Mapping[str, str]
    missing: str
    unverified: str
    titles: Mapping[str, str] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    formulas: Mapping[str, str] = field(default_factory=dict)

    def say(self, said: Said) -> str:
        """Return a sentence."""
        return _Form().vformat(self.sentences[said.key], (), said.values)

    def title(self, definition: Definition) -> str:
        """Return what an indicator is called."""
        return self.titles.get(definition.name, definition.title)

    def definition(self, definition: Definition) -> str:
        """Return what an indicator is."""
        return self.definitions.get(definition.name, definition.definition)

    def formula(self, definition: Definition) -> str:
        """Return how an indicator is computed."""
        return self.formulas.get(definition.name, definition.formula)
