"""What a frame shows, as far as the course of a procedure depends on it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from cineloop.analysis.course import Course
from cineloop.timeline.decision import States
from cineloop.timeline.segments import run_bounds

UNKNOWN, OUTSIDE, UNREADABLE, READABLE, LANDMARK = -1, 0, 1, 2, 3
"""Sights: nothing is known; out of the body; inside, and nothing can be recognised, or what is not the ileocecal
region, or the ileocecal region."""


def sight_of(*, outside: int, nonsense: int = -1, ileocecal: int = -1, seen: bool = True) -> int:
    """Return the sight of a frame from its signals, each 1, 0 or -1."""
    if not seen or outside < 0:
        return UNKNOWN
    if outside:
        return OUTSIDE
    if nonsense == 1:
        return UNREADABLE
    return LANDMARK if ileocecal == 1 else READABLE


def sights_of(course: Course) -> States:
    """Return the sight of each row, int8 [K]."""
    sights = np.full(len(course), READABLE, np.int8)
    if course.outside is None:
        sights[:] = UNKNOWN
        return sights
    if course.ileocecal is not None:
        sights[course.ileocecal == 1] = LANDMARK
    if course.nonsense is not None:
        sights[course.nonsense == 1] = UNREADABLE
    sights[course.outside == 1] = OUTSIDE
    sights[~course.seen | (course.outside < 0)] = UNKNOWN
    return sights


def runs_of(course: Course, values: npt.NDArray[np.integer]) -> Iterator[tuple[float, float, int]]:
    """Yield where each run of equal values [K] begins and is over, in seconds, and its value."""
    begins, ends = run_bounds(values)
    columns = (course.start[begins], course.stop[ends - 1], values[begins])
    yield from zip(*(column.tolist() for column in columns), strict=True)
