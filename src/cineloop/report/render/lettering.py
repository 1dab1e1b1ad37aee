"""Names of the user's own in letters that a font has: in which fonts, and what is written where none has them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cineloop.errors import TimelineError
from cineloop.report.render.text import OWN, Letters
from cineloop.report.render.words import Words
from cineloop.report.typefaces import SUFFIXES, font_with, opened


@dataclass(frozen=True)
class Lettering:
    """How names are written.

    Attributes:
        words: The language, with a number as the title of each name that cannot be written.
        letters: The fonts.
        note: Which names those are, as a sentence; None where all can be written.
    """

    words: Words
    letters: Letters = OWN
    note: str | None = None


def check_font(path: Path) -> None:
    """Check that a file is a font that can be drawn with.

    Raises:
        TimelineError: It is missing or none.
    """
    if not path.is_file() or opened(path) is None:
        raise TimelineError(
            "This is no font that can be drawn with" if path.exists() else "There is no such font",
            where=path,
            mend=f"Name a font file, {', '.join(SUFFIXES)}.",
        )


def lettering(
    names: Sequence[str], drawn: Collection[str], words: Words, font: Path | None = None, *, also: str = ""
) -> Lettering:
    """Find fonts for names: the package's own, then ``font``, then one of this machine.

    A name with letters that none of them has is written as ``#`` and its place among all names, from 1.

    Args:
        names: All names of a timeline, which numbers are counted in.
        drawn: Those that are written.
        words: The language.
        font: A font file of the user's.
        also: A further text that fonts are sought for; where there are none, nothing is said.
    """
    letters = Letters(() if font is None else (font,))
    for text in (*(words.title(name) for name in drawn), also):
        left = letters.lacking(text)
        found = font_with(left) if left else None
        letters = letters if found is None else Letters((*letters.others, found))
    numbers = {name: f"#{names.index(name) + 1}" for name in drawn if letters.lacking(words.title(name))}
    if not numbers:
        return Lettering(words, letters)
    where = "no font of this machine has" if font is None else f"neither {font.name} nor a font of this machine has"
    listed = ", ".join(f"{name} (written as {number})" for name, number in numbers.items())
    note = f"{where} the letters of {listed}: name a font file that has them with --font"
    return Lettering(replace(words, titles={**words.titles, **numbers}), letters, note)
