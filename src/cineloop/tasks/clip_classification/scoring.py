"""Class probabilities of items: the one path that validation, evaluation and prediction share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Sampler

from cineloop.cohort.item import Item
from cineloop.errors import CohortError
from cineloop.evaluation.predictions import UNKNOWN, Predictions
from cineloop.progress import Progress, silent, stage
from cineloop.tasks.clip_classification.data import EvalViews, Failure, Views, as_they_are
from cineloop.training.loading import data_loader
from cineloop.video.records import SampleRecord


@dataclass
class Scores:
    """What scoring found.

    Attributes:
        probabilities: By the item's position, float64 [K]: the mean over its views.
        records: What was decoded.
        failures: Items that could not be read.
    """

    probabilities: dict[int, np.ndarray] = field(default_factory=dict)
    records: list[SampleRecord] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def looked_at(self) -> dict[str, tuple[tuple[int, ...], tuple[float, ...]]]:
        """Return the frame indices and times in seconds that each item was judged by, all views together, sorted."""
        refs: dict[str, dict[int, float]] = {}
        for record in self.records:
            refs.setdefault(record.item, {}).update({ref.index: ref.seconds for ref in record.refs})
        return {
            item: (tuple(sorted(seen)), tuple(seen[index] for index in sorted(seen))) for item, seen in refs.items()
        }


class Positions(Sampler[list[int]]):
    """The positions of one process's share, in order, a few at a time."""

    def __init__(self, positions: Sequence[int], size: int) -> None:
        self.batches = [list(positions[first : first + size]) for first in range(0, len(positions), size)]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


def score(
    module: nn.Module,
    data: EvalViews,
    *,
    to_device: Callable[[Tensor], Tensor],
    batch_size: int,
    workers: int,
    rank: int = 0,
    world: int = 1,
    on_error: str = "raise",
    progress: Progress = silent,
    label: str = "predict",
) -> Scores:
    """Run the module over a process's share of the items.

    Args:
        module: Clips [N, 3, T, H, W] to logits [N, K], in evaluation mode.
        data: The views of the items.
        to_device: Moves a tensor to where the module is.
        batch_size: Clips in a forward pass; all views of an item go together.
        workers: Processes that decode.
        rank: This process's number; it takes every ``world``-th item from there.
        world: The number of processes.
        on_error: ``raise`` or ``skip`` for an item that cannot be read.
        progress: Told about each item.
        label: The stage's name.

    Raises:
        VideoError: An item cannot be read, under ``raise``.
    """
    positions = range(rank, len(data), world)
    loader = data_loader(
        data,
        Positions(positions, max(1, batch_size // data.views)),
        as_they_are,
        workers=min(workers, len(positions)),
    )
    result = Scores()
    with stage(progress, len(positions), label), torch.inference_mode():
        for samples in loader:
            good = [sample for sample in samples if isinstance(sample, Views)]
            failed = [sample for sample in samples if isinstance(sample, Failure)]
            if failed and on_error == "raise":
                raise failed[0].error
            result.failures += failed
            if good:
                logits = module(to_device(torch.cat([sample.clips for sample in good])))
                probabilities = torch.softmax(logits.double(), dim=1).cpu()
                shares = torch.split(probabilities, [len(sample.clips) for sample in good])
                for sample, share in zip(good, shares, strict=True):
                    result.probabilities[sample.item] = share.mean(0).numpy()
                    result.records += sample.records
            progress.advance(len(samples))
    return result


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
