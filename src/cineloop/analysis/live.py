"""The phases of a procedure while it goes on: what is said at a time depends on nothing later."""

from __future__ import annotations

import numpy as np

from cineloop.analysis.course import Course, Flags
from cineloop.analysis.phases import CAECUM, INSERTION, OUTSIDE, UNKNOWN, WITHDRAWAL
from cineloop.analysis.settings import Sustained
from cineloop.analysis.sight import sight_of, sights_of
from cineloop.analysis.tracker import Moment, Tracker
from cineloop.timeline.decision import States


class LivePhases:
    """Follows a procedure row after row.

    That a withdrawal has begun may be taken back: when the ileocecal region is looked at again, the phase is the caecum
    again, and another moment ``withdrawal_start`` follows; the last one counts. Whether a scope that goes in again
    after that is on its way to the caecum cannot be known, and its phase is unknown.

    Args:
        sustained: How long something lasts before it counts.
        tells_caecum: Whether a model tells the ileocecal region; without one, phases inside are unknown.
    """

    def __init__(self, sustained: Sustained | None = None, *, tells_caecum: bool = True) -> None:
        self._tracker = Tracker(sustained or Sustained())
        self._tells_caecum = tells_caecum
        self._row: tuple[float, int] | None = None

    def push(
        self, seconds: float, *, outside: int, nonsense: int = -1, ileocecal: int = -1, seen: bool = True
    ) -> list[Moment]:
        """Take the row that begins to hold at ``seconds``, and return the moments that became known by then.

        The row itself counts from now on, as long as it holds.

        Args:
            seconds: Later than the row before.
            outside: Filtered signals of the row, as in :class:`~cineloop.analysis.course.Course`: 1, 0 or -1.
            nonsense: Likewise.
            ileocecal: Likewise.
            seen: Whether its frame could be decoded.
        """
        return self.push_sight(seconds, sight_of(outside=outside, nonsense=nonsense, ileocecal=ileocecal, seen=seen))

    def push_sight(self, seconds: float, sight: int) -> list[Moment]:
        """Do as :meth:`push`, of a sight (:mod:`cineloop.analysis.sight`)."""
        moments = self._settle(seconds)
        self._row = (seconds, sight)
        return moments

    def finish(self, seconds: float) -> list[Moment]:
        """End the recording, and return the moments that this tells."""
        moments = self._settle(seconds) + self._tracker.finish(seconds)
        self._row = None
        return moments

    def _settle(self, now: float) -> list[Moment]:
        return [] if self._row is None else self._tracker.push(self._row[0], now, self._row[1])

    @property
    def inside(self) -> bool:
        """Whether the scope is inside, as far as is known."""
        return self._tracker.entered is not None

    @property
    def phase(self) -> int:
        """The phase, as far as is known; values as in :mod:`cineloop.analysis.phases`."""
        tracker = self._tracker
        if tracker.entered is None:
            return OUTSIDE if tracker.outside_seen else UNKNOWN
        if tracker.looking:
            return CAECUM
        if tracker.arrived:
            return WITHDRAWAL
        known = self._tells_caecum and not tracker.looks and not (tracker.begins_inside and not tracker.stays)
        return INSERTION if known else UNKNOWN


def followed(course: Course, sustained: Sustained | None = None) -> tuple[States, Flags, list[Moment]]:
    """Return what :class:`LivePhases` says of each row of a course when it begins, and all moments.

    Returns:
        The phase of each row, int8 [K]; whether the scope is inside, bool [K]; the moments in the order in which they
        became known.
    """
    live = LivePhases(sustained, tells_caecum=course.ileocecal is not None)
    moments: list[Moment] = []
    phase, inside = np.empty(len(course), np.int8), np.empty(len(course), np.bool_)
    for row, (seconds, sight) in enumerate(zip(course.start.tolist(), sights_of(course).tolist(), strict=True)):
        moments += live.push_sight(seconds, sight)
        phase[row], inside[row] = live.phase, live.inside
    return phase, inside, moments + live.finish(course.duration)
