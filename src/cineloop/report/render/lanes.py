"""The whole recording at a glance: a lane of colours a signal, and a time axis."""

from __future__ import annotations

import numpy as np

from cineloop.report.render.colours import GROUND, colour_of
from cineloop.report.render.moment import clock_text
from cineloop.report.render.text import Pixels
from cineloop.timeline.timeline import Timeline

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


def lane_colours(timeline: Timeline, width: int, start: float, stop: float) -> Pixels:
    """Return one row of pixels for each shown signal, RGB uint8 [S, width, 3].

    A pixel stands for many frames. Of a signal of 0 and 1 it shows a 1 where there is any among them, so that nothing
    short is lost; of others the value in their middle. Where the timeline says nothing the ground is left.

    Args:
        timeline: Whose signals; the filtered ones where there are.
        width: Pixels.
        start: The time at the left edge, in seconds.
        stop: The time at the right edge.
    """
    edges = np.linspace(start, stop, width + 1)
    seconds = timeline.seconds
    low = np.searchsorted(seconds, edges[:-1], side="right") - 1
    high = np.maximum(np.searchsorted(seconds, edges[1:], side="left"), low + 1)
    middle = np.searchsorted(seconds, (edges[:-1] + edges[1:]) / 2, side="right") - 1
    known = (high > 0) & (edges[:-1] < timeline.end)
    lanes = np.full((len(timeline.shown), width, 3), GROUND, np.uint8)
    for lane, (name, row) in zip(lanes, timeline.shown.items(), strict=True):
        for column in np.flatnonzero(known):
            first = max(0, int(low[column]))
            inside = row[first : int(high[column])]
            value = inside.max() if row.max() <= 1 else row[max(first, int(middle[column]))]
            lane[column] = colour_of(name, int(value))
    return lanes


def ticks(start: float, stop: float, room: int) -> list[tuple[float, str]]:
    """Return the times of an axis and their texts, at most ``room`` of them and at round steps."""
    span = stop - start
    step = next((step for step in _STEPS if span / step <= room), _STEPS[-1])
    first = int(np.ceil(start / step))
    return [
        (float(time), clock_text(time, hours=stop >= 3600))
        for time in (number * step for number in range(first, int(np.floor(stop / step)) + 1))
    ]
