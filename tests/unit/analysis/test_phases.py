"""Phases of whole procedures: what counts, what does not, and what cannot be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cineloop.analysis.phases import phase_rows, phases_of
from cineloop.analysis.settings import Sustained
from courses import SHORT, course, courses


def phases(text):
    return phases_of(course(text), SHORT)


def near(value):
    return pytest.approx(value, abs=1e-6)


def test_a_plain_procedure():
    found = phases("o10 i60 c5 i100 o10")
    assert found.insertion_start == near(10)
    assert found.caecum_reached == near(70)
    assert found.withdrawal == (near(75), near(175))
    assert not (found.begins_inside)
    assert not (found.ends_inside)
    assert not (found.cut)
    for milestone in ("inside", "insertion_start", "caecum_reached", "withdrawal_start", "withdrawal_end"):
        assert found.why_not(milestone) is None


@pytest.mark.parametrize(
    ("text", "withdrawal"),
    [
        # A look goes on while nothing can be recognised, or the frames could not be decoded.
        ("o10 i60 c1 n4 c1 i50 o10", (76, 126)),
        ("o10 i60 c1 u4 c1 i50 o10", (76, 126)),
        # Where nothing can be recognised when it leaves, it leaves in the middle of that, at most 5 s later.
        ("o10 i60 c5 n4 i50 o10", (77, 129)),
        ("o10 i60 c5 u2 n2 i50 o10", (77, 129)),
        ("o10 i60 c5 i0.4 n4 i50 o10", (75, 129.4)),
        ("o10 i60 c5 n30 i50 o10", (80, 155)),
        # The scope slides and looks again, for as long as it was away: this belongs to the look.
        ("o10 i60 c3 i1 c1 i50 o10", (75, 125)),
        # A glimpse, shorter than that, does not; nor do several that are not enough together.
        ("o10 i60 c3 i1 c0.4 i50 o10", (73, 124.4)),
        ("o10 i60 c9 i0.8 c0.6 i50 o10", (79, 130.4)),
        # Longer away, but then seen for long enough in one go.
        ("o10 i60 c9 i4 c2.6 i50 o10", (85.6, 135.6)),
        ("o10 i60 c1 i0.4 c1 i50 o10", (72.4, 122.4)),
        # It looks again later, for long enough.
        ("o10 i60 c5 i40 c2 i50 o10", (117, 167)),
        # A passing likeness on the way is no look.
        ("o10 i60 c5 i40 c1 i50 o10", (75, 166)),
        ("o10 i60 c5 i40 c1 n12 c1 i50 o10", (75, 179)),
        # A long look gives no credit to a likeness after it.
        ("o10 i60 c30 i5 c0.4 i50 o10", (100, 155.4)),
        ("o10 i60 c5 i40 c0.6 i0.6 c0.6 i0.6 c0.6 i50 o10", (75, 168)),
        # Too short outside to be out; long enough; and too short inside to be in again.
        ("o10 i60 c5 i40 o2 i50 o10", (75, 167)),
        ("o10 i60 c5 i40 o4 i50 o10", (75, 115)),
        ("o10 i60 c5 i40 o2 i1 o2 i50 o10", (75, 170)),
        # What could not be decoded ends nothing, and is no evidence.
        ("o10 i60 c5 i40 u30 i50 o10", (75, 195)),
        ("o10 i60 c5 i40 o1 u30 i50 o10", (75, 196)),
        ("o10 i60 c5 i40 o2 u30 o2 i50 o10", (75, 115)),
        # Ways in and out before and after; the landmark tells the main one.
        ("o10 i30 o10 i60 c5 i40 o10 i30 o10", (115, 155)),
    ],
)
def test_the_withdrawal(text, withdrawal):
    found = phases(text)
    assert found.withdrawal == (near(withdrawal[0]), near(withdrawal[1]))
    assert not found.cut


@pytest.mark.parametrize(
    ("text", "stop", "cut"),
    [
        ("o10 i60 c5 i40", 115, True),
        ("o10 i60 c5 i40 u20", 135, True),
        # The end of the recording cuts the stay outside short, and says nothing of its length.
        ("o10 i60 c5 i40 o2", 115, False),
        ("o10 i60 c5 i40 o2 u5", 115, False),
    ],
)
def test_a_recording_that_ends_inside_cuts_the_withdrawal(text, stop, cut):
    found = phases(text)
    assert found.withdrawal == (near(75), near(stop))
    assert found.cut is found.ends_inside is cut
    assert (found.why_not("withdrawal_end") is not None) is cut


@pytest.mark.parametrize(
    ("text", "milestone", "key"),
    [
        ("o10", "inside", "never_inside"),
        ("o10 i2 o10", "insertion_start", "never_inside"),
        ("u10", "withdrawal_start", "never_inside"),
        ("i20 c5 i40 o10", "insertion_start", "begins_inside"),
        ("u5 i20 c5 i40 o10", "insertion_start", "begins_inside"),
        ("o10 i60 o10", "caecum_reached", "caecum_not_seen"),
        ("o10 i60 c1 i10 o10", "withdrawal_start", "caecum_not_seen"),
        ("o10 c1.4 o1 c0.4 n3 i60 o10", "caecum_reached", "caecum_not_seen"),
        ("o10 i60 c20", "withdrawal_start", "ends_in_caecum"),
        ("o10 i60 c20 n5", "withdrawal_start", "ends_in_caecum"),
        ("o10 i60 c20 i20 c5", "withdrawal_start", "ends_in_caecum"),
        ("o10 i60 c20 i20", "withdrawal_end", "ends_inside"),
    ],
)
def test_why_something_cannot_be_told(text, milestone, key):
    found = phases(text)
    assert found.why_not(milestone).key == key
    assert str(found.why_not(milestone))
    time = {"insertion_start": found.insertion_start, "caecum_reached": found.caecum_reached}
    assert time.get(milestone) is None


def test_a_scope_that_leaves_straight_from_the_caecum_has_withdrawn():
    found = phases("o10 i60 c20 o10")
    assert found.withdrawal == (near(90), near(90))
    assert phases("o10 i60 c20 o1").withdrawal == (near(90), near(90))


def test_what_no_model_tells_is_not_known():
    whole = course("o10 i60 c5 i40 o10")
    gate = phases_of(replace(whole, nonsense=None, ileocecal=None, bbps=None), SHORT)
    assert gate.insertion_start == near(10)
    assert gate.withdrawal is None
    assert gate.why_not("withdrawal_start").key == "no_quality_model"
    nothing = phases_of(replace(whole, outside=None, nonsense=None, ileocecal=None, bbps=None), SHORT)
    assert nothing.why_not("inside").key == "no_body_model"


def test_how_long_is_long_enough_is_a_setting():
    text = "o10 i60 c5 i40 o4 i50 c3 i10 o10"
    assert phases_of(course(text), Sustained(outside=5, ileocecal=1.5)).withdrawal == (near(172), near(182))
    assert phases_of(course(text), Sustained(ileocecal=4)).withdrawal == (near(75), near(115))
    assert phases_of(course(text), Sustained(ileocecal=6)).why_not("caecum_reached").values == {"seconds": 6}


def signal(text):
    whole = course(text, rate=1)
    phase, inside = phase_rows(whole, phases_of(whole, SHORT))
    letters = "".join("-0123"[value + 1] for value in phase)
    return letters, "".join(".#"[int(one)] for one in inside)


@pytest.mark.parametrize(
    ("text", "phase", "inside"),
    [
        ("o4 i5 c3 i4 o3", "0000111112223333000", "....############..."),
        # A moment outside, nonsense and frames not decoded interrupt no phase.
        ("o4 i3 o1 i2 c1 n2 c2 u2 i3 o3", "00001111112222223333000", "....################..."),
        # Going in begins anew when the scope is seen outside meanwhile.
        ("o4 i2 o1 i4 c2 i4 o3", "00000001111223333000", ".......##########..."),
        # A stay without the landmark has no known way; a stay too short is none.
        ("o4 i4 o4 i2 o4", "0000----0000000000", "....####.........."),
        # The recording ends in the caecum; or with frames that may be outside.
        ("o4 i5 c3", "000011111222", "....########"),
        ("o4 i3 c3 i3 u3", "0000111222333---", "....#########..."),
        ("u3 o3 i4 c2 i4 o3", "---0001111223333000", "......##########..."),
        # The scope returns to the caecum.
        ("o4 i3 c3 i5 c2 i4 o3", "000011122222222223333000", "....#################..."),
    ],
)
def test_the_signal_of_each_row(text, phase, inside):
    assert signal(text) == (phase, inside)


@hypothesis_settings(deadline=None)
@given(courses())
def test_phases_are_in_order(whole):
    found = phases_of(whole, SHORT)
    edges = [edge for stay in found.stays for edge in stay]
    assert edges == sorted(edges)
    assert all(stop > start for start, stop in found.stays)
    for look in found.looks:
        start, stop = found.stay_of(look.start)
        assert start <= look.start < look.stop <= stop
        assert look.seen >= 1.5 - 1e-6
    if found.withdrawal is not None:
        assert found.caecum_reached < found.withdrawal[0] <= found.withdrawal[1] <= whole.duration
    phase, inside = phase_rows(whole, found)
    assert not (inside & (phase == 0)).any()
    assert not (~inside & (phase > 0)).any()
    assert not phase[~inside & ~whole.seen].any() or (phase[~inside & ~whole.seen] == -1).all()


@hypothesis_settings(deadline=None)
@given(courses(), st.data())
def test_frames_that_could_not_be_decoded_end_no_withdrawal(whole, data):
    """Losing frames outside never makes a withdrawal end earlier; losing all of them leaves it without an end."""
    found = phases_of(whole, SHORT)
    lost = np.array(data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole)))) & (whole.outside == 1)
    for hole in (lost, whole.outside == 1):
        rows = {
            name: np.where(hole, np.int8(-1), getattr(whole, name)) for name in ("outside", "nonsense", "ileocecal")
        }
        holed = phases_of(replace(whole, seen=whole.seen & ~hole, **rows), SHORT)
        if found.withdrawal is not None and holed.withdrawal is not None and holed.withdrawal[0] == found.withdrawal[0]:
            assert holed.withdrawal[1] >= found.withdrawal[1]
    assert holed.cut or holed.withdrawal is None
