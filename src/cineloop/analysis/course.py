"""What was decided about a procedure at every instant that was looked at: what indicators are computed from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from cineloop.analysis.settings import Settings
from cineloop.timeline.causal import causal_filter, causal_median
from cineloop.timeline.decision import SIGNALS, UNDEFINED, States, Thresholds, signals_at
from cineloop.timeline.edges import at_changes
from cineloop.timeline.legalise import legalise
from cineloop.timeline.median import median_filter_rows
from cineloop.timeline.quality import LABELS
from cineloop.timeline.switching import least_switching
from cineloop.timeline.timeline import Timeline

Times: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

Rows = TypeVar("Rows", States, Times)

_INSTANT = 1e-6
"""Seconds by which the same frame's time may differ between two models."""

_SURE = 2.0
"""Log odds, beyond those of the threshold, from which on a score says all it can: sevenfold odds."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Course:
    """A procedure, a row an instant. K instants; each row holds from its time to its stop.

    A signal is None where no model tells it. In a row a signal is -1 where it does not apply, or where the frame could
    not be decoded. ``nonsense`` is -1 outside; ``ileocecal`` and ``bbps`` are -1 outside and where nothing can be
    recognised.

    Attributes:
        start: When each row begins to hold, seconds of the procedure, float64 [K], increasing from 0.
        stop: When it ceases to, float64 [K]: the start of the next row, or the end of the recording.
        seen: Whether the frame could be decoded, bool [K].
        outside: Out of the body, int8 [K]: 1, 0 or -1.
        nonsense: Nothing can be recognised, int8 [K]: 1, 0 or -1.
        ileocecal: The ileocecal region is in view, int8 [K]: 1, 0 or -1.
        bbps: The score of cleanliness of the frame, int8 [K]: 0 to 3 or -1.
        glimpsed: How much a frame by itself, before filters, speaks for the ileocecal region, float64 [K]: from -1,
            against it, to 1; 0 where it does not apply. None as well where nothing may look ahead.
    """

    start: Times
    stop: Times
    seen: Flags
    outside: States | None = None
    nonsense: States | None = None
    ileocecal: States | None = None
    bbps: States | None = None
    glimpsed: Times | None = None

    def __post_init__(self) -> None:
        assert len(self.start) == len(self.stop) == len(self.seen) > 0, "one stop and one flag a row"
        for name in ("outside", "nonsense", "ileocecal", "bbps", "glimpsed"):
            row = getattr(self, name)
            assert row is None or len(row) == len(self.start), f"one value of {name} a row"

    def __len__(self) -> int:
        return len(self.start)

    @property
    def duration(self) -> float:
        """Seconds of the whole recording."""
        return float(self.stop[-1])

    @property
    def held(self) -> Times:
        """Seconds that each row holds, float64 [K]."""
        return self.stop - self.start


@dataclass(frozen=True)
class Gate:
    """How the scores of an in-body gate are read.

    Attributes:
        positive: The class whose score decides.
        threshold: From which score on it does.
        outside: Whether that class means out of the body; otherwise it means in it.
    """

    positive: str
    threshold: float = 0.5
    outside: bool = True


@dataclass(frozen=True)
class Cuts:
    """From which scores on is decided.

    Attributes:
        gate: Of the in-body gate; None without one.
        quality: Of the labels of frame quality.
    """

    gate: Gate | None = None
    quality: Thresholds = field(default_factory=Thresholds)


def course_of(
    inbody: Timeline | None,
    quality: Timeline | None,
    duration: float,
    settings: Settings,
    *,
    cuts: Cuts | None = None,
    still: Times | None = None,
    shift: float = 0.0,
    factor: float = 1.0,
) -> Course:
    """Decide a procedure's course from the scores of its models.

    Each model's signals are made at the thresholds and go through its filters, published or causal, at the rate of its
    own rows. Where the gate ran it decides what is outside, and a frame that it sees inside and the model of quality
    outside is one in which nothing can be recognised. The rows of the model that looked less often are held.

    Args:
        inbody: The gate's scores by class.
        quality: The scores of the seven labels of a colonoscopy frame.
        duration: Seconds of the recording, beyond the last row.
        settings: Kernels, and whether filters look ahead.
        cuts: Thresholds; 0.5 without them. With ``inbody``, ``cuts.gate`` is needed.
        still: How much the frame of each of the gate's rows looks like that of the row before, in [0, 1]; without it
            ways in and out follow from the scores alone.
        shift: Added to each threshold, which goes at most half the way to 0 or 1.
        factor: By which filters are widened.

    Returns:
        The course; with one row and no signal where no model ran.

    Raises:
        ValueError: The rows do not lie between 0 and ``duration``.
    """
    cuts = cuts or Cuts()
    if inbody is None and quality is None:
        return Course(start=np.zeros(1), stop=np.array([duration]), seen=np.ones(1, np.bool_))
    start = np.unique(np.concatenate([stage.seconds for stage in (inbody, quality) if stage is not None]))
    start = start[np.diff(start, prepend=-np.inf) > _INSTANT]
    if start[0] < 0 or start[-1] >= duration:
        raise ValueError(f"rows from {start[0]} to {start[-1]} s of a recording of {duration} s")
    states = np.full((len(SIGNALS), len(start)), UNDEFINED, np.int8)
    glimpsed = None
    seen = np.ones(len(start), np.bool_)
    if quality is not None:
        shifted = _all_shifted(cuts.quality, shift)
        raw = signals_at(np.column_stack([quality.scores[name] for name in LABELS]), shifted)
        states = _held(_quality(raw, quality, settings, factor), quality, start, UNDEFINED)
        if not settings.causal:
            glimpsed = _held(_glimpsed(raw, quality, shifted)[None], quality, start, 0)[0]
        seen &= states[0] != UNDEFINED
    if inbody is not None:
        assert cuts.gate is not None, "a gate has a class that decides"
        gate = _held(_gate(inbody, settings, cuts.gate, still, shift, factor)[None], inbody, start, UNDEFINED)[0]
        seen &= gate != UNDEFINED
        states[1:, (gate == 0) & (states[0] == 1)] = [[1], [UNDEFINED], [UNDEFINED]]
        states[1:, gate == 1] = UNDEFINED
        states[0] = gate
    states[:, ~seen] = UNDEFINED
    start[0] = 0.0
    if glimpsed is not None:
        glimpsed[states[0] != 0] = 0
    nonsense, ileocecal, bbps = (None, None, None) if quality is None else states[1:]
    return Course(
        start=start,
        stop=np.append(start[1:], duration),
        seen=seen,
        outside=states[0],
        nonsense=nonsense,
        ileocecal=ileocecal,
        bbps=bbps,
        glimpsed=glimpsed,
    )


def _held(rows: Rows, stage: Timeline, start: Times, unknown: int) -> Rows:
    """Return a stage's rows [S, F] at times [K]; before its first one they are ``unknown``."""
    place = np.searchsorted(stage.seconds, start + _INSTANT, side="right") - 1
    held: Rows = np.where(place < 0, rows.dtype.type(unknown), rows[:, place])
    return held


