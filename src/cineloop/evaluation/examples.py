"""Items to look at: a few of every cell of the confusion matrix, from the surest decision to the least sure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

import numpy as np

from cineloop.evaluation.predictions import UNKNOWN
from cineloop.evaluation.result import Evaluation

MOST = 60
"""Of all cells together; with many classes each cell gets fewer."""

Place = Literal["surest", "median", "least sure", "between"]


@dataclass(frozen=True)
class Example:
    """An item of a cell.

    Attributes:
        row: Its row in the evaluation's predictions.
        true: Its class, as an index.
        decided: The class decided, likewise.
        place: Where in its cell it stands by how sure the decision was.
        of: How many items the cell has.
    """

    row: int
    true: int
    decided: int
    place: Place
    of: int

    @property
    def right(self) -> bool:
        """Whether it was decided rightly."""
        return self.true == self.decided


def choose_examples(evaluation: Evaluation, each: int, most: int = MOST) -> tuple[Example, ...]:
    """Choose items to be shown, the same for equal predictions.

    Of each cell the surest decision comes first, then the median, then the least sure, then others between.

    Args:
        evaluation: With known targets.
        each: Items of a cell, at the most.
        most: Items of all cells together; cells take turns.

    Returns:
        Turn by turn: the first of every cell, then the second of every cell. Mistakes come before what is right.
    """
    targets, decided = evaluation.predictions.targets, evaluation.decided
    sureness = evaluation.sureness()
    n_classes = len(evaluation.predictions.classes)
    cells = sorted(np.ndindex(n_classes, n_classes), key=lambda cell: (cell[0] == cell[1], cell))
    chosen = []
    for true, said in cells:
        rows = np.flatnonzero((targets != UNKNOWN) & (targets == true) & (decided == said))
        falling = rows[np.argsort(-sureness[rows], kind="stable")]
        chosen.append(
            [
                Example(int(falling[at]), int(true), int(said), place, len(falling))
                for at, place in _places(len(falling), each)
            ]
        )
    turns = [one for turn in zip_longest(*chosen) for one in turn if one is not None]
    return tuple(turns[:most])


def _places(count: int, each: int) -> list[tuple[int, Place]]:
    found: dict[int, Place] = {}
    named: tuple[tuple[int, Place], ...] = ((0, "surest"), (count // 2, "median"), (count - 1, "least sure"))
    spread = np.linspace(0, count - 1, each).round().astype(int).tolist() if count else []
    for at, place in (
        *(named if count else ()),
        *((at, "between") for at in spread),
        *((at, "between") for at in range(count)),
    ):
        if len(found) < each:
            found.setdefault(at, place)
    return list(found.items())
