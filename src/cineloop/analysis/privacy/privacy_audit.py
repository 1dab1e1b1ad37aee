"""What blanking let slip on procedures whose truth is known, and what it took away that could have stayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from cineloop.analysis.privacy.blanking import Span
from cineloop.errors import PrivacyError
from cineloop.evaluation.bootstrap import DEFAULT, Resampling, percentile_interval, replicate
from cineloop.evaluation.missed import Share, exact_upper, share_of
from cineloop.evaluation.predictions import FloatArray
from cineloop.report.html import Column, Table, number, row
from cineloop.timeline.segments import run_bounds

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_HOUR = 3600.0
_CHUNK = 256


@dataclass(frozen=True, eq=False)
class LabelledProcedure:
    """A procedure whose frames a person has labelled; K rows.

    Attributes:
        name: Of the procedure.
        seconds: When each labelled frame appears, on the procedure's clock, float64 [K], increasing. A label holds
            until the next one.
        stop: When the last one ceases to hold.
        outside: Whether the frame is out of the body, bool [K].
        spans: What was blanked.
        patient: Who it is of, where that is known: what is drawn in the bootstrap. None takes the procedure.
    """

    name: str
    seconds: Floats
    stop: float
    outside: Flags
    spans: tuple[Span, ...]
    patient: str | None = None


@dataclass(frozen=True)
class ProcedureMisses:
    """What slipped through in one procedure.

    Attributes:
        name: Of the procedure.
        outside_rows: Labelled frames out of the body.
        missed_rows: Those of them that were not blanked.
        missed_seconds: How long they hold.
        longest_seconds: The longest stretch of them.
        seconds: Of the procedure, as far as it is labelled.
        lost_share: Share of the time inside the body that was blanked; None where there is none.
    """

    name: str
    outside_rows: int
    missed_rows: int
    missed_seconds: float
    longest_seconds: float
    seconds: float
    lost_share: float | None


@dataclass(frozen=True)
class PrivacyAudit:
    """What slipped through in a cohort, and what was lost.

    Attributes:
        procedures: In order.
        confidence: Of the one-sided upper bounds.
        frames: Of the frames out of the body, those that were kept.
        cases: Of the procedures with any such frame, those with any that was kept.
        missed_seconds: How long the kept ones hold, over all procedures.
        per_hour: Seconds missed for each hour of recording.
        per_hour_upper: Its one-sided upper bound; None where fewer than two procedures have a miss, so that resampling
            tells nothing: there the bound of ``cases`` is the one to quote.
        lost_share: Share of the time inside the body that was blanked.
        lost_low: The lower end of its two-sided interval over procedures; None where there is none.
        lost_high: The upper end.
    """

    procedures: tuple[ProcedureMisses, ...]
    confidence: float
    frames: Share
    cases: Share
    missed_seconds: float
    per_hour: float
    per_hour_upper: float | None
    lost_share: float | None
    lost_low: float | None
    lost_high: float | None

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "confidence": self.confidence,
            "frames": self.frames.to_json(),
            "procedures_with_a_miss": self.cases.to_json(),
            "missed_seconds": self.missed_seconds,
            "missed_seconds_per_hour": self.per_hour,
            "missed_seconds_per_hour_upper": self.per_hour_upper,
            "lost_inside_share": self.lost_share,
            "lost_inside_low": self.lost_low,
            "lost_inside_high": self.lost_high,
            "procedures": [vars(each).copy() for each in self.procedures],
        }

    def table(self) -> Table:
        """Return a row a procedure, the worst first."""
        worst = sorted(self.procedures, key=lambda each: (-each.missed_seconds, -(each.lost_share or 0.0), each.name))
        columns = (
            Column("procedure"),
            Column("frames out of the body", numeric=True),
            Column("of them kept", numeric=True),
            Column("seconds kept", numeric=True),
            Column("longest stretch, s", numeric=True),
            Column("lost inside", numeric=True, hint="Share of the time inside the body that was blanked"),
        )
        rows = tuple(
            row(
                each.name,
                str(each.outside_rows),
                str(each.missed_rows),
                number(each.missed_seconds, 1),
                number(each.longest_seconds, 1),
                "–" if each.lost_share is None else f"{each.lost_share:.1%}",
            )
            for each in worst
        )
        return Table("What slipped through, and what was lost, by procedure.", columns, rows)


def privacy_audit(
    procedures: Sequence[LabelledProcedure], resampling: Resampling = DEFAULT, *, confidence: float = 0.95
) -> PrivacyAudit:
    """Return what blanking let slip in labelled procedures.

    A labelled frame is missed if it is out of the body and no span holds the moment at which it appears. Bounds are
    one-sided and over patients (or procedures): the bootstrap where at least two have a miss, and else the exact bound
    of as many draws as there are patients, nearly 3 / n where none has one (the rule of three; Hanley and Lippman-Hand
    1983).

    Args:
        procedures: With their truth and what was blanked.
        resampling: How patients are drawn.
        confidence: Of the bounds.

    Raises:
        PrivacyError: No labelled frame is out of the body.
    """
    if not any(each.outside.any() for each in procedures):
        raise PrivacyError(
            "No labelled frame is out of the body, so nothing can be missed",
            mend="Give procedures with such frames.",
        )
    misses, kept = [], []
    for each in procedures:
        found, slipped = _misses(each)
        misses.append(found)
        kept.append(slipped)
    who, index = np.unique([each.patient or each.name for each in procedures], return_inverse=True)
    clusters = np.repeat(index, [len(each.outside) for each in procedures])
    truth = np.concatenate([each.outside for each in procedures])
    exposed = [each for each in misses if each.outside_rows]
    hit = sum(each.missed_rows > 0 for each in exposed)
    frames = share_of(clusters, np.concatenate(kept), truth, resampling, confidence)
    missed = _sums(index, len(who), [each.missed_seconds for each in misses])
    total = _sums(index, len(who), [each.seconds for each in misses])
    inside = _sums(index, len(who), [_inside_seconds(each) for each in procedures])
    lost = _sums(
        index,
        len(who),
        [(m.lost_share or 0.0) * _inside_seconds(each) for m, each in zip(misses, procedures, strict=True)],
    )
    upper = None
    if (missed > 0).sum() >= 2:
        drawn = _ratios(missed, total, resampling)
        upper = float(np.quantile(drawn, confidence)) * _HOUR
    low, high = (None, None)
    if len(who) >= 2 and inside.sum() > 0:
        low, high = percentile_interval(_ratios(lost, inside, resampling), confidence)
    return PrivacyAudit(
        procedures=tuple(misses),
        confidence=confidence,
        frames=frames,
        cases=Share(hit, len(exposed), exact_upper(hit, len(exposed), confidence), "exact (Clopper and Pearson)"),
        missed_seconds=float(missed.sum()),
        per_hour=float(missed.sum() / total.sum()) * _HOUR,
        per_hour_upper=upper,
        lost_share=float(lost.sum() / inside.sum()) if inside.sum() > 0 else None,
        lost_low=low,
        lost_high=high,
    )


def _misses(procedure: LabelledProcedure) -> tuple[ProcedureMisses, Flags]:
    """Return what slipped through in a procedure, and its rows that did, bool [K]."""
    edges = np.append(procedure.seconds, procedure.stop)
    held = np.diff(edges)
    blanked = _blanked_at(procedure.spans, procedure.seconds)
    slipped = procedure.outside & ~blanked
    begins, ends = run_bounds(slipped.astype(np.int8))
    runs = [
        float(edges[end] - edges[begin])
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        if slipped[begin]
    ]
    inside = float(held[~procedure.outside].sum())
    lost = float(held[~procedure.outside & blanked].sum())
    return (
        ProcedureMisses(
            name=procedure.name,
            outside_rows=int(procedure.outside.sum()),
            missed_rows=int(slipped.sum()),
            missed_seconds=float(held[slipped].sum()),
            longest_seconds=max(runs, default=0.0),
            seconds=float(held.sum()),
            lost_share=lost / inside if inside > 0 else None,
        ),
        slipped,
    )


def _blanked_at(spans: tuple[Span, ...], seconds: Floats) -> Flags:
    """Say which moments lie in a span, bool [K]."""
    starts, stops = (np.array([getattr(span, name) for span in spans]) for name in ("start", "stop"))
    if not len(spans):
        return np.zeros(len(seconds), dtype=np.bool_)
    place = np.searchsorted(starts, seconds, side="right") - 1
    return (place >= 0) & (seconds < stops[np.clip(place, 0, None)])


def _inside_seconds(procedure: LabelledProcedure) -> float:
    return float(np.diff(np.append(procedure.seconds, procedure.stop))[~procedure.outside].sum())


def _sums(index: npt.NDArray[np.int64], clusters: int, values: Sequence[float]) -> FloatArray:
    return np.bincount(index, weights=values, minlength=clusters).astype(np.float64)


def _ratios(above: FloatArray, below: FloatArray, resampling: Resampling) -> FloatArray:
    """Return the ratio of two sums in every replicate, float64 [R]; without those in which it is undefined."""

    def ratio(counts: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore"):
            found: FloatArray = ((counts @ above) / (counts @ below))[:, np.newaxis]
        return found

    drawn = replicate(ratio, len(above), resampling, chunk=_CHUNK)[:, 0]
    return drawn[~np.isnan(drawn)]
