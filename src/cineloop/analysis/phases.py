"""The phases of a whole procedure: insertion, caecum, withdrawal."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal, TypeAlias

import numpy as np

from cineloop.analysis.course import Course, Flags
from cineloop.analysis.departure import settled
from cineloop.analysis.settings import Sustained
from cineloop.analysis.sight import UNKNOWN as NO_SIGHT
from cineloop.analysis.sight import runs_of, sights_of
from cineloop.analysis.spans import Span, Spans
from cineloop.analysis.tracker import Look, Tracker
from cineloop.analysis.words import Said
from cineloop.timeline.decision import States

UNKNOWN, OUTSIDE, INSERTION, CAECUM, WITHDRAWAL = -1, 0, 1, 2, 3
"""Phases: unknown, or inside on an unknown way; the values of a row."""

Milestone: TypeAlias = Literal["inside", "insertion_start", "caecum_reached", "withdrawal_start", "withdrawal_end"]
"""What may be known of a procedure: that the scope is inside, and when the others happen."""


@dataclass(frozen=True, kw_only=True)
class Phases:
    """What happened when, as far as it can be told.

    Attributes:
        duration: Of the recording, seconds.
        sustained: How long something lasted before it counted.
        tells_body: Whether a model tells outside from inside.
        tells_caecum: Whether a model tells the ileocecal region.
        stays: When the scope was inside.
        looks: When the ileocecal region was looked at.
        begins_inside: Whether the scope was inside before it could be seen outside.
        ends_inside: Whether it was still inside when the recording ended.
        ends_in_caecum: Whether the ileocecal region was still being looked at then.
    """

    duration: float
    sustained: Sustained = field(default_factory=Sustained)
    tells_body: bool = True
    tells_caecum: bool = True
    stays: Spans = ()
    looks: tuple[Look, ...] = ()
    begins_inside: bool = False
    ends_inside: bool = False
    ends_in_caecum: bool = False

    @property
    def insertion_start(self) -> float | None:
        """When the scope goes in for the first time."""
        return self.stays[0][0] if self.stays and not self.begins_inside else None

    @property
    def caecum_reached(self) -> float | None:
        """When the ileocecal region is first seen."""
        return self.looks[0].start if self.looks else None

    @property
    def withdrawal(self) -> Span | None:
        """From when the scope leaves the ileocecal region to when it is next out, or the recording ends.

        It leaves when the region is last seen; where nothing can be recognised then, in the middle of that time.
        """
        if not self.looks or self.ends_in_caecum:
            return None
        return self.looks[-1].left, self.stay_of(self.looks[-1].start)[1]

    @property
    def cut(self) -> bool:
        """Whether the recording ends before the withdrawal does."""
        withdrawal = self.withdrawal
        return withdrawal is not None and self.ends_inside and withdrawal[1] == self.stays[-1][1]

    def stay_of(self, seconds: float) -> Span:
        """Return the stay inside that a time lies in."""
        return next(stay for stay in self.stays if stay[0] <= seconds < stay[1])

    def why_not(self, milestone: Milestone) -> Said | None:
        """Return why something cannot be determined; None where it can."""
        if not self.tells_body:
            return Said("no_body_model")
        if not self.stays:
            return Said("never_inside", {"seconds": self.sustained.inside})
        if milestone == "inside":
            return None
        if milestone == "insertion_start":
            return Said("begins_inside") if self.begins_inside else None
        if not self.tells_caecum:
            return Said("no_quality_model")
        if not self.looks:
            return Said("caecum_not_seen", {"seconds": self.sustained.ileocecal})
        if milestone == "caecum_reached":
            return None
        if self.ends_in_caecum:
            return Said("ends_in_caecum")
        return Said("ends_inside") if milestone == "withdrawal_end" and self.cut else None


def phases_of(course: Course, sustained: Sustained | None = None) -> Phases:
    """Find the phases of a whole procedure.

    A withdrawal begins when the scope leaves the ileocecal region and is over when the scope is next outside for long
    enough; see :class:`~cineloop.analysis.tracker.Tracker`. Rows whose frame could not be decoded are evidence of
    nothing, and by themselves end no withdrawal.
    """
    least = sustained or Sustained()
    tracker = Tracker(least)
    for start, stop, sight in runs_of(course, sights_of(course)):
        tracker.push(start, stop, sight)
    tracker.finish(course.duration)
    return Phases(
        duration=course.duration,
        sustained=least,
        tells_body=course.outside is not None,
        tells_caecum=course.ileocecal is not None,
        stays=tuple(tracker.stays),
        looks=_looks(course, tracker),
        begins_inside=tracker.begins_inside,
        ends_inside=tracker.ends_inside,
        ends_in_caecum=tracker.ends_in_caecum,
    )


def _looks(course: Course, tracker: Tracker) -> tuple[Look, ...]:
    """Return the looks, each with its end where frames put it, if they may be looked back at."""
    if course.glimpsed is None:
        return tuple(tracker.looks)
    found = []
    for look, after in zip_longest(tracker.looks, tracker.looks[1:]):
        stay = next(stay for stay in tracker.stays if stay[0] <= look.start < stay[1])
        found.append(settled(look, course, stay[1] if after is None else min(stay[1], after.start)))
    return tuple(found)


def phase_rows(course: Course, phases: Phases) -> tuple[States, Flags]:
    """Return the phase of each row, int8 [K], and whether it lies in a stay inside, bool [K].

    The phase is -1 where nothing is known, and in a stay in which the ileocecal region is not looked at, so that the
    way is not known. Within a stay it follows from the time alone, so that what could not be decoded interrupts it not.
    """
    sights = sights_of(course)
    phase = np.where(sights == NO_SIGHT, UNKNOWN, OUTSIDE).astype(np.int8)
    inside = np.zeros(len(course), np.bool_)
    known = np.flatnonzero(sights != NO_SIGHT)
    for entered, left in phases.stays:
        rows = (course.start >= entered) & (course.start < left)
        rows[known[-1] + 1 :] = False  # what could not be decoded until the end may have been outside
        inside |= rows
        looks = [look for look in phases.looks if entered <= look.start < left]
        way = np.full(len(course), UNKNOWN, np.int8)
        if looks:
            way[:] = CAECUM
            way[course.start < looks[0].start] = INSERTION
            if not (phases.ends_in_caecum and looks[-1] is phases.looks[-1]):
                way[course.start >= looks[-1].left] = WITHDRAWAL
        phase[rows] = way[rows]
    return phase, inside
