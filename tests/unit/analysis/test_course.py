"""From the scores of two models to one course."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cineloop.analysis.course import Cuts, Gate, course_of
from cineloop.analysis.settings import Settings
from cineloop.timeline.decision import SIGNALS, Thresholds
from cineloop.timeline.legalise import kernels_for
from cineloop.timeline.quality import LABELS
from cineloop.timeline.refilter import refiltered
from cineloop.timeline.timeline import Timeline
from timelines import made_timeline, with_holes

RAW = Settings(kernels=(0.01, 0.01, 0.01, 0.01))
"""Kernels of one row: no filter."""


def quality(states, rate=5.0, start=0.0):
    """Return a timeline of frame quality whose rows look like ``outside``, ``nonsense``, ``ileocecal`` or a score."""
    scores = np.zeros((len(states), 7), np.float32)
    for row, state in zip(scores, states, strict=True):
        row[LABELS.index(state)] = 0.9
    seconds = start + np.arange(len(states)) / rate
    return Timeline(
        source="a",
        frames=np.arange(len(states)),
        seconds=seconds,
        frame_rate=rate,
        scores=dict(zip(LABELS, scores.T, strict=True)),
    )


def gate(scores, rate=5.0, name="out_of_body", start=0.0):
    scores = np.array(scores, np.float32)
    seconds = start + np.arange(len(scores)) / rate
    return Timeline(
        source="a",
        frames=np.arange(len(scores)),
        seconds=seconds,
        frame_rate=rate,
        scores={"in_body": 1 - scores, "out_of_body": scores},
    )


def rows(course):
    """Return each row of a course as outside, nonsense, ileocecal, bbps; ``None`` where it was not seen."""
    states = np.stack([getattr(course, name) for name in SIGNALS], axis=1)
    return [state if seen else None for state, seen in zip(states.tolist(), course.seen.tolist(), strict=True)]


@pytest.mark.parametrize("causal", [False, True])
def test_quality_alone_is_filtered_as_published(causal):
    timeline = made_timeline(600, stride=5)
    course = course_of(None, timeline, 30.0, Settings(causal=causal))
    wanted = refiltered(timeline, "causal" if causal else "published").filtered
    for name in SIGNALS:
        assert getattr(course, name).tolist() == wanted[name].tolist()
    assert course.start.tolist() == timeline.seconds.tolist()
    assert course.stop[-1] == course.duration == 30.0
    assert kernels_for(timeline.rate) == (25, 11, 11, 11)


def test_the_gate_decides_what_is_outside():
    said = quality(["outside", "outside", "bbps3", "nonsense", "ileocecal"])
    gated = course_of(gate([0.9, 0.1, 0.9, 0.1, 0.2]), said, 1.0, RAW, cuts=Cuts(Gate("out_of_body")))
    # Inside for the gate and outside for the other: nothing can be recognised.
    assert rows(gated) == [[1, -1, -1, -1], [0, 1, -1, -1], [1, -1, -1, -1], [0, 1, -1, -1], [0, 0, 1, 0]]
    alone = course_of(gate([0.9, 0.1, 0.9]), None, 1.0, RAW, cuts=Cuts(Gate("out_of_body")))
    assert alone.outside.tolist() == [1, 0, 1]
    assert alone.nonsense is alone.ileocecal is alone.bbps is None


def test_either_class_of_a_gate_may_decide():
    scores = gate([0.9, 0.5, 0.31, 0.3, 0.1])
    of = lambda rule: course_of(scores, None, 1.0, RAW, cuts=Cuts(rule)).outside.tolist()  # noqa: E731
    assert of(Gate("out_of_body", 0.3)) == [1, 1, 1, 1, 0]
    assert of(Gate("in_body", 0.3, outside=False)) == [1, 0, 0, 0, 0]


def test_no_model_gives_one_row_without_signals():
    course = course_of(None, None, 12.5, Settings())
    assert (len(course), course.duration, course.outside) == (1, 12.5, None)


def test_the_model_that_looks_less_often_is_held():
    often = gate([0.1] * 8 + [0.9] * 2)
    seldom = quality(["bbps1", "nonsense", "bbps2"], rate=2.0)
    course = course_of(often, seldom, 2.0, RAW, cuts=Cuts(Gate("out_of_body")))
    assert course.start.tolist() == pytest.approx([0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8])
    assert course.bbps.tolist() == [1, 1, 1, -1, -1, -1, 2, 2, 2, -1, -1]
    assert course.nonsense.tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, -1, -1]


def test_frames_that_could_not_be_decoded_stay_unseen():
    timeline = quality(["bbps2"] * 9)
    holed = with_holes(timeline, np.arange(9) == 4)
    for cuts, first in ((Cuts(Gate("out_of_body")), gate([0.1] * 9)), (None, None)):
        course = course_of(first, holed, 1.8, Settings(), cuts=cuts)
        assert rows(course) == [[0, 0, 0, 2]] * 4 + [None] + [[0, 0, 0, 2]] * 4
        assert course.outside[4] == course.nonsense[4] == course.bbps[4] == -1
    holed_gate = with_holes(gate([0.1] * 9), np.arange(9) == 4)
    course = course_of(holed_gate, timeline, 1.8, Settings(), cuts=Cuts(Gate("out_of_body")))
    assert rows(course)[4] is None
    # Before a model's first row nothing is known of it.
    late = course_of(gate([0.1] * 9), quality(["bbps2"] * 4, start=0.8), 1.8, RAW, cuts=Cuts(Gate("out_of_body")))
    assert late.seen.tolist() == [False] * 4 + [True] * 5


def test_thresholds_are_shifted_and_go_at_most_half_the_way():
    scores = quality(["bbps2"] * 5)
    scores = replace(scores, scores={**scores.scores, "ileocecal": np.float32([0.39, 0.41, 0.5, 0.59, 0.61])})
    seen = lambda cut, shift: course_of(  # noqa: E731
        None, scores, 1.0, RAW, cuts=Cuts(quality=Thresholds(ileocecal=cut)), shift=shift
    ).ileocecal.sum()
    assert [seen(0.5, shift) for shift in (-0.1, 0.0, 0.1)] == [4, 3, 1]
    # Of 0.78 the most that there can be is 0.39, of 0.2 it is 0.6.
    assert seen(0.78, -0.45) == 5
    assert seen(0.2, 0.45) == 1


def test_ways_in_and_out_stay_where_the_gate_sees_them():
    cuts = Cuts(Gate("out_of_body", 0.75))
    # A short stay at each end, and frames near an edge about which the gate is not sure.
    scores = [0.9] * 8 + [0.02] * 60 + [0.99] * 20 + [0.7, 0.8, 0.6, 0.7] + [0.99] * 6 + [0.01] * 60 + [0.9] * 8
    course = course_of(gate(scores), None, len(scores) / 5, Settings(), cuts=cuts)
    assert (np.flatnonzero(np.diff(course.outside)) + 1).tolist() == [8, 68, 98, 158]
    mirrored = course_of(
        gate([1 - score for score in scores]),
        None,
        len(scores) / 5,
        Settings(),
        cuts=Cuts(Gate("out_of_body", 0.25, outside=False)),
    )
    assert np.array_equal(course.outside, mirrored.outside)


@pytest.mark.parametrize("causal", [False, True])
def test_pictures_tell_when_the_scope_came_out_where_the_gate_is_of_two_minds(causal):
    scores = gate([0.02] * 40 + [0.9] * 2 + [0.1] * 4 + [0.99] * 40)
    still = np.ones(86)
    still[40] = 0.1
    settings, cuts = Settings(causal=causal), Cuts(Gate("out_of_body"))
    told, untold = (course_of(scores, None, 17.2, settings, cuts=cuts, still=one).outside for one in (still, None))
    if causal:
        assert np.array_equal(told, untold)
    else:
        assert [(np.flatnonzero(np.diff(one)) + 1).tolist() for one in (told, untold)] == [[40], [46]]


@pytest.mark.parametrize(("length", "left"), [(5, (5, 0, 0)), (8, (8, 8, 0)), (9, (9, 9, 9))])
def test_filters_are_widened_by_a_factor(length, left):
    timeline = quality(["bbps2"] * 20 + ["nonsense"] * length + ["bbps2"] * 20)
    courses = [course_of(None, timeline, 20.0, Settings(), factor=factor) for factor in (1 / 1.5, 1.0, 1.5)]
    # 2.04 s are 11 rows at 5 a second, and 7 and 17 of a narrower and a wider filter.
    assert tuple(course.nonsense.sum() for course in courses) == left


def test_rows_lie_in_the_recording():
    with pytest.raises(ValueError, match=r"recording of 0\.5 s"):
        course_of(None, quality(["bbps2"] * 5), 0.5, Settings())


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.integers(2, 119), st.lists(st.integers(0, 119), max_size=30))
def test_a_causal_course_depends_on_nothing_later(count, lost):
    both = [with_holes(made_timeline(600, stride=5, seed=seed), np.isin(np.arange(120), lost)) for seed in (0, 1)]
    first = [
        Timeline(
            source="a",
            frames=one.frames[:count],
            seconds=one.seconds[:count],
            frame_rate=25,
            scores={name: row[:count] for name, row in one.scores.items()},
        )
        for one in both
    ]
    settings, cuts = Settings(causal=True), Cuts(Gate("outside"))
    whole = course_of(*both, 24.0, settings, cuts=cuts)
    part = course_of(*first, count / 5, settings, cuts=cuts)
    for name in ("seen", *SIGNALS):
        assert getattr(part, name).tolist() == getattr(whole, name)[:count].tolist()
