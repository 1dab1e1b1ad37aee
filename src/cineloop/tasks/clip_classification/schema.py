"""The recipe of clip classification: which frames are shown, how they are prepared, what network reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from cineloop.cohort.schema import DataSection
from cineloop.evaluation.schema import EvaluateSection
from cineloop.models.registry import MODELS
from cineloop.named import Named, NamedFrom
from cineloop.schema import Section
from cineloop.tasks.network import NetworkSection
from cineloop.tasks.recipe import Recipe
from cineloop.training.losses import LOSSES
from cineloop.training.schema import TrainSection
from cineloop.video.augment import AugmentConfig
from cineloop.video.sampling import ClipConfig, FrameSampler, ModeName, RoundsConfig, SamplingConfig
from cineloop.video.spatial import SpatialConfig

NAME: Literal["clip-classification"] = "clip-classification"


class SplitSampling(Section):
    """How the frames of one split's videos are chosen; see :class:`cineloop.video.sampling.SamplingConfig`.

    Attributes:
        mode: ``uniform``, ``random``, ``random_window``, ``clip``, or an ``upstream_*``.
        redraw: Whether draws are new in every epoch.
        rounds: Augmentation rounds, for training.
        clip: The piece that the mode ``clip`` looks at.
    """

    mode: ModeName = "uniform"
    redraw: Literal["never", "epoch"] = "never"
    rounds: RoundsConfig | None = None
    clip: ClipConfig = ClipConfig()


class SamplingSection(Section):
    """Which frames of a video the model sees, split by split.

    Attributes:
        frames: How many a clip has.
        seed: Together with the video's name, the round and the epoch, decides every draw.
        train: For training; ``rounds`` adds copies of each video that show other frames.
        val: For validation.
        test: For test, for any other split, and for prediction.
    """

    frames: PositiveInt = 8
    seed: int = 42
    train: SplitSampling = SplitSampling(mode="random_window", redraw="epoch")
    val: SplitSampling = SplitSampling()
    test: SplitSampling = SplitSampling()

    @model_validator(mode="after")
    def _rounds_train_only(self) -> SamplingSection:
        for name in ("val", "test"):
            if getattr(self, name).rounds is not None:
                raise ValueError(f"{name}.rounds: augmentation rounds belong to training")
        for name in ("train", "val", "test"):
            self.sampler(name)
        return self

    def sampler(self, split: str) -> FrameSampler:
        """Return the sampler of a split; splits other than train and val are sampled like test."""
        chosen: SplitSampling = getattr(self, split) if split in ("train", "val") else self.test
        return FrameSampler(
            SamplingConfig(
                mode=chosen.mode,
                clip=chosen.clip,
                frames=self.frames,
                seed=self.seed,
                redraw=chosen.redraw,
                rounds=chosen.rounds,
            )
        )


class ClipData(DataSection):
    """The ``data`` section.

    Attributes:
        sampling: Which frames.
        crop: ``content`` cuts a frame to the endoscope's picture before anything else; ``none`` takes it whole.
        spatial: Size and crop of the frames the model gets; what is left out follows the model's contract.
        augment: Random changes in training; the same ones for all frames of a clip.
    """

    sampling: SamplingSection = SamplingSection()
    crop: Literal["none", "content"] = "none"
    spatial: SpatialConfig = SpatialConfig()
    augment: AugmentConfig = AugmentConfig()

    @model_validator(mode="after")
    def _views_elsewhere(self) -> ClipData:
        if self.spatial.crops != 1:
            raise ValueError("spatial.crops: write evaluate.spatial_views, which tests several crops of a frame")
        return self


class ClassifierModel(NetworkSection):
    """The ``model`` section: a registered clip encoder with its options, and a linear head on its features.

    Attributes:
        dropout: On the features, in training.
    """

    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class ClassifierTrain(TrainSection):
    """The ``train`` section, with the loss."""

    loss: Annotated[Named[Section], NamedFrom(LOSSES, "train.loss")] = Field(
        default_factory=lambda: Named("cross-entropy", LOSSES.get("cross-entropy").Config()), validate_default=True
    )


class ClipEvaluate(EvaluateSection):
    """The ``evaluate`` section, with the views of each video whose probabilities are averaged.

    Attributes:
        temporal_views: Clips a video, each of other frames.
        spatial_views: 1, or 3 crops along the longer side of each frame.
    """

    temporal_views: PositiveInt = 1
    spatial_views: Literal[1, 3] = 1


class ClipRecipe(Recipe):
    """A recipe of clip classification."""

    task: Literal["clip-classification"] = NAME
    data: ClipData
    model: ClassifierModel
    train: ClassifierTrain = ClassifierTrain()
    evaluate: ClipEvaluate = ClipEvaluate()

    def first_weights(self) -> Path | None:
        """Return where the encoder's first weights come from, None for random ones."""
        return self.model.weights

    @model_validator(mode="after")
    def _follow_contract(self) -> ClipRecipe:
        """Let the model's contract say what the recipe leaves open, so that the resolved recipe is complete."""
        network = self.model.network
        io = MODELS.get(network.name).io(network.config)
        spatial, sampling = self.data.spatial, self.data.sampling
        filled = {
            name: value
            for name, value in (("size", min(io.size)), ("mean", io.mean), ("std", io.std))
            if name not in spatial.model_fields_set
        }
        spatial = SpatialConfig.model_validate({**spatial.model_dump(), **filled})
        if "frames" not in sampling.model_fields_set:
            sampling = sampling.model_copy(update={"frames": io.frames})
        data = self.data.model_copy(update={"spatial": spatial, "sampling": sampling})
        object.__setattr__(self, "data", data)
        return self
