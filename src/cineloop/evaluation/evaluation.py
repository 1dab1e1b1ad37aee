"""From predictions to an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from cineloop.errors import EvaluationError
from cineloop.evaluation.bands import curve_bands
from cineloop.evaluation.bootstrap import Resampling
from cineloop.evaluation.calibration import calibrate
from cineloop.evaluation.comparison import Comparison, Contender, compare
from cineloop.evaluation.intervals import estimate
from cineloop.evaluation.pooling import spread
from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.result import ClassCurve, Evaluation
from cineloop.evaluation.schema import EvaluateSection
from cineloop.evaluation.scorer import Scorer
from cineloop.evaluation.subgroups import subgroup_tables
from cineloop.evaluation.thresholds import Threshold, choose_threshold, operating_point

_FEW_PATIENTS = 20
_FEW_ITEMS = 10


def evaluate(
    predictions: Predictions,
    *,
    validation: Predictions | None = None,
    config: EvaluateSection | None = None,
    cohort: str = "cohort",
    split: str = "test",
    name: str = "this model",
    against: Contender | None = None,
    members: Sequence[Predictions] = (),
    spread_over: Literal["seeds", "folds"] = "seeds",
    warnings: Sequence[str] = (),
    watermark: str | None = None,
) -> Evaluation:
    """Evaluate predictions with patient-clustered intervals.

    Args:
        predictions: The items to judge. Items of unknown class are counted and otherwise left out.
        validation: Items of other patients, on which the threshold and the temperature are chosen.
        config: The recipe's ``evaluate`` section; None means its defaults.
        cohort: The cohort's name.
        split: The split's name.
        name: What the model is called in a comparison.
        against: Another model to compare with, on the items that both predicted.
        members: The models that ``predictions`` pool (see :mod:`cineloop.evaluation.pooling`), for their spread.
        spread_over: What they are.
        warnings: What a reader must know first; what can be seen from the predictions is added.
        watermark: The reason for a deliberate exception, printed on the page and on every figure.

    Raises:
        EvaluationError: No true class is known, the classes of two sets differ, or the configuration names a class,
            attribute or metric that is not there.
    """
    config = EvaluateSection() if config is None else config
    resampling = Resampling(config.replicates, config.confidence, config.seed, config.interval)
    predictions = predictions.with_positive(config.positive)
    if validation is not None:
        validation = _matching(validation, predictions, "Validation")
    threshold = choose_threshold(validation, config.threshold) if len(predictions.classes) == 2 else None
    cut = threshold.value if threshold is not None else None
    scorer = Scorer(predictions, threshold=cut, bins=config.bins, ordinal=config.ordinal)
    _check_selection(config, scorer)
    estimates = estimate(scorer, resampling)
    binary = threshold is not None
    shown = [config.selection, *(["sensitivity", "specificity"] if binary else ["balanced_accuracy", "accuracy"])]
    return Evaluation(
        predictions=predictions,
        config=config,
        cohort=cohort,
        split=split,
        estimates=estimates,
        threshold=threshold,
        decided=predictions.decide(cut),
        confusion=scorer.confusion(),
        curves=_curves(scorer.predictions, resampling),
        operating_points=tuple(
            operating_point(predictions, validation, rule, resampling)
            for rule in (config.operating_points if binary else ())
        ),
        calibration=calibrate(predictions, validation, bins=config.bins, resampling=resampling),
        subgroups=subgroup_tables(
            predictions,
            metrics=list(dict.fromkeys(shown)),
            threshold=cut,
            attributes=config.subgroups,
            least_patients=config.subgroup_patients,
            resampling=resampling,
        ),
        comparison=_comparison(predictions, threshold, name, against, config, resampling),
        spread=spread(
            [_matching(member, predictions, "A member") for member in members],
            threshold=cut,
            bins=config.bins,
            ordinal=config.ordinal,
        )
        if members
        else (),
        spread_over=spread_over,
        warnings=(*warnings, *_of_split(split), *_warnings(predictions, validation, threshold, split)),
        watermark=watermark,
    )


def _matching(other: Predictions, predictions: Predictions, what: str) -> Predictions:
    if set(other.classes) == set(predictions.classes) and len(other.classes) == 2:
        other = other.with_positive(predictions.classes[1])
    if other.classes != predictions.classes:
        raise EvaluationError(
            f"{what} has the classes {list(other.classes)}, the evaluated items {list(predictions.classes)}",
            mend="Predict both with the same model.",
        )
    return other


def _check_selection(config: EvaluateSection, scorer: Scorer) -> None:
    known = [str(key) for key in scorer.keys if key.label is None]
    if config.selection not in known:
        raise EvaluationError(
            f"The metric {config.selection!r} is not defined for these {len(scorer.predictions.classes)} classes",
            where="evaluate.selection",
            mend=f"Choose one of: {', '.join(known)}.",
        )


def _curves(known: Predictions, resampling: Resampling) -> tuple[ClassCurve, ...]:
    binary = len(known.classes) == 2
    curves = []
    for index in (1,) if binary else range(len(known.classes)):
        positive = known.targets == index
        if positive.any() and not positive.all():
            # Of several classes the bands would hide the lines.
            bands = curve_bands(
                known.probabilities[:, index], positive, known.cluster_index, resampling if binary else None
            )
            curves.append(ClassCurve(known.classes[index], bands))
    return tuple(curves)


def _comparison(
    predictions: Predictions,
    threshold: Threshold | None,
    name: str,
    against: Contender | None,
    config: EvaluateSection,
    resampling: Resampling,
) -> Comparison | None:
    if against is None:
        return None
    other = replace(against, predictions=_matching(against.predictions, predictions, against.name))
    if threshold is not None and against.threshold is None and against.validation is not None:
        validation = _matching(against.validation, predictions, against.name)
        other = replace(other, threshold=choose_threshold(validation, config.threshold).value)
    this = Contender(name, predictions, threshold.value if threshold is not None else None)
    return compare(other, this, bins=config.bins, ordinal=config.ordinal, resampling=resampling)


def _patients(count: int) -> str:
    return "1 patient" if count == 1 else f"{count} patients"


def _of_split(split: str) -> list[str]:
    if split == "train":
        return ["These are the items that the model was trained on: the figures say nothing about new ones."]
    if split == "val":
        return ["These are the items on which the epoch was chosen: the figures are better than on new ones."]
    return []


def _warnings(
    predictions: Predictions, validation: Predictions | None, threshold: Threshold | None, split: str
) -> list[str]:
    known = predictions.known()
    found = []
    if not predictions.identity_known:
        found.append(
            "Patients are not known: each procedure or recording was counted as a patient of its own, so intervals are "
            "likely too narrow and one patient may stand in several splits."
        )
    elif known.n_clusters == 1:
        found.append("Only one patient: there are no intervals, and the figures say nothing about other patients.")
    elif known.n_clusters < _FEW_PATIENTS:
        found.append(
            f"Only {_patients(known.n_clusters)}: intervals are themselves uncertain and tend to be too narrow."
        )
    counts = np.bincount(known.targets, minlength=len(known.classes))
    for name, count in zip(known.classes, counts, strict=True):
        if count == 0:
            found.append(f"No item is {name!r}: figures about it are undefined.")
        elif count < _FEW_ITEMS:
            found.append(f"Only {count} {'item is' if count == 1 else 'items are'} {name!r}.")
    if len(known) < len(predictions):
        found.append(f"{len(predictions) - len(known):,} items of unknown class are predicted but not judged.")
    if validation is not None and (both := set(validation.clusters) & set(predictions.clusters)):
        found.append(
            f"{_patients(len(both))} named the same stand in validation and here: if these are the same people, "
            "threshold and temperature are not independent."
        )
    if threshold is not None and threshold.source == "untuned":
        note = "it would be chosen on these very items" if split == "val" else threshold.note
        found.append(f"The decision threshold {threshold.value:g} is untuned: {note}.")
    return found
