"""All figures of one set of predictions, computed for any resampling of its patients.

A resampling is a count per patient. What does not depend on it (sorts, confusion tables and loss sums per patient) is
computed once; then :meth:`Scorer.score` turns counts [R, C] into figures [R, M] without a loop over replicates. The
point estimate is the resampling in which every patient counts once, so it and its interval cannot disagree.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from cineloop.errors import EvaluationError
from cineloop.evaluation import confusion
from cineloop.evaluation.metrics import METRICS, PER_CLASS, RANKING, Key, metric
from cineloop.evaluation.predictions import BoolArray, FloatArray, IntArray, Predictions
from cineloop.evaluation.ranking import Ranking

_CHUNK_ELEMENTS = 2**19  # 4 MB a temporary: stays in a core's cache, and bounds memory whatever the size
_TABLE_METRICS = {
    "sensitivity": confusion.sensitivity,
    "specificity": confusion.specificity,
    "ppv": confusion.ppv,
    "npv": confusion.npv,
    "f1": confusion.f1,
}


@dataclass(frozen=True)
class Support:
    """What a figure stands on: the items that it is a share or a mean of, and their patients."""

    n_items: int
    n_patients: int


class Scorer:
    """Figures of ``predictions`` as a function of how often each patient counts.

    Args:
        predictions: Items of unknown class are left out. A binary problem's positive class is its last.
        threshold: Of a binary problem, on the positive class's probability; None stands for 0.5.
        metrics: The names wanted; None means all that apply.
        per_class: Also figures of every class against the rest; None means where there are more than two classes.
        bins: Bins of the calibration errors.
        ordinal: The classes are ordered, so quadratic kappa applies.

    Attributes:
        keys: What the columns of :meth:`score` are, [M].
        predictions: Those of known class.
        decided: The class decided for each item, int64 [N].

    Raises:
        EvaluationError: No item's class is known, or a metric's name is unknown.
    """

    def __init__(
        self,
        predictions: Predictions,
        *,
        threshold: float | None = None,
        metrics: Collection[str] | None = None,
        per_class: bool | None = None,
        bins: int = 10,
        ordinal: bool = False,
    ) -> None:
        self.predictions = predictions.known()
        if not len(self.predictions):
            raise EvaluationError(
                f"The true class of none of {len(predictions)} items is known",
                mend="Evaluate a split whose items have labels; use predict for items without.",
            )
        self._binary = len(predictions.classes) == 2
        self._ordinal = ordinal
        self.decided: IntArray = self.predictions.decide(threshold)
        self.keys = self._wanted(metrics, (not self._binary) if per_class is None else per_class)
        self._prepare(bins)

    def _wanted(self, metrics: Collection[str] | None, per_class: bool) -> tuple[Key, ...]:
        wanted = {metric(name).name for name in metrics} if metrics is not None else set(METRICS)
        if not self._ordinal and metrics is None:
            wanted.discard("quadratic_kappa")
        overall = [Key(name) for name in METRICS if name in wanted and (self._binary or not METRICS[name].one_class)]
        classes = self.predictions.classes if per_class else ()
        return (*overall, *(Key(name, label) for label in classes for name in PER_CLASS if name in wanted))

    def _prepare(self, bins: int) -> None:
        p = self.predictions
        n_classes, names = len(p.classes), {key.metric for key in self.keys}
        self._n_classes = n_classes
        self._scope: BoolArray = np.bincount(p.targets, minlength=n_classes) > 0
        self._tables = confusion.cluster_tables(p.cluster_index, p.n_clusters, p.targets, self.decided, n_classes)
        ranked: Collection[int] = ()
        if names & set(RANKING):
            everyone = not self._binary or any(key.label is not None for key in self.keys)
            ranked = range(n_classes) if everyone else (1,)
        self._rankings = {
            index: Ranking.of(p.probabilities[:, index], p.targets == index, p.cluster_index) for index in ranked
        }
        losses = item_losses(p)
        self._losses = _sum_by(p.cluster_index, p.n_clusters, np.stack([np.ones(len(p)), *losses], axis=1))
        confidence, outcome = calibrated(p)
        self._gaps = {
            name: _gaps(p.cluster_index, p.n_clusters, confidence, outcome, edges(confidence, bins, equal_mass=mass))
            for name, mass in (("ece", False), ("ece_mass", True))
            if name in names
        }

    @property
    def n_patients(self) -> int:
        """How many patients there are to resample: C."""
        return self.predictions.n_clusters

    @property
    def chunk(self) -> int:
        """How many replicates to score at once so that memory stays bounded."""
        return max(1, _CHUNK_ELEMENTS // max(len(self.predictions), self.n_patients))

    def score(self, counts: FloatArray) -> FloatArray:
        """Return every figure of every resampling, NaN where undefined.

        Args:
            counts: How often each patient counts, float64 [R, C].

        Returns:
            float64 [R, M], columns as in ``keys``.
        """
        values: dict[Key, FloatArray] = {}
        self._score_tables(counts, values)
        self._score_rankings(counts, values)
        n, log_loss, brier = (counts @ self._losses).T
        values[Key("log_loss")], values[Key("brier")] = log_loss / n, brier / n
        for name, gaps in self._gaps.items():
            values[Key(name)] = np.abs(counts @ gaps).sum(axis=1) / n
        return np.stack([values[key] for key in self.keys], axis=1)

    def _score_tables(self, counts: FloatArray, values: dict[Key, FloatArray]) -> None:
        tables = (counts @ self._tables).reshape(-1, self._n_classes, self._n_classes)
        by_class = {name: function(tables) for name, function in _TABLE_METRICS.items()}
        for name, columns in by_class.items():
            values[Key(name)] = columns[:, -1]
            for index, label in enumerate(self.predictions.classes):
                values[Key(name, label)] = columns[:, index]
        values[Key("accuracy")] = confusion.accuracy(tables)
        values[Key("balanced_accuracy")] = confusion.macro(by_class["sensitivity"], self._scope)
        values[Key("macro_f1")] = confusion.macro(by_class["f1"], self._scope)
        values[Key("weighted_f1")] = confusion.weighted(by_class["f1"], tables)
        values[Key("mcc")] = confusion.mcc(tables)
        values[Key("kappa")] = confusion.kappa(tables)
        values[Key("quadratic_kappa")] = confusion.kappa(tables, quadratic=True)

    def _score_rankings(self, counts: FloatArray, values: dict[Key, FloatArray]) -> None:
        areas: dict[int, tuple[FloatArray, FloatArray]] = {}
        for index, ranking in self._rankings.items():
            areas[index] = ranking.score(counts)
            for name, column in zip(RANKING, areas[index], strict=True):
                values[Key(name, self.predictions.classes[index])] = column
        for place, name in enumerate(RANKING if areas else ()):
            if self._binary:
                values[Key(name)] = areas[1][place]
            else:
                columns = np.stack([areas[index][place] for index in range(self._n_classes)], axis=1)
                values[Key(name)] = confusion.macro(columns, self._scope)

    def point(self) -> FloatArray:
        """Return the figures themselves, float64 [M]: every patient counts once."""
        return np.asarray(self.score(np.ones((1, self.n_patients)))[0])

    def confusion(self) -> FloatArray:
        """Return the confusion matrix, float64 [K, K]: row = true class, column = decided class."""
        return np.asarray(self._tables.sum(axis=0).reshape(self._n_classes, self._n_classes))

    def members(self, key: Key) -> BoolArray:
        """Return which items [N] a figure is a share or a mean of."""
        p = self.predictions
        index = p.classes.index(key.label) if key.label is not None else len(p.classes) - 1
        if key.metric == "sensitivity":
            return np.asarray(p.targets == index)
        if key.metric == "specificity":
            return np.asarray(p.targets != index)
        if key.metric == "ppv":
            return np.asarray(self.decided == index)
        if key.metric == "npv":
            return np.asarray(self.decided != index)
        return np.ones(len(p), dtype=np.bool_)

    def support(self, key: Key) -> Support:
        """Return the number of items and patients that a figure stands on."""
        mask = self.members(key)
        return Support(int(mask.sum()), len(np.unique(self.predictions.cluster_index[mask])))

    def reason(self, key: Key) -> str:
        """Say why a figure is undefined."""
        p = self.predictions
        label = key.label if key.label is not None else p.classes[-1]
        targets = set(p.targets.tolist())
        if len(targets) == 1:
            return f"every item is {p.classes[targets.pop()]!r}"
        index = p.classes.index(label)
        if index not in targets:
            return f"no item is {label!r}"
        if key.metric == "ppv":
            return f"no item was decided {label!r}"
        if key.metric == "npv":
            return f"every item was decided {label!r}"
        return f"every item was decided {p.classes[int(self.decided[0])]!r}"


def figures(
    predictions: Predictions,
    *,
    threshold: float | None = None,
    metrics: Collection[str] | None = None,
    per_class: bool | None = None,
    ordinal: bool = False,
) -> dict[str, float | None]:
    """Return figures without intervals, as a training loop wants them after each epoch.

    Args:
        predictions: Items of known class count.
        threshold: See :class:`Scorer`.
        metrics: The names wanted; None means all that apply.
        per_class: See :class:`Scorer`.
        ordinal: See :class:`Scorer`.

    Returns:
        ``str(key)`` (``"auroc"``, ``"sensitivity:polyp"``) to the value, None where undefined.
    """
    scorer = Scorer(predictions, threshold=threshold, metrics=metrics, per_class=per_class, ordinal=ordinal)
    return {
        str(key): None if np.isnan(value) else float(value)
        for key, value in zip(scorer.keys, scorer.point(), strict=True)
    }


def item_losses(predictions: Predictions) -> tuple[FloatArray, FloatArray]:
    """Return each item's log-loss and Brier score, float64 [N] each; every class must be known."""
    rows = np.arange(len(predictions))
    given = predictions.probabilities[rows, predictions.targets]
    log_loss = -np.log(np.clip(given, np.finfo(np.float64).eps, 1.0))
    if len(predictions.classes) == 2:
        return log_loss, np.asarray((predictions.probabilities[:, 1] - predictions.targets) ** 2)
    truth = np.zeros_like(predictions.probabilities)
    truth[rows, predictions.targets] = 1.0
    return log_loss, ((predictions.probabilities - truth) ** 2).sum(axis=1)


