"""Phases while a procedure goes on: nothing depends on what comes later, and at the end all is as looking back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cineloop.analysis.live import LivePhases, followed
from cineloop.analysis.phases import phases_of
from courses import SHORT, course, courses


def pushed(whole, rows):
    """Return what is said of the first rows, fed one by one, and the moments known by then."""
    live, said, moments = LivePhases(SHORT), [], []
    for row in range(rows):
        moments += live.push(
            float(whole.start[row]),
            outside=int(whole.outside[row]),
            nonsense=int(whole.nonsense[row]),
            ileocecal=int(whole.ileocecal[row]),
            seen=bool(whole.seen[row]),
        )
        said.append((live.phase, live.inside))
    return said, moments


@hypothesis_settings(deadline=None)
@given(courses(), st.data())
def test_what_is_said_depends_on_nothing_later(whole, data):
    rows = data.draw(st.integers(1, len(whole)))
    said, moments = pushed(whole, rows)
    phase, inside, later = followed(whole, SHORT)
    assert said == list(zip(phase[:rows].tolist(), inside[:rows].tolist(), strict=True))
    now = whole.start[rows - 1]
    assert moments == [moment for moment in later if moment.known_at <= now]


@hypothesis_settings(deadline=None)
@given(courses())
def test_at_the_end_the_last_of_each_moment_is_what_looking_back_finds(whole):
    found, moments = phases_of(whole, SHORT), followed(whole, SHORT)[2]
    assert all(moment.seconds <= moment.known_at <= whole.duration for moment in moments)
    last = {moment.name: moment.seconds for moment in moments}
    first = {moment.name: moment.seconds for moment in reversed(moments)}
    close = pytest.approx
    assert first.get("insertion_start") == found.insertion_start
    assert first.get("caecum_reached") == found.caecum_reached
    if found.withdrawal is not None:
        assert last["withdrawal_start"] == close(found.withdrawal[0])
        if not found.cut:
            assert last["withdrawal_end"] == close(found.withdrawal[1])


def test_a_withdrawal_is_taken_back_when_the_scope_returns():
    whole = course("o10 i60 c5 i40 c5 i30 o10", rate=1)
    phase, inside, moments = followed(whole, SHORT)
    told = [(moment.name, moment.seconds, moment.known_at) for moment in moments]
    assert told == [
        ("insertion_start", 10, 13),
        ("caecum_reached", 70, 72),
        ("withdrawal_start", 75, 77),
        ("caecum_reached", 115, 117),
        ("withdrawal_start", 120, 122),
        ("withdrawal_end", 150, 153),
    ]
    letters = "".join("-0123"[value + 1] for value in phase)
    # Each phase shows when the evidence for it has been seen.
    assert letters == "-" + "0" * 12 + "1" * 59 + "2" * 5 + "3" * 40 + "2" * 5 + "3" * 31 + "0" * 7
    assert inside.sum() == 140


def test_an_unknown_way_is_not_guessed():
    begins = followed(course("i20 c5 i30 o10", rate=1))[0].tolist()
    assert set(begins[:22]) == {-1}
    assert begins[25] == 2
    again = followed(course("o5 i20 c5 i30 o10 i20 o5", rate=1))[0].tolist()
    assert again[40] == 3
    assert set(again[73:90]) == {-1}
    live = LivePhases(SHORT, tells_caecum=False)
    for second in range(20):
        live.push(float(second), outside=int(second < 5))
    assert (live.phase, live.inside) == (-1, True)
