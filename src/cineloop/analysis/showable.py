"""Which frames of a procedure may be shown to a reader of its report."""

from __future__ import annotations

import numpy as np

from cineloop.analysis.course import Course, Flags

AWAY = 1.0
"""Seconds kept from where the scope was, or may have been, out of the body."""


def showable(course: Course, raw: Course, wary: Course) -> Flags:
    """Return which rows show the inside of the body and are not close to any that may not, bool [K].

    A frame that could not be decoded may have shown anything. Where no model tells what is outside, every row counts,
    and whoever writes a report says so.

    Args:
        course: As it was decided; K rows.
        raw: The same before filters, which take out short stays outside and, without a look ahead, come late.
        wary: Before filters, at thresholds half as high: rows that are outside there are hidden themselves.
    """
    if course.outside is None or raw.outside is None or wary.outside is None:
        return np.ones(len(course), dtype=np.bool_)
    hidden = np.flatnonzero((course.outside != 0) | (raw.outside != 0) | ~course.seen)
    first = np.searchsorted(course.stop, course.start[hidden] - AWAY, side="right")
    last = np.searchsorted(course.start, course.stop[hidden] + AWAY, side="left")
    edges = np.zeros(len(course) + 1, dtype=np.int64)
    np.add.at(edges, first, 1)
    np.add.at(edges, last, -1)
    shown: Flags = (np.cumsum(edges[:-1]) == 0) & (wary.outside == 0)
    return shown


def row_of(course: Course, seconds: np.ndarray) -> np.ndarray:
    """Return the rows that hold at times, int64 [N]."""
    return np.maximum(np.searchsorted(course.start, seconds + 1e-6, side="right") - 1, 0)
