"""Which groups to put where first, so that no part of a division lacks a class that it could have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]

_STEPS = 20_000
# Each need is a call inside a call.
_NEEDS = 400


def cover(holds: Flags, needed: Flags, order: Sequence[int]) -> dict[int, int] | None:
    """Return parts for as few groups as give each part the classes that it needs; None where that was not found.

    The rarest class is placed first, and what turns out wrong is taken back, up to a number of steps.

    Args:
        holds: Which classes each group has items of, bool [G, C].
        needed: Which classes each part needs, bool [S, C].
        order: The groups in the order in which they are tried.

    Returns:
        The part of each group that matters.
    """
    rarity = holds.sum(axis=0)
    needs = sorted(((int(part), int(label)) for part, label in np.argwhere(needed)), key=lambda need: rarity[need[1]])
    if len(needs) > _NEEDS:
        return None
    placed: dict[int, int] = {}
    steps = 0

    def place(at: int) -> bool:
        nonlocal steps
        while at < len(needs) and any(
            part == needs[at][0] and holds[group, needs[at][1]] for group, part in placed.items()
        ):
            at += 1
        if at == len(needs):
            return True
        part, label = needs[at]
        for group in order:
            if group in placed or not holds[group, label]:
                continue
            steps += 1
            if steps > _STEPS:
                return False
            placed[group] = part
            if place(at + 1):
                return True
            del placed[group]
        return False

    return placed if place(0) else None
