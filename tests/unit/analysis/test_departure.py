"""When a look is over: the moment that frames as they are agree with, where filters would have moved it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cineloop.analysis.course import course_of
from cineloop.analysis.departure import NEAR, settled
from cineloop.analysis.indicators import Facts, measure
from cineloop.analysis.phases import phases_of
from cineloop.analysis.settings import Settings
from cineloop.analysis.tracker import Look
from cineloop.timeline.quality import LABELS
from cineloop.timeline.timeline import Timeline
from courses import SHORT, course, courses

RATE = 5.0
GLIMPSE = {"c": 1.0, "i": -1.0, "n": 0.0, "o": 0.0}
LABEL = {"c": "ileocecal", "i": "bbps2", "n": "nonsense", "o": "outside"}


def letters(text):
    return "".join(word[0] * round(float(word[1:]) * RATE) for word in text.split())


def seen(text):
    """Return the phases of a colonoscopy whose single frames look like letters of ``courses.LETTERS``."""
    rows = letters(text)
    scores = {name: np.array([0.9 * (LABEL[row] == name) for row in rows], np.float32) for name in LABELS}
    times = np.arange(len(rows)) / RATE
    line = Timeline(source="a", frames=np.arange(len(rows)), seconds=times, frame_rate=RATE, scores=scores)
    return line, len(rows) / RATE


def withdrawal(text, **settings):
    line, duration = seen(text)
    chosen = Settings(**settings)
    whole = course_of(None, line, duration, chosen)
    return phases_of(whole, chosen.sustained), measure(Facts.of(whole, chosen), chosen)


def test_what_median_filters_hide_decides_when_the_scope_leaves():
    """Two frames without the region before five unreadable seconds: filtered they show it, and so would the middle."""
    phases, found = withdrawal("o10 i30 c12 i0.4 n5 i20 o10")
    assert phases.withdrawal == pytest.approx((52.0, 77.4))
    (time,) = (one for one in found if one.definition.name == "withdrawal_seconds")
    assert (time.low, time.value, time.high) == pytest.approx((25.2, 25.4, 25.6))
    assert not time.remarks
    causal, _ = withdrawal("o10 i30 c12 i0.4 n5 i20 o10", causal=True)
    assert causal.withdrawal[0] > 53


def test_where_nothing_can_be_recognised_it_is_the_middle_with_both_ends_in_the_range():
    phases, found = withdrawal("o10 i30 c12 n4 i20 o10")
    assert phases.withdrawal[0] == pytest.approx(54.0)
    (time,) = (one for one in found if one.definition.name == "withdrawal_seconds")
    assert (time.low, time.high) == pytest.approx((19.8, 24.2))
    assert [remark.key for remark in time.remarks] == ["left_unseen"]


def test_a_frame_that_errs_moves_nothing():
    phases, _ = withdrawal("o10 i30 c12 i1 c0.2 i20 o10")
    assert phases.withdrawal[0] == pytest.approx(52.0)
    phases, _ = withdrawal("o10 i30 c11 i0.2 c1 i20 o10")
    assert phases.withdrawal[0] == pytest.approx(52.2)
    # The same after the scope has left unseen.
    phases, _ = withdrawal("o10 i30 c12 n4 c0.2 i20 o10")
    assert phases.withdrawal[0] == pytest.approx(54.1, abs=0.11)


def test_a_frame_counts_as_much_as_it_is_sure():
    line, duration = seen("o10 i30 c12 n4 c1 i20 o10")
    region = line.scores["ileocecal"].copy()
    region[280:285] = [0.51, 0.55, 0.52, 0.5, 0.53]
    line = replace(line, scores={**line.scores, "ileocecal": region})
    whole = course_of(None, line, duration, Settings())
    assert np.abs(whole.glimpsed[280:285]).max() < 0.15
    assert set(whole.glimpsed[200:260]) == {1.0}
    assert not whole.glimpsed[260:280].any()
    assert set(whole.glimpsed[290:380]) == {-1.0}
    sure, _ = withdrawal("o10 i30 c12 n4 c1 i20 o10")
    assert sure.withdrawal[0] == pytest.approx(57.0)
    assert phases_of(whole).withdrawal[0] == pytest.approx(56.0)
    assert course_of(None, line, duration, Settings(causal=True)).glimpsed is None


def test_a_look_that_the_recording_ends_in_is_no_withdrawal():
    phases, _ = withdrawal("o10 i30 c12")
    assert phases.ends_in_caecum
    assert phases.withdrawal is None


@given(st.text("cin", min_size=1, max_size=60), st.integers(0, 59), st.integers(0, 20), st.integers(1, 60))
def test_no_moment_nearby_is_better_by_more_than_a_frame(rows, stop, blind, until):
    assume(stop < until <= len(rows))
    glimpsed = np.array([GLIMPSE[row] for row in rows])
    whole = replace(course(" ".join(f"{row}0.2" for row in rows), RATE), glimpsed=glimpsed)
    look = Look(0.0, stop / RATE, blind=(stop + blind) / RATE)
    done = settled(look, whole, until / RATE)
    assert 0.0 <= done.stop <= done.left <= done.blind <= until / RATE + 1e-9
    assert abs(done.left * RATE - round(done.left * RATE)) < 1e-6
    near = range(
        max(0, stop - round(NEAR * RATE)), min(until, max(stop, stop + blind) + round(NEAR * RATE), len(rows)) + 1
    )

    def against(place):
        return sum(glimpsed[row] < 0 for row in near[:-1] if row < place) + sum(
            glimpsed[row] > 0 for row in near[:-1] if row >= place
        )

    least = min(against(place) for place in near)
    for moment in (done.stop, done.blind):
        assert against(round(moment * RATE)) <= least + 1
    assert not any(
        against(place) <= least + 1 for place in near if not done.stop - 1e-6 <= place / RATE <= done.blind + 1e-6
    )


@given(courses())
def test_frames_that_filters_leave_alone_change_no_look(whole):
    """Where frames show what the filtered signals say, stays and looks are as without them, but for their ends."""
    plain = phases_of(whole, SHORT)
    known = (whole.outside == 0) & (whole.nonsense == 0) & whole.seen
    glimpsed = np.where(known, 2.0 * whole.ileocecal - 1, 0.0)
    found = phases_of(replace(whole, glimpsed=glimpsed), SHORT)
    assert found.stays == plain.stays
    assert [look.start for look in found.looks] == [look.start for look in plain.looks]
    for look in found.looks:
        entered, left = found.stay_of(look.start)
        assert look.start <= look.stop <= look.blind <= left + 1e-9
        assert entered <= look.left <= left
        # Rows, events and indicators tell one moment.
        assert look.left in {*whole.start.tolist(), whole.duration}
