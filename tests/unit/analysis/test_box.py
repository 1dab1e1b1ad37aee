"""Regions of a picture, as users give them."""

from __future__ import annotations

import pytest

from cineloop.analysis.privacy.box import Box, Region
from cineloop.errors import PrivacyError


@pytest.mark.parametrize(
    ("text", "size", "box"),
    [
        ("0,0,320,40", (640, 480), (0, 0, 320, 40)),
        ("0,0,1.0,1.0", (640, 480), (0, 0, 640, 480)),
        ("0,0,2,1", (640, 480), (0, 0, 2, 1)),
        ("600, 460, 40, 20", (640, 480), (600, 460, 40, 20)),
        ("0.0,0.9,1,0.1", (640, 480), (0, 432, 640, 48)),
        ("0,0,100%,5%", (641, 481), (0, 0, 641, 25)),
        ("0.1,0.1,0.15,0.1", (101, 101), (10, 10, 16, 11)),
    ],
)
def test_pixels_and_shares_are_placed_and_cover_all_that_was_meant(text, size, box):
    assert Region.parse(text).placed(size) == Box(*box)


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "0,0,0,5", "-1,0,5,5", "0.5,0,0.6,0.1", "1,1,nan,2"])
def test_what_is_no_region_is_refused_with_an_example(text):
    with pytest.raises(PrivacyError, match="0,0,320,40"):
        Region.parse(text)


def test_one_pixel_or_the_whole_frame_is_asked():
    with pytest.raises(PrivacyError, match="one pixel or the whole frame"):
        Region.parse("0,0,1,1")


@pytest.mark.parametrize("text", ["700,0,10,10", "0,480,10,10", "600,0,41,10", "0,460,10,21"])
def test_a_region_that_does_not_lie_in_the_frame_is_refused(text):
    with pytest.raises(PrivacyError, match="640x480"):
        Region.parse(text).placed((640, 480))


def test_scaling_rounds_outwards():
    assert Box(1, 1, 1, 1).scaled((10, 10), (15, 15)) == Box(1, 1, 2, 2)
