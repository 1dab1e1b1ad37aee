"""Predictions made up for tests, and the reference that every metric is held against."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st
from sklearn import metrics as sk

from cineloop.evaluation.predictions import Predictions


def made(
    seed=0, *, patients=40, per_patient=3, classes=("normal", "lesion"), skill=1.0, shared=0.8, prefix="p", **extra
):
    """Return predictions of patients whose items resemble each other."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(patients), per_patient)
    n_classes = len(classes)
    targets = rng.integers(0, n_classes, patients)[owner]
    logits = rng.normal(size=(len(owner), n_classes)) + shared * rng.normal(size=(patients, n_classes))[owner]
    logits[np.arange(len(owner)), targets] += skill
    return Predictions(
        ids=[f"{prefix}{patient}/{index}.mp4" for index, patient in enumerate(owner)],
        clusters=[f"{prefix}{patient}" for patient in owner],
        targets=targets,
        probabilities=softmax(logits),
        classes=classes,
        **extra,
    )


def softmax(logits):
    """Return probabilities [N, K] of logits [N, K]."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def binary(scores, targets, clusters=None, **extra):
    """Return binary predictions with these probabilities of the positive class."""
    scores = np.asarray(scores, dtype=np.float64)
    names = [str(cluster) for cluster in (range(len(scores)) if clusters is None else clusters)]
    return Predictions(
        ids=[f"item{index}" for index in range(len(scores))],
        clusters=names,
        targets=np.asarray(targets),
        probabilities=np.stack([1 - scores, scores], axis=1),
        classes=("no", "yes"),
        **extra,
    )


@st.composite
def predictions(draw, *, n_classes=None, every_class=True):
    """Draw predictions with many equal scores, few items and unequal patients."""
    kinds = draw(st.integers(2, 4)) if n_classes is None else n_classes
    items = draw(st.integers(max(4, kinds), 30))
    parts = draw(st.lists(st.lists(st.integers(0, 4), min_size=kinds, max_size=kinds), min_size=items, max_size=items))
    targets = draw(st.lists(st.integers(0, kinds - 1), min_size=items, max_size=items))
    if every_class:
        targets[:kinds] = range(kinds)
    owners = draw(st.lists(st.integers(0, 6), min_size=items, max_size=items))
    weights = np.array(parts, dtype=np.float64) + 0.5
    return Predictions(
        ids=[f"item{index}" for index in range(items)],
        clusters=[f"patient{owner}" for owner in owners],
        targets=np.array(targets),
        probabilities=weights / weights.sum(axis=1, keepdims=True),
        classes=tuple("abcd"[:kinds]),
    )


def calibration_error(confidence, outcome, inner):
    """Return the expected calibration error by its definition, bin by bin."""
    bounds = [-np.inf, *inner, np.inf]
    total = 0.0
    for low, high in itertools.pairwise(bounds):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            total += inside.mean() * abs(confidence[inside].mean() - outcome[inside].mean())
    return total


def reference(targets, probabilities, decided, *, inner_width, inner_mass):
    """Return every overall metric of items by scikit-learn, or by its definition where it has none.

    Args:
        targets: int [N].
        probabilities: float [N, K].
        decided: int [N].
        inner_width: Inner edges of the calibration bins of equal width.
        inner_mass: Inner edges of the calibration bins of equal mass.
    """
    n_classes = probabilities.shape[1]
    labels = list(range(n_classes))
    present = sorted(set(targets.tolist()))
    if n_classes == 2:
        confidence, outcome = probabilities[:, 1], targets == 1
    else:
        confidence, outcome = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    result = {
        "accuracy": sk.accuracy_score(targets, decided),
        "balanced_accuracy": sk.recall_score(targets, decided, labels=present, average="macro"),
        "macro_f1": sk.f1_score(targets, decided, labels=present, average="macro"),
        "weighted_f1": sk.f1_score(targets, decided, labels=labels, average="weighted", zero_division=0),
        "mcc": sk.matthews_corrcoef(targets, decided),
        "kappa": sk.cohen_kappa_score(targets, decided, labels=labels),
        "quadratic_kappa": sk.cohen_kappa_score(targets, decided, labels=labels, weights="quadratic"),
        "log_loss": sk.log_loss(targets, probabilities, labels=labels),
        "brier": sk.brier_score_loss(targets, probabilities if n_classes > 2 else probabilities[:, 1], labels=labels),
        "ece": calibration_error(confidence, outcome, inner_width),
        "ece_mass": calibration_error(confidence, outcome, inner_mass),
    }
    for index in labels:
        one, said = targets == index, decided == index
        result |= {
            f"sensitivity:{index}": sk.recall_score(one, said),
            f"specificity:{index}": sk.recall_score(~one, ~said),
            f"ppv:{index}": sk.precision_score(one, said, zero_division=np.nan),
            f"npv:{index}": sk.precision_score(~one, ~said, zero_division=np.nan),
            f"f1:{index}": sk.f1_score(one, said),
            f"auroc:{index}": sk.roc_auc_score(one, probabilities[:, index]) if 0 < one.sum() < len(one) else np.nan,
            f"auprc:{index}": sk.average_precision_score(one, probabilities[:, index]),
        }
    last = n_classes - 1
    if n_classes == 2:
        result |= {
            name: result[f"{name}:{last}"]
            for name in ("sensitivity", "specificity", "ppv", "npv", "f1", "auroc", "auprc")
        }
    else:
        result["auroc"] = sk.roc_auc_score(targets, probabilities, multi_class="ovr", labels=labels)
        result["auprc"] = float(np.mean([result[f"auprc:{index}"] for index in labels]))
    return result
