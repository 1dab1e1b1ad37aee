"""Trained frame classifiers on new input."""

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
from cineloop.tasks.frame_classification.data import EvalFrames, FrameReader, one_frame_each
from cineloop.tasks.frame_classification.labels import HALF, Colonoscopy, labels_of
from cineloop.tasks.frame_classification.model import build
from cineloop.tasks.frame_classification.passport import read_head, read_network
from cineloop.tasks.frame_classification.published import final_figures
from cineloop.tasks.frame_classification.questions import codes_of, questions
from cineloop.tasks.frame_classification.schema import FrameRecipe
from cineloop.tasks.frame_classification.scoring import predictions_of, score
from cineloop.tasks.learner import by_class
from cineloop.tasks.recipe import Recipe
from cineloop.tasks.scoring import Scores
from cineloop.video.records import write_records


class FramePredictor:
    """A frame classifier rebuilt from its passport and tensors.

    Args:
        passport: Of a frame classifier.
        tensors: Its state, under the names of the module.
        device: Where to run: ``cpu``, ``cuda``, ``cuda:1``.

    Raises:
        WeightsError: The tensors do not fit what the passport says.
    """

    def __init__(self, passport: Passport, tensors: Mapping[str, Tensor], device: str = "cpu") -> None:
        self.passport = passport
        self.head = read_head(passport)
        self.labels = labels_of(self.head.labels, passport.classes)
        self.device = torch.device(device)
        self.module = build(read_network(passport))
        fill(self.module, tensors).to(self.device)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the probabilities."""
        return self.labels.classes

    @property
    def positive(self) -> str | None:
        """The positive class that the recipe named."""
        return self.head.positive

    @property
    def asks(self) -> tuple[str, ...]:
        """The questions of a colonoscopy frame that are decided at a threshold."""
        return self.labels.outputs[:3] if isinstance(self.labels, Colonoscopy) else ()

    def under(self, recipe: Recipe) -> FramePredictor:
        """Return the same predictor: nothing about a frame depends on how it is judged."""
        return copy(self)

    def spread(self, items: Sequence[Item], rate: float | None) -> list[Item]:
        """Return items of one frame each.

        Args:
            items: Frames and videos.
            rate: Frames a second of video; None takes every frame.
        """
        return one_frame_each(items, 1 / rate if rate is not None else None)

    def labelled(self, items: Sequence[Item]) -> list[Item]:
        """Return items with targets in the order of this model's classes, one frame each.

        Raises:
            CohortError: A label is not known to the model.
        """
        items = one_frame_each(items, self.head.stride)
        return self.labels.targets(items) if isinstance(self.labels, Colonoscopy) else by_class(items, self.classes)

    def questions(self, predictions: Predictions, items: Sequence[Item]) -> tuple[Question, ...]:
        """Return the questions that the model answers besides its classes."""
        return questions(predictions, items) if isinstance(self.labels, Colonoscopy) else ()

    def extras(self, predictions: Predictions, items: Sequence[Item], recipe: Recipe) -> Mapping[str, Any]:
        """Return the published figures, at 0.5 and conditional on the gates, where the recipe asks for them."""
        wanted = isinstance(recipe, FrameRecipe) and recipe.evaluate.published
        if not wanted or not isinstance(self.labels, Colonoscopy):
            return {}
        return {"published": final_figures(predictions.outputs, codes_of(predictions, items))}

    def decided(self, predictions: Predictions, thresholds: Mapping[str, float]) -> Predictions:
        """Return predictions decided at the thresholds of the questions."""
        chosen = [thresholds.get(name, half) for name, half in zip(self.labels.outputs[:3], HALF, strict=False)]
        if not isinstance(self.labels, Colonoscopy):
            return predictions
        return self.labels.judged(predictions, (chosen[0], chosen[1], chosen[2]))

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
        """Return one row a frame, in the order of the items, and what was read and what failed.

        Args:
            items: Frames; see :meth:`spread` for videos.
            split: For the records.
            temporal_views: Must be None or 1: a frame has one view.
            spatial_views: Likewise.
            batch_size: Frames in a forward pass.
            workers: Processes that decode.
            on_error: ``raise`` or ``skip`` for a frame that cannot be read.
            records: Where to write which frames were decoded.
            identity_known: Whether the items' patients are known.
            progress: Told about each frame.

        Raises:
            VideoError: A frame cannot be read, under ``raise``.
            CohortError: No frame could be read.
            RecipeError: Several views are asked for.
        """
        if (temporal_views or 1) > 1 or (spatial_views or 1) > 1:
            raise RecipeError("A frame has one view", where="views", mend="Leave the views out for a frame model.")
        scores = score(
            self.module,
            EvalFrames(items, FrameReader(split, crop_content=self.head.crop == "content"), self.head.input),
            self.labels,
            to_device=lambda frames: frames.to(self.device),
            batch_size=batch_size,
            workers=workers,
            on_error=on_error,
            progress=progress,
        )
        if records is not None:
            write_records(scores.records, records)
        return predictions_of(items, scores, self.labels, identity_known=identity_known), scores

    def frames(self, item: Item) -> np.ndarray:
        """Return the frame before it is resized, uint8 RGB [1, H, W, 3]."""
        pixels, _ = FrameReader("test", crop_content=self.head.crop == "content").read([item])
        return pixels
