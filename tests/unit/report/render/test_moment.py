"""Which row is shown at which frame, and how times are written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cineloop.report.render.colours import GROUND, colour_of
from cineloop.report.render.lanes import lane_colours, ticks
from cineloop.report.render.moment import Holder, clock_text, score_name
from timelines import from_runs, made_timeline


def test_every_frame_has_its_own_row():
    holder = Holder(made_timeline(10))
    assert [holder.at(frame, 0).row for frame in range(12)] == [*range(10), None, None]
    assert all(holder.at(frame, 0).held is None for frame in range(12))


def test_a_row_is_held_for_its_stride_and_says_so():
    holder = Holder(made_timeline(20, stride=5))
    found = [holder.at(frame, 0) for frame in range(22)]
    assert [one.row for one in found] == [frame // 5 for frame in range(20)] + [None, None]
    assert [one.held for one in found[:7]] == [None, 0, 0, 0, 0, None, 5]


def test_nothing_is_said_before_the_first_row():
    timeline = made_timeline(10)
    later = replace(timeline, frames=timeline.frames + 3)
    assert [Holder(later).at(frame, 0).row for frame in range(5)] == [None, None, None, 0, 1]


@pytest.mark.parametrize(
    ("seconds", "options", "text"),
    [
        (0, {"hours": False}, "0:00"),
        (59.99, {"hours": False}, "0:59"),
        (75.26, {"hours": False, "tenths": True}, "1:15.2"),
        (0.3, {"hours": False, "tenths": True}, "0:00.3"),
        (4000, {"hours": True}, "1:06:40"),
        (-0.5, {"hours": False, "tenths": True}, "-0:00.5"),
    ],
)
def test_times(seconds, options, text):
    assert clock_text(seconds, **options) == text


def test_the_score_of_a_state():
    timeline = made_timeline(5)
    assert score_name(timeline, "outside", 0) == "outside"
    assert score_name(timeline, "bbps", 2) == "bbps2"
    assert score_name(timeline, "bbps", -1) is None


def test_lanes_show_the_states_at_their_times():
    timeline = made_timeline(100)
    lanes = lane_colours(timeline, 100, 0.0, 4.0)
    for lane, (name, row) in zip(lanes, timeline.filtered.items(), strict=True):
        assert lane.tolist() == [list(colour_of(name, value)) for value in row.tolist()]


def test_a_short_event_is_never_lost():
    timeline = made_timeline(1000)
    short = replace(timeline, filtered={"ileocecal": from_runs((0, 611), (1, 1), (0, 388))})
    (lane,) = lane_colours(short, 50, 0.0, 40.0)
    seen = np.flatnonzero((lane == colour_of("ileocecal", 1)).all(axis=-1))
    assert seen.tolist() == [611 * 50 // 1000]


def test_lanes_are_empty_where_nothing_is_known():
    timeline = made_timeline(50)
    lane = lane_colours(timeline, 100, -1.0, 3.0)[0]
    known = (lane != GROUND).any(axis=-1)
    assert not known[:25].any()
    assert known[25:75].all()
    assert not known[75:].any()


def test_ticks_are_round_and_few():
    assert ticks(0, 10, 5) == [(0, "0:00"), (2, "0:02"), (4, "0:04"), (6, "0:06"), (8, "0:08"), (10, "0:10")]
    assert [text for _, text in ticks(0, 4000, 5)] == ["0:00:00", "0:15:00", "0:30:00", "0:45:00", "1:00:00"]
    assert len(ticks(0, 100 * 3600, 5)) < 30
