"""Which samples a step sees: a function of seed, epoch and step alone.

The global order of an epoch depends on (seed, epoch). A batch is a slice of that order; a process takes its slice
of each batch. So neither workers nor the number of processes changes a sample, and a resume begins at any batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cineloop.seeds import generator


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
    seen: dict[Entry, int] = {}
    keys: list[SampleKey] = []
    for position in order:
        entry = entries[int(position)]
        occurrence = seen.get(entry, 0)
        seen[entry] = occurrence + 1
        keys.append(SampleKey(epoch, entry.item, entry.round, occurrence))
    return keys


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
