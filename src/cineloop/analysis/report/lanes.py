"""The timeline as lanes: what was decided, as pieces of time in a state each, for the drawing and for the script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cineloop.analysis.moments import alarms_of
from cineloop.analysis.report.words import Words
from cineloop.analysis.result import Analysis, Gap, Windows
from cineloop.analysis.spans import joined, without
from cineloop.report.coloured import Key
from cineloop.report.render.words import LANGUAGES
from cineloop.timeline.segments import run_bounds
from cineloop.timeline.timeline import Timeline

Times: TypeAlias = npt.NDArray[np.float64]

PHASE, COURSE = "phase", "course"
PHASES = ("outside", "inside", "insertion", "caecum", "withdrawal", "unknown")

QUIET = "state-quiet"
"""The colour of what is ordinary."""

SEGMENTS = {"right": "fig-1", "transverse": "fig-3", "left": "fig-6"}
"""The segments of the colon in the order in which they are passed on the way out, and their colours."""

_COLOURS = {
    ("outside", 1): "state-outside",
    ("out_of_body", 1): "state-outside",
    ("in_body", 0): "state-outside",
    ("nonsense", 1): "state-unreadable",
    ("ileocecal", 1): "state-ileocecal",
    **{("bbps", score): f"bbps-{score}" for score in range(4)},
}
_ENDS = ("start", "end")
_KNOWN = {name for name, _ in _COLOURS}


@dataclass(frozen=True, eq=False)
class Lane:
    """A row of the timeline, N pieces in order of time that do not overlap. Between them nothing is known.

    Attributes:
        name: ``phase``, a signal of the timeline, or ``classifier``.
        title: In words.
        states: What it tells apart.
        start: When each piece begins, seconds of the procedure, float64 [N].
        stop: When it is over, float64 [N].
        state: Its place among the states, int64 [N].
    """

    name: str
    title: str
    states: tuple[Key, ...]
    start: Times
    stop: Times
    state: npt.NDArray[np.int64]

    def without(self, gaps: Sequence[Gap]) -> Lane:
        """Return the lane with nothing said in these stretches."""
        start, stop, state = self.start, self.stop, self.state
        for gap in gaps:
            before, after = start < gap.start, stop > gap.end
            start, stop = (
                np.concatenate([start[before], np.maximum(start[after], gap.end)]),
                np.concatenate([np.minimum(stop[before], gap.start), stop[after]]),
            )
            state = np.concatenate([state[before], state[after]])
            order = np.argsort(start, kind="stable")
            start, stop, state = start[order], stop[order], state[order]
        return replace(self, start=start, stop=stop, state=state)

    def within(self, first: float, last: float) -> npt.NDArray[np.float64]:
        """Return the seconds of each state between two moments, float64 [states]."""
        held = np.clip(np.minimum(self.stop, last) - np.maximum(self.start, first), 0, None)
        return np.bincount(self.state, weights=held, minlength=len(self.states)).astype(np.float64)


def lanes_of(analysis: Analysis, say: Words) -> tuple[Lane, ...]:
    """Return the course, what the user gave, the signals of the timeline as they are shown, and the classifier's."""
    lanes = [_phases(analysis, say), *_signals(analysis.timeline, analysis.seconds, say)]
    lanes = [lane.without(analysis.gaps) for lane in lanes]
    lanes[1:1] = [_pauses(analysis, say), _segments(analysis, say)]
    if analysis.windows is not None and (analysis.windows.decided >= 0).any():
        lanes.append(_classifier(analysis.windows, say))
    return tuple(lane for lane in lanes if len(lane.start))


def _phases(analysis: Analysis, say: Words) -> Lane:
    pieces = [one for one in analysis.stretches if one.name == PHASE]
    used = {one.value for one in pieces}
    values = [value for value in PHASES if value in used] + sorted(used.difference(PHASES))
    colour = {value: f"phase-{value}" if value in PHASES else "phase-unknown" for value in values}
    return Lane(
        PHASE,
        say("phase"),
        tuple(Key(say.phase(value), colour[value]) for value in values),
        np.array([one.start.seconds for one in pieces], np.float64),
        np.array([one.stop for one in pieces], np.float64),
        np.array([values.index(one.value) for one in pieces], np.int64),
    )


