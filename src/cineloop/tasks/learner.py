"""What the learners of labelled items have in common."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from cineloop.cohort.cohort import Cohort
from cineloop.cohort.item import Item
from cineloop.errors import CohortError, RecipeError
from cineloop.evaluation.confusion import confusion_matrix
from cineloop.evaluation.predictions import Predictions
from cineloop.models.passport import Passport
from cineloop.models.weights import save_weights
from cineloop.schema import did_you_mean
from cineloop.tasks.network import trainable_share
from cineloop.tasks.recipe import Recipe
from cineloop.tasks.task import DryRun
from cineloop.training.learner import Batch, Learner, ParameterGroup, Validation
from cineloop.training.order import EpochOrder
from cineloop.training.runtime import Runtime
from cineloop.training.sample_loss import SampleLoss
from cineloop.training.samples import SampleKey
from cineloop.video.records import SampleRecord, write_records


def labelled(cohort: Cohort, split: str) -> list[Item]:
    """Return a split's items that can be learned from or judged: those with a label.

    Raises:
        CohortError: There is none.
    """
    items = cohort.items_of(split)
    chosen = [item for item in items if item.label is not None]
    if not chosen:
        raise CohortError(
            f"None of the {len(items)} items of the split {split!r} has a label",
            where=cohort.root,
            mend="Label them, or use `cineloop predict`, which needs no labels.",
        )
    return chosen


def by_class(items: Sequence[Item], classes: Sequence[str]) -> list[Item]:
    """Return items with targets in the order of a model's classes.

    Raises:
        CohortError: A label is none of them.
    """
    found = []
    for item in items:
        if item.label is not None and item.label not in classes:
            raise CohortError(
                f"The model knows no class {item.label!r}; it knows {', '.join(classes)}",
                where=item.path,
                mend="Name the cohort's classes as the model's, with data.classes or a label map.",
            )
        target = list(classes).index(item.label) if item.label is not None else None
        found.append(dataclasses.replace(item, target=target))
    return found


def class_counts(items: Sequence[Item], classes: Sequence[str], cohort: Cohort) -> list[int]:
    """Return how many training items each class has.

    Raises:
        CohortError: All are of one class.
    """
    found = Counter(item.target for item in items)
    counts = [found[target] for target in range(len(classes))]
    if sum(count > 0 for count in counts) < 2:
        only = classes[next(index for index, count in enumerate(counts) if count)]
        raise CohortError(
            f"The training split has one class only: {only!r}, {sum(counts)} items",
            where=cohort.root,
            mend="Add items of another class to the training split, or divide the patients anew with data.split.",
        )
    return counts


def check_positive(positive: str | None, classes: Sequence[str]) -> None:
    """Refuse, before an epoch is spent, a positive class that is not there.

    Raises:
        RecipeError: There is none of that name.
    """
    if positive is not None and positive not in classes:
        raise RecipeError(
            f"{positive!r} cannot be the positive class: the cohort's classes are {', '.join(classes)}",
            where="evaluate.positive",
            mend=did_you_mean(positive, classes),
        )


def check_metrics(recipe: Recipe, known: Sequence[str]) -> None:
    """Refuse, before an epoch is spent, metrics to select or keep by that no validation will give.

    Raises:
        RecipeError: There is none of that name.
    """
    wanted = [("train.select.metric", recipe.train.select.metric)]
    wanted += [("train.keep.best", metric) for metric in recipe.train.keep.best]
    for where, metric in wanted:
        if metric not in known:
            raise RecipeError(
                f"The validation gives no metric called {metric!r}", where=where, mend=did_you_mean(metric, known)
            )


def blank_predictions(classes: Sequence[str], present: Collection[str] | None = None) -> Predictions:
    """Return right predictions of one item a class, from which it can be learned which metrics there are.

    Args:
        classes: The classes.
        present: Those that have an item; None means all of them.
    """
    targets = [target for target, name in enumerate(classes) if present is None or name in present]
    names = tuple(classes[target] for target in targets)
    return Predictions(
        ids=names,
        clusters=names,
        targets=np.array(targets),
        probabilities=np.eye(len(classes))[targets],
        classes=tuple(classes),
    )


def confusion_of(predictions: Predictions) -> tuple[tuple[int, ...], ...]:
    """Return items by true and decided class."""
    known = predictions.known()
    table = confusion_matrix(known.targets, known.decide(None), len(known.classes))
    return tuple(tuple(int(count) for count in row) for row in table)


class ItemLearner(ABC):
    """A model that learns from labelled items; a task adds how they are read, grouped and validated.

    Attributes:
        recipe: The resolved recipe.
        cohort: Its data, checked for leaks.
        train_items: What is learned from.
        val_items: What the epoch is chosen on; may be empty.
        leak: The reason for which a leak between splits was allowed; the weights carry it.
    """

    recipe: Recipe
    cohort: Cohort
    train_items: list[Item]
    val_items: list[Item]
    leak: str | None = None
    _module: nn.Module
    _loss: SampleLoss
    _report: str | None

    @abstractmethod
    def order(self, seed: int) -> EpochOrder:
        """Return which samples each epoch shows, and in which order."""

    @abstractmethod
    def dataset(self) -> Dataset[Any]:
        """Return the training samples, addressed by :class:`SampleKey`."""

    @abstractmethod
    def collate(self, samples: Sequence[Any]) -> Batch:
        """Join samples into a batch."""

    @abstractmethod
    def passport(self) -> Passport:
        """Return the passport of the weights that come out."""

    @abstractmethod
    def parameter_groups(self, layer_decay: float, head_lr_scale: float) -> list[ParameterGroup]:
        """Return the groups of the trainable parameters."""

    @abstractmethod
    def validate(self, module: nn.Module, runtime: Runtime) -> Validation:
        """Measure the module on the validation split."""

    @property
    def learner(self) -> Learner:
        """What the loop sees: this."""
        return self

    @property
    def module(self) -> nn.Module:
        """What is trained."""
        return self._module

    def check(self, batch: Batch) -> None:
        """Refuse, or count, samples of the batch that could not be decoded.

        Raises:
            VideoError: A sample could not be decoded and ``data.on_error`` is ``raise``, or none could.
        """
        failures = batch["failures"]
        if failures and (self.recipe.data.on_error == "raise" or not batch["keys"]):
            raise failures[0].error

    def weights(self, batch: Batch) -> Tensor:
        """Return each sample's share in the divisor of the batch's loss, float32 [B]."""
        return self._loss.weight(batch["target"])

    def losses(self, module: nn.Module, batch: Batch) -> Tensor:
        """Return the weighted loss of each sample, float32 [B]."""
        self._loss.to(batch["target"].device)
        losses: Tensor = self._loss(module(batch["input"]), batch["target"])
        return losses

    def has_validation(self) -> bool:
        """Return whether there is a validation split."""
        return bool(self.val_items)

    def describe(self, key: SampleKey) -> str:
        """Return the item's id."""
        return self.train_items[key.item].id

    def records(self, batch: Batch) -> list[SampleRecord]:
        """Return what was decoded for the batch."""
        records: list[SampleRecord] = batch["records"]
        return records

    def write_records(self, records: Sequence[list[SampleRecord]], path: Path) -> None:
        """Write records of what was decoded."""
        write_records([record for batch in records for record in batch], path, salt=self.recipe.data.salt())

    def keep_validation(self, folder: Path, predictions: Predictions, records: Sequence[SampleRecord]) -> None:
        """Write what the kept epoch said of the validation items into a run's folder."""
        salt = self.recipe.data.salt()
        predictions.write(folder / "checkpoints" / "best_validation.parquet", salt=salt)
        write_records(records, folder / "samples" / "val.parquet", salt=salt)

    def save_weights(self, path: Path, state: Mapping[str, Tensor]) -> None:
        """Write weights with their passport."""
        save_weights(path, state, self.passport().model_copy(update={"leak": self.leak}))

    def weights_report(self) -> str | None:
        """Return the table of keys of the first weights, None when they are random."""
        return self._report

    def dry_run(self) -> DryRun:
        """Load one batch and measure its loss, without a step."""
        train = self.recipe.train
        keys = self.order(train.seed).keys(0)
        data = self.dataset()
        batch = self.collate([data[key] for key in keys[: train.batch_size]])
        self.check(batch)
        self._module.eval()
        with torch.inference_mode():
            loss = float(self.losses(self._module, batch).sum() / self.weights(batch).sum())
        total, trainable = trainable_share(self._module)
        batches = len(keys) // train.batch_size if train.drop_last else -(-len(keys) // train.batch_size)
        return DryRun(
            parameters=total,
            trainable=trainable,
            shapes={name: tuple(batch[name].shape) for name in ("input", "target")},
            loss=loss,
            steps_per_epoch=-(-batches // train.accumulate),
            samples=len(keys),
        )
