"""Filtering a timeline's signals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cineloop.errors import TimelineError
from cineloop.timeline.causal import causal_filter, causal_median
from cineloop.timeline.decision import SIGNALS
from cineloop.timeline.legalise import kernels_for, postprocess
from cineloop.timeline.median import median_filter
from cineloop.timeline.refilter import refiltered
from timelines import labels_of, made_timeline


def stacked(rows):
    return np.stack([rows[name] for name in SIGNALS])


@pytest.fixture
def timeline():
    return made_timeline(400, filtered=False)


def test_the_four_signals_go_through_the_whole_chain(timeline):
    raw = stacked(timeline.signals)
    expected = postprocess(labels_of(raw), (121, 51, 51, 51)).T
    assert (stacked(refiltered(timeline, "published").filtered) == expected).all()
    assert (stacked(refiltered(timeline, "causal").filtered) == causal_filter(raw)).all()
    mine = refiltered(timeline, "published", (9, 5, 5, 3))
    assert (stacked(mine.filtered) == postprocess(labels_of(raw), (9, 5, 5, 3)).T).all()


def test_kernels_are_scaled_to_the_rows(timeline):
    for other in (replace(timeline, frame_rate=50.0), made_timeline(400, stride=4, filtered=False)):
        raw = stacked(other.signals)
        expected = postprocess(labels_of(raw), kernels_for(other.rate)).T
        assert (stacked(refiltered(other, "published").filtered) == expected).all()


def test_signals_of_other_names_are_filtered_by_themselves(timeline):
    raw = timeline.signals["outside"]
    gate = replace(timeline, signals={"out_of_body": raw}, filtered={})
    assert (refiltered(gate, "published").filtered["out_of_body"] == median_filter(raw, 121)).all()
    assert (refiltered(gate, "causal", [9]).filtered["out_of_body"] == causal_median(raw, 9)).all()
    both = refiltered(replace(timeline, signals={"out_of_body": raw, **timeline.signals}), "published")
    assert list(both.filtered) == ["out_of_body", *SIGNALS]
    assert (stacked(both.filtered) == stacked(refiltered(timeline, "published").filtered)).all()


def test_none_leaves_the_raw_signals_alone():
    timeline = made_timeline(50)
    assert refiltered(timeline, "none").filtered == {}
    assert (refiltered(timeline, "none").shown["bbps"] == timeline.signals["bbps"]).all()


def test_kernels_that_do_not_fit_are_told(timeline):
    for base in ((121, 51), (121, 51, 51, 0)):
        with pytest.raises(TimelineError, match="outside, nonsense, ileocecal, bbps") as error:
            refiltered(timeline, "published", base)
        assert "4 whole numbers" in error.value.mend
    with pytest.raises(TimelineError, match="no raw signals"):
        refiltered(replace(timeline, signals={}), "causal")
