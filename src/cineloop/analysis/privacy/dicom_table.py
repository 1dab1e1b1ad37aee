"""Which attributes of a DICOM object are written again, and how: everything else is left out.

The Basic Profile of DICOM PS3.15 Annex E lists what has to go (Table E.1-1) and lets all other attributes be. Here it
is the other way round, so that private attributes, those of a later edition and those in the wrong place go as well.
The attributes in ``dicom_attributes.csv`` are what a picture needs to be shown, measured and grouped; where the profile
gives one of them an action, the rule is that action or a stronger one.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, TypeAlias

RuleName: TypeAlias = Literal["keep", "uid", "pseudonym", "empty", "empty-if-there", "date", "items"]


@dataclass(frozen=True)
class Rule:
    """What becomes of an attribute.

    Attributes:
        tag: Group and element.
        keyword: Its name.
        name: ``keep`` what passes the check; ``uid`` and ``pseudonym`` stand in for what was there; ``empty``: without
            a value, always, or only where it was there; ``date``: removed or moved, as asked; ``items``: a sequence, in
            whose items the same rules hold.
        check: Of ``keep``: ``number``, ``pointer``, ``sop-class``, or the terms that may stand there, ``A|B``. Of
            ``date``: ``empty`` where the attribute must be there.
    """

    tag: int
    keyword: str
    name: RuleName
    check: str

    @property
    def terms(self) -> frozenset[str]:
        """The terms that may stand there."""
        return frozenset(self.check.split("|"))


@cache
def rules() -> tuple[Rule, ...]:
    """Return the table, in the order of its tags."""
    text = resources.files("cineloop.analysis.privacy").joinpath("dicom_attributes.csv").read_text(encoding="ascii")
    return tuple(
        Rule(int(row["tag"], 16), row["keyword"], row["rule"], row["values"])  # type: ignore[arg-type]
        for row in csv.DictReader(text.splitlines())
    )
