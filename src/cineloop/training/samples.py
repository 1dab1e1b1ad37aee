"""Which samples a step sees: a function of seed, epoch and step alone.

The global order of an epoch depends on (seed, epoch). A batch is a slice of that order; a process takes its slice
of each batch. So neither workers nor the number of processes changes a sample, and a resume begins at any batch.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cineloop.errors import RecipeError
from cineloop.schema import did_you_mean
from cineloop.seeds import generator

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of an epoch: an item, and for augmented copies the round that picks its frames."""

    item: int
    round: int | None = None


@dataclass(frozen=True, slots=True)
class SampleKey:
    """What a dataset is asked for; everything random about the sample follows from it.

    Attributes:
        epoch: The epoch, from 0.
        item: The item's position in the split.
        round: The augmentation round, or None for the original row.
        occurrence: How often this (item, round) came before in the epoch, for sampling with replacement.
        padding: True for a stand-in that fills an uneven slice; its loss has no weight.
    """

    epoch: int
    item: int
    round: int | None = None
    occurrence: int = 0
    padding: bool = False


def epoch_order(
    entries: Sequence[Entry], *, seed: int, epoch: int, weights: np.ndarray | None = None
) -> list[SampleKey]:
    """Return the global order of an epoch.

    Args:
        entries: The rows of the epoch, in their natural order.
        seed: The run's seed.
        epoch: The epoch, from 0.
        weights: Float [N], not negative; given, ``N`` rows are drawn with replacement in proportion to them.
            None shuffles without replacement.

    Returns:
        One key a row, each different.
    """
    rng = generator("order", seed, epoch)
    if weights is None:
        order = rng.permutation(len(entries))
    else:
        order = rng.choice(len(entries), size=len(entries), replace=True, p=weights / weights.sum())
    return _keys([entries[int(position)] for position in order], epoch)


def _keys(entries: Sequence[Entry], epoch: int) -> list[SampleKey]:
    """Return the keys of rows in their order; what repeats is told apart by its occurrence."""
    seen: dict[Entry, int] = {}
    keys: list[SampleKey] = []
    for entry in entries:
        occurrence = seen.get(entry, 0)
        seen[entry] = occurrence + 1
        keys.append(SampleKey(epoch, entry.item, entry.round, occurrence))
    return keys


def walk_order(subsets: Sequence[Sequence[Entry]], counts: Sequence[int], *, seed: int, epoch: int) -> list[SampleKey]:
    """Return the global order of an epoch that takes a number of rows from each subset.

    Each subset is walked without replacement, pass after pass and epoch after epoch: after any number of epochs its
    rows were used equally often, but for one. A pass that ends within an epoch goes on with another order; no row
    comes twice in an epoch unless more are asked for than there are. What an epoch holds is computed from seed and
    epoch alone, in time proportional to the subsets' rows and ``counts``.

    Args:
        subsets: The rows of each subset, in their natural order.
        counts: Rows to take from each, not negative; 0 where a subset is empty.
        seed: The run's seed.
        epoch: The epoch, from 0.

    Returns:
        ``sum(counts)`` keys, each different, the subsets mixed.
    """
    chosen = [
        entries[int(position)]
        for number, (entries, count) in enumerate(zip(subsets, counts, strict=True))
        for position in _walked(len(entries), count, (seed, number), epoch)
    ]
    order = generator("order", seed, epoch).permutation(len(chosen))
    return _keys([chosen[int(position)] for position in order], epoch)


def _walked(rows: int, count: int, name: tuple[int, int], epoch: int) -> Positions:
    """Return which of ``rows`` rows an epoch of ``count`` takes."""
    if count == 0:
        return np.empty(0, np.int64)
    every, rest = divmod(count, rows)
    whole = np.tile(np.arange(rows), every)
    if 2 * rest <= rows:
        return np.concatenate([whole, _stretch(rows, rest, name, epoch)])
    # Most of the rows: those that are left out are walked in their place, which evens out the others alike.
    left_out = _stretch(rows, rows - rest, name, epoch)
    return np.concatenate([whole, np.setdiff1d(np.arange(rows), left_out)])


