"""The whole way from pixels to an answer as one module: what every export is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from cineloop.errors import ExportError
from cineloop.exports.preparation import ClipPreparation, FramePreparation
from cineloop.models.decision import decide
from cineloop.tasks.clip_classification.predictor import ClipPredictor
from cineloop.tasks.frame_classification.predictor import FramePredictor
from cineloop.tasks.task import Predictor

Kind = Literal["frame", "clip"]


class Answer(nn.Module):
    """Pixels to probabilities and decisions.

    Args:
        preparation: Pixels to the network's input.
        network: Input to logits.
        activation: ``softmax`` over classes, or ``sigmoid`` of the labels of a colonoscopy frame.
        thresholds: Of two classes, that of the positive one; of the labels, those of outside, nonsense, ileocecal.
        positive: Of two classes, the place of the positive one.
    """

    def __init__(
        self,
        preparation: nn.Module,
        network: nn.Module,
        *,
        activation: Literal["softmax", "sigmoid"],
        thresholds: tuple[float, ...],
        positive: int = 1,
    ) -> None:
        super().__init__()
        self.preparation = preparation
        self.network = network
        self.activation = activation
        self.thresholds = thresholds
        self.positive = positive

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return probabilities float32 [B, L], what is decided, and the logits float32 [B, L].

        The decision is the class's place, int64 [B]; of the labels of a colonoscopy frame it is int64 [B, 7], 0 or 1.
        """
        logits = self.network(self.preparation(pixels)).to(torch.float32)
        if self.activation == "sigmoid":
            probabilities = torch.sigmoid(logits)
            first, second, third = self.thresholds
            return probabilities, decide(probabilities, (first, second, third), ties=False).to(torch.int64), logits
        probabilities = torch.softmax(logits, dim=1)
        if not self.thresholds:
            return probabilities, probabilities.argmax(dim=1), logits
        yes = probabilities[:, self.positive] >= self.thresholds[0]
        return probabilities, torch.where(yes, self.positive, 1 - self.positive), logits


def graph_of(predictor: Predictor, *, threshold: float | None, questions: Mapping[str, float]) -> tuple[Kind, Answer]:
    """Return what a predictor computes, as one module in evaluation mode.

    Args:
        predictor: A classifier of clips or frames.
        threshold: Of two classes, that of the positive one; None stands for 0.5.
        questions: Thresholds of a colonoscopy classifier's questions; those that are missing stand for 0.5.

    Raises:
        ExportError: The model is of another kind, or prepares its input in a way that no graph can.
    """
    if isinstance(predictor, FramePredictor):
        if predictor.head.crop == "content":
            raise ExportError(
                "The model cuts frames to the endoscope's picture first, which is found per recording",
                where="data.crop",
                mend="Train with data.crop=none, or cut frames before they are given to the graph.",
            )
        preparation: nn.Module = FramePreparation(predictor.head.input)
        network: nn.Module = predictor.module
        sigmoid = predictor.labels.activation == "sigmoid"
        kind: Kind = "frame"
    elif isinstance(predictor, ClipPredictor):
        if predictor.input.crop == "content":
            raise ExportError(
                "The model cuts frames to the endoscope's picture first, which is found per recording",
                where="data.crop",
                mend="Train with data.crop=none, or cut frames before they are given to the graph.",
            )
        preparation, network, sigmoid, kind = ClipPreparation(predictor.input.spatial), predictor.module, False, "clip"
    else:
        raise ExportError(
            f"There is no graph for {type(predictor).__name__}", mend="Export a classifier of clips or frames."
        )
    if sigmoid:
        chosen = tuple(questions.get(name, 0.5) for name in ("outside", "nonsense", "ileocecal"))
        return kind, Answer(preparation, network, activation="sigmoid", thresholds=chosen).eval()
    classes = predictor.classes
    thresholds = ((0.5 if threshold is None else threshold),) if len(classes) == 2 else ()
    positive = classes.index(predictor.positive) if predictor.positive is not None and len(classes) == 2 else 1
    return kind, Answer(preparation, network, activation="softmax", thresholds=thresholds, positive=positive).eval()
