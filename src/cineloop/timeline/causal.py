"""The same filters for live use: the value of a frame depends on no frame after it.

The window of a kernel N holds as many frames as the published one, ``2 * (N // 2) + 1``, but ends with the frame
itself. So a change shows half a window later than in the published filter, about 2.4 s for *outside* at 25 frames a
second, and what was shown once is never changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cineloop.timeline.decision import SIGNALS, UNDEFINED, States
from cineloop.timeline.legalise import BASE_KERNELS, legalise
from cineloop.timeline.median import reach, window_median


def causal_median(row: npt.NDArray[np.integer], kernel: int) -> States:
    """Return a signal after a median filter whose windows end with their own frames.

    Args:
        row: [F]; -1 does not apply and has no vote.
        kernel: Frames, at least 1; an even one acts like the next odd.

    Returns:
        int8 [F]: the lower median of the frames ``i - 2 * (kernel // 2) .. i`` that apply; -1 where none does.

    Raises:
        ValueError: The kernel is below 1, or the row no signal.
    """
    return window_median(row, 2 * reach(kernel), 0)


def causal_filter(signals: npt.NDArray[np.integer], kernels: Sequence[int] = BASE_KERNELS) -> States:
    """Return the signals of a whole recording as :class:`CausalFilter` gives them one by one.

    Args:
        signals: [4, F], rows as in ``decision.SIGNALS``.
        kernels: One a row, at the rate of the signals.

    Returns:
        int8 [4, F].

    Raises:
        ValueError: There are not four rows and four kernels, or a kernel is below 1.
    """
    if np.ndim(signals) != 2 or not len(signals) == len(kernels) == len(SIGNALS):
        raise ValueError(f"{len(kernels)} kernels for signals of shape {list(np.shape(signals))}; four are needed")
    filtered = np.stack([causal_median(row, kernel) for row, kernel in zip(signals, kernels, strict=True)])
    return np.ascontiguousarray(legalise(filtered, signals).T)


class CausalMedian:
    """A causal median filter of one signal, fed a frame at a time; it remembers one window.

    Args:
        kernel: Frames, at least 1; an even one acts like the next odd.

    Raises:
        ValueError: The kernel is below 1.
    """

    def __init__(self, kernel: int) -> None:
        self._window: deque[int] = deque(maxlen=2 * reach(kernel) + 1)
        self._counts: dict[int, int] = {}

    def push(self, value: int) -> int:
        """Take the next frame's value, -1 where the signal does not apply, and return the filtered one."""
        if len(self._window) == self._window.maxlen:
            oldest = self._window[0]
            self._counts[oldest] -= 1
            if not self._counts[oldest]:
                del self._counts[oldest]
        self._window.append(value)
        self._counts[value] = self._counts.get(value, 0) + 1
        levels = sorted(level for level in self._counts if level >= 0)
        missing = (sum(self._counts[level] for level in levels) + 1) // 2
        for level in levels:
            missing -= self._counts[level]
            if missing <= 0:
                return level
        return UNDEFINED


class CausalFilter:
    """The causal post-processing of a live procedure, fed a frame at a time.

    Each signal goes through a :class:`CausalMedian`; the filtered frame is then made a possible state
    (:func:`~cineloop.timeline.legalise.legalise`). Memory is one window a signal, however long the procedure is.

    Args:
        kernels: Of outside, nonsense, ileocecal and bbps, at the rate of the frames; see
            :func:`~cineloop.timeline.legalise.kernels_for`.

    Raises:
        ValueError: There are not four kernels of at least 1.
    """

    def __init__(self, kernels: Sequence[int] = BASE_KERNELS) -> None:
        if len(kernels) != len(SIGNALS):
            raise ValueError(f"{len(kernels)} kernels, one for each of {', '.join(SIGNALS)} is needed")
        self._medians = [CausalMedian(kernel) for kernel in kernels]

    def push(self, signals: npt.NDArray[np.integer]) -> States:
        """Take the next frame's signals and return the filtered ones.

        Args:
            signals: [4], rows as in ``decision.SIGNALS``, -1 where one does not apply.

        Returns:
            int8 [4].

        Raises:
            ValueError: There are not four.
        """
        raw = np.asarray(signals)
        if raw.shape != (len(SIGNALS),):
            raise ValueError(f"a frame has {len(SIGNALS)} signals, not {list(raw.shape)}")
        values = [median.push(int(value)) for median, value in zip(self._medians, raw, strict=True)]
        state: States = legalise(np.array(values)[:, None], raw[:, None])[0]
        return state
