"""The median filter of the published post-processing, for signals of a few whole values.

The published filter takes a window of every frame, drops what does not apply, sorts the rest and takes the middle.
Here the window's values are counted by differences of cumulative counts, one for each value that occurs, so that the
time does not depend on the width of the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cineloop.timeline.decision import UNDEFINED, States


def reach(kernel: int) -> int:
    """Return how many frames a kernel looks to each side: ``kernel // 2``, so that an even one acts like the next odd.

    Raises:
        ValueError: The kernel is below 1.
    """
    if kernel < 1:
        raise ValueError(f"a kernel has at least 1 frame, not {kernel}")
    return kernel // 2


def window_median(row: npt.NDArray[np.integer], before: int, after: int) -> States:
    """Return the lower median of each frame's window ``[i - before, i + after]``, cut at both ends.

    Args:
        row: A signal, [F]; values below 0 do not apply and are left out of the windows.
        before: Frames of the window before its own, at least 0.
        after: Frames of the window after it, at least 0.

    Returns:
        int8 [F]: of an even number of values the smaller middle one; -1 where the window holds none.

    Raises:
        ValueError: The row is not one-dimensional or its values do not fit int8.
    """
    values = np.asarray(row)
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise ValueError(f"a signal is whole numbers [F], not {values.dtype} {list(values.shape)}")
    if len(values) and values.max() > np.iinfo(np.int8).max:
        raise ValueError(f"a signal's values fit 8 bits, {values.max()} does not")
    padded = np.full(before + len(values) + after, UNDEFINED, np.int8)
    np.copyto(padded[before : before + len(values)], values, where=values >= 0, casting="unsafe")
    width = before + 1 + after
    levels = [level for level in range(padded.max(initial=UNDEFINED) + 1) if (padded == level).any()]
    # The lower median of n values is the smallest level that at least half of them do not exceed.
    needed = (_within(padded >= 0, width) + 1) // 2
    filtered = np.full(len(values), UNDEFINED, np.int8)
    filtered[needed > 0] = levels[0] if levels else UNDEFINED
    for lower, level in pairwise(levels):
        filtered[_within((padded >= 0) & (padded <= lower), width) < needed] = level
    return filtered


def _within(chosen: npt.NDArray[np.bool_], width: int) -> npt.NDArray[np.int32]:
    """Return how many of the chosen lie in each window of a width, [len(chosen) - width + 1]."""
    counted = np.zeros(len(chosen) + 1, np.int32)
    np.cumsum(chosen.view(np.int8), dtype=np.int32, out=counted[1:])
    inside: npt.NDArray[np.int32] = counted[width:] - counted[:-width]
    return inside


def median_filter(row: npt.NDArray[np.integer], kernel: int) -> States:
    """Return a signal after the published median filter.

    The window of frame i is ``i - p .. i + p`` with ``p = kernel // 2``: an even kernel acts like the next odd one, and
    at the ends windows are smaller. Of a signal of 0 and 1 that is a majority vote, ties going to 0; of a score it is
    the ordinal lower median, ties going to the dirtier score.

    A kernel of 1 leaves the signal as it is. The published filter returns an empty array for it, on which the caller
    fails; that is not reproduced.

    Args:
        row: [F]; -1 does not apply and has no vote.
        kernel: Frames, at least 1; it may exceed F.

    Returns:
        int8 [F]; -1 only where nothing in the window applies.

    Raises:
        ValueError: The kernel is below 1, or the row no signal.
    """
    side = reach(kernel)
    return window_median(row, side, side)


def median_filter_rows(signals: npt.NDArray[np.integer], kernels: Sequence[int]) -> States:
    """Return signals, each filtered by itself on its own raw values; the hierarchy between rows is not applied again.

    Args:
        signals: [S, F].
        kernels: One a row.

    Returns:
        int8 [S, F].

    Raises:
        ValueError: There are not as many kernels as rows, a kernel is below 1, or a row is no signal.
    """
    if np.ndim(signals) != 2 or len(signals) != len(kernels):
        raise ValueError(f"{len(kernels)} kernels for signals of shape {list(np.shape(signals))}; one a row is needed")
    return np.stack([median_filter(row, kernel) for row, kernel in zip(signals, kernels, strict=True)])
