"""Following a procedure sight after sight: when the scope is inside, and when the ileocecal region is looked at.

Both are decided by evidence in seconds, so that a moment of something else neither makes nor ends anything. The tracker
remembers no frame, and what it says at a time depends on nothing later.
"""

from __future__ import annotations

from dataclasses import dataclass

from cineloop.analysis.settings import Sustained
from cineloop.analysis.sight import LANDMARK, OUTSIDE, READABLE, UNKNOWN, UNREADABLE
from cineloop.analysis.spans import Span

LOST = 10.0
"""Seconds without the ileocecal region after which a look is over, even if nothing could be recognised meanwhile."""

RETURN = 0.25
"""How long a look lasts at least, against the longest before it, that comes ``LOST`` seconds after the last or later: a
glimpse of something alike on the way out is no return."""

GLIMPSE = 2.5
"""Seconds from which on the region seen again prolongs a look in any case; for less it does so only if it is seen for
as long as something else was before."""

_EPS = 1e-6


@dataclass
class Look:
    """The ileocecal region, seen once or again and again with short interruptions.

    Attributes:
        start: When it is first seen.
        stop: When it is over: the moment up to which it was seen most against what else could be recognised, or, later,
            the end of a stretch of ``GLIMPSE`` seconds or more; a glimpse on the way out does not prolong it.
        seen: Seconds in which it is in view.
        strength: Evidence that it is being looked at, seconds, at most what makes a look count.
        balance: Seconds in which it was seen, less those in which something else could be recognised.
        best: The balance at ``stop``, the largest so far.
        again: Seconds in which it was seen since something else could last be recognised.
        last: When it was last seen.
        blind: Until when nothing could be recognised from ``stop`` on, at most ``LOST`` seconds after ``last``.
        counts: Whether it was seen for long enough.
        leaves: When the scope leaves, where frames have told.
    """

    start: float
    stop: float
    seen: float = 0.0
    strength: float = 0.0
    balance: float = 0.0
    best: float = 0.0
    again: float = 0.0
    last: float = 0.0
    blind: float = 0.0
    counts: bool = False
    leaves: float | None = None

    @property
    def left(self) -> float:
        """When the scope leaves: ``leaves``, or else the middle of the time from ``stop`` to ``blind``."""
        return self.leaves if self.leaves is not None else (self.stop + max(self.stop, self.blind)) / 2


@dataclass(frozen=True)
class Moment:
    """Something that happened, and from when on it could be known; seconds."""

    name: str
    seconds: float
    known_at: float


@dataclass
class _Turn:
    """Evidence, in seconds, that the scope has gone in or out, since the first of it."""

    since: float
    seconds: float = 0.0


