"""Pointwise intervals of ROC and precision-recall curves over patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cineloop.evaluation.bootstrap import DEFAULT, Resampling, draw_counts
from cineloop.evaluation.predictions import BoolArray, FloatArray, IntArray
from cineloop.evaluation.ranking import Curve

_CHUNK_ELEMENTS = 2**19


@dataclass(frozen=True, eq=False)
class Band:
    """A curve's interval on a grid.

    Attributes:
        grid: False-positive rates, or recalls, float64 [G].
        low: Lower end of sensitivity, or of precision, float64 [G].
        high: Upper end, float64 [G].
    """

    grid: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, eq=False)
class CurveBands:
    """A score's curve with a band for each of its two faces.

    A band is None where none was asked for, or no replicate has both classes.
    """

    curve: Curve
    roc: Band | None
    precision_recall: Band | None


def curve_bands(
    scores: FloatArray,
    positive: BoolArray,
    clusters: IntArray,
    resampling: Resampling | None = DEFAULT,
    *,
    points: int = 101,
) -> CurveBands:
    """Trace a score and its pointwise intervals.

    Args:
        scores: float64 [N].
        positive: Which items should score high, [N].
        clusters: The patient of each item from 0, [N].
        resampling: Of the bands, which are of percentiles; None draws none.
        points: Of the grid.
    """
    curve = Curve.of(scores, positive)
    if resampling is None:
        return CurveBands(curve, None, None)
    order = np.argsort(-scores, kind="stable")
    falling, hits, patients = scores[order], positive[order], clusters[order]
    last = np.flatnonzero(np.diff(falling, append=-np.inf) != 0)
    n_patients = int(clusters.max()) + 1
    grid = np.linspace(0, 1, points)
    sensitivities, precisions = [], []
    chunk = max(1, _CHUNK_ELEMENTS // max(len(scores), n_patients))
    for counts in draw_counts(n_patients, resampling, chunk=chunk):
        weights = counts[:, patients]
        true = np.cumsum(weights * hits, axis=1)[:, last]
        false = np.cumsum(weights * ~hits, axis=1)[:, last]
        for reached, passed in zip(true, false, strict=True):
            if reached[-1] and passed[-1]:
                sensitivity = reached / reached[-1]
                rate = np.append(0.0, passed / passed[-1])
                sensitivities.append(np.interp(grid, rate, np.append(0.0, sensitivity)))
                first = np.searchsorted(sensitivity, grid[1:] - 1e-12)
                precisions.append(reached[first] / (reached[first] + passed[first]))
    return CurveBands(
        curve=curve,
        roc=_band(grid, sensitivities, resampling.confidence),
        precision_recall=_band(grid[1:], precisions, resampling.confidence),
    )


def _band(grid: FloatArray, rows: list[FloatArray], confidence: float) -> Band | None:
    if not rows:
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.stack(rows), [tail, 1 - tail], axis=0)
    return Band(grid, low, high)
