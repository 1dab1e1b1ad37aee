"""What indicators are computed from, and how one is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from cineloop.analysis.course import Course, Times
from cineloop.analysis.indicator import Definition
from cineloop.analysis.phases import Phases, phases_of
from cineloop.analysis.result import Windows
from cineloop.analysis.settings import Settings
from cineloop.analysis.sight import LANDMARK, OUTSIDE, READABLE, UNKNOWN, UNREADABLE, sights_of
from cineloop.analysis.spans import Spans, within
from cineloop.analysis.words import Said
from cineloop.timeline.decision import States


@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """A procedure as it was decided.

    Attributes:
        course: What each frame shows.
        phases: What happened when.
        windows: What the classifier said; None without one.
    """

    course: Course
    phases: Phases
    windows: Windows | None = None

    @classmethod
    def of(cls, course: Course, settings: Settings, windows: Windows | None = None) -> Facts:
        """Return the facts of a course."""
        return cls(course=course, phases=phases_of(course, settings.sustained), windows=windows)

    @cached_property
    def sights(self) -> States:
        """What each row shows, int8 [K]."""
        return sights_of(self.course)

    def within(self, spans: Spans) -> Times:
        """Return how many seconds of each row lie in stretches, float64 [K]."""
        return within(self.course.start, self.course.stop, spans)

    def seen_in(self, spans: Spans) -> Seen:
        """Return what can be seen in stretches."""
        seconds = np.bincount(self.sights - UNKNOWN, weights=self.within(spans), minlength=LANDMARK - UNKNOWN + 1)
        by_sight = dict(zip(range(UNKNOWN, LANDMARK + 1), seconds.tolist(), strict=True))
        return Seen(
            readable=by_sight[READABLE] + by_sight[LANDMARK],
            unreadable=by_sight[UNREADABLE],
            outside=by_sight[OUTSIDE],
            unseen=by_sight[UNKNOWN],
        )


@dataclass(frozen=True)
class Seen:
    """Seconds of some stretches, by what can be seen.

    Attributes:
        readable: The inside, well enough to recognise something.
        unreadable: The inside, and nothing can be recognised.
        outside: What is out of the body, for too short a time to count as out.
        unseen: Nothing, as the frames could not be decoded.
    """

    readable: float
    unreadable: float
    outside: float
    unseen: float

    @property
    def parts(self) -> dict[str, float]:
        """The seconds, by name."""
        return {f"{name}_seconds": seconds for name, seconds in vars(self).items()}


@dataclass(frozen=True)
class Finding:
    """What was found of an indicator: a value, or the reason why there is none; the rest as of an ``Indicator``.

    ``low`` and ``high`` are what the frames themselves leave open, before settings are varied.
    """

    value: float | None = None
    reason: Said | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[Said, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Measure:
    """An indicator and how it is found.

    Attributes:
        definition: What it is.
        find: Computes it.
        varies: Whether it depends on the thresholds and filters of the course alone, so that varying them tells how
            uncertain it is.
    """

    definition: Definition
    find: Callable[[Facts, Settings], Finding]
    varies: bool = True