def _stretch(rows: int, count: int, name: tuple[int, int], epoch: int) -> Positions:
    """Return the stretch that an epoch covers of a walk through all rows, pass after pass; at most half of a pass."""
    if count == 0:
        return np.empty(0, np.int64)
    begin, end = epoch * count, (epoch + 1) * count
    first, last = begin // rows, (end - 1) // rows
    parts = [
        _pass(rows, count, name, number)[max(0, begin - number * rows) : end - number * rows]
        for number in range(first, last + 1)
    ]
    return np.concatenate(parts)


def _pass(rows: int, count: int, name: tuple[int, int], number: int) -> Positions:
    """Return the order of a pass: a shuffle whose head shares no row with the tail of the pass before.

    An epoch may cover the tail of one pass and the head of the next. A row of the head that the tail has too changes
    places with one from the middle, which belongs to neither. Tails stay as they were shuffled, so a pass depends on
    the one before it and on no other.
    """
    order = generator("walk", *name, number).permutation(rows)
    tail = number * rows % count
    if tail == 0:
        return order
    before = generator("walk", *name, number - 1).permutation(rows)[rows - tail :]
    head = count - tail
    end = rows - (number + 1) * rows % count
    twice = np.flatnonzero(np.isin(order[:head], before))
    free = head + np.flatnonzero(~np.isin(order[head:end], before))[: len(twice)]
    order[twice], order[free] = order[free], order[twice]
    return order


def counts_of(
    sizes: Mapping[str, int], asked: float | Mapping[str, float] | None, *, where: str = "train.samples"
) -> dict[str, int]:
    """Return how many rows an epoch takes from each subset.

    Args:
        sizes: Rows of each subset.
        asked: A whole number of rows; a fraction of the subset's rows, as a float, which may be above 1; either for
            each subset by name, where one that is not named gives all its rows; or None for all rows of all.
        where: The key of the recipe, for messages.

    Raises:
        RecipeError: A subset is unknown or empty, a number is negative or not finite, a fraction is less than one
            row, or nothing is left.
    """
    wanted = asked if isinstance(asked, Mapping) else dict.fromkeys(sizes, asked)
    for name in wanted:
        if name not in sizes:
            raise RecipeError(f"There is no subset {name!r}", where=where, mend=did_you_mean(name, sizes))
    counts = {name: _count(name, rows, wanted.get(name), where) for name, rows in sizes.items()}
    if sum(counts.values()) < 1:
        raise RecipeError("An epoch would hold no samples", where=where, mend="Ask for at least one.")
    return counts


def _count(name: str, rows: int, asked: float | None, where: str) -> int:
    if asked is None:
        return rows
    if isinstance(asked, bool) or not math.isfinite(asked) or asked < 0:
        raise RecipeError(
            f"Not a number of samples of the subset {name!r}: {asked}",
            where=where,
            mend="Write a whole number, or a fraction of the subset such as 0.5.",
        )
    count = int(asked * rows) if isinstance(asked, float) else asked
    if asked > 0 and rows == 0:
        raise RecipeError(f"The subset {name!r} is empty", where=where, mend="Ask for 0 of it, or fill it.")
    if asked > 0 and count == 0:
        raise RecipeError(
            f"The fraction {asked:g} of the subset {name!r} ({rows} rows) is less than one sample",
            where=where,
            mend="Write a larger fraction, or a whole number such as 1.",
        )
    return count


