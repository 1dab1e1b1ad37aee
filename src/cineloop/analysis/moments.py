"""The course of a procedure as stretches and events, each with the frame where it begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from cineloop.analysis.course import Course
from cineloop.analysis.live import followed
from cineloop.analysis.phases import Phases, phase_rows
from cineloop.analysis.result import Event, Place, Stretch, Windows
from cineloop.analysis.settings import Settings
from cineloop.analysis.sight import runs_of
from cineloop.analysis.spans import Spans, joined
from cineloop.analysis.tracker import Moment
from cineloop.timeline.decision import SIGNALS, UNDEFINED, States

Placed: TypeAlias = Callable[[float], Place]
"""Finds the frame that is shown at a time of the procedure."""

PHASES = ("unknown", "outside", "insertion", "caecum", "withdrawal", "inside")
"""What a stretch of the course is called: by the value of the signal ``course`` from -1 on; ``inside`` is a stay inside
on an unknown way."""


def course_signal(course: Course, phases: Phases, settings: Settings) -> States:
    """Return the signal ``course`` of each row, int8 [K]: its place in ``PHASES`` less 1.

    In causal mode it is what was known when the row began.
    """
    phase, inside, *_ = followed(course, settings.sustained) if settings.causal else phase_rows(course, phases)
    return np.where((phase < 0) & inside, len(PHASES) - 2, phase).astype(np.int8)


def stretches_of(course: Course, phases: Phases, settings: Settings, place: Placed) -> tuple[Stretch, ...]:
    """Return the stretches of the course, and those of each signal, in this order and each in order of time.

    Args:
        course: The procedure.
        phases: Its phases.
        settings: Whether phases are those that were known at the time.
        place: Finds frames.
    """
    whole = course_signal(course, phases, settings)
    stretches = [
        Stretch("phase", PHASES[value + 1], place(start), stop) for start, stop, value in runs_of(course, whole)
    ]
    for name in SIGNALS:
        row = getattr(course, name)
        if row is not None:
            stretches += [
                Stretch(name, "unknown" if value == UNDEFINED else str(value), place(start), stop)
                for start, stop, value in runs_of(course, row)
            ]
    return tuple(stretches)


def alarms_of(windows: Windows) -> Spans:
    """Return where the classifier decided for its positive class, windows that touch as one; none without such."""
    if windows.positive is None:
        return ()
    raised = windows.decided == list(windows.probabilities).index(windows.positive)
    return joined(zip(windows.start[raised].tolist(), windows.stop[raised].tolist(), strict=True))


def events_of(
    course: Course, phases: Phases, settings: Settings, place: Placed, windows: Windows | None = None
) -> tuple[Event, ...]:
    """Return what happened, in order of time.

    A whole recording is known at its end. In causal mode an event is known at the moment at which it was, and one that
    was taken back later, such as the start of a withdrawal after which the scope returned, stands with the others; of
    each name the last counts.

    Args:
        course: The procedure.
        phases: Its phases.
        settings: Whether events are those that were known at the time.
        place: Finds frames.
        windows: What the classifier said.
    """
    moments = followed(course, settings.sustained)[2] if settings.causal else _known_at_the_end(phases)
    events = [Event(one.name, place(one.seconds), one.known_at) for one in moments]
    if windows is not None:
        for start, _ in alarms_of(windows):
            known = float(windows.stop[np.searchsorted(windows.start, start)])
            events.append(Event("alarm", place(start), known, windows.positive or ""))
    return tuple(sorted(events, key=lambda event: (event.place.seconds, event.known_at)))


def _known_at_the_end(phases: Phases) -> list[Moment]:
    withdrawal = phases.withdrawal
    times = {
        "insertion_start": phases.insertion_start,
        "caecum_reached": phases.caecum_reached,
        "withdrawal_start": withdrawal[0] if withdrawal else None,
        "withdrawal_end": withdrawal[1] if withdrawal and not phases.cut else None,
    }
    return [Moment(name, seconds, phases.duration) for name, seconds in times.items() if seconds is not None]
