"""What a clip classifier's weights file says of itself: enough to predict from the file alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import PositiveInt

from cineloop.cohort.cohort import Cohort
from cineloop.models.passport import Head, Passport
from cineloop.models.registry import MODELS, ModelIO
from cineloop.named import Named, choose
from cineloop.schema import Section, validate
from cineloop.tasks.clip_classification.schema import NAME, ClipRecipe, SamplingSection
from cineloop.video.spatial import SpatialConfig


class ClipInput(Section):
    """How a clip is made from a video, and how many views are averaged; the passport's head holds it.

    Attributes:
        sampling: Which frames.
        crop: Whether frames are cut to the content area.
        spatial: Size and crop.
        temporal_views: Clips a video.
        spatial_views: Crops a clip.
        positive: The positive class of a binary problem.
    """

    sampling: SamplingSection
    crop: Literal["none", "content"]
    spatial: SpatialConfig
    temporal_views: PositiveInt
    spatial_views: Literal[1, 3]
    positive: str | None


def make_passport(recipe: ClipRecipe, cohort: Cohort, io: ModelIO) -> Passport:
    """Return the passport of the weights that a recipe trains on a cohort, not yet sealed."""
    network, data = recipe.model.network, recipe.data
    clip_input = ClipInput(
        sampling=data.sampling,
        crop=data.crop,
        spatial=data.spatial,
        temporal_views=recipe.evaluate.temporal_views,
        spatial_views=recipe.evaluate.spatial_views,
        positive=recipe.evaluate.positive,
    )
    bare = Passport.of(MODELS.get(network.name), network.config)
    return bare.model_copy(
        update={
            "classes": cohort.classes,
            "io": io.model_copy(
                update={
                    "frames": data.sampling.frames,
                    "size": (data.spatial.size, data.spatial.size),
                    "output": "logits",
                    "width": len(cohort.classes),
                }
            ),
            "head": Head(task=NAME, activation="softmax", config=clip_input.model_dump(mode="json")),
            "corpus": cohort.fingerprint,
            "origin": "trained by Cineloop",
        }
    )


def read_input(passport: Passport) -> ClipInput:
    """Return how clips are made for the weights of a passport."""
    assert passport.head is not None
    return validate(ClipInput, passport.head.config, where="the weights' passport")


def read_network(passport: Passport) -> Named[Section]:
    """Return the encoder that a passport names.

    Raises:
        PluginError: It belongs to a plug-in that is not enabled.
    """
    options: Mapping[str, Any] = {"name": passport.architecture, **passport.config}
    return choose(MODELS, options, where="the weights' passport", key="architecture")
