"""When a look at the ileocecal region is over, from frames as they are.

Filters decide that there was a look; they also move its end: a median filter shows the region for another second where
other frames that can be recognised are few. So the end is the moment that frames near it, unfiltered, speak for most:
the region before it and something else after it, each frame as much as it is sure.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cineloop.analysis.course import Course
from cineloop.analysis.tracker import Look

NEAR = 2.0
"""Seconds on both sides of a look's end by which filters may have moved it: the published ones are as wide."""

_NEARLY = 0.25
"""Seconds of sure frames by which a moment may be worse and is as good, so that one that errs decides nothing."""

_EPS = 1e-6


def settled(look: Look, course: Course, until: float) -> Look:
    """Return a look with its end where frames put it.

    Of several moments that are as good, as where nothing can be recognised in between, ``stop`` is the first and
    ``blind`` the last; ``leaves`` is in their middle, where a row begins.

    Args:
        look: As filtered signals tell it.
        course: With ``glimpsed``.
        until: When the scope is out, or looks again: the look is over before.
    """
    assert course.glimpsed is not None, "looking back"
    first, last = max(look.start, look.stop - NEAR), min(until, max(look.stop, look.blind) + NEAR)
    rows = np.flatnonzero((course.start >= first - _EPS) & (course.stop <= last + _EPS))
    if not len(rows):
        return look
    balance = np.concatenate([[0.0], np.cumsum(course.glimpsed[rows] * course.held[rows])])
    edges = np.append(course.start[rows], course.stop[rows[-1]])
    best = np.flatnonzero(balance >= balance.max() - _NEARLY)
    stop, blind = edges[best[0]], edges[best[-1]]
    leaves = edges[int(np.argmin(np.abs(edges - (stop + blind) / 2)))]
    return replace(look, stop=float(stop), blind=float(blind), leaves=float(leaves))