def calibrated(predictions: Predictions) -> tuple[FloatArray, FloatArray]:
    """Return the probability whose calibration is judged and whether it came true, float64 [N] each.

    Of two classes that is the positive one's; of more, the most probable one's (Guo et al. 2017).
    """
    if len(predictions.classes) == 2:
        return predictions.probabilities[:, 1], predictions.targets.astype(np.float64)
    top = predictions.probabilities.argmax(axis=1)
    return predictions.probabilities.max(axis=1), (top == predictions.targets).astype(np.float64)


def edges(confidence: FloatArray, bins: int, *, equal_mass: bool) -> FloatArray:
    """Return the inner edges of calibration bins, float64 [at most bins - 1]; a bin includes its upper edge."""
    return np.unique(equal_parts(confidence, bins)) if equal_mass else np.linspace(0, 1, bins + 1)[1:-1]


def equal_parts(values: FloatArray, parts: int) -> FloatArray:
    """Return the largest value of each of ``parts`` equally large groups but the last, float64 [parts - 1].

    Counted in whole numbers: a quantile's level times the size may round to the wrong side of an item.
    """
    last = [-(-len(values) * part // parts) - 1 for part in range(1, parts)]
    return np.asarray(np.sort(values)[last])


def _sum_by(clusters: IntArray, n_clusters: int, columns: FloatArray) -> FloatArray:
    """Sum rows [N, S] by patient: [C, S]."""
    return np.stack(
        [np.bincount(clusters, weights=column, minlength=n_clusters) for column in columns.T], axis=1
    ).astype(np.float64)


def _gaps(
    clusters: IntArray, n_clusters: int, confidence: FloatArray, outcome: FloatArray, inner: FloatArray
) -> FloatArray:
    """Sum predicted minus observed by patient and bin: [C, bins]."""
    n_bins = len(inner) + 1
    cell = clusters * n_bins + np.searchsorted(inner, confidence, side="left")
    flat = np.bincount(cell, weights=confidence - outcome, minlength=n_clusters * n_bins)
    return flat.reshape(n_clusters, n_bins).astype(np.float64)
