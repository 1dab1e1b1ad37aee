"""From seven probabilities a frame to labels and to signals, as the published colonoscopy network decides.

The labels form a hierarchy: *outside* suppresses all others, *nonsense* (a frame that cannot be read) suppresses the
ileocecal region and cleanliness. The rules are those of the published quality control (branch ``UIH_Submit`` of
cs1807cwy/ColonoscopyQualityControl).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from cineloop.timeline.quality import LABELS

Floats: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float64]
States: TypeAlias = npt.NDArray[np.int8]
Ties: TypeAlias = Literal["first", "upstream"]

SIGNALS = ("outside", "nonsense", "ileocecal", "bbps")
"""The rows of a signal: three that are 0 or 1, and the score of cleanliness from 0 to 3."""

UNDEFINED = -1
"""The value of a signal that does not apply to a frame."""


@dataclass(frozen=True)
class Thresholds:
    """From which probability on a label holds; each in [0, 1].

    Attributes:
        outside: The scope is outside of the body.
        nonsense: The frame cannot be read.
        ileocecal: The ileocecal region is seen.

    Raises:
        ValueError: One is not in [0, 1].
    """

    outside: float = 0.5
    nonsense: float = 0.5
    ileocecal: float = 0.5

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f"the threshold of {name} is {value}, not in [0, 1]")


def decide(probabilities: Floats, thresholds: Thresholds | None = None, *, ties: Ties = "first") -> States:
    """Return the labels of frames.

    outside = p0 >= t0; nonsense = not outside and p1 >= t1; ileocecal = neither and p2 >= t2; of the four scores of a
    frame that is neither, the one with the largest probability. Comparisons are made in the type of the
    probabilities, so that a float32 of 0.3 reaches a threshold of 0.3.

    Args:
        probabilities: [F, 7] in [0, 1], in the order of ``quality.LABELS``.
        thresholds: 0.5 each without them.
        ties: Of equally probable scores ``first`` takes the lowest, so that a frame has one score. ``upstream`` sets
            all of them, as the published code does; :func:`signals_of` then takes the lowest.

    Returns:
        int8 [F, 7], each 0 or 1.

    Raises:
        ValueError: The shape is another, or a value is not in [0, 1].
    """
    values: npt.NDArray[Any] = np.asarray(probabilities)
    if values.ndim != 2 or values.shape[1] != len(LABELS) or values.dtype.kind != "f":
        raise ValueError(f"probabilities are floats [F, {len(LABELS)}], not {values.dtype} {list(values.shape)}")
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("a probability is not in [0, 1]")
    least = thresholds or Thresholds()
    outside = values[:, 0] >= least.outside
    nonsense = ~outside & (values[:, 1] >= least.nonsense)
    readable = ~outside & ~nonsense
    scores = values[:, 3:]
    if ties == "upstream":
        best = scores >= scores.max(axis=1, keepdims=True)
    else:
        best = np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]
    ileocecal = readable & (values[:, 2] >= least.ileocecal)
    return np.column_stack([outside, nonsense, ileocecal, best & readable[:, None]]).astype(np.int8)


def signals_of(labels: npt.NDArray[np.integer] | Floats) -> States:
    """Return labels as four signals over time.

    A signal is -1 where it does not apply: behind *outside* all others, behind *nonsense* the ileocecal region and
    cleanliness. The score is the lowest whose label is set; of a readable frame without any it is 0, as published.

    Args:
        labels: [F, 7], each 0 or 1.

    Returns:
        int8 [4, F], rows as in :data:`SIGNALS`: columns ``[1, -1, -1, -1]``, ``[0, 1, -1, -1]`` or ``[0, 0, i, b]``.

    Raises:
        ValueError: The shape is another, or a value is neither 0 nor 1.
    """
    bits = np.asarray(labels)
    if bits.ndim != 2 or bits.shape[1] != len(LABELS):
        raise ValueError(f"labels are [F, {len(LABELS)}], not {list(bits.shape)}")
    if not ((bits == 0) | (bits == 1)).all():
        raise ValueError("a label is neither 0 nor 1")
    signals = np.stack([bits[:, 0], bits[:, 1], bits[:, 2], bits[:, 3:].argmax(axis=1)]).astype(np.int8)
    signals[1:, signals[0] == 1] = UNDEFINED
    signals[2:, signals[1] == 1] = UNDEFINED
    return signals


def signals_at(probabilities: Floats, thresholds: Thresholds | None = None) -> States:
    """Return what is decided for frames as four signals; a frame that could not be decoded has -1 in all of them.

    Args:
        probabilities: [F, 7] in [0, 1], in the order of ``quality.LABELS``; NaN in the rows of such frames.
        thresholds: 0.5 each without them.

    Returns:
        int8 [4, F], rows as in :data:`SIGNALS`.

    Raises:
        ValueError: The shape is another, or a value is not in [0, 1].
    """
    values: npt.NDArray[Any] = np.asarray(probabilities)
    seen = ~np.isnan(values).any(axis=1) if values.ndim == 2 else np.ones(len(values), np.bool_)
    signals = np.full((len(SIGNALS), len(values)), UNDEFINED, np.int8)
    signals[:, seen] = signals_of(decide(values[seen], thresholds))
    return signals
