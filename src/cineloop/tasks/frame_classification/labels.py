"""What the outputs of a frame classifier mean: one class of several, or the labels of a colonoscopy frame."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cineloop.cohort.item import Item
from cineloop.errors import CohortError
from cineloop.evaluation.predictions import Predictions
from cineloop.timeline.quality import LABELS, SCORES, STATES, UNSCORED, code_of

FloatArray = npt.NDArray[np.float64]

KNOWN = (*STATES, *UNSCORED)
"""The states that a colonoscopy frame may be labelled with, in the order of the targets of training."""

CODES = np.array([code_of(state) for state in KNOWN], dtype=np.float64)
"""Their codes, [12, 7]."""

Thresholds = tuple[float, float, float]
HALF: Thresholds = (0.5, 0.5, 0.5)


class Labels(Protocol):
    """How the labels of frames relate to a network's outputs and to the classes that are judged."""

    @property
    def name(self) -> str:
        """What a recipe calls it."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The K exclusive classes that are judged."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the network's L outputs."""

    @property
    def activation(self) -> str:
        """What turns the network's logits into its outputs: ``softmax`` or ``sigmoid``."""

    def targets(self, items: Sequence[Item]) -> list[Item]:
        """Return items with the targets of training."""

    def scores(self, logits: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Return class probabilities float64 [N, K] and, where they say more, outputs float64 [N, L]."""

    def judged(self, predictions: Predictions, thresholds: Thresholds = HALF) -> Predictions:
        """Return predictions with what is decided at thresholds."""


def softmax(logits: FloatArray) -> FloatArray:
    """Return the softmax over the last axis of [N, K]."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: FloatArray = shifted / shifted.sum(axis=1, keepdims=True)
    return result


def sigmoid(logits: FloatArray) -> FloatArray:
    """Return the logistic function, without overflow."""
    small = np.exp(-np.abs(logits))
    result: FloatArray = np.where(logits >= 0, 1 / (1 + small), small / (1 + small))
    return result


@dataclass(frozen=True)
class Exclusive:
    """Every frame is of one class of several."""

    classes: tuple[str, ...]
    name = "exclusive"
    activation = "softmax"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The classes."""
        return self.classes

    def targets(self, items: Sequence[Item]) -> list[Item]:
        """Return the items as they are."""
        return list(items)

    def scores(self, logits: FloatArray) -> tuple[FloatArray, None]:
        """Return the softmax of the logits."""
        return softmax(logits), None

    def judged(self, predictions: Predictions, thresholds: Thresholds = HALF) -> Predictions:
        """Return the predictions as they are."""
        return predictions


class Colonoscopy:
    """Every frame is outside, or nonsense, or readable with a BBPS score and perhaps the ileocecal region.

    The network has seven outputs. A state's probability is the product of what the hierarchy asks: not outside, not
    nonsense, ileocecal or not, and the softmax of the four BBPS logits, of which the training makes exclusive classes.
    """

    name = "colonoscopy"
    activation = "sigmoid"
    classes = STATES
    outputs = LABELS

    def targets(self, items: Sequence[Item]) -> list[Item]:
        """Return items whose target is the place of their label in :data:`KNOWN`.

        Raises:
            CohortError: A label is no state of a frame.
        """
        unknown = [item for item in items if item.label is not None and item.label not in KNOWN]
        if unknown:
            counts = Counter(item.label for item in unknown)
            named = ", ".join(f"{label!r} ({count} items)" for label, count in counts.most_common())
            raise CohortError(
                f"Labels are no states of a colonoscopy frame: {named}; the first is that of {unknown[0].id!r}",
                where=unknown[0].path,
                mend=f"The states are: {', '.join(KNOWN)}.",
            )
        found = []
        for item in items:
            target = KNOWN.index(item.label) if item.label is not None else None
            found.append(dataclasses.replace(item, target=target))
        return found

    def scores(self, logits: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the probabilities of the ten states and the seven outputs."""
        outputs = sigmoid(logits)
        return joint(outputs[:, :3], sigmoid(-logits[:, :3]), softmax(logits[:, 3:])), outputs

    def judged(self, predictions: Predictions, thresholds: Thresholds = HALF) -> Predictions:
        """Return predictions with the state that the hierarchy decides for."""
        return dataclasses.replace(predictions, decision=decide_states(predictions.outputs, thresholds))


def joint(yes: FloatArray, no: FloatArray, scores: FloatArray) -> FloatArray:
    """Return the probabilities of the states, float64 [N, 10], each row summing to 1.

    Args:
        yes: Of outside, nonsense and ileocecal, [N, 3].
        no: One minus these, [N, 3], given apart so that small numbers keep their digits.
        scores: Of the BBPS scores, [N, 4], each row summing to 1.
    """
    inside, readable = no[:, :1], no[:, :1] * no[:, 1:2]
    return np.concatenate(
        [yes[:, :1], inside * yes[:, 1:2], readable * no[:, 2:3] * scores, readable * yes[:, 2:3] * scores], axis=1
    )


def decide_states(outputs: FloatArray, thresholds: Thresholds) -> npt.NDArray[np.int64]:
    """Return the state, as an index into ``STATES``, that seven outputs [N, 7] decide for under the hierarchy."""
    outside = outputs[:, 0] >= thresholds[0]
    nonsense = outputs[:, 1] >= thresholds[1]
    ileocecal = outputs[:, 2] >= thresholds[2]
    score = outputs[:, 3:].argmax(axis=1) + STATES.index(SCORES[0])
    return np.where(outside, 0, np.where(nonsense, 1, score + len(SCORES) * ileocecal)).astype(np.int64)


def labels_of(name: str, classes: Sequence[str]) -> Labels:
    """Return the labels that a recipe names.

    Args:
        name: ``exclusive`` or ``colonoscopy``.
        classes: The cohort's classes.
    """
    return Colonoscopy() if name == Colonoscopy.name else Exclusive(tuple(classes))
