"""The timeline as a drawing that stands still: for paper, and where scripts do not run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from cineloop.analysis.report.figures import clock, span
from cineloop.analysis.report.lanes import QUIET, Lane
from cineloop.analysis.report.words import Words
from cineloop.analysis.result import Analysis
from cineloop.report.drawing import Drawing

WIDTH, LEFT, RIGHT = 820.0, 122.0, 8.0
ROW, BAR, LABEL = 30.0, 20.0, 18.0
_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_LEVELS = 3


def still(analysis: Analysis, lanes: Sequence[Lane], say: Words) -> Drawing:
    """Draw the lanes over a common axis, with the events above them where their labels find room."""
    duration = analysis.seconds
    scale = (WIDTH - LEFT - RIGHT) / duration
    marks = list(_marks(analysis, say, scale))
    top = LABEL * (1 + max((level for _, _, level, _ in marks), default=-1)) + 6
    bottom = top + ROW * len(lanes)
    parts = [_tag("rect", "gap", x=LEFT, y=top, width=duration * scale, height=bottom - top)]
    for number, lane in enumerate(lanes):
        y = top + ROW * number + (ROW - BAR) / 2
        parts.append(_text(lane.title, 0, y + BAR / 2, "name"))
        parts += _pieces(lane, y, scale, duration)
    for gap in analysis.gaps:
        width = max(1.0, (gap.end - gap.start) * scale)
        parts.append(_tag("rect", "hole", x=LEFT + gap.start * scale, y=top, width=width, height=bottom - top))
    parts += [_tag("line", "mark", x1=x, x2=x, y1=level * LABEL + 2, y2=bottom) for _, x, level, _ in marks]
    for text, x, level, anchor in marks:
        parts.append(_text(text, x + (4 if anchor == "start" else -4), level * LABEL + LABEL / 2, "label", anchor))
    parts += _axis(duration, scale, bottom)
    said = "; ".join(_told(lane, say) for lane in lanes)
    alt = say("still", duration=span(duration), phases=said)
    return Drawing(
        f'<svg class="still" viewBox="0 0 {WIDTH:g} {bottom + 26:g}" width="{WIDTH:g}" height="{bottom + 26:g}">'
        + "".join(parts)
        + "</svg>",
        alt,
    )


def _pieces(lane: Lane, y: float, scale: float, duration: float) -> Iterator[str]:
    """Yield a path a state: what is ordinary first, so that what is short and notable stays in sight."""
    width = duration * scale
    yield _tag("rect", "track", x=LEFT, y=y, width=width, height=BAR)
    order = sorted(range(len(lane.states)), key=lambda place: lane.states[place].colour != QUIET)
    for place in order:
        chosen = lane.state == place
        starts, stops = lane.start[chosen] * scale, lane.stop[chosen] * scale
        bars = [
            f"M{LEFT + start:.2f} {y:g}h{max(0.8, stop - start):.2f}v{BAR:g}h{-max(0.8, stop - start):.2f}z"
            for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
        ]
        if bars:
            yield f'<path style="fill:var(--{lane.states[place].colour})" d="{"".join(bars)}"/>'


def _marks(analysis: Analysis, say: Words, scale: float) -> Iterator[tuple[str, float, int, str]]:
    """Yield label, x, level and anchor of the events that are no alarms and whose label finds room."""
    ends = [[LEFT] for _ in range(_LEVELS)]
    for event in analysis.events:
        if event.name == "alarm":
            continue
        text = say.event(event.name)
        x = LEFT + event.place.seconds * scale
        width = sum(13.0 if ord(letter) > 0x2E7F else 7.2 for letter in text) + 12
        anchor = "start" if x + width < WIDTH else "end"
        begin = x if anchor == "start" else x - width
        level = next((level for level in range(_LEVELS) if ends[level][-1] <= begin), None)
        if level is not None:
            ends[level].append(begin + width)
            yield text, x, level, anchor


def _axis(duration: float, scale: float, y: float) -> Iterator[str]:
    step = next((step for step in _STEPS if duration / step <= 8), duration)
    at = 0.0
    while at <= duration:
        x = LEFT + at * scale
        yield _tag("line", "tick", x1=x, x2=x, y1=y, y2=y + 5)
        yield _text(clock(at), min(x, WIDTH - 30), y + 15, "time", "start" if at == 0 else "middle")
        at += step


def _told(lane: Lane, say: Words) -> str:
    held = lane.within(0, float("inf"))
    states = [f"{key.label} {span(time)}" for key, time in zip(lane.states, held.tolist(), strict=True) if time > 0]
    return f"{lane.title}: {', '.join(states)}"


def _tag(tag: str, kind: str, **places: float) -> str:
    return (
        f'<{tag} class="{kind}" {" ".join(f"{name}={chr(34)}{value:.2f}{chr(34)}" for name, value in places.items())}/>'
    )


def _text(text: str, x: float, y: float, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}">{escape(text)}</text>'
