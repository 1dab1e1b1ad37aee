"""What a validation measures, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cineloop.cohort.item import Item
from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.scorer import figures
from cineloop.tasks.frame_classification.labels import CODES, Colonoscopy, Exclusive, Labels
from cineloop.tasks.frame_classification.published import VALIDATION, validation_figures
from cineloop.tasks.frame_classification.questions import codes_of, questions
from cineloop.tasks.frame_classification.schema import FrameEvaluate
from cineloop.tasks.frame_classification.scoring import predictions_of
from cineloop.tasks.learner import blank_predictions
from cineloop.tasks.scoring import Scores

LEADING = {
    "outside": "outside_auroc",
    "nonsense": "nonsense_auroc",
    "ileocecal": "ileocecal_auroc",
    "bbps": "bbps_quadratic_kappa",
}
"""The figure that each question leads with; ``quality`` is their mean."""

# As a logit.
_SURE = 20.0
_KEPT = ("auroc", "auprc", "sensitivity", "specificity", "f1", "accuracy", "quadratic_kappa", "balanced_accuracy")


def metrics_of(
    predictions: Predictions, items: Sequence[Item], labels: Labels, evaluate: FrameEvaluate
) -> dict[str, float | None]:
    """Return the figures of a validation, None where one is undefined.

    Of exclusive labels they are those of :func:`cineloop.evaluation.scorer.figures`. Of colonoscopy labels they are
    these of the ten states, of each question under its name (``outside_auroc``), the mean of the leading ones as
    ``quality``, and where the recipe wants them the published ones.

    Args:
        predictions: Of the validation's frames.
        items: These frames, with labels.
        labels: What the outputs mean.
        evaluate: The recipe's section.
    """
    found: dict[str, float | None] = dict(figures(predictions, ordinal=evaluate.ordinal))
    found["loss"] = found["log_loss"]
    if isinstance(labels, Exclusive):
        return found
    for question in questions(predictions, items):
        for name, value in figures(question.predictions, ordinal=question.ordinal, per_class=False).items():
            if name in _KEPT:
                found[f"{question.name}_{name}"] = value
    leading = [found.get(name) for name in LEADING.values()]
    defined = [value for value in leading if value is not None]
    found["quality"] = float(np.mean(defined)) if len(defined) == len(leading) else None
    if evaluate.published:
        codes = codes_of(predictions, items)
        gates = {"outside_gate": evaluate.outside_gate, "nonsense_gate": evaluate.nonsense_gate}
        found |= validation_figures(predictions.outputs, codes, **gates)
    return found


def best_metrics(items: Sequence[Item], labels: Labels, evaluate: FrameEvaluate) -> dict[str, float | None]:
    """Return the figures of a validation in which every frame is judged rightly, None where one is undefined even then.

    Args:
        items: The validation's frames, with targets.
        labels: What the outputs mean.
        evaluate: The recipe's section.
    """
    # One frame of each kind tells what is undefined.
    kinds = {item.target: item for item in items if item.target is not None}
    codes = CODES if isinstance(labels, Colonoscopy) else np.eye(len(labels.classes))
    probabilities, outputs = labels.scores(_SURE * (2 * codes[list(kinds)] - 1))
    scores = Scores(dict(enumerate(probabilities)), dict(enumerate(outputs)) if outputs is not None else {})
    shown = list(kinds.values())
    perfect = predictions_of(shown, scores, labels, identity_known=True)
    return metrics_of(perfect.with_positive(evaluate.positive), shown, labels, evaluate)


def metric_names(labels: Labels, evaluate: FrameEvaluate) -> list[str]:
    """Return the names of what a validation measures."""
    found = [*figures(blank_predictions(labels.classes), ordinal=evaluate.ordinal), "loss"]
    if isinstance(labels, Exclusive):
        return found
    return [*found, *_question_names(), "quality", *(VALIDATION if evaluate.published else ())]


def _question_names() -> list[str]:
    names = []
    for question, leading in LEADING.items():
        classes = ("0", "1") if leading.endswith("auroc") else ("0", "1", "2", "3")
        known = figures(blank_predictions(classes), ordinal=question == "bbps", per_class=False)
        names += [f"{question}_{name}" for name in known if name in _KEPT]
    return names
