"""In which order an epoch shows its samples: what a learner chooses, and the loop follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cineloop.training.samples import Entry, SampleKey, epoch_order, upstream_walk, walk_order


class EpochOrder(Protocol):
    """The samples of each epoch: a function of the epoch alone."""

    @property
    def rows(self) -> int:
        """Samples of an epoch; every epoch has as many."""

    def keys(self, epoch: int) -> list[SampleKey]:
        """Return the global order of an epoch, from 0."""


@dataclass(frozen=True)
class Shuffled:
    """Every row once an epoch, shuffled; or as many draws with replacement.

    Attributes:
        entries: The rows in their natural order.
        seed: The run's seed.
        weights: Float [N], not negative: draw with replacement in proportion to them.
    """

    entries: Sequence[Entry]
    seed: int
    weights: np.ndarray | None = None

    @property
    def rows(self) -> int:
        """The number of entries."""
        return len(self.entries)

    def keys(self, epoch: int) -> list[SampleKey]:
        """Return the global order of an epoch."""
        return epoch_order(self.entries, seed=self.seed, epoch=epoch, weights=self.weights)


@dataclass(frozen=True)
class Walked:
    """A number of rows of each subset an epoch.

    Attributes:
        subsets: The rows of each subset, in their natural order.
        counts: Rows of each that an epoch shows.
        seed: The run's seed.
        upstream_workers: None walks each subset without replacement, epoch after epoch. A number reproduces the
            published sampler with so many data workers (:func:`cineloop.training.samples.upstream_walk`).
    """

    subsets: Sequence[Sequence[Entry]]
    counts: Sequence[int]
    seed: int
    upstream_workers: int | None = None

    @property
    def rows(self) -> int:
        """The sum of the counts."""
        return sum(self.counts)

    def keys(self, epoch: int) -> list[SampleKey]:
        """Return the global order of an epoch."""
        if self.upstream_workers is None:
            return walk_order(self.subsets, self.counts, seed=self.seed, epoch=epoch)
        return upstream_walk(self.subsets, self.counts, seed=self.seed, epoch=epoch, workers=self.upstream_workers)
