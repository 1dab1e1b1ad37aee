"""Losses of the colonoscopy labels: each label by itself as published, or each only where its question stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from cineloop.errors import RecipeError
from cineloop.schema import Section
from cineloop.timeline.quality import STATES, UNSCORED, code_of
from cineloop.training.sample_loss import SampleLoss

NAMES = ("colonoscopy", "hierarchy")
"""What the losses are registered as."""


class ColonoscopyConfig(Section):
    """Binary cross-entropy of the seven labels plus ``cls_weight`` times the cross-entropy of the four BBPS scores.

    A frame without a score adds nothing to the second and counts in its mean, as published.

    Attributes:
        cls_weight: Of the cross-entropy of the scores.
    """

    cls_weight: Annotated[float, Field(ge=0)] = 0.2


class ColonoscopyLoss(SampleLoss):
    """See :class:`ColonoscopyConfig`; a target is a place in ``(*STATES, *UNSCORED)``."""

    codes: Tensor

    def __init__(self, cls_weight: float) -> None:
        super().__init__()
        self.cls_weight = cls_weight
        codes = [code_of(state) for state in (*STATES, *UNSCORED)]
        self.register_buffer("codes", torch.tensor(codes, dtype=torch.float32), persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each frame, float32 [B], from logits [B, 7] and states int64 [B]."""
        labels = self.codes[target]
        return self.labels(logits.float(), labels) + self.cls_weight * self.scores(logits.float(), labels)

    def labels(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean binary cross-entropy over the labels of each frame, [B]."""
        return functional.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(dim=1)

    def scores(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy of each frame's BBPS score, [B]; 0 where it has none."""
        return -(labels[:, 3:] * torch.log_softmax(logits[:, 3:], dim=1)).sum(dim=1)


class HierarchyConfig(Section):
    """Negative log-likelihood of a frame's state under the hierarchy of the labels.

    A frame outside of the body says nothing of what is readable, and one without readable mucosa nothing of landmark
    and cleanliness: each question is learned from the frames that it is asked of, and all count alike.
    """


class HierarchyLoss(ColonoscopyLoss):
    """See :class:`HierarchyConfig`; a target is a place in ``(*STATES, *UNSCORED)``."""

    def __init__(self) -> None:
        super().__init__(cls_weight=1.0)

    def labels(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the sum of the binary cross-entropies of the questions that stand for each frame, [B]."""
        inside = 1 - labels[:, 0]
        asked = torch.stack([torch.ones_like(inside), inside, inside * (1 - labels[:, 1])], dim=1)
        each = functional.binary_cross_entropy_with_logits(logits[:, :3], labels[:, :3], reduction="none")
        return (asked * each).sum(dim=1)


def _check(name: str, counts: Sequence[int]) -> None:
    if len(counts) != len(STATES) + len(UNSCORED):
        raise RecipeError(
            f"The loss {name!r} belongs to the labels of a colonoscopy frame",
            where="train.loss",
            mend="Use cross-entropy or focal, or set data.labels=colonoscopy in a recipe of frame classification.",
        )


def build(config: ColonoscopyConfig, counts: Sequence[int]) -> SampleLoss:
    """Build the published loss.

    Raises:
        RecipeError: The targets are not states of a frame.
    """
    _check("colonoscopy", counts)
    return ColonoscopyLoss(config.cls_weight)


def build_hierarchy(config: HierarchyConfig, counts: Sequence[int]) -> SampleLoss:
    """Build the likelihood under the hierarchy.

    Raises:
        RecipeError: The targets are not states of a frame.
    """
    _check("hierarchy", counts)
    return HierarchyLoss()
