"""Clip classification as the training loop sees it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn
from torch.utils.data import Dataset

from cineloop.cohort.cohort import Cohort
from cineloop.cohort.item import Item
from cineloop.errors import RecipeError
from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.scorer import figures
from cineloop.models.passport import Passport
from cineloop.tasks.clip_classification.data import ClipReader, EvalViews, TrainClips, join_samples
from cineloop.tasks.clip_classification.model import build, contract
from cineloop.tasks.clip_classification.passport import make_passport
from cineloop.tasks.clip_classification.schema import ClipRecipe
from cineloop.tasks.clip_classification.scoring import score
from cineloop.tasks.clip_classification.transforms import eval_transform, train_transform
from cineloop.tasks.learner import (
    ItemLearner,
    blank_predictions,
    check_metrics,
    check_positive,
    class_counts,
    confusion_of,
    labelled,
)
from cineloop.tasks.network import freeze, parameter_groups
from cineloop.tasks.scoring import Scores, as_predictions
from cineloop.tasks.selectable import require_selectable
from cineloop.training.learner import Batch, ParameterGroup, Validation
from cineloop.training.losses import LOSSES
from cineloop.training.order import Shuffled
from cineloop.training.runtime import Runtime
from cineloop.training.samples import Entry


class ClipLearner(ItemLearner):
    """A clip classifier and its data.

    Args:
        recipe: The resolved recipe.
        cohort: Its data, checked for leaks.

    Raises:
        CohortError: The training split is empty, unlabelled, or of one class only.
        WeightsError: The first weights do not fit.
        RecipeError: The sections do not fit together.
    """

    recipe: ClipRecipe

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
        classes = cohort.classes
        check_positive(recipe.evaluate.positive, classes)
        check_metrics(recipe, [*figures(blank_predictions(classes), ordinal=recipe.evaluate.ordinal), "loss"])
        self.train_items = labelled(cohort, "train")
        self.counts = class_counts(self.train_items, classes, cohort)
        self.val_items = labelled(cohort, "val") if "val" in cohort.split_names else []
        if self.val_items:
            present = {item.label for item in self.val_items if item.label is not None}
            perfect = blank_predictions(classes, present).with_positive(recipe.evaluate.positive)
            require_selectable(recipe, cohort, self._metrics(perfect))

        network = recipe.model.network
        classifier = build(network, len(classes), dropout=recipe.model.dropout, seed=recipe.train.seed)
        self._module = classifier
        self._report = None
        if recipe.model.weights is not None:
            from cineloop.tasks.clip_classification.weights import load_encoder

            self._report = load_encoder(classifier, recipe.model.weights, network, min_match=recipe.model.min_match)
        freeze(classifier.backbone, recipe.model, lambda name: False)
        self._loss = LOSSES.get(recipe.train.loss.name).build(recipe.train.loss.config, self.counts)

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

    def parameter_groups(self, layer_decay: float, head_lr_scale: float) -> list[ParameterGroup]:
        """Return the groups of the trainable parameters."""
        return parameter_groups(
            self._module,
            self.recipe.model,
            prefix="backbone.",
            is_head=lambda name: not name.startswith("backbone."),
            layer_decay=layer_decay,
            head_lr_scale=head_lr_scale,
        )

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
            scores.merge(other)
        predictions = as_predictions(
            items, scores, self.cohort.classes, identity_known=self.cohort.identity_known.patient
        )
        return predictions.with_positive(evaluate.positive), scores

    def validate(self, module: nn.Module, runtime: Runtime) -> Validation:
        """Measure the module on the validation split."""
        predictions, scores = self.predictions(self.val_items, "val", module, runtime)
        metrics = self._metrics(predictions)

        def write(folder: Path) -> None:
            self.keep_validation(folder, predictions, scores.records)

        return Validation(metrics, confusion_of(predictions), write)

    def _metrics(self, predictions: Predictions) -> dict[str, float | None]:
        found = figures(predictions, ordinal=self.recipe.evaluate.ordinal)
        return {**found, "loss": found["log_loss"]}

    def passport(self) -> Passport:
        """Return the passport of the weights that come out."""
        return make_passport(self.recipe, self.cohort, self.io)
