"""From what the gate says of single frames to the stretches that are blanked.

Everything errs to one side: what is not known to be inside the body is taken to be outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.timeline.segments import run_bounds

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Reason: TypeAlias = Literal["outside", "unknown", "lingering", "padding", "island"]

REASONS: tuple[Reason, ...] = ("outside", "unknown", "lingering", "padding", "island")
"""Why something is blanked: the gate says so; nothing is known; a stretch out of the body that is not over yet (below
the threshold, above its release); beside one of these; a short stretch between two. The first that applies is named."""


@dataclass(frozen=True, eq=False)
class GateRows:
    """What the gate says, a row a frame that was looked at; K rows.

    Attributes:
        seconds: When each frame is shown, on the procedure's clock, float64 [K], increasing.
        probability: That it is out of the body, float64 [K] in [0, 1]; NaN where the frame could not be decoded.
        threshold: From which probability on it is.
    """

    seconds: Floats
    probability: Floats
    threshold: float

    def __post_init__(self) -> None:
        assert self.seconds.shape == self.probability.shape == (len(self.seconds),), "one probability a row"
        assert not (np.diff(self.seconds) <= 0).any(), "rows in order of time"

    def within(self, start: float, stop: float) -> Floats:
        """Return the known probabilities of the rows of a stretch, float64 [k]."""
        rows = self.probability[np.searchsorted(self.seconds, start) : np.searchsorted(self.seconds, stop)]
        return rows[~np.isnan(rows)]


@dataclass(frozen=True)
class Span:
    """A stretch that is blanked for one reason.

    Attributes:
        start: When it begins, on the procedure's clock.
        stop: When it is over.
        reason: One of :data:`REASONS`.
    """

    start: float
    stop: float
    reason: Reason

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.stop - self.start


def blank_spans(rows: GateRows, duration: float, settings: PrivacySettings) -> tuple[Span, ...]:
    """Return what is blanked of a procedure, in order and without overlap.

    A row at the threshold or above, or without a probability, is out of the body; so are its neighbours above
    ``release`` of the threshold, as far as they reach without a break. Between two rows all is blanked unless both are
    inside and at most ``gap`` apart; likewise before the first row and after the last one. Then the padding is added,
    and what is left for less than ``least_inside`` between two blanked stretches is blanked too.

    Args:
        rows: Of the gate; none at all leaves everything unknown.
        duration: Seconds of the procedure.
        settings: ``release``, ``padding``, ``gap`` and ``least_inside``.
    """
    edges, reasons = _between(rows, duration, settings)
    blanked = np.flatnonzero(reasons >= 0)
    pieces = [(float(edges[at]), float(edges[at + 1]), int(reasons[at])) for at in blanked]
    pieces = [piece for piece in pieces if piece[1] > piece[0]]
    known = _merged([(start, stop) for start, stop, _ in pieces])
    padded = _merged([(max(0.0, a - settings.padding), min(duration, b + settings.padding)) for a, b in known])
    islands = [(a[1], b[0]) for a, b in pairwise(padded) if b[0] - a[1] < settings.least_inside]
    pieces += [(*hole, REASONS.index("padding")) for hole in _without(padded, known)]
    pieces += [(*hole, REASONS.index("island")) for hole in islands]
    return _joined(sorted(pieces))


def blanked_frames(spans: tuple[Span, ...], shown: Floats) -> Flags:
    """Say which frames are blanked: those that are on screen at any moment of a span, bool [N].

    Args:
        spans: In order.
        shown: When each frame appears and, last, when the last one disappears, float64 [N + 1].
    """
    blanked = np.zeros(len(shown) - 1, dtype=np.bool_)
    for span in spans:
        first = int(np.searchsorted(shown, span.start, side="right")) - 1
        blanked[max(0, first) : int(np.searchsorted(shown[:-1], span.stop, side="left"))] = True
    return blanked


def as_removed(spans: tuple[Span, ...], shown: Floats) -> tuple[Span, ...]:
    """Return the stretches for which the frames that spans remove are on screen, in order.

    Args:
        spans: In order.
        shown: As of :func:`blanked_frames`.
    """
    removed = blanked_frames(spans, shown)
    begins, ends = run_bounds(removed.astype(np.int8))
    return tuple(
        Span(float(shown[begin]), float(shown[end]), "outside")
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        if removed[begin]
    )


def _between(rows: GateRows, duration: float, settings: PrivacySettings) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the times at which rows divide a procedure [K + 2], and why each stretch between is blanked, -1 where not.

    Reasons are places in :data:`REASONS`, so that the smaller of two is the one to name.
    """
    count = len(rows.seconds)
    none = len(REASONS)
    state = np.full(count, none)
    known = ~np.isnan(rows.probability)
    with np.errstate(invalid="ignore"):
        state[rows.probability >= settings.release * rows.threshold] = REASONS.index("lingering")
        state[rows.probability >= rows.threshold] = REASONS.index("outside")
    state[~known] = REASONS.index("unknown")
    edges = np.concatenate([[0.0], np.clip(rows.seconds, 0.0, duration), [duration]])
    broken = np.diff(np.concatenate([[0.0], rows.seconds, [duration]])) > settings.gap
    if not count:
        broken[:] = True
    _settle(state, broken)
    # A stretch is as its worse end; the first and the last have one end only.
    padded = np.concatenate([[none], state, [none]])
    reasons = np.minimum(padded[:-1], padded[1:])
    reasons[broken] = np.minimum(reasons[broken], REASONS.index("unknown"))
    return edges, np.where(reasons == none, -1, reasons)


def _settle(state: npt.NDArray[np.int64], broken: Flags) -> None:
    """Let go of lingering rows that nothing out of the body holds: no row of their run, no break, no end."""
    none, lingering = len(REASONS), REASONS.index("lingering")
    begins, ends = run_bounds((state == lingering).astype(np.int8))
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        if state[begin] != lingering:
            continue
        held = begin == 0 or end == len(state) or bool((state[[begin - 1, end]] != none).any())
        # broken[i] lies before row i.
        if not held and not broken[begin : end + 1].any():
            state[begin:end] = none


def _merged(stretches: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Join stretches, in order of their starts, that touch or overlap."""
    merged: list[tuple[float, float]] = []
    for start, stop in stretches:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def _without(whole: list[tuple[float, float]], parts: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return what is left of stretches when those within them are taken away."""
    left = []
    for start, stop in whole:
        at = start
        for begin, end in parts:
            if begin < stop and end > start:
                if begin > at:
                    left.append((at, begin))
                at = end
        if at < stop:
            left.append((at, stop))
    return left


def _joined(pieces: list[tuple[float, float, int]]) -> tuple[Span, ...]:
    """Return pieces as spans, neighbours of one reason as one."""
    spans: list[Span] = []
    for start, stop, reason in pieces:
        if spans and spans[-1].stop == start and spans[-1].reason == REASONS[reason]:
            spans[-1] = Span(spans[-1].start, stop, REASONS[reason])
        else:
            spans.append(Span(start, stop, REASONS[reason]))
    return tuple(spans)
