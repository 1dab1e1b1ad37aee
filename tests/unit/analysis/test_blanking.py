"""Blanking errs to one side only: what is not known to be inside is taken out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cineloop.analysis.privacy.blanking import GateRows, blank_spans, blanked_frames
from cineloop.analysis.privacy.settings import PrivacySettings

DURATION = 20.0
BARE = PrivacySettings(padding=0.0, least_inside=0.0)


def rows_of(probability, *, step=0.2, threshold=0.5, start=0.0):
    values = np.array(probability, dtype=np.float64)
    return GateRows(start + np.arange(len(values)) * step, values, threshold)


def stretches(spans):
    """Return spans as merged (start, stop)."""
    merged = []
    for span in spans:
        if merged and abs(merged[-1][1] - span.start) < 1e-12:
            merged[-1] = (merged[-1][0], span.stop)
        else:
            merged.append((span.start, span.stop))
    return merged


def covers(spans, seconds):
    return any(span.start <= seconds < span.stop for span in spans)


def inside_of(inner, outer):
    """Say whether each of some stretches lies in one of others."""
    return all(any(a <= start + 1e-9 and stop <= b + 1e-9 for a, b in outer) for start, stop in inner)


@st.composite
def gate_rows(draw, most_apart=1.2):
    count = draw(st.integers(0, 60))
    steps = draw(st.lists(st.floats(0.05, most_apart), min_size=count, max_size=count))
    values = draw(
        st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.3, 0.45, 0.5, 0.9, np.nan]), min_size=count, max_size=count)
    )
    seconds = np.cumsum(steps)
    keep = seconds < DURATION
    return GateRows(seconds[keep], np.array(values, dtype=np.float64)[keep], 0.5)


@given(gate_rows(), st.floats(0, 3), st.floats(0, 4))
def test_every_row_out_of_the_body_or_unknown_is_blanked(rows, padding, least):
    spans = blank_spans(rows, DURATION, PrivacySettings(padding=padding, least_inside=least))
    for seconds, probability in zip(rows.seconds, rows.probability, strict=True):
        if np.isnan(probability) or probability >= rows.threshold:
            assert covers(spans, seconds)


@given(gate_rows())
def test_what_no_row_speaks_of_is_blanked(rows):
    spans = blank_spans(rows, DURATION, BARE)
    edges = np.concatenate([[0.0], rows.seconds, [DURATION]])
    for before, after in pairwise(edges):
        if after - before > BARE.gap or not len(rows.seconds):
            assert covers(spans, (before + after) / 2)


@given(gate_rows(), st.floats(0, 2), st.floats(0, 2), st.floats(0, 4))
def test_more_padding_blanks_more(rows, padding, more, least):
    less = blank_spans(rows, DURATION, PrivacySettings(padding=padding, least_inside=least))
    wide = blank_spans(rows, DURATION, PrivacySettings(padding=padding + more, least_inside=least))
    assert inside_of(stretches(less), stretches(wide))


@given(gate_rows(), st.floats(0.05, 1), st.floats(0, 1))
def test_a_lower_threshold_or_release_blanks_more(rows, factor, release):
    settings = PrivacySettings(release=release)
    lower = GateRows(rows.seconds, rows.probability, rows.threshold * factor)
    high = blank_spans(rows, DURATION, settings)
    assert inside_of(stretches(high), stretches(blank_spans(lower, DURATION, settings)))
    assert inside_of(stretches(high), stretches(blank_spans(rows, DURATION, PrivacySettings(release=release * factor))))


@given(gate_rows(most_apart=0.5), st.data())
def test_finer_rows_that_say_the_same_change_nothing(rows, data):
    if len(rows.seconds) < 2:
        return
    at = data.draw(st.integers(0, len(rows.seconds) - 2))
    share = data.draw(st.floats(0.1, 0.9))
    between = rows.seconds[at] + share * (rows.seconds[at + 1] - rows.seconds[at])
    worse = np.maximum(rows.probability[at], rows.probability[at + 1])
    finer = GateRows(
        np.insert(rows.seconds, at + 1, between), np.insert(rows.probability, at + 1, worse), rows.threshold
    )
    found, again = (stretches(blank_spans(each, DURATION, PrivacySettings())) for each in (rows, finer))
    assert np.allclose(np.array(found).reshape(-1), np.array(again).reshape(-1))


@given(gate_rows(), st.floats(0, 2), st.floats(0, 4))
def test_spans_are_in_order_within_the_procedure_and_without_overlap(rows, padding, least):
    spans = blank_spans(rows, DURATION, PrivacySettings(padding=padding, least_inside=least))
    edges = [edge for span in spans for edge in (span.start, span.stop)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.stop <= DURATION for span in spans)


@given(gate_rows(), st.floats(0, 4))
def test_no_short_stretch_is_left_between_two_that_are_blanked(rows, least):
    found = stretches(blank_spans(rows, DURATION, PrivacySettings(least_inside=least)))
    assert all(after[0] - before[1] >= least - 1e-9 for before, after in pairwise(found))


@pytest.mark.parametrize(("probability", "blanked"), [(0.5, True), (np.nan, True), (0.4999, False), (0.25, False)])
def test_one_row_is_enough_at_the_threshold_and_not_below(probability, blanked):
    spans = blank_spans(rows_of([0.0] * 10 + [probability] + [0.0] * 10), 4.2, BARE)
    assert bool(spans) == blanked
    assert covers(spans, 2.0) == blanked


def test_without_a_row_everything_is_unknown():
    (span,) = blank_spans(rows_of([]), DURATION, BARE)
    assert (span.start, span.stop, span.reason) == (0.0, DURATION, "unknown")


def test_a_stretch_ends_only_below_the_release():
    low = [0.1] * 20
    # 0.3 lies between release (0.25) and threshold: it belongs to the stretch beside it, on either side, and not alone.
    rows = rows_of([*low, 0.3, 0.3, 0.9, 0.3, *low, 0.3, *low])
    spans = blank_spans(rows, 13.0, BARE)
    assert [(span.reason, round(span.start, 3), round(span.stop, 3)) for span in spans] == [
        ("lingering", 3.8, 4.2),
        ("outside", 4.2, 4.6),
        ("lingering", 4.6, 4.8),
    ]


def test_reasons_are_named_in_order_of_weight():
    inside = [0.0] * 30
    rows = rows_of([*inside, 0.9, np.nan, *inside, 0.9, *([0.0] * 12), 0.9, *inside])
    spans = blank_spans(rows, 21.0, PrivacySettings(padding=0.5, least_inside=2.0))
    reasons = [span.reason for span in spans]
    assert reasons == [
        "padding",
        "outside",
        "unknown",
        "padding",
        "padding",
        "outside",
        "padding",
        "island",
        "padding",
        "outside",
        "padding",
    ]


def test_a_recording_that_is_inside_throughout_is_kept_however_short():
    assert blank_spans(rows_of([0.0, 0.1]), 0.4, PrivacySettings()) == ()


def test_a_frame_is_blanked_if_it_is_on_screen_at_any_moment_of_a_span():
    rows = rows_of([0.0] * 10 + [0.9] + [0.0] * 14)
    spans = blank_spans(rows, 5.0, BARE)
    assert [(span.start, round(span.stop, 3)) for span in spans] == [(1.8, 2.2)]
    shown = np.array([0.0, 1.0, 1.79, 1.8, 2.0, 2.2, 2.5])
    assert blanked_frames(spans, shown).tolist() == [False, False, False, True, True, False]
    assert blanked_frames(spans, shown + 0.005).tolist() == [False, False, True, True, True, False]


@settings(max_examples=50)
@given(gate_rows(), st.floats(0.5, 5))
def test_frames_of_spans_are_those_that_overlap_them(rows, fps):
    spans = blank_spans(rows, DURATION, BARE)
    shown = np.append(np.arange(0, DURATION, 1 / fps), DURATION)
    expected = [any(a < span.stop and b > span.start for span in spans) for a, b in pairwise(shown)]
    assert blanked_frames(spans, shown).tolist() == expected


@pytest.mark.parametrize("value", [-0.1, 1.5])
def test_a_release_above_the_threshold_is_refused(value):
    with pytest.raises(ValueError, match="release"):
        PrivacySettings(release=value)