def upstream_walk(
    subsets: Sequence[Sequence[Entry]], counts: Sequence[int], *, seed: int, epoch: int, workers: int
) -> list[SampleKey]:
    """Return the rows of an epoch as the published colonoscopy quality control resamples them, its defect included.

    Each subset is shuffled once, and doubled until it has the rows asked for. Without workers an anchor moves on
    by ``counts`` after each epoch, and what was walked is shuffled again when little is left, so that every row comes
    in turn. With workers each epoch begins with fresh copies whose anchor never moves: **every epoch holds the same
    first rows**, and the others are never seen. Which rows an epoch holds is reproduced; their order, which came from
    the data loader's own generator, is that of :func:`epoch_order`.

    Args:
        subsets: The rows of each subset, in the order of the index.
        counts: Rows to take from each.
        seed: The published ``--seed``, of Python's generator.
        epoch: The epoch, from 0. Without workers, all epochs before it are gone through.
        workers: Workers of the published data loader.
    """
    rng = random.Random(seed)  # noqa: S311 - the generator that was used
    lists = [list(entries) for entries in subsets]
    for rows, count in zip(lists, counts, strict=True):
        rng.shuffle(rows)
        while 0 < len(rows) < count:
            rows.extend(rows)
    anchors = [0] * len(lists)
    for _ in range(epoch if workers == 0 else 0):
        for at, (rows, count) in enumerate(zip(lists, counts, strict=True)):
            if rows:
                anchors[at] = _rotated(rows, anchors[at], count, rng)
    chosen = [
        rows[(anchor + at) % len(rows)]
        for rows, anchor, count in zip(lists, anchors, counts, strict=True)
        for at in range(count)
    ]
    order = generator("order", seed, epoch).permutation(len(chosen))
    return _keys([chosen[int(position)] for position in order], epoch)


def _rotated(rows: list[Entry], anchor: int, count: int, rng: random.Random) -> int:
    """Move the anchor of a subset on, shuffle in place what was walked or is left, and return it."""
    anchor = (anchor + count) % len(rows)
    if len(rows) - anchor < count:
        part = slice(0, anchor)
    elif anchor < count:
        part = slice(anchor, len(rows))
    else:
        return anchor
    shuffled = rows[part]
    rng.shuffle(shuffled)
    rows[part] = shuffled
    return anchor


def rank_slice(batch: Sequence[SampleKey], rank: int, world: int) -> list[SampleKey]:
    """Return a process's contiguous slice of a global batch; slices differ by at most one sample.

    A slice that would be empty holds one padding key, since every process must take part in each step.
    """
    low, high = rank * len(batch) // world, (rank + 1) * len(batch) // world
    if low == high:
        first = batch[0]
        return [SampleKey(first.epoch, first.item, first.round, first.occurrence, padding=True)]
    return list(batch[low:high])


class BatchPlan:
    """The batches that one process loads, epoch by epoch; a ``batch_sampler`` for a data loader.

    Args:
        batch_size: Samples in a global batch.
        rank: This process.
        world: The number of processes.
        drop_last: Leave out a last batch that is not full.
    """

    def __init__(self, batch_size: int, *, rank: int = 0, world: int = 1, drop_last: bool = False) -> None:
        self.batch_size = batch_size
        self.rank = rank
        self.world = world
        self.drop_last = drop_last
        self._keys: list[SampleKey] = []
        self._first = 0

    def count(self, rows: int) -> int:
        """Return the number of batches that ``rows`` rows make."""
        return rows // self.batch_size if self.drop_last else -(-rows // self.batch_size)

    def begin(self, keys: Sequence[SampleKey], *, first_batch: int = 0) -> None:
        """Set the order of the epoch and the batch to begin with."""
        self._keys = list(keys)
        self._first = first_batch

    def __len__(self) -> int:
        return max(0, self.count(len(self._keys)) - self._first)

    def __iter__(self) -> Iterator[list[SampleKey]]:
        for number in range(self._first, self.count(len(self._keys))):
            batch = self._keys[number * self.batch_size : (number + 1) * self.batch_size]
            yield rank_slice(batch, self.rank, self.world)
