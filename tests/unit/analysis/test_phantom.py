"""Phases against the truth of phantom procedures, of which nothing is rendered: scripts with what a model would see."""

from __future__ import annotations

import numpy as np
import pytest

from cineloop.analysis.course import course_of
from cineloop.analysis.phases import phases_of
from cineloop.analysis.settings import Settings
from cineloop.phantom.procedures.film import plan
from cineloop.phantom.procedures.roster import roster
from cineloop.phantom.procedures.schema import ProcedureConfig
from cineloop.phantom.procedures.script import PHASES
from cineloop.phantom.procedures.tables import procedure_row
from cineloop.timeline.quality import LABELS
from cineloop.timeline.timeline import Timeline

CONFIG = ProcedureConfig(train=0, val=0, test=48, rates=(5,), seconds=(300.0, 600.0))
SLACK = 5.0
"""Seconds: the widest filter."""


def seen(planned, rng, noise):
    """Return the scores of a procedure: of the caecum, the landmark is in view most of the time."""
    script, frames = planned.script, len(planned.script)
    caecum = script.phase == PHASES.index("caecum")
    away = np.repeat(rng.random(frames // 5 + 1) < 0.2, 5)[:frames]
    outside, hidden = script.scene >= 0, planned.course.unreadable()
    landmark = caecum & ~hidden & ~away
    labels = np.stack(
        [outside, ~outside & hidden, landmark, *[np.zeros(frames)] * 2, ~hidden & ~outside, np.zeros(frames)]
    )
    scores = 1 / (1 + np.exp(-(2.2 * (2.0 * labels - 1) + rng.normal(0, noise, labels.shape))))
    timeline = Timeline(
        source="a",
        frames=np.arange(frames),
        seconds=np.arange(frames) / script.rate,
        frame_rate=script.rate,
        scores=dict(zip(LABELS, scores.astype(np.float32), strict=True)),
    )
    return timeline, np.flatnonzero(landmark)


@pytest.mark.parametrize("noise", [0.0, 1.2])
def test_withdrawals_are_found_where_they_are(noise):
    rng = np.random.default_rng(3)
    late = []
    found = {"reached": 0, "not reached": 0, "cut": 0}
    for patient in roster(CONFIG):
        planned = plan(CONFIG, patient)
        truth = procedure_row(patient, planned, np.zeros(len(planned.script)))
        timeline, landmark = seen(planned, rng, noise)
        phases = phases_of(course_of(None, timeline, truth["seconds"], Settings()))
        assert phases.begins_inside == truth["starts_inside"]
        assert phases.ends_inside == truth["ends_inside"]
        if not truth["caecum_reached"]:
            found["not reached"] += 1
            assert phases.withdrawal is None
            continue
        found["reached"] += 1
        # The landmark is out of view for a while before the scope leaves, which nobody can see.
        last = (landmark[-1] + 1) / planned.script.rate
        assert last <= truth["withdrawal_start"]
        start, stop = phases.withdrawal
        late.append(abs(start - last))
        assert abs(stop - truth["withdrawal_end"]) < SLACK
        assert abs(phases.caecum_reached - truth["caecum_seconds"]) < 20
        found["cut"] += phases.cut
    assert np.median(late) < 1
    assert max(late) < 10
    assert min(found.values()) >= 5
