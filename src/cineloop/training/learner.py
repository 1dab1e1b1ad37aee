"""What a task gives the loop. The loop knows nothing else of a task, and a task nothing of the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn
from torch.utils.data import Dataset

from cineloop.training.order import EpochOrder
from cineloop.training.runtime import Runtime
from cineloop.training.samples import SampleKey

Batch = dict[str, Any]


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share a learning rate and a weight decay.

    Attributes:
        name: For the log.
        names: The parameters' names in the learner's module.
        lr_scale: Multiplies the recipe's learning rate.
        decay: Whether the recipe's weight decay applies.
    """

    name: str
    names: tuple[str, ...]
    lr_scale: float = 1.0
    decay: bool = True


@dataclass(frozen=True)
class Validation:
    """The outcome of one validation.

    Attributes:
        metrics: Name to value; None where a metric is undefined.
        confusion: Items by true class (rows) and decided class (columns); empty where a task decides for none.
        write: Called on the main process with the run's folder when this epoch becomes the best so far, for what
            a task keeps beside the weights; None keeps nothing.
    """

    metrics: Mapping[str, float | None]
    confusion: tuple[tuple[int, ...], ...] = ()
    write: Callable[[Path], None] | None = None


class Learner(Protocol):
    """A model and its data, as the loop sees them."""

    @property
    def module(self) -> nn.Module:
        """What is trained; called as ``module(batch["input"])``."""

    def order(self, seed: int) -> EpochOrder:
        """Return which samples each epoch shows, and in which order, from the run's seed."""

    def dataset(self) -> Dataset[Any]:
        """Return a map-style data set addressed by :class:`SampleKey`."""

    def collate(self, samples: Sequence[Any]) -> Batch:
        """Join samples into a batch that holds ``keys`` (the sample keys) and ``input``."""

    def check(self, batch: Batch) -> None:
        """Raise for samples of a loaded batch that could not be had; called on the main thread, before its step."""

    def weights(self, batch: Batch) -> Tensor:
        """Return each sample's share in the divisor of the batch's loss, float32 [B], from labels alone."""

    def losses(self, module: nn.Module, batch: Batch) -> Tensor:
        """Return the weighted loss of each sample, float32 [B]; a step's loss is their sum over that of the weights."""

    def parameter_groups(self, layer_decay: float, head_lr_scale: float) -> list[ParameterGroup]:
        """Return groups that together hold every trainable parameter exactly once."""

    def has_validation(self) -> bool:
        """Return whether there is anything to validate on."""

    def validate(self, module: nn.Module, runtime: Runtime) -> Validation:
        """Measure the module on the validation split; every process calls it and gets the same metrics."""

    def describe(self, key: SampleKey) -> str:
        """Return the name of a sample for messages, without pixels."""

    def records(self, batch: Batch) -> Any | None:
        """Return what was decoded for the batch, for :meth:`write_records`; None records nothing."""

    def write_records(self, records: Sequence[Any], path: Path) -> None:
        """Write records of what was decoded to a Parquet file, atomically."""

    def save_weights(self, path: Path, state: Mapping[str, Tensor]) -> None:
        """Write a state of the module with its passport, atomically; equal states give equal bytes."""
