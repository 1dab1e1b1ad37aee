"""AUROC, average precision and their curves from one sort, weighted by how often each patient was drawn.

A bootstrap replicate repeats patients, so an item's weight is its patient's count. With the items sorted once, every
replicate is a cumulative sum of those counts; equal scores are handled as one group, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cineloop.evaluation.confusion import ratio
from cineloop.evaluation.predictions import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Ranking:
    """Items sorted by one score, descending, the positives apart from the negatives.

    A *level* is a distinct score of a positive; there are L of them.

    Attributes:
        positives: The patient of each positive, int64 [P].
        negatives: The patient of each negative, int64 [Q].
        positives_to: How many positives score at least each level, int64 [L].
        negatives_to: How many negatives score at least each level, int64 [L].
        negatives_above: How many negatives score more than each level, int64 [L].
    """

    positives: IntArray
    negatives: IntArray
    positives_to: IntArray
    negatives_to: IntArray
    negatives_above: IntArray

    @classmethod
    def of(cls, scores: FloatArray, positive: BoolArray, clusters: IntArray) -> Ranking:
        """Sort ``scores`` [N], of which those where ``positive`` [N] is true should be high; ``clusters`` [N]."""
        order = np.argsort(-scores, kind="stable")
        falling, positive, clusters = -scores[order], positive[order], clusters[order]
        levels, sizes = np.unique(falling[positive], return_counts=True)
        negative_scores = falling[~positive]
        return cls(
            positives=clusters[positive],
            negatives=clusters[~positive],
            positives_to=np.cumsum(sizes),
            negatives_to=np.searchsorted(negative_scores, levels, side="right"),
            negatives_above=np.searchsorted(negative_scores, levels, side="left"),
        )

    def score(self, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return AUROC and average precision of each replicate.

        AUROC is the probability that a positive scores above a negative, ties counting half. Average precision is the
        sum over levels of precision times the gain in recall (no interpolation). NaN without a positive or, for AUROC,
        without a negative.

        Args:
            counts: How often each patient was drawn, [R, C].

        Returns:
            Two float64 arrays [R].
        """
        reached = _running(counts[:, self.positives])
        passed = _running(counts[:, self.negatives])
        n_positive, n_negative = reached[:, -1], passed[:, -1]
        hits = reached[:, self.positives_to]
        gained = np.diff(hits, axis=1, prepend=0.0)
        false_alarms = passed[:, self.negatives_to]
        won = n_negative[:, None] - 0.5 * (false_alarms + passed[:, self.negatives_above])
        auroc = ratio(np.einsum("rl,rl->r", gained, won), n_positive * n_negative)
        precision = np.divide(hits, hits + false_alarms, out=np.zeros_like(hits), where=hits > 0)
        average_precision = ratio(np.einsum("rl,rl->r", gained, precision), n_positive)
        return auroc, np.where(n_negative > 0, average_precision, np.nan)


def _running(weights: FloatArray) -> FloatArray:
    """Return cumulative sums along the rows, with a leading zero: [R, n] → [R, n + 1]."""
    result = np.zeros((weights.shape[0], weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=result[:, 1:])
    return result


@dataclass(frozen=True, eq=False)
class Curve:
    """All operating points of one score, from the strictest threshold to the laxest.

    Attributes:
        thresholds: Deciding positive at or above each, float64 [T], descending; the first, infinite, decides nothing.
        true_positives: Positives decided so, float64 [T].
        false_positives: Negatives decided so, float64 [T].
    """

    thresholds: FloatArray
    true_positives: FloatArray
    false_positives: FloatArray

    @classmethod
    def of(cls, scores: FloatArray, positive: BoolArray, weights: FloatArray | None = None) -> Curve:
        """Trace ``scores`` [N] against ``positive`` [N], optionally with a weight per item [N]."""
        weights = np.ones(len(scores)) if weights is None else weights
        order = np.argsort(-scores, kind="stable")
        falling, weight, positive = scores[order], weights[order], positive[order]
        last = np.flatnonzero(np.diff(falling, append=-np.inf) != 0)
        return cls(
            thresholds=np.concatenate([[np.inf], falling[last]]),
            true_positives=np.concatenate([[0.0], np.cumsum(weight * positive)[last]]),
            false_positives=np.concatenate([[0.0], np.cumsum(weight * ~positive)[last]]),
        )

    @property
    def sensitivity(self) -> FloatArray:
        """True positives over positives, [T]; NaN without a positive."""
        return ratio(self.true_positives, self.true_positives[-1:])

    @property
    def false_positive_rate(self) -> FloatArray:
        """False positives over negatives, [T]; NaN without a negative."""
        return ratio(self.false_positives, self.false_positives[-1:])

    @property
    def precision(self) -> FloatArray:
        """True positives over items decided positive, [T]; NaN where nothing is decided positive."""
        return ratio(self.true_positives, self.true_positives + self.false_positives)
