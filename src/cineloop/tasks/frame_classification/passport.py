"""What a frame classifier's weights file says of itself: enough to predict from the file alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from cineloop.cohort.cohort import Cohort
from cineloop.models.passport import Head, Passport
from cineloop.models.registry import MODELS
from cineloop.named import Named, choose
from cineloop.schema import Section, validate
from cineloop.tasks.frame_classification.labels import Labels
from cineloop.tasks.frame_classification.schema import NAME, FrameRecipe
from cineloop.video.frame_input import FrameInput


class FrameHead(Section):
    """How a frame is prepared and what the outputs mean; the passport's head holds it.

    Attributes:
        labels: ``exclusive`` or ``colonoscopy``.
        stride: Seconds between the frames that stand for a video with a single label.
        crop: Whether frames are cut to the content area.
        input: How a frame becomes the network's input.
        positive: The positive class of a binary problem.
    """

    labels: Literal["exclusive", "colonoscopy"]
    stride: float
    crop: Literal["none", "content"]
    input: FrameInput
    positive: str | None


def make_passport(recipe: FrameRecipe, cohort: Cohort, network: Named[Section], labels: Labels) -> Passport:
    """Return the passport of the weights that a recipe trains on a cohort, not yet sealed."""
    data = recipe.data
    head = FrameHead(
        labels=data.labels,
        stride=data.stride,
        crop=data.crop,
        input=data.input,
        positive=recipe.evaluate.positive,
    )
    spec = MODELS.get(network.name)
    io = spec.io(network.config).model_copy(
        update={"size": data.input.size, "mean": data.input.mean, "std": data.input.std}
    )
    activation: Literal["softmax", "sigmoid"] = "sigmoid" if labels.activation == "sigmoid" else "softmax"
    return Passport.of(spec, network.config).model_copy(
        update={
            "classes": labels.outputs,
            "io": io,
            "head": Head(task=NAME, prefix="", activation=activation, config=head.model_dump(mode="json")),
            "corpus": cohort.fingerprint,
            "origin": "trained by Cineloop",
        }
    )


def read_head(passport: Passport) -> FrameHead:
    """Return how frames are prepared for the weights of a passport."""
    assert passport.head is not None
    return validate(FrameHead, passport.head.config, where="the weights' passport")


def read_network(passport: Passport) -> Named[Section]:
    """Return the network that a passport names.

    Raises:
        PluginError: It belongs to a plug-in that is not enabled.
    """
    options: Mapping[str, Any] = {"name": passport.architecture, **passport.config}
    return choose(MODELS, options, where="the weights' passport", key="architecture")
