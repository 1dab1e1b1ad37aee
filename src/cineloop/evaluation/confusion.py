"""Figures of the confusion matrix, for one matrix or for a whole stack of bootstrap replicates at once.

Every function takes ``tables`` of shape [..., K, K], row = true class, column = decided class, and returns [...] or
[..., K]. What is undefined is NaN: a figure about a class needs items of that class, a figure about its absence needs
items of another, and a predictive value needs an item so decided. :mod:`cineloop.evaluation.scorer` says which it was.
"""

from __future__ import annotations

import numpy as np

from cineloop.evaluation.predictions import BoolArray, FloatArray, IntArray


def confusion_matrix(targets: IntArray, decided: IntArray, n_classes: int) -> FloatArray:
    """Count items by true class (row) and decided class (column): float64 [K, K]."""
    flat = np.bincount(targets * n_classes + decided, minlength=n_classes * n_classes)
    return flat.reshape(n_classes, n_classes).astype(np.float64)


def cluster_tables(
    clusters: IntArray, n_clusters: int, targets: IntArray, decided: IntArray, n_classes: int
) -> FloatArray:
    """Count each patient's items by true and decided class: float64 [C, K * K]."""
    cells = n_classes * n_classes
    flat = np.bincount(clusters * cells + targets * n_classes + decided, minlength=n_clusters * cells)
    return flat.reshape(n_clusters, cells).astype(np.float64)


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide, with NaN where the denominator is zero."""
    result = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def _undefined_unless(condition: BoolArray, values: FloatArray) -> FloatArray:
    return np.where(condition, values, np.nan)


def _counts(tables: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return hits [..., K], true items [..., K], decided items [..., K] and the total [..., 1]."""
    hits = np.diagonal(tables, axis1=-2, axis2=-1)
    support = tables.sum(axis=-1)
    return hits, support, tables.sum(axis=-2), support.sum(axis=-1, keepdims=True)


def sensitivity(tables: FloatArray) -> FloatArray:
    """Share of a class's items that are decided so (recall), [..., K]."""
    hits, support, _, _ = _counts(tables)
    return ratio(hits, support)


def specificity(tables: FloatArray) -> FloatArray:
    """Share of the other classes' items that are not decided so, [..., K]."""
    hits, support, decided, total = _counts(tables)
    return ratio(total - support - decided + hits, total - support)


def ppv(tables: FloatArray) -> FloatArray:
    """Share of the items decided so that are so (precision, positive predictive value), [..., K]."""
    hits, support, decided, _ = _counts(tables)
    return _undefined_unless(support > 0, ratio(hits, decided))


def npv(tables: FloatArray) -> FloatArray:
    """Share of the items not decided so that are not so (negative predictive value), [..., K]."""
    hits, support, decided, total = _counts(tables)
    return _undefined_unless(total > support, ratio(total - support - decided + hits, total - decided))


def f1(tables: FloatArray) -> FloatArray:
    """Harmonic mean of sensitivity and positive predictive value, 2 TP / (2 TP + FP + FN), [..., K]."""
    hits, support, decided, _ = _counts(tables)
    return _undefined_unless(support > 0, ratio(2 * hits, support + decided))


def accuracy(tables: FloatArray) -> FloatArray:
    """Share of items decided rightly, [...]."""
    hits, _, _, total = _counts(tables)
    return ratio(hits.sum(axis=-1), total[..., 0])


def two_classes(tables: FloatArray) -> BoolArray:
    """Whether items of at least two classes are there, [...]."""
    return np.asarray((tables.sum(axis=-1) > 0).sum(axis=-1) >= 2)


def macro(values: FloatArray, scope: BoolArray) -> FloatArray:
    """Average a figure [..., K] over the classes in ``scope`` [K]; NaN where one of them is undefined.

    One class alone has no average. The scope is fixed by the whole set of items, so that every bootstrap replicate
    estimates the same quantity.
    """
    if scope.sum() < 2:
        return np.full(values.shape[:-1], np.nan)
    return np.asarray(values[..., scope].mean(axis=-1))


def weighted(values: FloatArray, tables: FloatArray) -> FloatArray:
    """Average a figure [..., K] over the classes, each weighted by its true items, [...]."""
    support = tables.sum(axis=-1)
    return ratio(np.where(support > 0, values * support, 0.0).sum(axis=-1), support.sum(axis=-1))


def mcc(tables: FloatArray) -> FloatArray:
    """Matthews correlation coefficient, for any number of classes (Gorodkin's R_K, 2004), [...]."""
    hits, support, decided, total = _counts(tables)
    n = total[..., 0]
    covariance = n * hits.sum(axis=-1) - (support * decided).sum(axis=-1)
    spread = (n**2 - (decided**2).sum(axis=-1)) * (n**2 - (support**2).sum(axis=-1))
    return ratio(covariance, np.sqrt(spread))


def kappa(tables: FloatArray, *, quadratic: bool = False) -> FloatArray:
    """Cohen's kappa, chance-corrected agreement of decided and true class, [...].

    Args:
        tables: [..., K, K].
        quadratic: Weigh a disagreement by the squared distance of the classes, which must then be ordered (Cohen 1968).
    """
    _, support, decided, total = _counts(tables)
    places = np.arange(tables.shape[-1])
    distance = np.subtract.outer(places, places)
    penalty = (distance**2 if quadratic else distance != 0).astype(np.float64)
    observed = (tables * penalty).sum(axis=(-2, -1)) * total[..., 0]
    expected = np.einsum("...i,ij,...j->...", support, penalty, decided)
    return _undefined_unless(two_classes(tables), 1 - ratio(observed, expected))