def _pauses(analysis: Analysis, say: Words) -> Lane:
    """Return the pauses that were given, as far as the recording goes."""
    pieces = [(start, min(stop, analysis.seconds), 0) for start, stop in sorted(analysis.settings.pauses)]
    return _given("pause", (Key(say("paused"), "fig-5"),), pieces, say)


def _segments(analysis: Analysis, say: Words) -> Lane:
    """Return the segments that were given; the first and the last end where the withdrawal does, if it is known."""
    keys = tuple(Key(say(f"segment_{name}"), colour) for name, colour in SEGMENTS.items())
    bounds = analysis.settings.segments
    if bounds is None:
        return _given("segment", keys, [], say)
    begun, ended = ({one.name: one.place.seconds for one in analysis.events}.get(f"withdrawal_{end}") for end in _ENDS)
    edges = (
        bounds.transverse if begun is None else begun,
        bounds.transverse,
        bounds.left,
        analysis.seconds if ended is None and begun is not None else ended or bounds.left,
    )
    pieces = [(start, min(stop, analysis.seconds), place) for place, (start, stop) in enumerate(pairwise(edges))]
    return _given("segment", keys, pieces, say)


def _given(name: str, keys: tuple[Key, ...], pieces: Sequence[tuple[float, float, int]], say: Words) -> Lane:
    held = [piece for piece in pieces if piece[0] < piece[1]]
    start, stop, state = (np.array([piece[at] for piece in held]) for at in range(3))
    return Lane(name, say(name), keys, start.astype(np.float64), stop.astype(np.float64), state.astype(np.int64))


def _signals(timeline: Timeline, end: float, say: Words) -> Iterator[Lane]:
    """Yield a lane a signal; a row holds until the next one."""
    names = LANGUAGES[say.language]
    edges = np.minimum(np.append(timeline.seconds, timeline.end), max(end, float(timeline.seconds[-1])))
    for name, row in timeline.shown.items():
        begins, ends = run_bounds(row)
        told = row[begins] >= 0
        begins, ends = begins[told], ends[told]
        if name == COURSE or not len(begins):
            continue
        states = range(4 if name == "bbps" else max(1, int(row.max())) + 1)
        yield Lane(
            name,
            names.title(name),
            tuple(Key(names.state(name, value), _colour(name, value)) for value in states),
            edges[begins],
            edges[ends],
            row[begins].astype(np.int64),
        )


def _colour(name: str, value: int) -> str:
    if name in _KNOWN:
        return _COLOURS.get((name, value), QUIET)
    return QUIET if value == 0 else other_colour(value - 1)


def other_colour(place: int) -> str:
    """Return the colour of a state that has none of its own."""
    return f"fig-{place % 6 + 1}"


def _alarm_lane(windows: Windows, say: Words) -> Lane:
    """Return alarms as they are counted, whole clips that touch as one, and the other time that was judged."""
    names = list(windows.probabilities)
    positive = names.index(str(windows.positive))
    judged = windows.decided >= 0
    alarms = alarms_of(windows)
    quiet = without(joined(zip(windows.start[judged].tolist(), windows.stop[judged].tolist(), strict=True)), alarms)
    pieces = sorted([*((*span, positive) for span in alarms), *((*span, 1 - positive) for span in quiet)])
    start, stop, state = (np.array(column) for column in zip(*pieces, strict=True))
    keys = tuple(Key(name, "state-alarm" if name == windows.positive else QUIET) for name in names)
    return Lane("classifier", say("classifier"), keys, start, stop, state)


def _classifier(windows: Windows, say: Words) -> Lane:
    """Return the decisions; of clips that overlap each holds until the next begins that was judged as well."""
    if windows.positive is not None and (windows.decided >= 0).any():
        return _alarm_lane(windows, say)
    judged = windows.decided >= 0
    start, stop, decided = windows.start[judged], windows.stop[judged], windows.decided[judged]
    stop = np.minimum(stop, np.append(start[1:], np.inf))
    changes = (np.diff(decided) != 0) | (start[1:] > stop[:-1] + 1e-6)
    begins = np.concatenate([[0], np.flatnonzero(changes) + 1])
    ends = np.append(begins[1:], len(stop)) - 1
    keys = []
    for place, name in enumerate(windows.probabilities):
        colour = other_colour(place) if windows.positive is None else QUIET
        keys.append(Key(name, "state-alarm" if name == windows.positive else colour))
    return Lane("classifier", say("classifier"), tuple(keys), start[begins], stop[ends], decided[begins])
