"""Frame classification as the training loop sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn
from torch.utils.data import Dataset

from cineloop.cohort.cohort import Cohort
from cineloop.cohort.item import Item
from cineloop.errors import RecipeError
from cineloop.evaluation.predictions import Predictions
from cineloop.models.passport import Passport
from cineloop.tasks.frame_classification.data import (
    EvalFrames,
    FrameReader,
    TrainFrames,
    join_samples,
    one_frame_each,
)
from cineloop.tasks.frame_classification.labels import KNOWN, labels_of
from cineloop.tasks.frame_classification.metrics import best_metrics, metric_names, metrics_of
from cineloop.tasks.frame_classification.model import build, contract, head_of, load_first, with_outputs
from cineloop.tasks.frame_classification.passport import make_passport
from cineloop.tasks.frame_classification.resample import resampled
from cineloop.tasks.frame_classification.schema import FrameRecipe
from cineloop.tasks.frame_classification.scoring import predictions_of, score
from cineloop.tasks.learner import ItemLearner, check_metrics, check_positive, class_counts, confusion_of, labelled
from cineloop.tasks.network import freeze, parameter_groups
from cineloop.tasks.scoring import Scores
from cineloop.tasks.selectable import require_selectable
from cineloop.training.learner import Batch, ParameterGroup, Validation
from cineloop.training.losses import LOSSES
from cineloop.training.order import EpochOrder, Shuffled
from cineloop.training.runtime import Runtime
from cineloop.training.samples import Entry
from cineloop.video.frame_transform import FrameTransform


class FrameLearner(ItemLearner):
    """A frame classifier and its data.

    Args:
        recipe: The resolved recipe.
        cohort: Its data, checked for leaks.

    Raises:
        CohortError: The training split is empty, unlabelled, or of one class only; or a label means nothing here.
        WeightsError: The first weights do not fit.
        RecipeError: The sections do not fit together.
    """

    recipe: FrameRecipe

    def __init__(self, recipe: FrameRecipe, cohort: Cohort) -> None:
        self.recipe = recipe
        self.cohort = cohort
        self.labels = labels_of(recipe.data.labels, cohort.classes)
        self.network = with_outputs(recipe.model.network, len(self.labels.outputs))
        io = contract(self.network)
        height, width = recipe.data.input.size
        given = (width, height) if recipe.data.input.transposed else (height, width)
        if not io.any_size and io.size != given:
            raise RecipeError(
                f"{self.network.name!r} reads frames of {io.size[0]}x{io.size[1]} pixels; {given[0]}x{given[1]} are "
                "prepared",
                where="data.input.size",
                mend=f"Set data.input.size=[{io.size[0]}, {io.size[1]}].",
            )
        check_positive(recipe.evaluate.positive, self.labels.classes)
        check_metrics(recipe, metric_names(self.labels, recipe.evaluate))
        self.train_items = self._items("train")
        targets = KNOWN if recipe.data.labels == "colonoscopy" else self.labels.classes
        self.counts = class_counts(self.train_items, targets, cohort)
        self.val_items = self._items("val") if "val" in cohort.split_names else []
        if self.val_items:
            require_selectable(recipe, cohort, best_metrics(self.val_items, self.labels, recipe.evaluate))

        self._module = build(self.network, seed=recipe.train.seed)
        self._report = None
        if recipe.model.weights is not None:
            self._report = load_first(
                self._module, recipe.model.weights, self.network, min_match=recipe.model.min_match
            )
        freeze(self._module, recipe.model, head_of(self.network))
        self._loss = LOSSES.get(recipe.train.loss.name).build(recipe.train.loss.config, self.counts)

    def _items(self, split: str) -> list[Item]:
        return self.labels.targets(one_frame_each(labelled(self.cohort, split), self.recipe.data.stride))

    def order(self, seed: int) -> EpochOrder:
        """Return every frame once an epoch, as many draws balanced by class, or what resampling asks for."""
        entries = [Entry(index) for index in range(len(self.train_items))]
        if self.recipe.data.resample is not None:
            workers = self.recipe.train.workers
            return resampled(self.train_items, self.recipe.data.resample, seed=seed, workers=workers)
        weights = None
        if self.recipe.train.balance != "none":
            weights = np.array([1.0 / self.counts[item.target] for item in self.train_items if item.target is not None])
        return Shuffled(entries, seed, weights)

    def dataset(self) -> Dataset[Any]:
        """Return the augmented training frames."""
        data = self.recipe.data
        transform = FrameTransform(data.input, data.augment, data.jitter)
        return TrainFrames(self.train_items, self._reader("train"), transform, seed=self.recipe.train.seed)

    def _reader(self, split: str) -> FrameReader:
        return FrameReader(split, crop_content=self.recipe.data.crop == "content")

    def collate(self, samples: Sequence[Any]) -> Batch:
        """Join samples into a batch."""
        return join_samples(samples)

    def parameter_groups(self, layer_decay: float, head_lr_scale: float) -> list[ParameterGroup]:
        """Return the groups of the trainable parameters."""
        return parameter_groups(
            self._module,
            self.recipe.model,
            prefix="",
            is_head=head_of(self.network),
            layer_decay=layer_decay,
            head_lr_scale=head_lr_scale,
        )

    def predictions(
        self, items: Sequence[Item], split: str, module: nn.Module, runtime: Runtime
    ) -> tuple[Predictions, Scores]:
        """Predict frames, shared out over the processes."""
        scores = score(
            module,
            EvalFrames(items, self._reader(split), self.recipe.data.input),
            self.labels,
            to_device=runtime.to_device,
            batch_size=max(1, 2 * self.recipe.train.batch_size // runtime.world),
            workers=self.recipe.train.workers,
            rank=runtime.rank,
            world=runtime.world,
            on_error=self.recipe.data.on_error,
        )
        for other in runtime.gather(scores):
            scores.merge(other)
        known = self.cohort.identity_known.patient
        predictions = predictions_of(items, scores, self.labels, identity_known=known)
        return predictions.with_positive(self.recipe.evaluate.positive), scores

    def validate(self, module: nn.Module, runtime: Runtime) -> Validation:
        """Measure the module on the validation split."""
        predictions, scores = self.predictions(self.val_items, "val", module, runtime)
        metrics: Mapping[str, float | None] = metrics_of(predictions, self.val_items, self.labels, self.recipe.evaluate)

        def write(folder: Path) -> None:
            self.keep_validation(folder, predictions, scores.records)

        return Validation(metrics, confusion_of(predictions), write)

    def passport(self) -> Passport:
        """Return the passport of the weights that come out."""
        return make_passport(self.recipe, self.cohort, self.network, self.labels)
