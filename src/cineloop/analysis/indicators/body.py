"""When the scope is in the body."""

from __future__ import annotations

from cineloop.analysis.indicator import Definition
from cineloop.analysis.indicators.facts import Facts, Finding, Measure
from cineloop.analysis.phases import Phases
from cineloop.analysis.settings import Settings
from cineloop.analysis.spans import total
from cineloop.analysis.words import Said


def cut_remarks(phases: Phases) -> tuple[Said, ...]:
    """Return what is to be said of a duration from the first to the last moment inside."""
    begins = (Said("at_least_begins_inside"),) if phases.begins_inside else ()
    ends = (Said("at_least_ends_inside"),) if phases.ends_inside else ()
    return begins + ends


def _inbody(facts: Facts, settings: Settings) -> Finding:
    phases = facts.phases
    reason = phases.why_not("inside")
    if reason is not None:
        return Finding(reason=reason)
    start, stop, inside = phases.stays[0][0], phases.stays[-1][1], total(phases.stays)
    parts = {
        "start_seconds": start,
        "stop_seconds": stop,
        "inside_seconds": inside,
        "away_seconds": stop - start - inside,
        "stays_count": float(len(phases.stays)),
    }
    away = (Said("went_out", {"times": len(phases.stays) - 1}),) if len(phases.stays) > 1 else ()
    return Finding(stop - start, parts=parts, remarks=cut_remarks(phases) + away)


def _insertion(facts: Facts, settings: Settings) -> Finding:
    return Finding(facts.phases.insertion_start, facts.phases.why_not("insertion_start"))


INBODY = Measure(
    Definition(
        name="inbody_seconds",
        title="From the first way in to the last way out",
        unit="s",
        definition="From when the scope first goes into the body to when it last comes out.",
        formula="end of the last stay inside - start of the first; a stay is sustained, and so is what ends it",
        source="",
        inputs=("inbody", "quality"),
    ),
    _inbody,
)

INSERTION_START = Measure(
    Definition(
        name="insertion_start_seconds",
        title="Start of the insertion",
        unit="s",
        definition="When the scope first goes into the body, on the clock of the recording.",
        formula="start of the first sustained stay inside that follows a frame outside",
        source="",
        inputs=("inbody", "quality"),
    ),
    _insertion,
)
