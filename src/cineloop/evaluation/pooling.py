"""Several models as one: folds pooled, seeds averaged, and the spread between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cineloop.errors import EvaluationError
from cineloop.evaluation.intervals import rounded
from cineloop.evaluation.metrics import Key
from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.scorer import Scorer


@dataclass(frozen=True)
class Spread:
    """One figure over several models.

    Attributes:
        key: Which figure.
        values: One a model; None where undefined.
        mean: Of the defined values, None without one.
        sd: Their standard deviation (n - 1), None with fewer than two.
    """

    key: Key
    values: tuple[float | None, ...]
    mean: float | None
    sd: float | None

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "metric": self.key.metric,
            "values": [rounded(value) for value in self.values],
            "mean": rounded(self.mean),
            "sd": rounded(self.sd),
        }


def pool_folds(folds: Sequence[Predictions]) -> Predictions:
    """Return the held-out predictions of all folds as one set.

    Scores of different models stand in one ranking then: where folds are calibrated differently, the pooled AUROC is
    below the mean of the folds', which :func:`spread` gives.

    Raises:
        EvaluationError: There is no fold, classes differ, or an item or a patient is held out twice.
    """
    first = _alike(folds)
    owner: dict[str, int] = {}
    for number, fold in enumerate(folds):
        for patient in set(fold.clusters):
            if owner.setdefault(patient, number) != number:
                raise EvaluationError(
                    f"A patient is held out in fold {owner[patient]} and in fold {number}",
                    where=patient,
                    mend="Make the folds by patient: `cineloop cohort split --folds`.",
                )
    names = dict.fromkeys(name for fold in folds for name in fold.attributes)
    return Predictions(
        ids=tuple(name for fold in folds for name in fold.ids),
        clusters=tuple(name for fold in folds for name in fold.clusters),
        targets=np.concatenate([fold.targets for fold in folds]),
        probabilities=np.concatenate([fold.probabilities for fold in folds]),
        classes=first.classes,
        paths=tuple(path for fold in folds for path in fold.paths) if all(fold.paths for fold in folds) else (),
        attributes={
            name: tuple(value for fold in folds for value in fold.attributes.get(name, (None,) * len(fold)))
            for name in names
        },
        identity_known=all(fold.identity_known for fold in folds),
    )


def ensemble(members: Sequence[Predictions]) -> Predictions:
    """Return the mean probabilities of several models over the same items, in the first one's order.

    Raises:
        EvaluationError: There is no model, or classes, items or true classes differ.
    """
    first = _alike(members)
    total = np.zeros_like(first.probabilities)
    for number, member in enumerate(members):
        place = {name: row for row, name in enumerate(member.ids)}
        if place.keys() != set(first.ids):
            odd = sorted(place.keys() ^ set(first.ids))
            raise EvaluationError(
                f"Model {number} predicted other items than model 0 ({len(odd)} differ)",
                where=odd[0],
                mend="Predict the same split with every model.",
            )
        aligned = member.select([place[name] for name in first.ids])
        if (aligned.targets != first.targets).any():
            raise EvaluationError(
                f"Model {number} disagrees with model 0 about an item's true class",
                where=first.ids[int(np.flatnonzero(aligned.targets != first.targets)[0])],
                mend="Predict the same version of the cohort with every model.",
            )
        total += aligned.probabilities
    return replace(first, probabilities=total / len(members))


def spread(
    members: Sequence[Predictions], *, threshold: float | None = None, bins: int = 10, ordinal: bool = False
) -> tuple[Spread, ...]:
    """Return every overall figure over several models: seeds on the same items, or folds on their own.

    Args:
        members: One set of predictions a model.
        threshold: Of a binary problem, the same for all.
        bins: Of the calibration errors.
        ordinal: See :class:`Scorer`.

    Raises:
        EvaluationError: There is no model, or classes differ.
    """
    _alike(members)
    scorers = [Scorer(member, threshold=threshold, per_class=False, bins=bins, ordinal=ordinal) for member in members]
    table = np.stack([scorer.point() for scorer in scorers])
    result = []
    for column, key in enumerate(scorers[0].keys):
        defined = table[~np.isnan(table[:, column]), column]
        result.append(
            Spread(
                key=key,
                values=tuple(None if np.isnan(value) else float(value) for value in table[:, column]),
                mean=float(defined.mean()) if len(defined) else None,
                sd=float(defined.std(ddof=1)) if len(defined) > 1 else None,
            )
        )
    return tuple(result)


def _alike(members: Sequence[Predictions]) -> Predictions:
    if not members:
        raise EvaluationError("There is nothing to pool", mend="Give the predictions of at least one model.")
    for number, member in enumerate(members):
        if member.classes != members[0].classes:
            raise EvaluationError(
                f"Model {number} tells {list(member.classes)} apart, model 0 {list(members[0].classes)}",
                mend="Pool models with the same classes in the same order.",
            )
    return members[0]