def _all_shifted(cuts: Thresholds, shift: float) -> Thresholds:
    return Thresholds(**{name: _shifted(value, shift) for name, value in vars(cuts).items()})


def _shifted(threshold: float, shift: float) -> float:
    return float(np.clip(threshold + shift, threshold / 2, (1 + threshold) / 2))


def row_rate(seconds: Times, settings: Settings) -> float:
    """Return how many rows a second a model of frames has: as many as were asked for, or as the recording has.

    It is the median, which pieces of a lower frame rate do not change, or, where nothing may look ahead, what the first
    two rows tell.

    Args:
        seconds: Of the rows, float64 [F].
        settings: ``rate`` and ``causal``.
    """
    known = seconds[:2] if settings.causal else seconds
    return min(settings.rate, 1 / float(np.median(np.diff(known)))) if len(known) > 1 else settings.rate


def _kernels(settings: Settings, rate: float, factor: float) -> Sequence[int]:
    """Return the kernels in rows, each rounded up, as published."""
    # Widths in seconds are decimal numbers, whose products with a rate may lie a rounding error above a whole one.
    return [max(1, math.ceil(round(seconds * factor * rate, 6))) for seconds in settings.kernels]


def _gate(stage: Timeline, settings: Settings, gate: Gate, still: Times | None, shift: float, factor: float) -> States:
    """Return what the gate says of each of its rows, filtered, int8 [F].

    Looking back, ways in and out stay where they are seen, which a median filter moves; as in one, a stay counts from
    half a kernel on, and at an end of the recording from a quarter on. In doubt the scope is outside. Where the gate is
    of two minds about when it went in or out, the pictures tell.
    """
    score = stage.scores[gate.positive]
    threshold = _shifted(gate.threshold, shift)
    raw = np.where(np.isnan(score), UNDEFINED, (score >= threshold) == gate.outside).astype(np.int8)
    kernel = _kernels(settings, row_rate(stage.seconds, settings), factor)[0]
    if settings.causal:
        filtered = causal_median(raw, kernel)
    else:
        filtered = least_switching(raw, kernel)
        if still is not None:
            filtered = at_changes(filtered, raw, still, kernel)
    return np.where(raw == UNDEFINED, np.int8(UNDEFINED), filtered)


def _quality(raw: States, stage: Timeline, settings: Settings, factor: float) -> States:
    """Return the four signals of each row of a stage after post-processing, int8 [4, F]."""
    kernels = _kernels(settings, row_rate(stage.seconds, settings), factor)
    if settings.causal:
        return causal_filter(raw, kernels)
    return legalise(median_filter_rows(raw, kernels), raw).T


def _glimpsed(raw: States, stage: Timeline, cuts: Thresholds) -> Times:
    """Return how much each row speaks for the ileocecal region, float64 [F] in [-1, 1]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = _log_odds(stage.scores["ileocecal"].astype(np.float64)) - _log_odds(np.float64(cuts.ileocecal))
    recognised = raw[SIGNALS.index("nonsense")] == 0
    return np.where(recognised, np.clip(np.nan_to_num(odds, posinf=_SURE, neginf=-_SURE) / _SURE, -1, 1), 0.0)


def _log_odds(probability: Any) -> Any:
    return np.log(probability) - np.log1p(-probability)
