"""Where a person should look before a de-identified recording is passed on: the decisions that were nearly others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from cineloop.analysis.privacy.blanking import GateRows, Span
from cineloop.analysis.privacy.part import Part, shown
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.timeline.segments import run_bounds

Kind: TypeAlias = Literal["near", "island", "edge", "removed"]
FrameKey: TypeAlias = tuple[int, int]
"""Number of the part, and of the frame in it."""

# Kept rows that came nearest to the threshold, and how far apart they are; below this degree only the first few.
_NEAREST, _APART = 24, 2.0
_FEW, _FAR = 6, 0.2
# A kept stretch up to so many seconds longer than the least one is looked at as a whole.
_SHORT = 8.0
# At an edge of what was removed: these frames of what was kept, seconds from it.
_FROM_EDGE = (0.0, 0.3, 1.0)
# A stretch was nearly kept if its highest score is below this many thresholds.
_HARDLY = 1.25
_MOST = 60


@dataclass(frozen=True)
class Doubt:
    """A place to look at.

    Attributes:
        kind: ``near``: kept, with a score that is among the highest; ``island``: a short stretch that was kept
            between two removed ones; ``edge``: where removing begins or ends; ``removed``: removed though the gate was
            not sure.
        start: Where it begins, on the procedure's clock.
        stop: Where it is over.
        degree: How doubtful, in [0, 1], 1 the most.
        score: The highest probability that the gate gave there; None where it gave none.
        kept: Frames to show that were kept.
        removed: Frames that were not, to be shown only if asked for.
    """

    kind: Kind
    start: float
    stop: float
    degree: float
    score: float | None
    kept: tuple[FrameKey, ...]
    removed: tuple[FrameKey, ...] = ()


class _Frames:
    """The frames of all parts on the procedure's clock."""

    def __init__(self, parts: Sequence[Part]) -> None:
        times = [shown(part.video, part.start)[:-1] for part in parts]
        self.times = np.concatenate(times)
        self.part = np.repeat(np.arange(len(parts)), [len(each) for each in times])
        self.frame = np.concatenate([np.arange(len(each)) for each in times])
        self.blanked = np.concatenate([part.blanked for part in parts])

    def at(self, seconds: Iterable[float], *, blanked: bool = False) -> tuple[FrameKey, ...]:
        """Return the frames on screen at some times, those that are blanked or those that are not, in order."""
        places = [max(0, int(np.searchsorted(self.times, each + 1e-9, side="right")) - 1) for each in seconds]
        chosen = sorted({place for place in places if self.blanked[place] == blanked})
        return tuple((int(self.part[place]), int(self.frame[place])) for place in chosen)


def find_doubts(
    parts: Sequence[Part], spans: tuple[Span, ...], rows: GateRows, settings: PrivacySettings
) -> tuple[Doubt, ...]:
    """Return where to look, the most doubtful first, at most 60.

    Args:
        parts: With what is blanked.
        spans: What is, on the procedure's clock.
        rows: Of the gate.
        settings: ``least_inside``.
    """
    frames = _Frames(parts)
    found = [*_near(frames, rows), *_edges_and_islands(frames, rows, settings), *_hardly(frames, spans, rows)]
    return tuple(sorted(found, key=lambda doubt: (-doubt.degree, doubt.start))[:_MOST])


def _near(frames: _Frames, rows: GateRows) -> list[Doubt]:
    """Return kept rows with the highest scores, apart from each other."""
    places = np.clip(np.searchsorted(frames.times, rows.seconds + 1e-9, side="right") - 1, 0, None)
    kept = ~np.isnan(rows.probability) & ~frames.blanked[places]
    order = np.flatnonzero(kept)[np.argsort(-rows.probability[kept], kind="stable")]
    chosen: list[int] = []
    for row in order.tolist():
        far = _degree(float(rows.probability[row]), rows.threshold) < _FAR
        if len(chosen) >= (_FEW if far else _NEAREST):
            break
        if all(abs(rows.seconds[row] - rows.seconds[other]) >= _APART for other in chosen):
            chosen.append(row)
    return [
        Doubt(
            "near",
            (at := float(rows.seconds[row])),
            at,
            _degree(score := float(rows.probability[row]), rows.threshold),
            score,
            frames.at((at - 0.4, at, at + 0.4)),
        )
        for row in chosen
    ]


def _edges_and_islands(frames: _Frames, rows: GateRows, settings: PrivacySettings) -> list[Doubt]:
    found = []
    begins, ends = run_bounds(frames.blanked.astype(np.int8))
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        if frames.blanked[begin]:
            continue
        before, after = begin > 0, end < len(frames.times)
        start, stop = float(frames.times[begin]), float(frames.times[end - 1])
        inside = rows.within(start, stop + 1e-9)
        score = float(inside.max()) if len(inside) else None
        longer = stop - start - settings.least_inside
        if before and after and longer < _SHORT:
            degree = max(1 - max(0.0, longer) / _SHORT, _degree(score, rows.threshold))
            shown_at = np.linspace(start, stop, 4).tolist()
            found.append(Doubt("island", start, stop, degree, score, frames.at(shown_at)))
            continue
        for is_edge, edge, direction in ((before, start, 1.0), (after, stop, -1.0)):
            if is_edge:
                found.append(_edge(frames, rows, edge, direction))
    return found


def _edge(frames: _Frames, rows: GateRows, edge: float, direction: float) -> Doubt:
    reach = sorted((edge, edge + direction * _FROM_EDGE[-1]))
    beside = rows.within(reach[0], reach[1] + 1e-9)
    score = float(beside.max()) if len(beside) else None
    beyond = frames.at([edge - direction * away for away in (0.1, 0.5)], blanked=True)
    kept = frames.at([edge + direction * away for away in _FROM_EDGE])
    return Doubt("edge", edge, edge, _degree(score, rows.threshold), score, kept, beyond)


def _hardly(frames: _Frames, spans: tuple[Span, ...], rows: GateRows) -> list[Doubt]:
    """Return what was removed although the gate was hardly sure of it, or only because it was short."""
    found = []
    for span in spans:
        scores = rows.within(span.start, span.stop)
        if span.reason not in ("outside", "lingering", "island") or not len(scores):
            continue
        score = float(scores.max())
        if span.reason == "outside" and score >= _HARDLY * rows.threshold:
            continue
        degree = _degree(rows.threshold, score) if span.reason == "outside" else _degree(score, rows.threshold)
        around = frames.at((span.start - _APART, span.stop + _APART))
        inner = frames.at(np.linspace(span.start, span.stop, 4)[1:3].tolist(), blanked=True)
        found.append(Doubt("removed", span.start, span.stop, 0.9 * degree, score, around, inner))
    return found


def _degree(score: float | None, threshold: float) -> float:
    """Return a score as a share of the threshold; without a score there is every doubt."""
    return 1.0 if score is None or threshold <= 0 else float(np.clip(score / threshold, 0.0, 1.0))
