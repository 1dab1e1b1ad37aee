"""The recipe of frame classification: how frames are prepared, resampled and varied, what network reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from cineloop.cohort.schema import DataSection
from cineloop.evaluation.schema import EvaluateSection
from cineloop.models.registry import MODELS
from cineloop.named import Named, NamedFrom
from cineloop.schema import Section
from cineloop.tasks.network import NetworkSection
from cineloop.tasks.recipe import Recipe
from cineloop.training.colonoscopy_loss import NAMES as COLONOSCOPY_LOSSES
from cineloop.training.losses import LOSSES
from cineloop.training.schema import TrainSection
from cineloop.video.augment import AugmentConfig
from cineloop.video.frame_input import FrameInput
from cineloop.video.frame_transform import ValueJitter

NAME: Literal["frame-classification"] = "frame-classification"
Count = Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0)]


class ResampleSection(Section):
    """How many frames of each subset an epoch shows.

    Attributes:
        by: What divides the training frames into subsets: ``label``, or an attribute of ``data.attributes``.
        counts: Frames an epoch (a whole number) or a share of the subset (with a decimal point), one for all subsets
            or one each; a subset that is not named is shown whole.
        rule: ``walk`` goes through each subset without repeating a frame until all were shown, over as many epochs as
            that takes. ``upstream`` does what the published sampler does with data workers: it shows the same frames
            in every epoch.
    """

    by: str = "label"
    counts: Count | dict[str, Count]
    rule: Literal["walk", "upstream"] = "walk"


class FrameData(DataSection):
    """The ``data`` section.

    Attributes:
        labels: ``exclusive``: one class of several. ``colonoscopy``: outside, nonsense, ileocecal and BBPS 0 to 3,
            under their hierarchy.
        stride: Seconds between the frames that stand for a video, or a part of one, that has a single label.
        crop: ``content`` cuts a frame to the endoscope's picture before anything else; ``none`` takes it whole.
        input: How a frame becomes the network's input; what is left out follows the model's contract.
        augment: Random changes in training.
        jitter: Random changes of the normalised values in training.
        resample: How many frames of each subset an epoch shows; null shows every frame once.
    """

    labels: Literal["exclusive", "colonoscopy"] = "exclusive"
    stride: Annotated[float, Field(gt=0)] = 1.0
    crop: Literal["none", "content"] = "none"
    input: FrameInput = FrameInput()
    augment: AugmentConfig = AugmentConfig()
    jitter: ValueJitter = ValueJitter()
    resample: ResampleSection | None = None

    @model_validator(mode="after")
    def _turns_need_squares(self) -> FrameData:
        if self.augment.quarter_turns and self.input.size[0] != self.input.size[1]:
            raise ValueError("augment.quarter_turns needs an input as high as it is wide")
        return self


class FrameModel(NetworkSection):
    """The ``model`` section: a registered network that turns frames into logits, with its options."""

    own_keys: ClassVar[tuple[str, ...]] = ("weights", "min_match", "trainable")


class FrameTrain(TrainSection):
    """The ``train`` section, with the loss.

    Attributes:
        loss: What is minimised; ``colonoscopy`` and ``hierarchy`` belong to the labels ``colonoscopy``.
    """

    loss: Annotated[Named[Section], NamedFrom(LOSSES, "train.loss")] = Field(
        default_factory=lambda: Named("cross-entropy", LOSSES.get("cross-entropy").Config()), validate_default=True
    )


class FrameEvaluate(EvaluateSection):
    """The ``evaluate`` section.

    Attributes:
        published: Also the figures of the published colonoscopy quality control, under its names, decided at 0.5
            and conditional on the gates before them; the accuracies of outside and nonsense above which an epoch
            counts there.
        outside_gate: Accuracy of outside that an epoch must exceed for the figures called ``_thresh``.
        nonsense_gate: Likewise, of nonsense.
    """

    published: bool = False
    outside_gate: Annotated[float, Field(ge=0, le=1)] = 0.9
    nonsense_gate: Annotated[float, Field(ge=0, le=1)] = 0.9


class FrameRecipe(Recipe):
    """A recipe of frame classification."""

    task: Literal["frame-classification"] = NAME
    data: FrameData
    model: FrameModel
    train: FrameTrain = FrameTrain()
    evaluate: FrameEvaluate = FrameEvaluate()

    def first_weights(self) -> Path | None:
        """Return where the network's first weights come from, None for random ones."""
        return self.model.weights

    @model_validator(mode="after")
    def _follow_contract(self) -> FrameRecipe:
        """Let the model's contract say what the recipe leaves open, so that the resolved recipe is complete."""
        network = self.model.network
        io = MODELS.get(network.name).io(network.config)
        given = self.data.input
        filled = {
            name: value
            for name, value in (("size", io.size), ("mean", io.mean), ("std", io.std))
            if name not in given.model_fields_set
        }
        completed = FrameInput.model_validate({**given.model_dump(), **filled})
        object.__setattr__(self, "data", self.data.model_copy(update={"input": completed}))
        if (self.data.labels == "colonoscopy") != (self.train.loss.name in COLONOSCOPY_LOSSES):
            raise ValueError(
                f"data.labels {self.data.labels!r} does not go with train.loss {self.train.loss.name!r}: the losses "
                f"{' and '.join(map(repr, COLONOSCOPY_LOSSES))} belong to the labels 'colonoscopy'"
            )
        return self
