"""Paired comparison: two models on the same items of the same patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cineloop.errors import EvaluationError
from cineloop.evaluation.bootstrap import DEFAULT, Resampling, percentile_interval, replicate
from cineloop.evaluation.intervals import TWO_SIDED, rounded
from cineloop.evaluation.metrics import METRICS, Key
from cineloop.evaluation.paired_tests import PairedTest, delong, mcnemar
from cineloop.evaluation.predictions import FloatArray, Predictions
from cineloop.evaluation.scorer import Scorer
from cineloop.schema import did_you_mean


@dataclass(frozen=True)
class Contender:
    """A model in a comparison.

    Attributes:
        name: What a page calls it.
        predictions: Its predictions, a binary problem's positive class last.
        threshold: Its own decision threshold; None stands for 0.5.
        validation: Its own predictions of validation items, on which :func:`evaluate` chooses its threshold where none
            is given.
    """

    name: str
    predictions: Predictions
    threshold: float | None = None
    validation: Predictions | None = None


@dataclass(frozen=True)
class Difference:
    """One figure of two models: the second minus the first.

    Attributes:
        key: Which figure.
        first: The first model's, None where undefined.
        second: The second model's.
        difference: ``second - first``.
        low: Lower end of the difference's two-sided interval.
        high: Upper end.
        p_value: Two-sided, from the same bootstrap: how often the difference would change its sign.
    """

    key: Key
    first: float | None
    second: float | None
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "metric": self.key.metric,
            "first": rounded(self.first),
            "second": rounded(self.second),
            "difference": rounded(self.difference),
            "low": rounded(self.low),
            "high": rounded(self.high),
            "sides": TWO_SIDED,
            "p_value": rounded(self.p_value),
        }


@dataclass(frozen=True)
class Comparison:
    """Two models on the items that both predicted.

    Attributes:
        first: The first model's name.
        second: The second model's name.
        n_items: Items compared.
        n_patients: Their patients.
        only_first: Items that only the first predicted, left out.
        only_second: Items that only the second predicted, left out.
        differences: Figure by figure.
        tests: DeLong and McNemar, where every patient has one item.
        note: Why there are no tests.
    """

    first: str
    second: str
    n_items: int
    n_patients: int
    only_first: int
    only_second: int
    differences: tuple[Difference, ...]
    tests: tuple[PairedTest, ...]
    note: str | None

    def text(self) -> str:
        """Return the comparison as a few plain lines, for a terminal."""
        lines = [f"{self.second} minus {self.first}, {self.n_items:,} items of {self.n_patients:,} patients"]
        for one in self.differences:
            if one.difference is not None:
                ends = "" if one.low is None else f"  ({one.low:+.3f} to {one.high:+.3f}, p = {one.p_value:.3f})"
                lines.append(f"  {METRICS[one.key.metric].title:<20}{one.difference:+.3f}{ends}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "first": self.first,
            "second": self.second,
            "n_items": self.n_items,
            "n_patients": self.n_patients,
            "only_first": self.only_first,
            "only_second": self.only_second,
            "differences": {one.key.metric: one.to_json() for one in self.differences},
            "tests": [test.to_json() for test in self.tests],
            "note": self.note,
        }


def compare(
    first: Contender,
    second: Contender,
    *,
    bins: int = 10,
    ordinal: bool = False,
    resampling: Resampling = DEFAULT,
) -> Comparison:
    """Compare two models by the patient-clustered bootstrap of the difference of every overall figure.

    Each replicate draws patients once and scores both models on them, so what is hard for both cancels.

    Raises:
        EvaluationError: The models have different classes or no item in common, or disagree about an item's true
            class or about which items belong to one patient.
    """
    one, other = _common(first, second)
    scorers = [
        Scorer(predictions, threshold=contender.threshold, per_class=False, bins=bins, ordinal=ordinal)
        for predictions, contender in ((one, first), (other, second))
    ]

    def both(counts: FloatArray) -> FloatArray:
        return scorers[1].score(counts) - scorers[0].score(counts)

    n_patients = scorers[0].n_patients
    drawn = replicate(both, n_patients, resampling, chunk=scorers[0].chunk)
    points = [scorer.point() for scorer in scorers]
    differences = tuple(
        _difference(
            key,
            float(points[0][column]),
            float(points[1][column]),
            drawn[:, column],
            resampling.confidence,
            n_patients,
        )
        for column, key in enumerate(scorers[0].keys)
    )
    tests, note = _tests(scorers)
    shared = len(one)
    return Comparison(
        first=first.name,
        second=second.name,
        n_items=len(scorers[0].predictions),
        n_patients=n_patients,
        only_first=len(first.predictions) - shared,
        only_second=len(second.predictions) - shared,
        differences=differences,
        tests=tests,
        note=note,
    )


def _common(first: Contender, second: Contender) -> tuple[Predictions, Predictions]:
    one, other = first.predictions, second.predictions
    if one.classes != other.classes:
        raise EvaluationError(
            f"{first.name} tells {list(one.classes)} apart, {second.name} {list(other.classes)}",
            mend="Compare models with the same classes in the same order.",
        )
    place = {name: row for row, name in enumerate(other.ids)}
    rows = [row for row, name in enumerate(one.ids) if name in place]
    if not rows:
        example = other.ids[0] if other.ids else ""
        raise EvaluationError(
            f"{first.name} and {second.name} have no item in common",
            where=one.ids[0] if one.ids else None,
            mend=f"Evaluate both on the same split; the other has items such as {example!r}. "
            + did_you_mean(example, one.ids[:50]),
        )
    one, other = one.select(rows), other.select([place[one.ids[row]] for row in rows])
    wrong = np.flatnonzero(one.targets != other.targets)
    if len(wrong):
        raise EvaluationError(
            f"{first.name} and {second.name} disagree about the true class of {len(wrong)} items",
            where=one.ids[wrong[0]],
            mend="Evaluate both on the same version of the cohort.",
        )
    if (one.cluster_index != other.cluster_index).any():
        raise EvaluationError(
            f"{first.name} and {second.name} disagree about which items belong to one patient",
            mend="Evaluate both on the same version of the cohort.",
        )
    return one, other


def _difference(
    key: Key, first: float, second: float, drawn: FloatArray, confidence: float, n_patients: int
) -> Difference:
    values = (None if np.isnan(first) else first, None if np.isnan(second) else second)
    if None in values:
        return Difference(key, *values, None, None, None, None)
    defined = drawn[~np.isnan(drawn)]
    if n_patients < 2 or len(defined) < len(drawn) / 2:
        return Difference(key, *values, second - first, None, None, None)
    low, high = percentile_interval(drawn, confidence)
    # One is added on both sides (Davison and Hinkley 1997): no finite number of replicates shows p = 0.
    extreme = min(np.count_nonzero(defined <= 0), np.count_nonzero(defined >= 0))
    p_value = min(1.0, 2 * (extreme + 1) / (len(defined) + 1))
    return Difference(key, *values, second - first, low, high, p_value)


def _tests(scorers: list[Scorer]) -> tuple[tuple[PairedTest, ...], str | None]:
    one, other = (scorer.predictions for scorer in scorers)
    if one.n_clusters < len(one):
        return (), "patients have several items, so DeLong's and McNemar's tests, which need independent items, are out"
    right = [scorer.decided == scorer.predictions.targets for scorer in scorers]
    tests = [mcnemar(*right)]
    positive = one.targets == 1
    if one.positive is not None and positive.any() and not positive.all():
        tests.insert(0, delong(one.probabilities[:, 1], other.probabilities[:, 1], positive))
    return tuple(tests), None
