"""The scores of the segments of the colon, where the user says when the scope is in which."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np

from cineloop.analysis.indicator import Definition
from cineloop.analysis.indicators.cleanliness import scored
from cineloop.analysis.indicators.facts import Facts, Finding, Measure
from cineloop.analysis.indicators.withdrawal import examined
from cineloop.analysis.settings import Settings
from cineloop.analysis.spans import Span, common
from cineloop.analysis.words import Said

SEGMENTS = ("right", "transverse", "left")
"""In the order in which they are passed on the way out."""

LITTLE = 10.0
"""Readable seconds of a segment below which a reader is told."""

_SOURCE = "Lai et al. 2009, doi 10.1016/j.gie.2008.05.057"


def _bounds(facts: Facts, settings: Settings) -> dict[str, Span] | Said:
    """Return when the scope is in each segment, or why that is not known."""
    reason, withdrawal = facts.phases.why_not("withdrawal_start"), facts.phases.withdrawal
    if settings.segments is None:
        return Said("no_segments")
    if withdrawal is None:
        assert reason is not None, "without a withdrawal there is a reason"
        return reason
    transverse, left = settings.segments.transverse, settings.segments.left
    edges = (withdrawal[0], transverse, left, withdrawal[1])
    if not withdrawal[0] < transverse or not left < withdrawal[1]:
        return Said("segments_elsewhere", {"start": withdrawal[0], "stop": withdrawal[1]})
    return dict(zip(SEGMENTS, pairwise(edges), strict=True))


def _segment(segment: str, facts: Facts, settings: Settings) -> Finding:
    bounds = _bounds(facts, settings)
    if isinstance(bounds, Said):
        return Finding(reason=bounds)
    assert facts.course.bbps is not None, "a withdrawal is found by the model of quality"
    seconds = scored(facts, facts.within(common(examined(facts, settings), (bounds[segment],))))
    by_level = np.bincount(np.maximum(facts.course.bbps, 0), weights=seconds, minlength=4)
    readable = float(by_level.sum())
    if not readable:
        return Finding(reason=Said("nothing_readable"))
    # The lower median: the smallest score that frames of at least half of the time do not exceed.
    score = int(np.argmax(np.cumsum(by_level) >= readable / 2 * (1 - 1e-12)))
    parts = {f"bbps{level}_share": share for level, share in enumerate((by_level / readable).tolist())}
    little = (Said("little_readable", {"seconds": readable}),) if readable < LITTLE else ()
    return Finding(float(score), parts={**parts, "readable_seconds": readable}, remarks=(Said("by_frames"), *little))


def _total(facts: Facts, settings: Settings) -> Finding:
    found = {segment: _segment(segment, facts, settings) for segment in SEGMENTS}
    parts = {f"{segment}_score": one.value for segment, one in found.items() if one.value is not None}
    missing = [one.reason for one in found.values() if one.reason is not None]
    if missing:
        return Finding(reason=missing[0], parts=parts)
    return Finding(sum(parts.values()), parts=parts, remarks=(Said("by_frames"),))


def _of(segment: str) -> Measure:
    return Measure(
        Definition(
            name=f"bbps_{segment}",
            title=f"BBPS, {segment} colon",
            unit="bbps",
            definition=f"The score of the Boston Bowel Preparation Scale, 0 to 3, that the {segment} colon looks like "
            "while the scope is withdrawn through it.",
            formula="lower median over time of the scores of readable frames between the boundaries that the user gave",
            source=_SOURCE,
            inputs=("inbody", "quality"),
        ),
        partial(_segment, segment),
    )


BBPS = (
    *(_of(segment) for segment in SEGMENTS),
    Measure(
        Definition(
            name="bbps_total",
            title="BBPS, total",
            unit="bbps",
            definition="The sum of the scores of the three segments, 0 to 9.",
            formula="right + transverse + left",
            source=_SOURCE,
            inputs=("inbody", "quality"),
        ),
        _total,
    ),
)
