"""The indicators: values by hand and by brute force, and reasons where there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cineloop.analysis.indicators import MEASURES, Facts, measure
from cineloop.analysis.indicators.cleanliness import worst_window
from cineloop.analysis.result import Windows
from cineloop.analysis.settings import Settings
from cineloop.analysis.words import ENGLISH
from courses import SHORT, course, courses

SEGMENTED = Settings(sustained=SHORT, segments={"transverse": 100.0, "left": 130.0})
PLAIN = "o10 i60 c5 320 n10 215 o1 110 u4 020 o10"
"""Withdrawal from 75 to 155: 20 s of score 3, 10 unreadable, 15 of 2, 1 outside, 10 of 1, 4 unseen, 20 of 0."""


def found(text, settings=None, windows=None, **changes):
    facts = Facts.of(replace(course(text), **changes), settings or Settings(sustained=SHORT), windows)
    return {one.definition.name: one for one in measure(facts, settings or Settings(sustained=SHORT))}


def windows(spans, decided, positive="lesion"):
    start, stop = np.array(spans, float).reshape(-1, 2).T
    row = np.array(decided, float)
    probabilities = {"normal": 1 - row, "lesion": row}
    return Windows(start, stop, probabilities, np.array(decided, np.int64), positive)


def near(value):
    return pytest.approx(value, abs=1e-6)


def test_names_are_unique_and_everything_is_described():
    definitions = [one.definition for one in MEASURES]
    assert len({one.name for one in definitions}) == len(definitions)
    for one in definitions:
        assert one.title
        assert one.definition.endswith(".")
        assert one.formula
        assert one.inputs


def test_the_figures_of_a_plain_procedure():
    one = found(PLAIN)
    assert one["inbody_seconds"].value == near(145)
    assert one["insertion_start_seconds"].value == near(10)
    assert one["caecum_reached"].value == 1
    assert one["time_to_caecum_seconds"].value == near(60)
    assert one["withdrawal_seconds"].value == near(80)
    readable = one["readable_withdrawal_seconds"]
    assert readable.value == near(65)
    assert readable.parts == near(
        {
            "withdrawal_seconds": 80,
            "unreadable_seconds": 10,
            "outside_seconds": 1,
            "unseen_seconds": 4,
            "paused_seconds": 0,
        }
    )
    assert one["unreadable_share"].value == near(10 / 140)
    assert one["unreadable_withdrawal_share"].value == near(10 / 75)
    clean = one["clean_share"]
    assert clean.value == near(35 / 65)
    assert [clean.parts[f"bbps{level}_share"] for level in range(4)] == near([20 / 65, 10 / 65, 15 / 65, 20 / 65])
    # The worst 30 readable seconds: ten of 1 and twenty of 0, with four unseen between them.
    assert (clean.parts["worst_score"], clean.parts["worst_start_seconds"]) == near((1 / 3, 121))
    assert clean.parts["worst_stop_seconds"] == near(155)
    assert "no_bbps" in [remark.key for remark in clean.remarks]


def test_pauses_are_taken_off_the_withdrawal():
    settings = Settings(sustained=SHORT, pauses=((60.0, 80.0), (100.0, 110.0), (150.0, 400.0)))
    one = found(PLAIN, settings)
    withdrawal = one["withdrawal_seconds"]
    assert withdrawal.value == near(80 - 5 - 10 - 5)
    assert (withdrawal.parts["whole_seconds"], withdrawal.parts["paused_seconds"]) == near((80, 20))
    # Of the 65 readable seconds, 5 of score 3, 5 of score 2 and 5 of score 0 lie in pauses, beside 5 unreadable ones.
    assert one["readable_withdrawal_seconds"].value == near(50)
    assert one["clean_share"].value == near(25 / 50)
    assert one["unreadable_withdrawal_share"].value == near(5 / 55)
    assert one["inbody_seconds"].value == near(145)
    elsewhere = found(PLAIN, Settings(sustained=SHORT, pauses=((0.0, 20.0),)))["withdrawal_seconds"]
    assert (elsewhere.value, [remark.key for remark in elsewhere.remarks]) == (near(80), ["pauses_elsewhere"])


def test_a_recording_that_ends_inside_tells_a_least_time():
    one = found("o10 i60 c5 i80")
    for name in ("withdrawal_seconds", "readable_withdrawal_seconds", "inbody_seconds", "clean_share"):
        assert "at_least_ends_inside" in [remark.key for remark in one[name].remarks]
    assert one["withdrawal_seconds"].value == near(80)
    assert "at_least_begins_inside" in [remark.key for remark in found("i60 c5 i8 o9")["inbody_seconds"].remarks]


@pytest.mark.parametrize(
    ("text", "value", "key"),
    [
        ("o10 i60 c5 i40 o10", 1, None),
        ("o10 i60 o10", 0, None),
        ("o10", None, "never_inside"),
        # What the recording does not have may be where the caecum is.
        ("i60 o10", None, "caecum_before_recording"),
        ("o10 i60", None, "caecum_after_recording"),
        ("i60 c5 i40", 1, None),
    ],
)
def test_whether_the_caecum_is_reached(text, value, key):
    one = found(text)["caecum_reached"]
    assert one.value == value
    assert (one.reason and one.reason.key) == key


def test_an_unseen_caecum_is_no_missed_one():
    assert [remark.key for remark in found("o10 i60 o10")["caecum_reached"].remarks] == ["not_seen_may_be_missed"]


def test_a_return_to_the_caecum_is_told():
    one = found("o10 i60 c5 i70 c2 i50 o10")["withdrawal_seconds"]
    assert one.value == near(50)
    [remark] = one.remarks
    assert remark.key == "returned_to_caecum"
    assert remark.values == near({"away": 70, "seen": 2, "otherwise": 75})
    assert found("o10 i60 c5 i50 c2 i50 o10")["withdrawal_seconds"].remarks == ()
    [remark] = found("o10 i60 c5 i9 o10 i60 c5 i40 o10")["caecum_reached"].remarks[-1:]
    assert (remark.key, remark.values) == ("caecum_in_several_stays", {"stays": 2})


def test_the_way_in_may_be_interrupted():
    one = found("o10 i30 o10 i60 c5 i40 o10")
    time = one["time_to_caecum_seconds"]
    assert (time.value, time.parts["passage_seconds"]) == near((100, 60))
    assert [(remark.key, remark.values) for remark in time.remarks] == [("went_out_before_caecum", {"times": 1})]
    inbody = one["inbody_seconds"]
    assert (inbody.value, inbody.parts["inside_seconds"], inbody.parts["away_seconds"]) == near((145, 135, 10))


def test_no_model_of_quality():
    one = found("o10 i60 c5 i40 o10", nonsense=None, ileocecal=None, bbps=None)
    assert one["inbody_seconds"].value == near(105)
    others = set(one) - {"inbody_seconds", "insertion_start_seconds", "alarms", "alarm_share", "instrument_seconds"}
    without_segments = {name for name in others if not name.startswith("bbps_")}
    assert {one[name].reason.key for name in without_segments} == {"no_quality_model"}


def test_no_model_of_frames():
    blank = Facts.of(
        replace(course("u1"), outside=None, nonsense=None, ileocecal=None, bbps=None), Settings(sustained=SHORT)
    )
    for one in measure(blank, Settings(sustained=SHORT)):
        assert one.value is None
        assert str(one.reason)


def test_the_segments_need_boundaries():
    for name in ("bbps_right", "bbps_transverse", "bbps_left", "bbps_total"):
        assert str(found(PLAIN)[name].reason) == "the segment boundaries were not given"
    one = found(PLAIN, SEGMENTED)
    # Right: 20 s of 3 and 5 unreadable; transverse: 15 of 2, 9 of 1; left: 1 of 1, 20 of 0.
    assert [one[f"bbps_{name}"].value for name in ("right", "transverse", "left", "total")] == [3, 2, 0, 5]
    assert one["bbps_transverse"].parts["readable_seconds"] == near(24)
    assert one["bbps_total"].parts == {"right_score": 3, "transverse_score": 2, "left_score": 0}
    assert all(found("o10 i60 c5 i40 o10", SEGMENTED)[f"bbps_{name}"].value is None for name in ("right", "total"))
    outside = found(PLAIN, Settings(sustained=SHORT, segments={"transverse": 60.0, "left": 130.0}))["bbps_left"]
    assert outside.reason.key == "segments_elsewhere"


def test_a_segment_without_a_readable_frame_has_no_score():
    one = found("o10 i60 c5 320 n40 220 o10", Settings(sustained=SHORT, segments={"transverse": 96.0, "left": 134.0}))
    assert one["bbps_transverse"].reason.key == "nothing_readable"
    assert one["bbps_total"].value is None
    assert one["bbps_total"].parts == {"right_score": 3, "left_score": 2}


def test_the_median_of_a_segment_is_the_lower_one():
    settings = Settings(sustained=SHORT, segments={"transverse": 85.0, "left": 105.0})
    one = found("o10 i60 c5 310 110 210 320 o10", settings)
    assert one["bbps_transverse"].value == 1
    assert [remark.key for remark in one["bbps_right"].remarks] == ["by_frames"]
    few = found("o10 i60 c5 35 n5 110 210 320 o10", settings)["bbps_right"]
    assert [remark.key for remark in few.remarks] == ["by_frames", "little_readable"]


def test_no_model_finds_instruments():
    one = found(PLAIN)["instrument_seconds"]
    assert (one.value, one.reason.key) == (None, "no_segmentation")


def test_where_nothing_can_be_recognised_when_the_scope_leaves_the_range_is_told():
    one = found("o10 i60 c5 n4 i50 o10")["withdrawal_seconds"]
    assert (one.value, one.low, one.high) == near((52, 50, 54))
    assert one.parts["start_seconds"] == near(77)
    assert [(remark.key, dict(remark.values)) for remark in one.remarks] == [("left_unseen", {"seconds": near(4)})]
    pausing = Settings(sustained=SHORT, pauses=((76.0, 79.5),))
    paused = found("o10 i60 c5 n4 i50 o10", pausing)["withdrawal_seconds"]
    assert (paused.value, paused.low, paused.high) == near((49.5, 49.5, 50.5))
    plain = found(PLAIN)["withdrawal_seconds"]
    assert (plain.low, plain.high, plain.remarks) == (near(80), near(80), ())


def test_alarms_are_runs_of_positive_clips():
    clips = windows([(0, 4), (2, 6), (4, 8), (8, 12), (14, 18), (16, 20), (18, 22)], [1, 0, 1, 1, 1, 0, 0])
    one = found("o10 i60 o10", windows=clips)
    # 0 to 4, 4 to 8 and 8 to 12 touch.
    assert (one["alarms"].value, one["alarms"].parts["alarm_seconds"]) == near((2, 16))
    assert one["alarm_share"].value == near((2 + 4) / 60)
    assert found("o10 i60 o10", windows=replace(clips, positive=None))["alarms"].reason.key == "no_positive_class"
    assert found("o10 i60 o10")["alarm_share"].reason.key == "no_classifier"
    assert found("o10 i60 o10", windows=windows([], []))["alarms"].reason.key == "no_clips"
    assert found("o10", windows=clips)["alarm_share"].reason.key == "never_inside"
    assert found("o10 i60 o10", windows=windows([(0, 4)], [0]))["alarms"].value == 0


@hypothesis_settings(deadline=None)
@given(courses(), st.lists(st.tuples(st.integers(0, 80), st.integers(1, 9)), max_size=3))
def test_times_are_counted_row_by_row(whole, pauses):
    settings = Settings(
        sustained=SHORT, pauses=tuple((float(100 * i + a), float(100 * i + a + b)) for i, (a, b) in enumerate(pauses))
    )
    facts = Facts.of(whole, settings)
    one = {each.definition.name: each for each in measure(facts, settings)}
    span = facts.phases.withdrawal
    if span is None:
        assert one["withdrawal_seconds"].value is None
        return
    seconds = np.zeros((4, 2))
    counted = 0.0
    for row in range(len(whole)):
        begins, ends = max(whole.start[row], span[0]), min(whole.stop[row], span[1])
        held = max(0.0, ends - begins)
        held -= sum(max(0.0, min(ends, b) - max(begins, a)) for a, b in settings.pauses if held)
        counted += held
        if whole.seen[row] and whole.outside[row] == 0:
            seconds[max(whole.bbps[row], 0), whole.nonsense[row]] += held
    readable = seconds[:, 0].sum()
    assert one["withdrawal_seconds"].value == near(counted)
    assert one["readable_withdrawal_seconds"].value == near(readable)
    parts = dict(one["readable_withdrawal_seconds"].parts)
    assert sum(parts.values()) - counted + readable == near(span[1] - span[0])
    if readable > 1e-6:
        assert one["clean_share"].value == near(seconds[2:, 0].sum() / readable)


@hypothesis_settings(deadline=None)
@given(courses(), st.sampled_from([1.0, 3.3, 10.0]))
def test_the_worst_stretch_is_the_worst(whole, width):
    seconds = np.where(whole.bbps >= 0, whole.held, 0.0)
    worst = worst_window(whole, seconds, width)
    # By brute force: the readable seconds in slices, a window from each.
    step = 0.01
    slices = np.repeat(whole.bbps, np.round(seconds / step).astype(int))
    span = round(width / step)
    if len(slices) < span:
        assert worst == {}
        return
    sums = np.concatenate([[0], np.cumsum(slices.astype(float))])
    assert worst["worst_score"] == pytest.approx((sums[span:] - sums[:-span]).min() / span, abs=1e-6)
    between = (whole.start >= worst["worst_start_seconds"]) & (whole.stop <= worst["worst_stop_seconds"])
    assert seconds[between].sum() >= width - 1e-6


def test_every_part_has_words():
    clips = windows([(0, 4), (4, 8)], [1, 0])
    one = found(PLAIN, SEGMENTED, clips)
    parts = {name for indicator in one.values() for name in indicator.parts}
    assert parts == set(ENGLISH.parts)
