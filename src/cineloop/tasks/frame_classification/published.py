"""The figures of the published colonoscopy quality control, under its names.

They are conditional: a frame on which prediction or truth stops at a gate does not count below it, so mistakes of a
gate vanish from what follows. :mod:`cineloop.tasks.frame_classification.questions` judges without that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cineloop.tasks.frame_classification.labels import FloatArray

_GATED = (
    "label_ileocecal_prec",
    "label_ileocecal_acc",
    "label_cleansing_acc",
    "label_cleansing_biclassify_acc",
)
VALIDATION = (
    "thresh_mean_acc",
    "label_outside_acc",
    "label_nonsense_acc",
    *(f"{name}_{ending}" for name in _GATED for ending in ("nothresh", "thresh")),
)
"""The names of the validation's figures."""


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _accuracy(said: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_]) -> float:
    return _ratio((said == true).sum(), len(true))


def final_figures(outputs: FloatArray, codes: FloatArray, threshold: float = 0.5) -> dict[str, float]:
    """Return the published test figures.

    Args:
        outputs: Probabilities of the seven labels, [N, 7].
        codes: The true labels, 0 or 1, [N, 7].
        threshold: Of every label, ``>=``.

    Returns:
        By name; 0 where nothing is counted, as published.
    """
    said, true = outputs >= threshold, codes >= threshold
    inside = ~(said[:, 0] | true[:, 0])
    readable = inside & ~(said[:, 1] | true[:, 1])
    score, truth = outputs[readable, 3:].argmax(axis=1), codes[readable, 3:].argmax(axis=1)
    ileocecal, present = said[readable, 2], true[readable, 2]
    return {
        "thresh_mean_acc": _ratio((said == true).sum(), true.size),
        "label_outside_acc": _accuracy(said[:, 0], true[:, 0]),
        "label_nonsense_acc": _accuracy(said[inside, 1], true[inside, 1]),
        "label_ileocecal_prec": _ratio((ileocecal & present).sum(), ileocecal.sum()),
        "label_ileocecal_acc": _accuracy(ileocecal, present),
        "label_cleansing_acc": _accuracy(score == truth, np.ones(len(truth), dtype=np.bool_)),
        "label_cleansing_biclassify_acc": _accuracy(score < 2, truth < 2),
    }


def validation_figures(
    outputs: FloatArray, codes: FloatArray, *, outside_gate: float = 0.9, nonsense_gate: float = 0.9
) -> dict[str, float]:
    """Return the published validation figures.

    Those that end in ``_thresh`` are 0 unless the accuracies of outside and nonsense both exceed their gates.

    Args:
        outputs: Probabilities of the seven labels, [N, 7].
        codes: The true labels, [N, 7].
        outside_gate: For the accuracy of outside.
        nonsense_gate: For the accuracy of nonsense.
    """
    found = final_figures(outputs, codes)
    passed = found["label_outside_acc"] > outside_gate and found["label_nonsense_acc"] > nonsense_gate
    result = {name: found[name] for name in ("thresh_mean_acc", "label_outside_acc", "label_nonsense_acc")}
    for name in _GATED:
        result[f"{name}_nothresh"] = found[name]
        result[f"{name}_thresh"] = found[name] if passed else 0.0
    return result
