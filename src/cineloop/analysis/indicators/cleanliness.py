"""How clean the bowel looks while the scope is withdrawn; frame by frame, which is no score of an examination."""

from __future__ import annotations

import numpy as np

from cineloop.analysis.course import Course, Times
from cineloop.analysis.indicator import Definition
from cineloop.analysis.indicators.facts import Facts, Finding, Measure
from cineloop.analysis.indicators.withdrawal import cut_remark, examined
from cineloop.analysis.settings import Settings
from cineloop.analysis.words import Said

WINDOW = 30.0
"""Readable seconds over which the worst stretch is sought."""

_LEVELS = 4


def scored(facts: Facts, seconds: Times) -> Times:
    """Return the seconds of each row that have a score, float64 [K], of the seconds of each row."""
    assert facts.course.bbps is not None, "there is a model of quality"
    return np.where(facts.course.bbps >= 0, seconds, 0.0)


def _clean(facts: Facts, settings: Settings) -> Finding:
    reason = facts.phases.why_not("withdrawal_start")
    course = facts.course
    if reason is not None or course.bbps is None:
        return Finding(reason=reason)
    seconds = scored(facts, facts.within(examined(facts, settings)))
    by_level = np.bincount(np.maximum(course.bbps, 0), weights=seconds, minlength=_LEVELS)
    readable = float(by_level.sum())
    if not readable:
        return Finding(reason=Said("nothing_readable"))
    shares = (by_level / readable).tolist()
    parts = {f"bbps{level}_share": share for level, share in enumerate(shares)}
    worst = worst_window(course, seconds)
    return Finding(
        shares[2] + shares[3],
        parts={**parts, "readable_seconds": readable, **worst},
        remarks=(Said("no_bbps"), *cut_remark(facts)),
    )


def worst_window(course: Course, seconds: Times, width: float = WINDOW) -> dict[str, float]:
    """Return the stretch whose frames have the lowest mean score.

    Args:
        course: With scores.
        seconds: How much of each row counts, float64 [K]; the stretch consists of counted seconds alone.
        width: Of the stretch, in counted seconds.

    Returns:
        ``worst_score``, its mean, and when it begins and is over; nothing where there are fewer counted seconds.
    """
    assert course.bbps is not None, "there is a model of quality"
    rows = np.flatnonzero(seconds)
    passed = np.concatenate([[0.0], np.cumsum(seconds[rows])])
    if passed[-1] < width - 1e-6:
        return {}
    width = min(width, float(passed[-1]))
    gathered = np.concatenate([[0.0], np.cumsum(seconds[rows] * course.bbps[rows])])
    # Over the start of the window its mean is a broken line, with corners where one of its ends passes a row's.
    corners = np.concatenate([passed, passed - width])
    begins = np.unique(corners[(corners >= 0) & (corners <= passed[-1] - width)])
    scores = np.interp(begins + width, passed, gathered) - np.interp(begins, passed, gathered)
    first = float(begins[scores.argmin()])
    left = int(np.searchsorted(passed, first, side="right")) - 1
    right = min(int(np.searchsorted(passed, first + width, side="left")) - 1, len(rows) - 1)
    return {
        "worst_score": float(scores.min()) / width,
        "worst_start_seconds": float(course.start[rows[left]]),
        "worst_stop_seconds": float(course.stop[rows[right]]),
    }


CLEAN = Measure(
    Definition(
        name="clean_share",
        title="Clean share of the withdrawal",
        unit="share",
        definition="The share of the readable withdrawal in which single frames look like a score of 2 or 3 of the "
        "Boston Bowel Preparation Scale. It is no score of the examination, which is given by eye, after cleansing, to "
        "each of three segments. The worst stretch is that of 30 readable seconds with the lowest mean. Our own.",
        formula="seconds with a score of 2 or 3 / seconds with a score, in the withdrawal without pauses",
        source="",
        inputs=("inbody", "quality"),
    ),
    _clean,
)
