"""What a task is to the product: its recipe, its learner, its predictor. One line in one table adds a task."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import numpy as np

from cineloop.cohort.cohort import Cohort
from cineloop.cohort.item import Item
from cineloop.errors import CineloopError, RecipeError
from cineloop.progress import Progress, silent
from cineloop.registry import Registry, Spec
from cineloop.tasks.recipe import Recipe
from cineloop.video.records import SampleRecord
from cineloop.video.sampling import FrameSampler

if TYPE_CHECKING:
    from torch import Tensor

    from cineloop.evaluation.predictions import Predictions
    from cineloop.evaluation.questions import Question
    from cineloop.models.passport import Passport
    from cineloop.training.learner import Learner


@dataclass(frozen=True)
class DryRun:
    """What a recipe would do, found out without training.

    Attributes:
        parameters: All parameters.
        trainable: Those that training moves.
        shapes: The shape of each tensor in one training batch, by name.
        loss: The loss of that batch before any step.
        steps_per_epoch: Optimiser steps an epoch.
        samples: Samples an epoch, copies of augmentation rounds among them.
    """

    parameters: int
    trainable: int
    shapes: Mapping[str, tuple[int, ...]]
    loss: float
    steps_per_epoch: int
    samples: int


class TaskLearner(Protocol):
    """A task's learner with what the product needs around the loop.

    Attributes:
        leak: The reason for which a leak between splits was allowed; the weights carry it.
    """

    leak: str | None

    @property
    def learner(self) -> Learner:
        """What the loop sees."""

    def passport(self) -> Passport:
        """Return the passport of the weights that come out."""

    def dry_run(self) -> DryRun:
        """Load one batch and measure its loss."""

    def weights_report(self) -> str | None:
        """Return the table of keys of the first weights, None when they are random."""


class Scored(Protocol):
    """What a predictor found besides probabilities."""

    @property
    def records(self) -> list[SampleRecord]:
        """What was decoded."""

    @property
    def failures(self) -> Sequence[Failed]:
        """Items that could not be read."""

    def looked_at(self) -> Mapping[str, tuple[tuple[int, ...], tuple[float, ...]]]:
        """Return the frame indices and times in seconds that each item was judged by."""


class Failed(Protocol):
    """An item that could not be read."""

    @property
    def item(self) -> int:
        """Its position."""

    @property
    def error(self) -> CineloopError:
        """Why."""


class Predictor(Protocol):
    """Trained weights, ready for input; the same for every back end."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the probabilities."""

    @property
    def positive(self) -> str | None:
        """The positive class of a binary problem, where the recipe named one."""

    @property
    def asks(self) -> tuple[str, ...]:
        """The questions that are decided at a threshold, besides the classes; none where there are only classes."""

    def under(self, recipe: Recipe) -> Predictor:
        """Return the same weights, looking at as many views as the ``evaluate`` section of a recipe says."""

    def spread(self, items: Sequence[Item], rate: float | None) -> list[Item]:
        """Return what is judged of items: themselves, or their frames at so many a second (None for all)."""

    def labelled(self, items: Sequence[Item]) -> list[Item]:
        """Return what is judged of labelled items, with targets in the order of this model's classes."""

    def questions(self, predictions: Predictions, items: Sequence[Item]) -> tuple[Question, ...]:
        """Return the questions that the model answers besides its classes."""

    def extras(self, predictions: Predictions, items: Sequence[Item], recipe: Recipe) -> Mapping[str, Any]:
        """Return further figures that a recipe asks for, as plain data by name."""

    def decided(self, predictions: Predictions, thresholds: Mapping[str, float]) -> Predictions:
        """Return predictions decided at the thresholds of the questions, by their names."""

    def predict(
        self,
        items: Sequence[Item],
        *,
        split: str = "test",
        temporal_views: int | None = None,
        spatial_views: Literal[1, 3] | None = None,
        batch_size: int = 16,
        workers: int = 0,
        on_error: str = "raise",
        records: Path | None = None,
        identity_known: bool = True,
        progress: Progress = silent,
    ) -> tuple[Predictions, Scored]:
        """Return one row an item, and what was looked at."""

    def frames(self, item: Item) -> np.ndarray:
        """Return the frames of an item's first view, uint8 RGB [T, H, W, 3], for a gallery."""


@dataclass(frozen=True, kw_only=True)
class TaskSpec(Spec):
    """A task that a recipe can name.

    Attributes:
        Recipe: The recipe with this task's sections.
        learner: Builds the model, loads its first weights, and ties it to the cohort.
        predictor: Rebuilds a predictor from a passport and its tensors, on a device.
        sampler: From a recipe and the name of a split to what chooses its frames; None where frames are not sampled.
    """

    registry: ClassVar[Registry[TaskSpec]]  # type: ignore[assignment]

    Recipe: type[Recipe]
    learner: Callable[[Any, Cohort], TaskLearner]
    predictor: Callable[[Passport, Mapping[str, Tensor], str], Predictor]
    sampler: Callable[[Any, str], FrameSampler] | None = None


# One line a task.
_BUILTIN_MODULES = ("clip_classification", "frame_classification")


def _builtins() -> Iterable[TaskSpec]:
    for name in _BUILTIN_MODULES:
        yield importlib.import_module(f"cineloop.tasks.{name}").SPEC


TASKS: Registry[TaskSpec] = Registry("task", RecipeError, builtins=_builtins)
TaskSpec.registry = TASKS
