"""The recipe of clip classification: which frames are shown, how they are prepared, what network reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    PositiveInt,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from cineloop.cohort.schema import DataSection
from cineloop.evaluation.schema import EvaluateSection
from cineloop.models.registry import MODELS
from cineloop.named import Named, NamedFrom
from cineloop.schema import Section
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


OWN_KEYS = ("weights", "min_match", "dropout", "trainable")


class ClassifierModel(Section):
    """The ``model`` section: a registered clip encoder with its options, and a linear head on its features.

    Written flat: ``{name: timesformer-tiny, depth: 4, weights: runs/first}``.

    Attributes:
        network: The encoder.
        weights: Where the encoder's first weights come from: a checkpoint in any accepted form, or a run.
        min_match: The share of the encoder's tensors that ``weights`` must hold.
        dropout: On the features, in training.
        trainable: ``all``, ``head`` (the encoder is frozen), or the number of last blocks to train with the head.
    """

    network: Annotated[Named[Section], NamedFrom(MODELS, "model", also=OWN_KEYS)]
    weights: Path | None = None
    min_match: Annotated[float, Field(gt=0, le=1)] = 1.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    trainable: Literal["all", "head"] | Annotated[int, Field(ge=1)] = "all"

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or "network" in value:
            return value
        own = {key: item for key, item in value.items() if key in OWN_KEYS}
        return {**own, "network": {key: item for key, item in value.items() if key not in OWN_KEYS}}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe the section as it is written: one flat variant for each encoder."""
        reference = handler(schema)
        section = handler.resolve_ref_schema(reference)
        own = dict(section.pop("properties"))
        networks = own.pop("network")["anyOf"]
        section.pop("required", None)
        section.pop("additionalProperties", None)
        section["anyOf"] = [
            {**network, "properties": {**own, **network["properties"]}}
            for network in networks
            if "properties" in network
        ]
        return reference

    @model_serializer(mode="wrap")
    def _write_flat(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data = handler(self)
        network = data.pop("network")
        return {"name": network.pop("name"), **data, **network}


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