class Tracker:
    """Follows one procedure.

    The scope goes in or out when it has been seen there for long enough, without being seen on the other side; what
    could not be decoded is evidence of neither. A stay begins and is over with the first frame of that evidence.

    A look at the ileocecal region gains strength while it is in view, up to the least that counts, and loses it while
    something else can be recognised; frames in which nothing can are evidence of neither. It is over when its strength
    is used up, when the region was not seen for ``LOST`` seconds, or when the scope goes out. After a long look a short
    one, long after it, does not count (``RETURN``).

    Args:
        least: How long something lasts before it counts.

    Attributes:
        stays: When the scope was inside, those that are over.
        entered: When the stay that is not over began; None outside.
        begins_inside: Whether the scope was never seen outside before the first stay.
        outside_seen: Whether the scope was seen outside at all.
        looks: Looks that count, in order.
        ends_inside: Whether the scope was inside when the recording ended.
        ends_in_caecum: Whether the ileocecal region was still being looked at then.
    """

    def __init__(self, least: Sustained) -> None:
        self._least = least
        self._turn: _Turn | None = None
        self._look: Look | None = None
        self.stays: list[Span] = []
        self.entered: float | None = None
        self.begins_inside = False
        self.outside_seen = False
        self.looks: list[Look] = []
        self.ends_inside = False
        self.ends_in_caecum = False

    @property
    def looking(self) -> bool:
        """Whether the ileocecal region is being looked at."""
        return self._look is not None and self._look.counts

    @property
    def arrived(self) -> bool:
        """Whether the ileocecal region was looked at since the scope went in for the last time."""
        return self.entered is not None and bool(self.looks) and self.looks[-1].start >= self.entered

    def push(self, start: float, stop: float, sight: int) -> list[Moment]:
        """Take what is seen from ``start`` to ``stop``, and return what became known by then."""
        moments = [] if sight == UNKNOWN else self._place(start, stop, sight)
        return moments + self._watch(start, stop, sight)

    def finish(self, end: float) -> list[Moment]:
        """End the recording, and return what that tells.

        A stay outside that the end cuts short is taken for one however short it is: its length is not known.
        """
        if self.entered is None:
            return []
        if self._turn is not None:
            return self._leave(self._turn.since, end)
        self.ends_inside, self.ends_in_caecum = True, self.looking
        self.stays.append((self.entered, end))
        self.entered = None
        return []

    def _place(self, start: float, stop: float, sight: int) -> list[Moment]:
        outside = sight == OUTSIDE
        if outside == (self.entered is None):
            self._turn = None
            if outside:
                self.outside_seen, self._look = True, None
            return []
        turn = self._turn = self._turn or _Turn(start)
        turn.seconds += stop - start
        if turn.seconds < (self._least.outside if outside else self._least.inside) - _EPS:
            return []
        self._turn = None
        return self._leave(turn.since, stop) if outside else self._enter(turn.since, stop)

    def _enter(self, since: float, now: float) -> list[Moment]:
        self.entered = since
        if self.stays:
            return []
        self.begins_inside = not self.outside_seen
        return [] if self.begins_inside else [Moment("insertion_start", since, now)]

    def _leave(self, since: float, now: float) -> list[Moment]:
        assert self.entered is not None, "the scope is inside"
        moments = self._end_look(now)
        if self.arrived:
            moments.append(Moment("withdrawal_end", since, now))
        self.stays.append((self.entered, since))
        self.entered, self.outside_seen = None, True
        return moments

    def _watch(self, start: float, stop: float, sight: int) -> list[Moment]:
        moments: list[Moment] = []
        if sight == LANDMARK:
            look = self._look = self._look or Look(start, start)
            look.strength = min(self._least.ileocecal, look.strength + stop - start)
            look.seen += stop - start
            look.balance += stop - start
            look.again, look.last = look.again + stop - start, stop
            if look.balance >= look.best - _EPS or look.again >= GLIMPSE - _EPS:
                look.stop = look.blind = stop
                look.best = look.balance
        elif self._look is not None:
            if sight in (UNREADABLE, UNKNOWN) and start <= self._look.blind + _EPS:
                self._look.blind = min(stop, self._look.last + LOST)
            if sight == READABLE:
                self._look.strength -= stop - start
                self._look.balance -= stop - start
                self._look.again = 0.0
            else:
                # The scope may have come in since the region was seen, which then counts before it is over.
                moments = self._count(stop)
            if self._look.strength <= _EPS or stop - self._look.last >= LOST - _EPS:
                moments += self._end_look(stop)
        return moments + self._count(stop)

    def _count(self, now: float) -> list[Moment]:
        """Let a look count that has become strong enough."""
        look_now = self._look
        if look_now is None or look_now.counts or self.entered is None:
            return []
        if look_now.strength < self._least.ileocecal - _EPS or look_now.seen < self._least_of(look_now) - _EPS:
            return []
        look_now.counts = True
        self.looks.append(look_now)
        return [Moment("caecum_reached", look_now.start, now)]

    def _least_of(self, look: Look) -> float:
        """Return how long a look lasts at least to be no glimpse."""
        if not self.looks or look.start - self.looks[-1].stop < LOST:
            return 0.0
        return RETURN * max(other.seen for other in self.looks)

    def _end_look(self, now: float) -> list[Moment]:
        look, self._look = self._look, None
        return [Moment("withdrawal_start", look.left, now)] if look is not None and look.counts else []
