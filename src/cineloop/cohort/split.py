"""Dividing patients: stratified hold-out and folds in which nobody stands on two sides.

Groups are dealt greedily, the largest first, and then moved and exchanged while that brings the shares of items, of
each class and of groups nearer to those asked for (chi-square distance). Arithmetic is elementwise and ties are broken
by a hash of seed and name, so the division depends on neither row order nor machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cineloop.cohort.cover import cover
from cineloop.errors import CohortError

#: Weighs a class that is absent from a split against every other deviation.
_ABSENT = 1e9
_MAX_EXCHANGES = 200_000

Counts = npt.NDArray[np.float64]


def deal(
    groups: Sequence[str],
    labels: Sequence[str | None],
    shares: Mapping[str, float],
    *,
    seed: int,
    where: str = "data.split",
) -> list[str]:
    """Divide items so that no group stands in two parts.

    Args:
        groups: The group (patient) of each item.
        labels: The label of each item; None is a class of its own.
        shares: Parts and their shares of the items, above 0, summing to 1. A class that fewer groups hold than there
            are parts goes to the first ones.
        seed: Another seed, another division.
        where: What asks, for messages.

    Returns:
        The part of each item.

    Raises:
        CohortError: There are fewer groups than parts.
    """
    names = sorted(set(groups))
    if len(names) < len(shares):
        raise CohortError(
            f"{len(names)} group{'s' if len(names) != 1 else ''} (patients that must stay together) cannot fill "
            f"{len(shares)} splits: {', '.join(shares)}",
            where=where,
            mend="Ask for fewer splits or folds, add patients, or name patients more finely.",
        )
    classes = sorted(set(labels), key=lambda label: (label is None, label or ""))
    row, column = {name: at for at, name in enumerate(names)}, {label: at for at, label in enumerate(classes)}
    counts = np.zeros((len(names), len(classes) + 2))
    for group, label in zip(groups, labels, strict=True):
        counts[row[group], column[label]] += 1
    counts[:, -2] = counts[:, :-2].sum(axis=1)
    counts[:, -1] = 1
    part_of = _Deal(counts, np.array(list(shares.values())), _order(names, counts, seed)).run()
    parts = list(shares)
    return [parts[part_of[row[group]]] for group in groups]


def _order(names: Sequence[str], counts: Counts, seed: int) -> list[int]:
    """Return the groups, largest first; equal ones in an order drawn by the seed."""

    def key(at: int) -> tuple[float, bytes]:
        return -counts[at, -2], hashlib.blake2b(f"{seed}\0{names[at]}".encode(), digest_size=16).digest()

    return sorted(range(len(names)), key=key)


class _Deal:
    """One division: the counts of each part, and the moves that better them.

    Args:
        counts: Float [G, C + 2]: items of each class, all items, and 1.
        shares: Float [S], summing to 1.
        order: The groups in the order in which they are dealt.
    """

    def __init__(self, counts: Counts, shares: Counts, order: Sequence[int]) -> None:
        self.counts = counts
        self.order = order
        self.targets = shares[:, None] * counts.sum(axis=0)[None, :]
        holders = (counts[:, :-2] > 0).sum(axis=0)
        # A class that too few groups hold to be everywhere is at least in the first parts.
        self.needed = np.arange(len(shares))[:, None] < holders[None, :]
        # The number of groups matters less than the items.
        self.weights = np.ones(counts.shape[1])
        self.weights[-1] = 0.5
        self.absent = np.full(len(shares), _ABSENT)
        self._clear()

    def _clear(self) -> None:
        self.filled = np.zeros_like(self.targets)
        self.part = np.full(len(self.counts), -1)

    def _cost(self, filled: Counts, part: int) -> Counts:
        """Return the cost of counts ``filled`` [..., C + 2] in a part, summed column by column in a fixed order."""
        total = np.zeros(filled.shape[:-1])
        for column in range(filled.shape[-1]):
            target = self.targets[part, column]
            deviation = filled[..., column] - target
            total = total + self.weights[column] * deviation * deviation / target
            if column < self.needed.shape[1] and self.needed[part, column]:
                total = total + np.where(filled[..., column] == 0, self.absent[part], 0.0)
        return total

    def run(self) -> list[int]:
        """Return the part of each group."""
        self._fill()
        if not self._lacks():
            return self.part.tolist()
        # Moves and exchanges of single groups do not find every way; the last parts go without where there is none.
        holds = self.counts[:, :-2] > 0
        parts = len(self.filled)
        self.absent = _ABSENT * np.arange(parts, 0, -1)
        for complete in range(parts, 0, -1):
            needed = self.needed & (np.arange(parts)[:, None] < complete)
            found = cover(holds, needed, self.order[::-1])
            if found is not None and len(self.counts) - len(found) >= parts - len(set(found.values())):
                self._clear()
                for group, part in found.items():
                    self._place(group, part)
                self._fill()
                break
        return self.part.tolist()

    def _lacks(self) -> bool:
        """Return whether a part has none of a class that it needs."""
        return bool((self.needed & (self.filled[:, :-2] == 0)).any())

    def _fill(self) -> None:
        """Deal the groups that have no part yet, and better what came out."""
        for group in self.order:
            if self.part[group] >= 0:
                continue
            costs = [
                float(self._cost(self.filled[part] + self.counts[group], part) - self._cost(self.filled[part], part))
                for part in range(len(self.filled))
            ]
            self._place(group, costs.index(min(costs)))
        self._fill_empty()
        # Each step lowers the cost, so this ends; the bound is for the arithmetic's last digits.
        for _ in range(4 * len(self.counts) + 16):
            if not (self._move() or self._exchange()):
                break

    def _place(self, group: int, part: int) -> None:
        if self.part[group] >= 0:
            self.filled[self.part[group]] -= self.counts[group]
        self.filled[part] += self.counts[group]
        self.part[group] = part

    def _fill_empty(self) -> None:
        for part in range(len(self.filled)):
            if self.filled[part, -1] == 0:
                fullest = int(np.argmax(self.filled[:, -1]))
                group = [at for at in self.order if self.part[at] == fullest][-1]
                self._place(group, part)

    def _kinds(self, part: int) -> tuple[list[int], Counts]:
        """Return one group of each kind (same counts) in a part, in dealing order, and their counts."""
        first: dict[bytes, int] = {}
        for group in self.order:
            if self.part[group] == part:
                first.setdefault(self.counts[group].tobytes(), group)
        groups = list(first.values())
        return groups, self.counts[groups]

    def _move(self) -> bool:
        """Make the one move of a group that helps most; say whether there was one."""
        best, choice = -1e-9, None
        for source in range(len(self.filled)):
            if self.filled[source, -1] <= 1:
                continue
            groups, counts = self._kinds(source)
            leaving = self._cost(self.filled[source] - counts, source) - self._cost(self.filled[source], source)
            for target in range(len(self.filled)):
                if target == source:
                    continue
                entering = self._cost(self.filled[target] + counts, target) - self._cost(self.filled[target], target)
                gains = leaving + entering
                at = int(np.argmin(gains))
                if gains[at] < best:
                    best, choice = float(gains[at]), (groups[at], target)
        if choice is None:
            return False
        self._place(*choice)
        return True

    def _exchange(self) -> bool:
        """Make the one exchange of two groups that helps most; say whether there was one."""
        best, choice = -1e-9, None
        for one in range(len(self.filled)):
            for other in range(one + 1, len(self.filled)):
                ours, our_counts = self._kinds(one)
                theirs, their_counts = self._kinds(other)
                if len(ours) * len(theirs) > _MAX_EXCHANGES:
                    continue
                change = their_counts[None, :, :] - our_counts[:, None, :]
                gains = (
                    self._cost(self.filled[one] + change, one)
                    - self._cost(self.filled[one], one)
                    + self._cost(self.filled[other] - change, other)
                    - self._cost(self.filled[other], other)
                )
                at = np.unravel_index(int(np.argmin(gains)), gains.shape)
                if gains[at] < best:
                    best, choice = float(gains[at]), (ours[at[0]], theirs[at[1]])
        if choice is None:
            return False
        mine, yours = choice
        here, there = int(self.part[mine]), int(self.part[yours])
        self._place(mine, there)
        self._place(yours, here)
        return True


def join(keys: Sequence[Sequence[str]]) -> list[str]:
    """Name the group of each row, where rows that share any key are one group.

    Args:
        keys: For each row what binds it to others, such as its patient and its bytes.

    Returns:
        For each row the smallest key of its group: a name that does not depend on the order of rows.
    """
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for row in keys:
        for key in row[1:]:
            one, other = sorted((root(row[0]), root(key)))
            parent[other] = one
    return [root(row[0]) for row in keys]
