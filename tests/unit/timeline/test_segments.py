"""Segments of a signal."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cineloop.timeline.segments import Segment, segments_of
from cineloop.timeline.timeline import Timeline
from timelines import from_runs, made_timeline


def timeline_of(row, *, stride=1, rate=10.0):
    frames = np.arange(len(row)) * stride
    return Timeline(source="a", frames=frames, seconds=frames / rate, frame_rate=rate, filtered={"x": row})


def test_a_segment_ends_when_the_next_frame_is_shown():
    timeline = timeline_of(from_runs((0, 3), (-1, 1), (1, 2)))
    assert segments_of(timeline, "x") == [
        Segment("x", 0, 0, 2, 0.0, pytest.approx(0.3)),
        Segment("x", -1, 3, 3, pytest.approx(0.3), pytest.approx(0.4)),
        Segment("x", 1, 4, 5, pytest.approx(0.4), pytest.approx(0.6)),
    ]
    (only,) = segments_of(timeline_of(from_runs((2, 4)), stride=5), "x")
    assert (only.first, only.last, only.duration) == (0, 15, pytest.approx(2.0))


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=50), st.integers(1, 4))
def test_segments_are_the_longest_runs_without_gaps(row, stride):
    timeline = timeline_of(row, stride=stride)
    found = segments_of(timeline, "x")
    runs = [(value, len(list(group))) for value, group in itertools.groupby(row)]
    assert [(one.value, (one.last - one.first) // stride + 1) for one in found] == runs
    assert found[0].start == timeline.seconds[0]
    assert found[-1].stop == timeline.end
    assert all(one.stop == after.start for one, after in itertools.pairwise(found))
    assert all(type(value) in (int, float, str) for one in found for value in vars(one).values())


def test_raw_and_filtered_signals():
    timeline = made_timeline(200)
    assert len(segments_of(timeline, "bbps", filtered=False)) >= len(segments_of(timeline, "bbps"))
    with pytest.raises(KeyError, match="no filtered signal 'outside'"):
        segments_of(made_timeline(20, filtered=False), "outside")
    with pytest.raises(KeyError, match="outside, nonsense, ileocecal, bbps"):
        segments_of(timeline, "polyp")
