"""What makes filtered signals a possible state of each frame again, and the whole published post-processing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from cineloop.timeline.decision import SIGNALS, UNDEFINED, Floats, States, signals_of
from cineloop.timeline.median import median_filter_rows

BASE_KERNELS = (121, 51, 51, 51)
"""The published kernels of outside, nonsense, ileocecal and bbps at 25 frames a second: 4.84 s and 2.04 s."""

BASE_RATE = 25


def kernels_for(rate: float | Fraction, base: Sequence[int] = BASE_KERNELS) -> tuple[int, ...]:
    """Return kernels for another rate: ``max(1, ceil(rate / 25 * N))`` of each, in exact arithmetic.

    Args:
        rate: Frames a second that the signals have.
        base: Kernels at 25 frames a second.

    Raises:
        ValueError: The rate is not a number above 0, or a kernel is below 1.
    """
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"a rate is a number above 0, not {rate}")
    if any(kernel < 1 for kernel in base):
        raise ValueError(f"a kernel has at least 1 frame, not {min(base)}")
    return tuple(max(1, math.ceil(Fraction(rate) * kernel / BASE_RATE)) for kernel in base)


def legalise(filtered: npt.NDArray[np.integer], signals: npt.NDArray[np.integer]) -> States:
    """Return filtered signals as states that a frame can be in.

    Where a frame is inside and has no score, the raw score is taken; where there is none either, the frame becomes
    *nonsense*. Then *outside* takes all other signals from a frame, and *nonsense* the ileocecal region and the score.
    A frame that could not be decoded, whose raw signals are all -1, keeps -1 in all: its neighbours say nothing of it.

    The published function changes its first argument while it works, so that whoever keeps the filtered signals finds
    the result in them; this one changes nothing. As published, a frame can keep a score beside a *nonsense* or an
    ileocecal region of -1, when the kernel of the score is wider than theirs.

    Args:
        filtered: [4, F], rows as in ``decision.SIGNALS``.
        signals: The raw ones, [4, F].

    Returns:
        int8 [F, 4]: a row a frame.

    Raises:
        ValueError: The shapes are others.
    """
    if np.ndim(filtered) != 2 or len(filtered) != len(SIGNALS) or np.shape(filtered) != np.shape(signals):
        raise ValueError(
            f"signals of shapes {list(np.shape(filtered))} and {list(np.shape(signals))}; [{len(SIGNALS)}, F] twice "
            "are needed"
        )
    outside, nonsense, ileocecal, score = np.array(filtered, dtype=np.int8)
    unseen = np.asarray(signals)[0] == UNDEFINED
    raw = np.asarray(signals)[3]
    lost = (outside == 0) & (score == UNDEFINED)
    score = np.where(lost, raw, score)
    nonsense = np.where(lost & (raw == UNDEFINED), 1, nonsense)
    nonsense = np.where(outside == 1, UNDEFINED, nonsense)
    hidden = (outside == 1) | (nonsense == 1)
    states = [outside, nonsense, np.where(hidden, UNDEFINED, ileocecal), np.where(hidden, UNDEFINED, score)]
    return np.where(unseen[:, None], UNDEFINED, np.stack(states, axis=1)).astype(np.int8)


def postprocess(labels: npt.NDArray[np.integer] | Floats, kernels: Sequence[int] = BASE_KERNELS) -> States:
    """Return the labels of a whole recording after the published post-processing.

    The chain is :func:`~cineloop.timeline.decision.signals_of`, a median filter on each row by itself, and
    :func:`legalise`. It looks ahead by half of the widest kernel; ``causal`` has a variant that does not.

    Args:
        labels: [F, 7], each 0 or 1.
        kernels: Of outside, nonsense, ileocecal and bbps, at the rate of the labels; see :func:`kernels_for`.

    Returns:
        int8 [F, 4]: ``[1, -1, -1, -1]``, ``[0, 1, -1, -1]`` or ``[0, 0, i, b]``, but for the
        case that :func:`legalise` tells.

    Raises:
        ValueError: The labels are none, or there are not four kernels of at least 1.
    """
    signals = signals_of(labels)
    return legalise(median_filter_rows(signals, kernels), signals)
