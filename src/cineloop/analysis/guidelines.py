"""The values that guidelines give, and where an indicator lies against them; never a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Protocol, TypeAlias

from pydantic import Field

from cineloop.analysis.indicator import Definition, Reference, Side
from cineloop.analysis.words import Language
from cineloop.errors import CineloopError
from cineloop.files import fingerprint
from cineloop.schema import Section, did_you_mean, read_yaml, validate

SHIPPED = Path(__file__).with_name("guidelines.yaml")

Text: TypeAlias = str | Annotated[dict[Language, str], Field(min_length=1)]
"""In one language, or by language."""

_NEAR = 1e-9


class Value(Section):
    """A value that a guideline gives.

    Attributes:
        indicator: Of which indicator, by name, of a procedure or of a unit.
        value: On its scale: seconds, shares, scores.
        text: The value and what it is of, in words; or by language.
        applies: What it is meant for, where that is not what the indicator measures; or by language.
        verified: Whether it was read in the source.
    """

    indicator: str
    value: float
    text: Text
    applies: Text = ""
    verified: bool = False


class Guideline(Section):
    """A guideline's values.

    Attributes:
        title: A short name.
        source: What it is, by whom.
        year: Of publication.
        link: Where it is found.
        values: What it gives.
    """

    title: str
    source: str
    year: int | None = None
    link: str = ""
    values: tuple[Value, ...] = Field(min_length=1)


class Measured(Protocol):
    """An indicator of a procedure or of a unit."""

    @property
    def definition(self) -> Definition:
        """What it is."""

    @property
    def value(self) -> float | None:
        """None where it cannot be determined."""


@cache
def shipped() -> Mapping[str, Guideline]:
    """Return the guidelines of the package, by name."""
    return {key: validate(Guideline, one, where=SHIPPED.name, prefix=key) for key, one in read_yaml(SHIPPED).items()}


def guideline(name: str) -> Guideline:
    """Return a guideline by its name, or read one from a YAML file of the user's.

    Args:
        name: Of a guideline of the package, or a path that ends with ``.yaml`` or ``.yml``.

    Raises:
        CineloopError: There is none of that name, or the file holds none; it names the key.
    """
    if name in shipped():
        return shipped()[name]
    path = Path(name)
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise CineloopError(
            f"There is no guideline {name!r}",
            where="guideline",
            mend=f"{did_you_mean(name, shipped())} Or name a .yaml file of your own.",
        )
    found = validate(Guideline, read_yaml(path), where=path, error=CineloopError, subject="The guideline")
    known = known_indicators()
    for number, one in enumerate(found.values):
        if one.indicator not in known:
            raise CineloopError(
                f"The guideline is not valid: values.{number}.indicator: there is no indicator {one.indicator!r}",
                where=path,
                mend=did_you_mean(one.indicator, known),
            )
    return found


def told(name: str | None) -> str | None:
    """Return what results call a guideline: its name, or of a user's own the hash of its content and no path."""
    if name is None or name in shipped():
        return name
    return f"own, SHA-256 {fingerprint(guideline(name).model_dump(mode='json'))[:12]}"


def known_indicators() -> frozenset[str]:
    """Return the names of all indicators, of procedures and of units."""
    from cineloop.analysis.indicators import MEASURES
    from cineloop.analysis.summary.rates import RATES

    return frozenset([one.definition.name for one in MEASURES] + [one.definition.name for one in RATES])


def references_for(indicator: Measured, preset: str | None, language: Language = "en") -> tuple[Reference, ...]:
    """Return where an indicator lies against a guideline's values; nothing where there is no value, or no guideline.

    Args:
        indicator: Of a procedure or of a unit.
        preset: As for :func:`guideline`.
        language: Of the texts; one that has only one language keeps it.

    Raises:
        CineloopError: As of :func:`guideline`.
    """
    if preset is None:
        return ()
    found = guideline(preset)
    if indicator.value is None:
        return ()
    return tuple(
        Reference(
            guideline=preset if preset in shipped() else found.title,
            text=_in(one.text, language),
            value=one.value,
            side=_side(indicator.value, one.value),
            source=", ".join(part for part in (found.source, str(found.year or ""), found.link) if part),
            verified=one.verified,
            applies=_in(one.applies, language),
        )
        for one in found.values
        if one.indicator == indicator.definition.name
    )


def _side(value: float, reference: float) -> Side:
    if abs(value - reference) <= _NEAR * max(1.0, abs(reference)):
        return "at"
    return "above" if value > reference else "below"


def _in(text: Text, language: Language) -> str:
    return text if isinstance(text, str) else text.get(language) or next(iter(text.values()))
