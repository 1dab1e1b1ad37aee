"""How often the classifier of clips raises an alarm."""

from __future__ import annotations

from cineloop.analysis.indicator import Definition
from cineloop.analysis.indicators.facts import Facts, Finding, Measure
from cineloop.analysis.moments import alarms_of
from cineloop.analysis.settings import Settings
from cineloop.analysis.spans import common, total
from cineloop.analysis.words import Said


def _why_not(facts: Facts) -> Said | None:
    if facts.windows is None:
        return Said("no_classifier")
    if facts.windows.positive is None:
        return Said("no_positive_class")
    return None if len(facts.windows.start) else Said("no_clips")


def _alarms(facts: Facts, settings: Settings) -> Finding:
    reason = _why_not(facts)
    if reason is not None or facts.windows is None:
        return Finding(reason=reason)
    alarms = alarms_of(facts.windows)
    parts = {"alarm_seconds": total(alarms), "clips_count": float(len(facts.windows.start))}
    return Finding(float(len(alarms)), parts=parts)


def _share(facts: Facts, settings: Settings) -> Finding:
    reason = _why_not(facts) or facts.phases.why_not("inside")
    if reason is not None or facts.windows is None:
        return Finding(reason=reason)
    stays = facts.phases.stays
    inside = total(common(alarms_of(facts.windows), stays))
    return Finding(inside / total(stays), parts={"alarm_seconds": inside, "inside_seconds": total(stays)})


ALARMS = Measure(
    Definition(
        name="alarms",
        title="Alarms",
        unit="count",
        definition="How often in the procedure the classifier of clips decides for its positive class; clips that "
        "touch are one alarm. Our own.",
        formula="runs of positive clips",
        source="",
        inputs=("classify",),
    ),
    _alarms,
    varies=False,
)

ALARM_SHARE = Measure(
    Definition(
        name="alarm_share",
        title="Share of time in alarm",
        unit="share",
        definition="The share of the time in the body that lies in an alarm. Our own.",
        formula="seconds of alarms in the stays inside / seconds of the stays inside",
        source="",
        inputs=("inbody", "quality", "classify"),
    ),
    _share,
    varies=False,
)
