"""Whether and when the caecum is reached, as far as the ileocecal region tells."""

from __future__ import annotations

from itertools import pairwise

from cineloop.analysis.indicator import Definition
from cineloop.analysis.indicators.facts import Facts, Finding, Measure
from cineloop.analysis.phases import Phases
from cineloop.analysis.settings import Settings
from cineloop.analysis.words import Said

LONG_AWAY = 60.0
"""Seconds without the ileocecal region, between two looks at it, from which on a reader is told."""


def look_remarks(phases: Phases) -> tuple[Said, ...]:
    """Return what is to be said where the scope returned to the caecum, on which the withdrawal time depends."""
    remarks = []
    away = [after.start - before.stop for before, after in pairwise(phases.looks)]
    returns = [place for place, seconds in enumerate(away) if seconds >= LONG_AWAY]
    if returns:
        last = returns[-1]
        seen = sum(look.seen for look in phases.looks[last + 1 :])
        values = {"away": away[last], "seen": seen, "otherwise": phases.looks[last].left}
        remarks.append(Said("returned_to_caecum", values))
    stays = len({phases.stay_of(look.start) for look in phases.looks})
    if stays > 1:
        remarks.append(Said("caecum_in_several_stays", {"stays": stays}))
    return tuple(remarks)


def _reached(facts: Facts, settings: Settings) -> Finding:
    phases = facts.phases
    reason = phases.why_not("caecum_reached")
    if reason is None:
        parts = {
            "first_seconds": phases.looks[0].start,
            "last_seconds": phases.looks[-1].stop,
            "seen_seconds": sum(look.seen for look in phases.looks),
            "looks_count": float(len(phases.looks)),
        }
        return Finding(1.0, parts=parts, remarks=look_remarks(phases))
    if reason.key != "caecum_not_seen":
        return Finding(reason=reason)
    if phases.begins_inside:
        return Finding(reason=Said("caecum_before_recording"))
    if phases.ends_inside:
        return Finding(reason=Said("caecum_after_recording"))
    return Finding(0.0, remarks=(Said("not_seen_may_be_missed", reason.values),))


def _time_to(facts: Facts, settings: Settings) -> Finding:
    phases = facts.phases
    reason = phases.why_not("insertion_start") or phases.why_not("caecum_reached")
    start, reached = phases.insertion_start, phases.caecum_reached
    if reason is not None or start is None or reached is None:
        return Finding(reason=reason)
    entered = phases.stay_of(reached)[0]
    before = phases.stays.index(phases.stay_of(reached))
    parts = {"insertion_start_seconds": start, "caecum_seconds": reached, "passage_seconds": reached - entered}
    remarks = (Said("went_out_before_caecum", {"times": before}),) if before else ()
    return Finding(reached - start, parts=parts, remarks=remarks)


REACHED = Measure(
    Definition(
        name="caecum_reached",
        title="Caecum reached",
        unit="yes",
        definition="Whether the ileocecal region is seen for long enough to be a look at it and no passing likeness.",
        formula="1 if it is in view for the least time that counts, interruptions bridged; else 0",
        source="",
        inputs=("inbody", "quality"),
    ),
    _reached,
)

TIME_TO_CAECUM = Measure(
    Definition(
        name="time_to_caecum_seconds",
        title="Time to the caecum",
        unit="s",
        definition="From the start of the insertion to the first look at the ileocecal region.",
        formula="start of the first look - start of the insertion",
        source="",
        inputs=("inbody", "quality"),
    ),
    _time_to,
)
