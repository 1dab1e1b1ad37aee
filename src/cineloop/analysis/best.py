"""Frames worth showing: sharp ones that do not look alike, some of each phase and spread over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cineloop.analysis.found import Looks

MOST = 4
"""Frames of one phase."""

_SHARPEST, _HALF = 0.25, 0.5
"""Share of a stretch's frames, and of a phase's, among which is chosen."""


def choose(
    looks: Looks, phases: Mapping[int, str], order: Sequence[str], *, most: int = MOST
) -> list[tuple[int, str, float]]:
    """Choose frames.

    A phase is divided into as many stretches as frames are wanted, of as many frames each. What is in the sharpest
    quarter of its stretch, and in the sharper half of the phase, is chosen from: the sharpest comes first, and then,
    again and again, the one that looks least like all that were chosen, from a stretch that has none yet, as long as
    there is such a one.

    Args:
        looks: All frames that were looked at.
        phases: The phase of each frame that may be shown, by frame.
        order: Phases in the order in which they are shown.
        most: Frames of a phase, at most.

    Returns:
        Frame, phase, and the rank of its sharpness among all frames in [0, 1]; of each phase in order of time.
    """
    ranks = _ranks(looks.sharpness)
    found = []
    for phase in order:
        rows = np.array([row for row, frame in enumerate(looks.frames.tolist()) if phases.get(frame) == phase])
        if not len(rows):
            continue
        ranked = np.argsort(-looks.sharpness[rows], kind="stable")
        stretch = ranked * most // len(rows)
        kept = np.zeros(len(rows), np.bool_)
        for one in range(most):
            own = np.flatnonzero(stretch == one)
            kept[own[: max(1, round(_SHARPEST * len(own)))]] = True
        kept[max(most, round(_HALF * len(rows))) :] = False
        kept[:most] |= kept.sum() < most
        sharp, stretch = rows[ranked[kept]], stretch[kept]
        chosen = sorted(_apart(looks.signatures[sharp], stretch, most).tolist(), key=lambda at: looks.frames[sharp[at]])
        found += [(int(looks.frames[sharp[at]]), phase, float(ranks[sharp[at]])) for at in chosen]
    return found


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(len(values)) / max(len(values) - 1, 1)
    return ranks


def _apart(signatures: npt.NDArray[np.uint8], stretch: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """Return rows that lie far apart, the first among them, of as many stretches as can be."""
    points = signatures.reshape(len(signatures), -1).astype(np.float32)
    chosen = [0]
    gap = np.square(points - points[0]).sum(axis=1)
    while len(chosen) < min(most, len(points)) and gap.max() > 0:
        fresh = ~np.isin(stretch, stretch[chosen]) & (gap > 0)
        chosen.append(int(np.where(fresh, gap, -1.0).argmax() if fresh.any() else gap.argmax()))
        gap = np.minimum(gap, np.square(points - points[chosen[-1]]).sum(axis=1))
    return np.array(chosen, dtype=np.int64)
