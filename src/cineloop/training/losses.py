"""Classification losses, by name: each gives a loss and a weight per sample, so that any slicing sums the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from cineloop.errors import RecipeError
from cineloop.registry import Registry, Spec
from cineloop.schema import Section
from cineloop.training import colonoscopy_loss
from cineloop.training.sample_loss import SampleLoss


@dataclass(frozen=True, kw_only=True)
class LossSpec(Spec):
    """A loss that recipes can name.

    Attributes:
        Config: Its options.
        build: Makes a :class:`SampleLoss` from the options and the number of training samples per class.
    """

    registry: ClassVar[Registry[Any]]

    Config: type[Section]
    build: Callable[[Any, Sequence[int]], SampleLoss]


class FocalConfig(Section):
    """Focal loss (Lin et al. 2017, arXiv 1708.02002): ``alpha_t * (1 - p_t)^gamma * -log p_t``.

    Attributes:
        gamma: How much less a sample counts that is right already; 0 is cross-entropy.
        alpha: Weight of each class: a list; or a number, for two classes, that of class 1 (class 0 has 1 - alpha); or
            ``balanced``, inversely proportional to class counts with mean 1 over the training samples; null is 1.
    """

    gamma: Annotated[float, Field(ge=0)] = 2.0
    alpha: Annotated[float, Field(ge=0, le=1)] | list[Annotated[float, Field(ge=0)]] | Literal["balanced"] | None = None


class UpstreamFocalConfig(Section):
    """The published laryngeal classifier's focal loss, for comparing with its figures.

    Attributes:
        gamma: As in :class:`FocalConfig`.
        alpha: A list, or a number that weighs class ``y`` by ``alpha * y + (1 - alpha) * (1 - y)``: right for two
            classes, and negative for some of more.
    """

    gamma: Annotated[float, Field(ge=0)] = 2.0
    alpha: Annotated[float, Field(ge=0, le=1)] | list[Annotated[float, Field(ge=0)]] | None = 0.25


class CrossEntropyConfig(Section):
    """Cross-entropy; a batch is averaged by the weights of its samples.

    Attributes:
        class_weight: Weight of each class: a list, or ``balanced``, inversely proportional to class counts.
        label_smoothing: Probability that is spread over all classes.
    """

    class_weight: list[Annotated[float, Field(ge=0)]] | Literal["balanced"] | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0


def balanced_weights(counts: Sequence[int]) -> list[float]:
    """Return weights inversely proportional to class counts whose mean over all samples is 1.

    Raises:
        RecipeError: A class has no training sample.
    """
    if any(count == 0 for count in counts):
        raise RecipeError(
            f"Balanced class weights need every class in the training split; the counts are {list(counts)}",
            where="train.loss",
            mend="Give the weights as a list, or train on data that has every class.",
        )
    total = sum(counts)
    return [total / (len(counts) * count) for count in counts]


def _per_class(values: Sequence[float], classes: int, key: str) -> Tensor:
    if len(values) != classes:
        raise RecipeError(
            f"{key} has {len(values)} values for {classes} classes", where="train.loss", mend="Give one a class."
        )
    return torch.tensor(values, dtype=torch.float32)


class FocalLoss(SampleLoss):
    """See :class:`FocalConfig`. Equal to cross-entropy at ``gamma = 0`` without ``alpha``."""

    alpha: Tensor | None

    def __init__(self, gamma: float, alpha: Tensor | None) -> None:
        super().__init__()
        self.gamma = gamma
        self.register_buffer("alpha", alpha, persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each sample, float32 [B], from logits [B, K] and classes int64 [B]."""
        nll = functional.cross_entropy(logits.float(), target, reduction="none")
        loss = nll
        if self.gamma:
            # 1 - p through expm1 keeps its digits, and the gradient its finiteness, where p is nearly 1.
            loss = (-torch.expm1(-nll)).clamp_min(torch.finfo(nll.dtype).tiny) ** self.gamma * nll
        if self.alpha is not None:
            loss = loss * self.alpha[target]
        return loss


class CrossEntropyLoss(SampleLoss):
    """See :class:`CrossEntropyConfig`."""

    class_weight: Tensor | None

    def __init__(self, class_weight: Tensor | None, label_smoothing: float) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.register_buffer("class_weight", class_weight, persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the weighted loss of each sample, float32 [B], from logits [B, K] and classes int64 [B]."""
        return functional.cross_entropy(
            logits.float(),
            target,
            weight=self.class_weight,
            label_smoothing=self.label_smoothing,
            reduction="none",
        )

    def weight(self, target: Tensor) -> Tensor:
        """Return the class weight of each sample, float32 [B]."""
        if self.class_weight is None:
            return super().weight(target)
        return self.class_weight.to(target.device)[target]


def _build_focal(config: FocalConfig, counts: Sequence[int]) -> SampleLoss:
    alpha: Tensor | None = None
    if config.alpha == "balanced":
        alpha = torch.tensor(balanced_weights(counts))
    elif isinstance(config.alpha, float | int):
        if len(counts) != 2:
            raise RecipeError(
                f"A single alpha is defined for two classes; there are {len(counts)}",
                where="train.loss.alpha",
                mend="Give a list, one a class, or `balanced`.",
            )
        alpha = torch.tensor([1.0 - config.alpha, config.alpha])
    elif isinstance(config.alpha, list):
        alpha = _per_class(config.alpha, len(counts), "alpha")
    return FocalLoss(config.gamma, alpha)


def _build_upstream_focal(config: UpstreamFocalConfig, counts: Sequence[int]) -> SampleLoss:
    if not isinstance(config.alpha, float | int):
        return _build_focal(FocalConfig(gamma=config.gamma, alpha=config.alpha), counts)
    alpha = config.alpha
    by_index = [alpha * index + (1.0 - alpha) * (1.0 - index) for index in range(len(counts))]
    return FocalLoss(config.gamma, torch.tensor(by_index))


def _build_cross_entropy(config: CrossEntropyConfig, counts: Sequence[int]) -> SampleLoss:
    weight: Tensor | None = None
    if config.class_weight == "balanced":
        weight = torch.tensor(balanced_weights(counts))
    elif config.class_weight is not None:
        weight = _per_class(config.class_weight, len(counts), "class_weight")
    return CrossEntropyLoss(weight, config.label_smoothing)


def _builtins() -> list[LossSpec]:
    return [
        LossSpec(
            name="focal", summary="focal loss, binary and multi-class alpha", Config=FocalConfig, build=_build_focal
        ),
        LossSpec(
            name="upstream-focal",
            summary="the published laryngeal classifier's focal loss, a single alpha taken by class number",
            Config=UpstreamFocalConfig,
            build=_build_upstream_focal,
        ),
        LossSpec(
            name="cross-entropy",
            summary="cross-entropy, optionally weighted by class",
            Config=CrossEntropyConfig,
            build=_build_cross_entropy,
        ),
        LossSpec(
            name="colonoscopy",
            summary="the seven labels of a colonoscopy frame, and its BBPS scores against each other",
            Config=colonoscopy_loss.ColonoscopyConfig,
            build=colonoscopy_loss.build,
        ),
        LossSpec(
            name="hierarchy",
            summary="likelihood of a colonoscopy frame's state: each label where its question stands",
            Config=colonoscopy_loss.HierarchyConfig,
            build=colonoscopy_loss.build_hierarchy,
        ),
    ]


LOSSES: Registry[LossSpec] = Registry("loss", RecipeError, _builtins)
LossSpec.registry = LOSSES
