"""The course as stretches and events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cineloop.analysis.moments import alarms_of, course_signal, events_of, stretches_of
from cineloop.analysis.phases import phases_of
from cineloop.analysis.result import Place, Windows
from cineloop.analysis.settings import Settings
from cineloop.report.render.words import ENGLISH
from courses import SHORT, course


def place(seconds):
    return Place(seconds, round(seconds * 25), 0, round(seconds * 25), seconds)


def told(stretches, name):
    return [(one.value, round(one.start.seconds, 6), round(one.stop, 6)) for one in stretches if one.name == name]


def events(text, windows=None, **settings):
    whole = course(text, rate=1)
    found = events_of(whole, phases_of(whole, SHORT), Settings(sustained=SHORT, **settings), place, windows)
    return [(one.name, one.place.seconds, one.known_at) for one in found]


def test_stretches_cover_the_recording():
    whole = course("u2 o8 i20 o10 i60 c5 n4 i40 o10 u3")
    stretches = stretches_of(whole, phases_of(whole, SHORT), Settings(sustained=SHORT), place)
    assert told(stretches, "phase") == [
        ("unknown", 0, 2),
        ("outside", 2, 10),
        ("inside", 10, 30),
        ("outside", 30, 40),
        ("insertion", 40, 100),
        ("caecum", 100, 107),
        ("withdrawal", 107, 149),
        ("outside", 149, 159),
        ("unknown", 159, 162),
    ]
    assert told(stretches, "nonsense") == [
        ("unknown", 0, 10),
        ("0", 10, 30),
        ("unknown", 30, 40),
        ("0", 40, 105),
        ("1", 105, 109),
        ("0", 109, 149),
        ("unknown", 149, 162),
    ]
    assert list(dict.fromkeys(one.name for one in stretches)) == ["phase", "outside", "nonsense", "ileocecal", "bbps"]
    assert all(one.start.frame == round(one.start.seconds * 25) for one in stretches)


@pytest.mark.parametrize("causal", [False, True])
def test_the_signal_says_row_by_row_what_the_stretches_say(causal):
    whole = course("u2 o8 i20 o10 i60 c5 n4 i40 o10 u3")
    settings = Settings(sustained=SHORT, causal=causal)
    phases = phases_of(whole, SHORT)
    signal = course_signal(whole, phases, settings)
    stretches = [one for one in stretches_of(whole, phases, settings, place) if one.name == "phase"]
    for one in stretches:
        rows = (whole.start >= one.start.seconds) & (whole.start < one.stop)
        assert {ENGLISH.state("course", value) for value in signal[rows].tolist()} == {one.value}
    assert {"withdrawal", "unknown", "insertion" if causal else "inside"} <= {one.value for one in stretches}


def test_what_no_model_tells_has_no_stretch():
    whole = replace(course("o5 i9 o5"), nonsense=None, ileocecal=None, bbps=None)
    stretches = stretches_of(whole, phases_of(whole, SHORT), Settings(sustained=SHORT), place)
    assert {one.name for one in stretches} == {"phase", "outside"}
    assert told(stretches, "phase") == [("outside", 0, 5), ("inside", 5, 14), ("outside", 14, 19)]


def test_looking_back_everything_is_known_at_the_end():
    assert events("o10 i60 c5 i40 c5 i30 o10") == [
        ("insertion_start", 10, 160),
        ("caecum_reached", 70, 160),
        ("withdrawal_start", 120, 160),
        ("withdrawal_end", 150, 160),
    ]
    assert [name for name, *_ in events("i60 c5 i40")] == ["caecum_reached", "withdrawal_start"]
    assert events("o10") == []


def test_live_everything_is_known_when_it_was():
    assert events("o10 i60 c5 i40 c5 i30 o10", causal=True) == [
        ("insertion_start", 10, 13),
        ("caecum_reached", 70, 72),
        ("withdrawal_start", 75, 77),
        ("caecum_reached", 115, 117),
        ("withdrawal_start", 120, 122),
        ("withdrawal_end", 150, 153),
    ]
    whole = course("o5 i9 c4 i9 o9", rate=1)
    phases = phases_of(whole, SHORT)
    assert course_signal(whole, phases, Settings(sustained=SHORT))[14] == 2
    assert course_signal(whole, phases, Settings(sustained=SHORT, causal=True))[14:17].tolist() == [1, 1, 2]


def test_alarms_are_known_when_their_first_clip_is_over():
    start = np.array([0.0, 2, 4, 10, 12])
    clips = Windows(start, start + 4, {"no": np.zeros(5), "yes": np.ones(5)}, np.array([0, 1, 1, 1, 0]), "yes")
    assert alarms_of(clips) == ((2, 8), (10, 14))
    assert events("o30", clips) == [("alarm", 2, 6), ("alarm", 10, 14)]
    assert events("o30", clips, causal=True) == [("alarm", 2, 6), ("alarm", 10, 14)]
    assert alarms_of(replace(clips, positive=None)) == ()
