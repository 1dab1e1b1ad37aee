"""Clip classification as the training loop sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
from cineloop.evaluation.scorer import figures
from cineloop.models.passport import Passport
from cineloop.models.weights import save_weights
from cineloop.schema import did_you_mean
from cineloop.tasks.clip_classification.data import ClipReader, EvalViews, TrainClips, join_samples
from cineloop.tasks.clip_classification.model import (
    ClipClassifier,
    build,
    contract,
    freeze,
    parameter_groups,
    trainable_share,
)
from cineloop.tasks.clip_classification.passport import make_passport
from cineloop.tasks.clip_classification.schema import ClipRecipe
from cineloop.tasks.clip_classification.scoring import Scores, as_predictions, score
from cineloop.tasks.clip_classification.transforms import eval_transform, train_transform
from cineloop.tasks.task import DryRun
from cineloop.training.learner import Batch, ParameterGroup, Validation
from cineloop.training.losses import LOSSES, SampleLoss
from cineloop.training.order import Shuffled
from cineloop.training.runtime import Runtime
from cineloop.training.samples import Entry, SampleKey
from cineloop.video.records import SampleRecord, write_records


def labelled(cohort: Cohort, split: str) -> list[Item]:
    """Return a split's items that can be learned from or judged: those with a label.

    Raises:
        CohortError: There is none.
    """
    items = cohort.items_of(split)
    chosen = [item for item in items if item.target is not None]
    if not chosen:
        raise CohortError(
            f"None of the {len(items)} items of the split {split!r} has a label",
            where=cohort.root,
            mend="Label them, or use `cineloop predict`, which needs no labels.",
        )
    return chosen


class ClipLearner:
    """A clip classifier and its data.

    Args:
        recipe: The resolved recipe.
        cohort: Its data, checked for leaks.

    Raises:
        CohortError: The training split is empty, unlabelled, or of one class only.
        WeightsError: The first weights do not fit.
        RecipeError: The sections do not fit together.
    """

    def __init__(self, recipe: ClipRecipe, cohort: Cohort) -> None:
        self.recipe = recipe
        self.cohort = cohort
        self.io = contract(recipe.model.network)
        size = recipe.data.spatial.size
        if not self.io.any_size and self.io.size != (size, size):
            raise RecipeError(
                f"{recipe.model.network.name!r} reads frames of {self.io.size[0]}x{self.io.size[1]} pixels; "
                f"{size}x{size} are prepared",
                where="data.spatial.size",
                mend=f"Set data.spatial.size={min(self.io.size)}.",
            )
        if not self.io.any_frames and self.io.frames != recipe.data.sampling.frames:
            raise RecipeError(
                f"{recipe.model.network.name!r} reads clips of {self.io.frames} frames; "
                f"{recipe.data.sampling.frames} are sampled",
                where="data.sampling.frames",
                mend=f"Set data.sampling.frames={self.io.frames}.",
            )
        self._check_names()
        self.train_items = labelled(cohort, "train")
        self.counts = self._class_counts()
        self.val_items = labelled(cohort, "val") if "val" in cohort.split_names else []

        seed = recipe.train.seed
        self._module = build(recipe.model.network, len(cohort.classes), dropout=recipe.model.dropout, seed=seed)
        self._report = self._first_weights()
        freeze(self._module, recipe.model)
        spec = LOSSES.get(recipe.train.loss.name)
        self._loss: SampleLoss = spec.build(recipe.train.loss.config, self.counts)

    def _check_names(self) -> None:
        """Refuse, before an epoch is spent, a positive class and a selection metric that are not there."""
        classes, positive, metric = self.cohort.classes, self.recipe.evaluate.positive, self.recipe.train.select.metric
        if positive is not None and positive not in classes:
            raise RecipeError(
                f"{positive!r} cannot be the positive class: the cohort's classes are {', '.join(classes)}",
                where="evaluate.positive",
                mend=did_you_mean(positive, classes),
            )
        one_each = Predictions(
            ids=classes,
            clusters=classes,
            targets=np.arange(len(classes)),
            probabilities=np.eye(len(classes)),
            classes=classes,
        )
        known = [*figures(one_each, ordinal=self.recipe.evaluate.ordinal), "loss"]
        if metric not in known:
            raise RecipeError(
                f"The validation gives no metric called {metric!r}",
                where="train.select.metric",
                mend=did_you_mean(metric, known),
            )

    def _class_counts(self) -> list[int]:
        found = Counter(item.target for item in self.train_items)
        counts = [found[target] for target in range(len(self.cohort.classes))]
        if sum(count > 0 for count in counts) < 2:
            only = self.cohort.classes[next(index for index, count in enumerate(counts) if count)]
            raise CohortError(
                f"The training split has one class only: {only!r}, {sum(counts)} items",
                where=self.cohort.root,
                mend="Add items of another class to the training split, or divide the patients anew with data.split.",
            )
        return counts

    def _first_weights(self) -> str | None:
        weights = self.recipe.model.weights
        if weights is None:
            return None
        from cineloop.tasks.clip_classification.weights import load_encoder

        return load_encoder(self._module, weights, self.recipe.model.network, min_match=self.recipe.model.min_match)

    # What the loop asks for.

    @property
    def module(self) -> ClipClassifier:
        """The classifier."""
        return self._module

    def order(self, seed: int) -> Shuffled:
        """Return every training item and augmentation round once an epoch, or as many draws balanced by class."""
        entries, weights = self.entries(), None
        if self.recipe.train.balance != "none":
            weights = np.array([1.0 / self.counts[self._target(entry.item)] for entry in entries])
        return Shuffled(entries, seed, weights)

    def entries(self) -> list[Entry]:
        """Return the training items, and their augmentation rounds behind them."""
        sampler = self.recipe.data.sampling.sampler("train")
        rows = [Entry(index) for index in range(len(self.train_items))]
        if sampler.config.rounds is not None:
            for index, item in enumerate(self.train_items):
                assert item.frames is not None
                total = (item.stop if item.stop is not None else item.frames) - (item.start or 0)
                rows += [Entry(index, round) for round in sampler.rounds(total)]
        return rows

    def _target(self, index: int) -> int:
        target = self.train_items[index].target
        assert target is not None
        return target

    def dataset(self) -> Dataset[Any]:
        """Return the augmented training clips."""
        return TrainClips(
            self.train_items,
            self._reader("train"),
            train_transform(self.recipe.data),
            seed=self.recipe.train.seed,
        )

    def _reader(self, split: str) -> ClipReader:
        data = self.recipe.data
        return ClipReader(data.sampling.sampler(split), split, crop_content=data.crop == "content")

    def collate(self, samples: Sequence[Any]) -> Batch:
        """Join samples into a batch."""
        return join_samples(samples)

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

    def parameter_groups(self, layer_decay: float, head_lr_scale: float) -> list[ParameterGroup]:
        """Return the groups of the trainable parameters."""
        return parameter_groups(self._module, self.recipe.model, layer_decay, head_lr_scale)

    def has_validation(self) -> bool:
        """Return whether there is a validation split."""
        return bool(self.val_items)

    def predictions(
        self, items: Sequence[Item], split: str, module: nn.Module, runtime: Runtime
    ) -> tuple[Predictions, Scores]:
        """Predict items with one view each, shared out over the processes."""
        evaluate = self.recipe.evaluate
        data = EvalViews(items, self._reader(split), eval_transform(self.recipe.data.spatial, spatial_views=1), views=1)
        scores = score(
            module,
            data,
            to_device=runtime.to_device,
            batch_size=max(1, 2 * self.recipe.train.batch_size // runtime.world),
            workers=self.recipe.train.workers,
            rank=runtime.rank,
            world=runtime.world,
            on_error=self.recipe.data.on_error,
        )
        for other in runtime.gather(scores):
            scores.probabilities |= other.probabilities
        predictions = as_predictions(
            items, scores, self.cohort.classes, identity_known=self.cohort.identity_known.patient
        )
        return predictions.with_positive(evaluate.positive), scores

    def validate(self, module: nn.Module, runtime: Runtime) -> Validation:
        """Measure the module on the validation split."""
        predictions, scores = self.predictions(self.val_items, "val", module, runtime)
        metrics = figures(predictions, ordinal=self.recipe.evaluate.ordinal)

        def write(folder: Path) -> None:
            salt = self.recipe.data.salt()
            predictions.write(folder / "checkpoints" / "best_validation.parquet", salt=salt)
            write_records(scores.records, folder / "samples" / "val.parquet", salt=salt)

        table = confusion_matrix(predictions.targets, predictions.decide(None), len(predictions.classes))
        confusion = tuple(tuple(int(count) for count in row) for row in table)
        return Validation({**metrics, "loss": metrics["log_loss"]}, confusion, write)

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

    # What the product asks for around the loop.

    @property
    def learner(self) -> ClipLearner:
        """What the loop sees."""
        return self

    def passport(self) -> Passport:
        """Return the passport of the weights that come out."""
        return make_passport(self.recipe, self.cohort, self.io)

    def save_weights(self, path: Path, state: Mapping[str, Tensor]) -> None:
        """Write weights with their passport."""
        save_weights(path, state, self.passport())

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
