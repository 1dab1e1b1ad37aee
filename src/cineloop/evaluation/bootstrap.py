"""The patient-clustered bootstrap: patients are drawn with replacement, each with all of its items.

Items of one patient resemble each other, so resampling items would promise more certainty than there is (Field and
Welsh, 2007). Every interval of the product comes from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from cineloop.evaluation.predictions import FloatArray
from cineloop.seeds import generator

Score = Callable[[FloatArray], FloatArray]
"""Turns counts per patient [R, C] into figures [R, M]."""

Method = Literal["percentile", "bca"]


@dataclass(frozen=True)
class Resampling:
    """How intervals are made.

    Attributes:
        replicates: How often patients are drawn.
        confidence: The share that an interval is to cover.
        seed: Of the draws.
        method: ``percentile`` (Efron 1979), or ``bca``, bias-corrected and accelerated (Efron 1987).
    """

    replicates: int = 1000
    confidence: float = 0.95
    seed: int = 0
    method: Method = "percentile"


DEFAULT = Resampling()


def draw_counts(n_patients: int, resampling: Resampling = DEFAULT, *, chunk: int) -> Iterator[FloatArray]:
    """Yield how often each patient is drawn, in blocks of at most ``chunk`` replicates.

    The draws depend on the number of patients and the seed, and not on ``chunk``.

    Yields:
        float64 [r, C], each row summing to C.
    """
    source = generator("bootstrap", n_patients, resampling.seed)
    for start in range(0, resampling.replicates, chunk):
        rows = min(chunk, resampling.replicates - start)
        drawn = source.integers(0, n_patients, size=(rows, n_patients), dtype=np.int64)
        drawn += np.arange(rows)[:, None] * n_patients
        flat = np.bincount(drawn.ravel(), minlength=rows * n_patients)
        yield flat.reshape(rows, n_patients).astype(np.float64)


def replicate(score: Score, n_patients: int, resampling: Resampling = DEFAULT, *, chunk: int) -> FloatArray:
    """Return the figures of every bootstrap replicate, float64 [R, M]; NaN where one is undefined."""
    return np.concatenate([score(counts) for counts in draw_counts(n_patients, resampling, chunk=chunk)])


def jackknife(score: Score, n_patients: int, *, chunk: int) -> FloatArray:
    """Return the figures with each patient left out in turn, float64 [C, M]."""
    blocks = []
    for start in range(0, n_patients, chunk):
        rows = np.arange(start, min(start + chunk, n_patients))
        counts = np.ones((len(rows), n_patients))
        counts[rows - start, rows] = 0.0
        blocks.append(score(counts))
    return np.concatenate(blocks)


def percentile_interval(replicates: FloatArray, confidence: float) -> tuple[float, float]:
    """Return the central share of the defined replicates [R] (Efron 1979)."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates[~np.isnan(replicates)], [tail, 1 - tail])
    return float(low), float(high)


def bca_interval(
    replicates: FloatArray, value: float, left_out: FloatArray, confidence: float
) -> tuple[float, float] | None:
    """Return the bias-corrected and accelerated interval (Efron 1987), or None where it cannot be computed.

    Args:
        replicates: One figure's replicates, float64 [R].
        value: The figure itself.
        left_out: Its :func:`jackknife` values, float64 [C].
        confidence: The share to cover.
    """
    defined = replicates[~np.isnan(replicates)]
    left_out = left_out[~np.isnan(left_out)]
    # Replicates equal to the value count half, as figures of few items take few values.
    below = (np.count_nonzero(defined < value) + 0.5 * np.count_nonzero(defined == value)) / len(defined)
    pull = left_out.mean() - left_out
    spread = (pull**2).sum()
    if not 0 < below < 1 or spread == 0:
        return None
    bias = special.ndtri(below)
    acceleration = (pull**3).sum() / (6 * spread**1.5)
    tail = (1 - confidence) / 2
    shifted = bias + special.ndtri([tail, 1 - tail])
    levels = special.ndtr(bias + shifted / (1 - acceleration * shifted))
    low, high = np.quantile(defined, levels)
    return float(low), float(high)
