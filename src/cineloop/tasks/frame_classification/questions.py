"""The questions that colonoscopy labels answer, each judged on the frames that it is asked of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cineloop.cohort.item import Item
from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.questions import Question
from cineloop.tasks.frame_classification.labels import CODES, KNOWN, FloatArray
from cineloop.timeline.quality import LABELS, SCORES, STATES

_BINARY = {
    "outside": ("inside", "outside", "Is the scope outside of the body?", "all frames"),
    "nonsense": ("readable", "nonsense", "Is the frame unreadable?", "frames that are inside"),
    "ileocecal": ("elsewhere", "ileocecal", "Is the ileocecal region in view?", "frames that are readable"),
}


def codes_of(predictions: Predictions, items: Sequence[Item]) -> FloatArray:
    """Return the true code of each predicted frame, float64 [N, 7]; NaN where there is no label."""
    places: Mapping[str, int] = {item.id: KNOWN.index(item.label) for item in items if item.label is not None}
    unknown = np.full(len(LABELS), np.nan)
    return np.stack([CODES[places[name]] if name in places else unknown for name in predictions.ids])


def bbps_probabilities(predictions: Predictions) -> FloatArray:
    """Return the probabilities of the BBPS scores of frames taken for readable, float64 [N, 4]."""
    first = STATES.index(SCORES[0])
    sums = predictions.probabilities[:, first : first + 4] + predictions.probabilities[:, first + 4 :]
    total = sums.sum(axis=1, keepdims=True)
    # Where a frame is surely not readable nothing is left to share; its scores then say as much.
    shares = predictions.outputs[:, 3:] / np.maximum(predictions.outputs[:, 3:].sum(axis=1, keepdims=True), 1e-300)
    result: FloatArray = np.where(total > 0, sums / np.where(total > 0, total, 1.0), shares)
    return result


def questions(predictions: Predictions, items: Sequence[Item]) -> tuple[Question, ...]:
    """Return the questions that the labels of some frames answer.

    Each is asked of the frames of which it is true what it presumes, whatever the network said of that: outside of all,
    nonsense of frames that are inside, ileocecal and BBPS of frames that are readable.

    Args:
        predictions: With the seven outputs.
        items: Their items, with labels.
    """
    codes = codes_of(predictions, items)
    inside = codes[:, 0] == 0
    readable = inside & (codes[:, 1] == 0)
    asked = {"outside": ~np.isnan(codes[:, 0]), "nonsense": inside, "ileocecal": readable}
    found = []
    for column, (name, (no, yes, title, of)) in enumerate(_BINARY.items()):
        rows = np.flatnonzero(asked[name])
        if len(rows):
            outputs = predictions.outputs[rows, column]
            answer = _asked(predictions, rows, (no, yes), np.stack([1 - outputs, outputs], axis=1), codes[rows, column])
            found.append(Question(name, title, of, answer))
    scored = np.flatnonzero(readable & (np.nan_to_num(codes[:, 3:]).sum(axis=1) == 1))
    if len(scored):
        answer = _asked(
            predictions, scored, SCORES, bbps_probabilities(predictions)[scored], codes[scored, 3:].argmax(axis=1)
        )
        found.append(
            Question(
                "bbps", "How clean is the bowel?", "frames that are readable", answer, "quadratic_kappa", ordinal=True
            )
        )
    return tuple(found)


def _asked(
    predictions: Predictions,
    rows: npt.NDArray[np.int64],
    classes: tuple[str, ...],
    probabilities: FloatArray,
    targets: npt.NDArray[np.generic],
) -> Predictions:
    return dataclasses.replace(
        predictions.select(rows),
        classes=classes,
        probabilities=probabilities,
        targets=targets.astype(np.int64),
        output_names=(),
        decision=None,
    )
