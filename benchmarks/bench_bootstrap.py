"""The patient-clustered bootstrap of every metric against a loop over scikit-learn."""

from __future__ import annotations

import statistics
import time
import warnings

import numpy as np
from sklearn import metrics as sk

from cineloop.evaluation.bootstrap import Resampling, draw_counts
from cineloop.evaluation.intervals import estimate
from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.scorer import Scorer, calibrated, edges
from table import Row

ITEMS, PATIENTS, REPLICATES = 5_000, 800, 1_000
LOOPED = 12
ROUNDS = 5


def run() -> list[Row]:
    """Time both, interleaved, for two and for five classes."""
    return [_row(2), _row(5)]


def _row(n_classes: int) -> Row:
    predictions = made(n_classes)
    scorer = Scorer(predictions)
    _agree(scorer)
    ours, theirs = [], []
    for round_ in range(ROUNDS):
        began = time.perf_counter()
        estimate(Scorer(predictions), Resampling(REPLICATES, seed=round_))
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        for counts in _counts(scorer, LOOPED, seed=round_):
            by_sklearn(scorer, counts)
        theirs.append((time.perf_counter() - began) / LOOPED * REPLICATES)
    took, peer = statistics.median(ours), statistics.median(theirs)
    figures = len(scorer.keys)
    return Row(
        name=f"{REPLICATES:,} replicates of {figures} figures, {ITEMS:,} items, {n_classes} classes",
        ours=f"{took:.2f} s",
        peer=f"loop over scikit-learn {peer:.0f} s",
        ratio=peer / took,
        target="under 2 s, at least 50x",
        ok=took < 2 and peer / took >= 50,
        note=f"median of {ROUNDS}; the loop timed on {LOOPED} replicates a round and scaled; values equal to 1e-10",
    )


def made(n_classes: int) -> Predictions:
    """Return predictions of patients with unequally many items."""
    rng = np.random.default_rng(0)
    owner = rng.integers(0, PATIENTS, ITEMS)
    targets = rng.integers(0, n_classes, ITEMS)
    logits = rng.normal(size=(ITEMS, n_classes)) + 0.5 * rng.normal(size=(PATIENTS, n_classes))[owner]
    logits[np.arange(ITEMS), targets] += 1.0
    powers = np.exp(logits)
    return Predictions(
        ids=[str(index) for index in range(ITEMS)],
        clusters=[str(patient) for patient in owner],
        targets=targets,
        probabilities=powers / powers.sum(axis=1, keepdims=True),
        classes=[f"class {index}" for index in range(n_classes)],
    )


def _counts(scorer: Scorer, replicates: int, seed: int) -> np.ndarray:
    drawn = draw_counts(scorer.n_patients, Resampling(replicates, seed=seed), chunk=replicates)
    return np.concatenate(list(drawn))


def by_sklearn(scorer: Scorer, counts: np.ndarray) -> dict[str, float]:
    """Return the figures of one replicate as a loop would compute them: repeat the rows, call scikit-learn."""
    some = scorer.predictions
    rows = np.repeat(np.arange(len(some)), counts[some.cluster_index].astype(int))
    targets, probabilities, decided = some.targets[rows], some.probabilities[rows], scorer.decided[rows]
    n_classes = len(some.classes)
    labels = list(range(n_classes))
    confidence, outcome = (column[rows] for column in calibrated(some))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = {
            "accuracy": sk.accuracy_score(targets, decided),
            "balanced_accuracy": sk.balanced_accuracy_score(targets, decided),
            "macro_f1": sk.f1_score(targets, decided, average="macro"),
            "weighted_f1": sk.f1_score(targets, decided, average="weighted"),
            "mcc": sk.matthews_corrcoef(targets, decided),
            "kappa": sk.cohen_kappa_score(targets, decided),
            "log_loss": sk.log_loss(targets, probabilities, labels=labels),
            "brier": sk.brier_score_loss(targets, probabilities if n_classes > 2 else probabilities[:, 1]),
        }
        for name, mass in (("ece", False), ("ece_mass", True)):
            inner = edges(calibrated(some)[0], 10, equal_mass=mass)
            values[name] = _calibration_error(confidence, outcome, inner)
        per_class = {label: _one_class(targets == label, probabilities[:, label], decided == label) for label in labels}
    if n_classes == 2:
        return values | per_class[1]
    for name in ("auroc", "auprc"):
        values[name] = float(np.mean([per_class[label][name] for label in labels]))
    return values | {
        f"{name}:{some.classes[label]}": value for label in labels for name, value in per_class[label].items()
    }


def _one_class(positive: np.ndarray, scores: np.ndarray, decided: np.ndarray) -> dict[str, float]:
    return {
        "auroc": sk.roc_auc_score(positive, scores),
        "auprc": sk.average_precision_score(positive, scores),
        "sensitivity": sk.recall_score(positive, decided),
        "specificity": sk.recall_score(~positive, ~decided),
        "ppv": sk.precision_score(positive, decided),
        "npv": sk.precision_score(~positive, ~decided),
        "f1": sk.f1_score(positive, decided),
    }


def _calibration_error(confidence: np.ndarray, outcome: np.ndarray, inner: np.ndarray) -> float:
    bins = np.searchsorted(inner, confidence)
    gaps = [(confidence[bins == place] - outcome[bins == place]).sum() for place in range(len(inner) + 1)]
    return float(np.abs(gaps).sum() / len(confidence))


def _agree(scorer: Scorer) -> None:
    """Check that both compute the same figures of the same replicates."""
    counts = _counts(scorer, 3, seed=99)
    for row, values in zip(counts, scorer.score(counts), strict=True):
        wanted = by_sklearn(scorer, row)
        for key, value in zip(scorer.keys, values, strict=True):
            assert abs(value - wanted[str(key)]) < 1e-10, f"{key}: {value} and {wanted[str(key)]}"
