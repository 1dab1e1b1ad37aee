"""Times as a user writes them on the command line."""

from __future__ import annotations

import pytest

from cineloop.cli.times import bounds_of, seconds_of, span_of
from cineloop.errors import CineloopError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("135", 135),
        ("0.5", 0.5),
        ("1:15", 75),
        ("12:30", 750),
        ("12:30.25", 750.25),
        ("120:30", 7230),
        ("1:02:39", 3759),
        ("100:00:00", 360_000),
        (" 2:05 ", 125),
    ],
)
def test_a_time_is_seconds_or_minutes_or_hours(text, seconds):
    assert seconds_of(text, "--pause") == seconds


@pytest.mark.parametrize(
    "text", ["1:75", "1:60", "1:2:99", "1:75:00", "1:120:30", "-5", "1:", ":30", "12.5:30", "five", "", "1:2:3:4"]
)
def test_what_no_clock_shows_is_refused(text):
    with pytest.raises(CineloopError, match="Not a time") as error:
        seconds_of(text, "--segments")
    assert error.value.where == "--segments"
    assert "0 to 59" in error.value.mend


def test_stretches_and_bounds():
    assert span_of("12:30-1:14:05", "--pause") == (750, 4445)
    assert bounds_of("15:10,18:40", "--segments") == (910, 1120)
    with pytest.raises(CineloopError, match="Not a stretch of time"):
        span_of("12:30", "--pause")
    with pytest.raises(CineloopError, match="Not two times"):
        bounds_of("12:30", "--segments")
    with pytest.raises(CineloopError, match="ends after it begins") as error:
        span_of("1:55-1:50", "--pause")
    assert error.value.where == "--pause"
    with pytest.raises(CineloopError, match="comes before the left colon") as error:
        bounds_of("1:50,1:45", "--segments")
    assert error.value.where == "--segments"
