"""Exact and asymptotic tests of two models on the same independent items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from cineloop.evaluation.predictions import BoolArray, FloatArray


@dataclass(frozen=True)
class PairedTest:
    """A test's outcome.

    Attributes:
        name: ``delong`` or ``mcnemar``.
        statistic: z of DeLong; of McNemar the items that only the first model decides rightly.
        p_value: Two-sided; None where the models cannot be told apart at all.
        detail: The counts or the standard error behind it, for a page.
    """

    name: str
    statistic: float
    p_value: float | None
    detail: str

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {"test": self.name, "statistic": self.statistic, "p_value": self.p_value, "detail": self.detail}


def delong(first: FloatArray, second: FloatArray, positive: BoolArray) -> PairedTest:
    """Test whether two scores of the same independent items have the same AUROC.

    DeLong, DeLong and Clarke-Pearson (1988), by the midranks of Sun and Xu (2014).

    Args:
        first: float64 [N].
        second: float64 [N].
        positive: Which items should score high, [N]; both kinds must be there.
    """
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    over, under = np.empty((2, n_positive)), np.empty((2, n_negative))
    for row, scores in enumerate((first, second)):
        ranks = _midranks(scores)
        over[row] = (ranks[positive] - _midranks(scores[positive])) / n_negative
        under[row] = 1 - (ranks[~positive] - _midranks(scores[~positive])) / n_positive
    areas = over.mean(axis=1)
    contrast = np.array([1.0, -1.0])
    variance = 0.0
    for placements in (over, under):
        if placements.shape[1] > 1:
            variance += float(contrast @ np.cov(placements) @ contrast) / placements.shape[1]
    difference = float(areas[0] - areas[1])
    if variance <= 1e-15:
        return PairedTest("delong", 0.0, None, "the two scores rank every item alike")
    z = difference / variance**0.5
    return PairedTest("delong", z, float(2 * special.ndtr(-abs(z))), f"standard error {variance**0.5:.4f}")


def _midranks(scores: FloatArray) -> FloatArray:
    """Return ranks from 1, equal scores sharing their mean rank."""
    _, place, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(sizes) - (sizes - 1) / 2)[place])


def mcnemar(first: BoolArray, second: BoolArray) -> PairedTest:
    """Test whether two models decide the same independent items rightly equally often: McNemar (1947), exact.

    Args:
        first: Whether the first model is right, [N].
        second: Whether the second model is right, [N].
    """
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    detail = f"only the first right on {only_first}, only the second on {only_second}"
    if only_first + only_second == 0:
        return PairedTest("mcnemar", 0.0, None, detail)
    p_value = min(1.0, 2 * float(special.bdtr(min(only_first, only_second), only_first + only_second, 0.5)))
    return PairedTest("mcnemar", float(only_first), p_value, detail)
