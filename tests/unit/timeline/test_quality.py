"""States and codes of colonoscopy frames."""

from __future__ import annotations

import itertools

import pytest

from cineloop.timeline.quality import LABELS, STATES, UNSCORED, code_of, state_of


@pytest.mark.parametrize("state", [*STATES, *UNSCORED])
def test_a_code_gives_its_state_back(state):
    assert state_of(code_of(state)) == state


def test_the_published_codes():
    assert state_of([1.0, 0, 0, 0, 0, 0, 0]) == "outside"
    assert state_of([0, 0, 1, 0, 0, 0, 1]) == "ileocecal bbps3"
    assert code_of("bbps1") == (0, 0, 0, 0, 1, 0, 0)


def test_every_other_combination_is_refused():
    legal = {code_of(state) for state in (*STATES, *UNSCORED)}
    for code in itertools.product((0, 1), repeat=len(LABELS)):
        if code not in legal:
            with pytest.raises(ValueError, match=r"excludes all others|one BBPS score"):
                state_of(code)


@pytest.mark.parametrize("code", [[1] * 6, [0.5, 0, 0, 0, 0, 0, 0], [float("nan")] + [0] * 6])
def test_what_is_no_code_is_refused(code):
    with pytest.raises(ValueError, match="numbers"):
        state_of(code)


def test_an_unknown_state_is_refused():
    with pytest.raises(ValueError, match="bbps4"):
        code_of("bbps4")
