"""What counts as a copy, figure by figure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cineloop.cohort.audit.verify import Match

WHOLE = Match(
    offset=0.0,
    overlap=4.0,
    share=1.0,
    alike=0.9,
    changes=0.8,
    motion=6.0,
    structure=10.0,
    inside=True,
    scale=(1.0, 1.0),
)
PART = replace(WHOLE, share=0.4, overlap=1.6, alike=0.97, changes=0.98)
STILL = replace(WHOLE, motion=0.4, changes=0.0, alike=0.97)


@pytest.mark.parametrize("match", [WHOLE, PART, STILL])
def test_copies(match):
    assert match.copy


@pytest.mark.parametrize(
    ("match", "why"),
    [
        (replace(WHOLE, alike=0.6), "pictures differ"),
        (replace(WHOLE, changes=0.2), "one scene, other events: a camera on a stand"),
        (replace(WHOLE, changes=float("nan")), "nothing to compare"),
        (replace(WHOLE, inside=False), "a neighbouring view of one wall"),
        (replace(WHOLE, structure=1.0), "nearly flat pictures"),
        (replace(PART, alike=0.85), "the end of a clip is like the beginning of the next"),
        (replace(PART, changes=0.7), "likewise"),
        (replace(PART, overlap=0.6), "too short a stretch"),
        (replace(PART, share=0.1), "too small a part"),
        (replace(PART, motion=0.4), "a still moment that two clips share"),
        (replace(STILL, alike=0.8), "other still pictures"),
    ],
)
def test_no_copies(match, why):
    assert not match.copy, why
