"""A filter for a signal of 0 and 1 that leaves edges where they are.

Of all signals it takes the one that disagrees with the fewest frames, where every change of state costs as much as some
of them: the Potts functional in one dimension (Winkler and Liebscher, Smoothers for discontinuous signals, J.
Nonparametr. Stat. 14, 2002), minimised exactly by dynamic programming. A median filter takes out stretches of the same
length, but moves an edge towards whatever disagrees within its window, and wears away what lies at the ends of a
recording; this one does neither.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cineloop.timeline.decision import States
from cineloop.timeline.median import reach
from cineloop.timeline.segments import run_bounds

_CHANGE, _ONE = 1e-3, 1e-9
"""What decides between signals that cost the same, far less than the half a frame by which others differ."""


def least_switching(row: npt.NDArray[np.integer], kernel: int) -> States:
    """Return the signal of 0 and 1 that disagrees least with another and changes seldom.

    A change of state costs as much as ``kernel // 2 / 2`` frames. Of signals that cost the same the one with the fewest
    changes is taken, and of these one with the most frames of 1. So a stretch between others stays from
    ``kernel // 2 + 1`` frames on, as in a median filter as wide, and one at an end of the recording from about half as
    many on. What lies on the two sides of more than ``kernel // 2`` frames without a vote is decided apart, as if the
    recording ended there.

    Args:
        row: [F], 0 and 1; -1 does not apply and has no vote.
        kernel: Frames, at least 1; an even one acts like the next odd, and 1 leaves the signal as it is.

    Returns:
        int8 [F]: 0 and 1, where there is no vote as well, but -1 throughout where there is none at all.

    Raises:
        ValueError: The kernel is below 1, or the row no signal of two states.
    """
    values = np.asarray(row)
    if (
        values.ndim != 1
        or values.dtype.kind not in "iu"
        or (len(values) and not -1 <= values.min() <= values.max() <= 1)
    ):
        raise ValueError(f"a signal of two states is 0, 1 and -1 and [F], not {values.dtype} {list(values.shape)}")
    pieces = pieces_of(values, kernel)
    voting = np.concatenate(pieces)
    if not len(voting):
        return np.full(len(values), -1, np.int8)
    votes = np.concatenate([_decided(values[piece].astype(np.int8), reach(kernel) / 2) for piece in pieces])
    # A frame without a vote goes with the one before it.
    return votes[np.maximum(np.searchsorted(voting, np.arange(len(values)), side="right") - 1, 0)]


def pieces_of(row: npt.NDArray[np.integer], kernel: int) -> list[npt.NDArray[np.int64]]:
    """Return the frames that have a vote, in the pieces that are decided apart, at least one.

    Between two pieces lie more than ``kernel // 2`` frames without a vote.
    """
    voting = np.flatnonzero(row >= 0)
    return np.split(voting, np.flatnonzero(np.diff(voting) > reach(kernel) + 1) + 1)


def _decided(votes: States, penalty: float) -> States:
    """Return the states of frames that all have a vote."""
    # Within a run the best signal does not change, so that runs are decided and not frames.
    begins, ends = run_bounds(votes)
    states = _path(votes[begins].tolist(), (ends - begins).tolist(), penalty + _CHANGE)
    return np.repeat(np.array(states, np.int8), ends - begins)


def _path(votes: list[int], lengths: list[int], penalty: float) -> list[int]:
    """Return the state of each run, of which ``lengths`` frames vote the same."""
    cost = (0.0, 0.0)
    before: list[tuple[int, int]] = []
    for vote, length in zip(votes, lengths, strict=True):
        origin = (int(cost[1] + penalty < cost[0]), int(cost[1] <= cost[0] + penalty))
        before.append(origin)
        reached = [cost[state] + penalty * (state != now) for now, state in enumerate(origin)]
        cost = (reached[0] + length * (vote == 1) * (1 + _ONE), reached[1] + length * (vote == 0))
    state = int(cost[1] < cost[0])
    path = [state]
    for origin in reversed(before[1:]):
        state = origin[state]
        path.append(state)
    return path[::-1]
