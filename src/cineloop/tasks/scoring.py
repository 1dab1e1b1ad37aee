"""What a predictor finds about items: probabilities, what was decoded, what failed; the same for every task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from torch.utils.data import Sampler

from cineloop.cohort.item import Item
from cineloop.errors import CineloopError, CohortError
from cineloop.evaluation.predictions import UNKNOWN, Predictions
from cineloop.training.samples import SampleKey
from cineloop.video.records import SampleRecord


@dataclass(frozen=True)
class Failure:
    """A sample that could not be decoded; an exception does not cross from a data worker unharmed, this does."""

    item: int
    error: CineloopError


@dataclass
class Scores:
    """What scoring found.

    Attributes:
        probabilities: By the item's position, float64 [K]: the mean over its views.
        outputs: By the item's position, float64 [L]: what the network itself says, where that is more than the
            probabilities of classes.
        records: What was decoded.
        failures: Items that could not be read.
    """

    probabilities: dict[int, np.ndarray] = field(default_factory=dict)
    outputs: dict[int, np.ndarray] = field(default_factory=dict)
    records: list[SampleRecord] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def merge(self, other: Scores) -> None:
        """Take in what another process found."""
        self.probabilities |= other.probabilities
        self.outputs |= other.outputs

    def looked_at(self) -> dict[str, tuple[tuple[int, ...], tuple[float, ...]]]:
        """Return the frame indices and times in seconds that each item was judged by, all views together, sorted."""
        refs: dict[str, dict[int, float]] = {}
        for record in self.records:
            refs.setdefault(record.item, {}).update({ref.index: ref.seconds for ref in record.refs})
        return {
            item: (tuple(sorted(seen)), tuple(seen[index] for index in sorted(seen))) for item, seen in refs.items()
        }


class Trained(Protocol):
    """A training sample, whatever it is of."""

    @property
    def key(self) -> SampleKey:
        """Which."""

    @property
    def record(self) -> SampleRecord:
        """What was decoded."""


T = TypeVar("T", bound=Trained)


def sorted_out(samples: Sequence[T | Failure], kind: type[T]) -> tuple[list[T], dict[str, Any]]:
    """Return the samples that could be read, and a batch that holds their keys, their records and the failures."""
    good = [sample for sample in samples if isinstance(sample, kind)]
    return good, {
        "keys": [sample.key for sample in good],
        "records": [sample.record for sample in good if not sample.key.padding],
        "failures": [sample for sample in samples if isinstance(sample, Failure)],
    }


class Positions(Sampler[list[int]]):
    """The positions of one process's share, in order, a few at a time."""

    def __init__(self, positions: Sequence[int], size: int) -> None:
        self.batches = [list(positions[first : first + size]) for first in range(0, len(positions), size)]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


def as_they_are(samples: Sequence[Any]) -> list[Any]:
    """Collate nothing: samples of different items may be of different number or size."""
    return list(samples)


def as_predictions(
    items: Sequence[Item], scores: Scores, classes: Sequence[str], *, identity_known: bool
) -> Predictions:
    """Return the scored items as predictions, in the order of the items.

    Raises:
        CohortError: No item could be read.
    """
    kept = [position for position in range(len(items)) if position in scores.probabilities]
    if not kept:
        raise CohortError("No item could be read", mend="Run `cineloop cohort check` to see why.")
    chosen = [items[position] for position in kept]
    names = sorted({name for item in chosen for name, _ in item.attributes})
    attributes = {name: [dict(item.attributes).get(name) for item in chosen] for name in names}
    return Predictions(
        ids=tuple(item.id for item in chosen),
        clusters=tuple(item.patient for item in chosen),
        targets=np.array([UNKNOWN if item.target is None else item.target for item in chosen]),
        probabilities=np.stack([scores.probabilities[position] for position in kept]),
        classes=tuple(classes),
        paths=tuple(str(item.path) for item in chosen),
        attributes=attributes,
        identity_known=identity_known,
    )
