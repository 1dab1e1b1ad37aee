"""Changes of state, put where the picture changes.

A filter knows votes alone. Where a model misreads a few frames right beside a change of state, those before them and
those behind them ask for different places, and the more numerous win. But what changes the state changes the picture:
so each change goes where the fewest votes disagree, and one amid pictures that stay alike costs as much as some votes
(a contrast-sensitive Potts model: Boykov and Jolly, Interactive graph cuts, ICCV 2001). How many changes there are is
not decided here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cineloop.timeline.decision import States
from cineloop.timeline.median import reach
from cineloop.timeline.segments import run_bounds
from cineloop.timeline.switching import pieces_of

_WEIGHT = 1 / 3
"""Of the frames that a kernel looks to each side: what a change of state costs where the picture does not change."""


def at_changes(signal: States, row: npt.NDArray[np.integer], still: npt.NDArray[np.floating], kernel: int) -> States:
    """Move each change of state by up to ``kernel // 2`` frames.

    It goes to a frame that has a vote, between the changes beside it. Of places that cost the same the nearest is
    taken. What the filter decides apart, for want of votes between, stays apart: a change across such a gap is left
    where it is, and none crosses one.

    Args:
        signal: Decided, 0 and 1, [F]; one of -1 throughout is returned as it is.
        row: The votes that it was decided from, [F]: 0 and 1, or -1 where there is none.
        still: How much each frame looks like the one before it, [F] in [0, 1].
        kernel: Of the filter that decided, at least 1.

    Returns:
        int8 [F], with as many changes of state.

    Raises:
        ValueError: The kernel is below 1.
    """
    side = reach(kernel)
    moved = signal.copy()
    begins, ends = run_bounds(signal)
    firsts, lasts = (np.array([piece[at] for piece in pieces_of(row, kernel) if len(piece)]) for at in (0, -1))
    start = 0
    for place, end in zip(begins[1:].tolist(), ends[1:].tolist(), strict=True):
        piece = np.searchsorted(firsts, place, side="right") - 1
        low = max(start + 1, place - side, int(firsts[piece]) + 1)
        high = min(end - 1, place + side, int(lasts[piece]))
        start = place
        if low <= place:
            after = signal[place]
            start = low + _cheapest(
                row[low : high + 1], int(after), side * _WEIGHT * still[low : high + 1], place - low
            )
            moved[low:start] = 1 - after
            moved[start : high + 1] = after
    return moved


def _cheapest(votes: npt.NDArray[np.integer], after: int, price: npt.NDArray[np.floating], now: int) -> int:
    """Return before which of some frames the state changes best to ``after``; at best where it does now."""
    for_after, for_before = (votes == after).astype(np.int64), (votes == 1 - after).astype(np.int64)
    # Of each place: votes for the state after it that lie before it, and for the one before it that do not.
    wrong = np.cumsum(for_after) - for_after + np.cumsum(for_before[::-1])[::-1]
    cost = np.where(votes >= 0, np.round(wrong + price, 6), np.inf)
    return int(np.lexsort((np.abs(np.arange(len(votes)) - now), cost))[0])
