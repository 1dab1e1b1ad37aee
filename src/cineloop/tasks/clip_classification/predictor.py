"""Trained clip classifiers on new input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from cineloop.cohort.item import Item
from cineloop.errors import RecipeError
from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.questions import Question
from cineloop.models.passport import Passport
from cineloop.models.weights import fill
from cineloop.progress import Progress, silent
from cineloop.tasks.clip_classification.data import ClipReader, EvalViews
from cineloop.tasks.clip_classification.model import build
from cineloop.tasks.clip_classification.passport import read_input, read_network
from cineloop.tasks.clip_classification.schema import ClipRecipe
from cineloop.tasks.clip_classification.scoring import score
from cineloop.tasks.clip_classification.transforms import eval_transform
from cineloop.tasks.learner import by_class
from cineloop.tasks.recipe import Recipe
from cineloop.tasks.scoring import Scores, as_predictions
from cineloop.video.records import write_records


class ClipPredictor:
    """A classifier rebuilt from its passport and tensors.

    Args:
        passport: Of a clip classifier.
        tensors: Its state, under the names of the module.
        device: Where to run: ``cpu``, ``cuda``, ``cuda:1``.

    Raises:
        WeightsError: The tensors do not fit what the passport says.
    """

    def __init__(self, passport: Passport, tensors: Mapping[str, Tensor], device: str = "cpu") -> None:
        self.passport = passport
        self.input = read_input(passport)
        self.device = torch.device(device)
        self.module = build(read_network(passport), len(passport.classes))
        fill(self.module, tensors).to(self.device)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the probabilities."""
        return self.passport.classes

    @property
    def positive(self) -> str | None:
        """The positive class that the recipe named."""
        return self.input.positive

    @property
    def asks(self) -> tuple[str, ...]:
        """None: there are only classes."""
        return ()

    def under(self, recipe: Recipe) -> ClipPredictor:
        """Return the same weights, looking at as many views as the ``evaluate`` section of a recipe says."""
        other = copy(self)
        if isinstance(recipe, ClipRecipe):
            views = {name: getattr(recipe.evaluate, name) for name in ("temporal_views", "spatial_views")}
            other.input = self.input.model_copy(update=views)
        return other

    def spread(self, items: Sequence[Item], rate: float | None) -> list[Item]:
        """Return the items as they are: a video is judged as a whole.

        Raises:
            RecipeError: A rate of frames is asked for.
        """
        if rate is not None:
            raise RecipeError(
                "This model judges videos as a whole, not frames",
                where="rate",
                mend="Leave the rate out, or use a model that classifies frames.",
            )
        return list(items)

    def labelled(self, items: Sequence[Item]) -> list[Item]:
        """Return items with targets in the order of this model's classes.

        Raises:
            CohortError: A label is not known to the model.
        """
        return by_class(items, self.classes)

    def questions(self, predictions: Predictions, items: Sequence[Item]) -> tuple[Question, ...]:
        """Return none: the classes are all that is asked."""
        return ()

    def extras(self, predictions: Predictions, items: Sequence[Item], recipe: Recipe) -> Mapping[str, Any]:
        """Return none."""
        return {}

    def decided(self, predictions: Predictions, thresholds: Mapping[str, float]) -> Predictions:
        """Return the predictions as they are."""
        return predictions

    def reader(self, split: str) -> ClipReader:
        """Return what decodes clips as this model sees them."""
        return ClipReader(self.input.sampling.sampler(split), split, crop_content=self.input.crop == "content")

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
    ) -> tuple[Predictions, Scores]:
        """Return one row an item, in the order of the items, and what was read and what failed.

        Args:
            items: What to look at.
            split: Whose frame sampling to use.
            temporal_views: Clips a video, averaged; None means what the recipe's evaluation says.
            spatial_views: Crops a clip, 1 or 3, averaged.
            batch_size: Clips in a forward pass.
            workers: Processes that decode.
            on_error: ``raise`` or ``skip`` for an item that cannot be read.
            records: Where to write which frames were decoded.
            identity_known: Whether the items' patients are known.
            progress: Told about each item.

        Raises:
            VideoError: An item cannot be read, under ``raise``.
            CohortError: No item could be read.
        """
        views = temporal_views or self.input.temporal_views
        transform = eval_transform(self.input.spatial, spatial_views=spatial_views or self.input.spatial_views)
        scores = score(
            self.module,
            EvalViews(items, self.reader(split), transform, views=views),
            to_device=lambda clips: clips.to(self.device),
            batch_size=batch_size,
            workers=workers,
            on_error=on_error,
            progress=progress,
        )
        if records is not None:
            write_records(scores.records, records)
        return as_predictions(items, scores, self.classes, identity_known=identity_known), scores

    def frames(self, item: Item) -> np.ndarray:
        """Return the frames of an item's first view before they are resized, uint8 RGB [T, H, W, 3]."""
        clips, _ = self.reader("test").read(item)
        return clips[0]
