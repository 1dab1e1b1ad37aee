"""What a gate let slip: positive frames, and whole stretches of them, that were called negative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaincinv

from cineloop.evaluation.bootstrap import Resampling, replicate
from cineloop.evaluation.predictions import BoolArray, FloatArray, IntArray, Predictions

ONE_SIDED = "one-sided"
"""What files say of an upper bound: all of the doubt lies above it."""


@dataclass(frozen=True)
class Share:
    """How many of how many were missed.

    Attributes:
        missed: How many.
        of: Out of how many.
        upper: The one-sided upper bound of the share; None where there are none.
        how: How that was found.
    """

    missed: int
    of: int
    upper: float | None
    how: str

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        share = self.missed / self.of if self.of else None
        return {
            "missed": self.missed,
            "of": self.of,
            "share": share,
            "upper": self.upper,
            "sides": ONE_SIDED,
            "method": self.how,
        }


@dataclass(frozen=True)
class Missed:
    """What was missed of the positive class.

    Its bounds are one-sided, as only the worst case matters: all of the doubt lies above them, where a two-sided
    interval of the same confidence leaves half of it above and ends higher.

    Attributes:
        positive: The class.
        confidence: Of the one-sided upper bounds.
        frames: Frames of that class that were called otherwise.
        segments: Stretches of such frames in one recording of which not one frame was found.
        patients: Patients with any missed frame.
    """

    positive: str
    confidence: float
    frames: Share
    segments: Share
    patients: Share

    @property
    def bound(self) -> str:
        """What kind of bound stands at a share, in words."""
        return f"one-sided {100 * self.confidence:g}% upper bound"

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "positive": self.positive,
            "confidence": self.confidence,
            "sides": ONE_SIDED,
            "bound": self.bound,
            **{name: getattr(self, name).to_json() for name in ("frames", "segments", "patients")},
        }


def exact_upper(missed: int, of: int, confidence: float) -> float:
    """Return the one-sided upper bound of a share (Clopper and Pearson 1934): 3 / n, nearly, where none was missed."""
    return 1.0 if missed >= of else float(betaincinv(missed + 1, of - missed, confidence))


def runs_of(recordings: Sequence[str], frames: Sequence[int], positive: BoolArray) -> list[IntArray]:
    """Return the rows of each stretch of positive frames: neighbours among the frames of one recording.

    Args:
        recordings: The recording of each row.
        frames: Its place there.
        positive: Which rows are.
    """
    order = np.lexsort((np.asarray(frames), np.asarray(recordings, dtype=str)))
    names, held = np.asarray(recordings, dtype=str)[order], positive[order]
    breaks = np.flatnonzero((names[1:] != names[:-1]) | (held[1:] != held[:-1])) + 1
    return [part for part in np.split(order, breaks) if len(part) and positive[part[0]]]


def missed_of(
    predictions: Predictions,
    decided: IntArray,
    recordings: Sequence[str],
    frames: Sequence[int],
    resampling: Resampling,
    *,
    confidence: float = 0.95,
) -> Missed | None:
    """Return what was missed of the positive class of a binary problem; None where no item is of it.

    All bounds are one-sided. That for frames resamples patients; where no patient, or one, has a miss, resampling tells
    nothing, and the bound is that of as many draws as there are patients. That for segments counts patients likewise;
    that for patients is exact.

    Args:
        predictions: With known targets where they count.
        decided: The class of each item, int64 [N].
        recordings: What each item is a frame of.
        frames: Its place there.
        resampling: How patients are drawn.
        confidence: Of the bounds.
    """
    if predictions.positive is None:
        return None
    truth = predictions.targets == predictions.positive
    if not truth.any():
        return None
    slipped = truth & (decided != predictions.positive)
    segments = runs_of(recordings, frames, truth)
    lost = [part for part in segments if slipped[part].all()]
    clusters = predictions.cluster_index
    exposed, hit = np.unique(clusters[truth]), np.unique(clusters[slipped])
    heads = np.array([part[0] for part in segments])
    gone = np.array([part[0] for part in lost], dtype=np.int64)
    return Missed(
        positive=predictions.classes[predictions.positive],
        confidence=confidence,
        frames=share_of(clusters, slipped, truth, resampling, confidence),
        segments=share_of(
            clusters, _mask(gone, len(predictions)), _mask(heads, len(predictions)), resampling, confidence
        ),
        patients=Share(
            len(hit), len(exposed), exact_upper(len(hit), len(exposed), confidence), "exact (Clopper and Pearson)"
        ),
    )


def _mask(rows: IntArray, count: int) -> BoolArray:
    mask = np.zeros(count, dtype=np.bool_)
    mask[rows] = True
    return mask


def share_of(
    clusters: IntArray, slipped: BoolArray, truth: BoolArray, resampling: Resampling, confidence: float
) -> Share:
    """Return which share of some rows slipped through, with its one-sided upper bound over clusters.

    Args:
        clusters: What each row belongs to, int64 [N]: a patient, a procedure.
        slipped: Which rows did, bool [N].
        truth: Which rows could have, bool [N], at least one; those that did are among them.
        resampling: How clusters are drawn, where at least two of them have a row that slipped through.
        confidence: Of the bound.
    """
    missed, of = int(slipped.sum()), int(truth.sum())
    patients = np.unique(clusters[truth])
    if len(np.unique(clusters[slipped])) < 2:
        upper = max(missed / of, exact_upper(missed > 0, len(patients), confidence))
        return Share(missed, of, upper, f"exact, of {len(patients)} {'patient' if len(patients) == 1 else 'patients'}")
    index = np.searchsorted(patients, clusters[truth])
    total = np.bincount(index, minlength=len(patients)).astype(np.float64)
    lost = np.bincount(index, weights=slipped[truth], minlength=len(patients))

    def share(counts: FloatArray) -> FloatArray:
        found: FloatArray = ((counts @ lost) / (counts @ total))[:, np.newaxis]
        return found

    shares = replicate(share, len(patients), resampling, chunk=256)[:, 0]
    return Share(missed, of, float(np.quantile(shares, confidence)), "bootstrap of patients")
