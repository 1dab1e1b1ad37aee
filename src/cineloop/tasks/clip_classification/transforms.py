"""The transforms of a recipe, for training and for looking."""

from __future__ import annotations

from typing import Literal

from cineloop.tasks.clip_classification.schema import ClipData
from cineloop.video.spatial import SpatialConfig
from cineloop.video.transforms import EvalTransform, TrainTransform


def train_transform(data: ClipData) -> TrainTransform:
    """Return the random crop, the augmentation and the normalisation of training."""
    return TrainTransform(data.spatial, data.augment)


def eval_transform(spatial: SpatialConfig, *, spatial_views: Literal[1, 3]) -> EvalTransform:
    """Return the deterministic crops of validation, test and prediction.

    Raises:
        RecipeError: Three crops are asked of a picture that is shown whole.
    """
    return EvalTransform(SpatialConfig.model_validate({**spatial.model_dump(), "crops": spatial_views}))
