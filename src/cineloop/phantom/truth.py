"""What of the target each frame shows, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: The share of the content area from which a target counts as visible.
MIN_SHARE = 0.015


@dataclass(frozen=True, eq=False)
class ClipTruth:
    """The target in each of a clip's T frames.

    Attributes:
        area: Pixels that show it, int64 [T].
        share: Of the pixels of the content area, float64 [T] in [0, 1].
        visible: Whether that is enough to be seen, bool [T].
    """

    area: NDArray[np.int64]
    share: NDArray[np.float64]
    visible: NDArray[np.bool_]


def measure(mask: NDArray[np.bool_]) -> ClipTruth:
    """Return the truth of a clip from the pixels that show its target.

    Args:
        mask: bool [T, P], over the pixels of the content area.
    """
    area = mask.sum(1)
    share = area / mask.shape[1]
    return ClipTruth(area, share, share >= MIN_SHARE)
