"""The indicators of a unit: shares with Wilson's interval, and a mean with Student's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from cineloop.analysis.indicator import Definition, Reference
from cineloop.analysis.summary.procedure import Procedure
from cineloop.analysis.words import Said
from cineloop.evaluation.intervals import wilson

CONFIDENCE = 0.95
SIX_MINUTES = 360.0


@dataclass(frozen=True)
class Rate:
    """An indicator of a unit.

    Attributes:
        definition: What it is.
        value: None where it cannot be determined.
        reason: Why not.
        low: Lower end of the 95% interval; None where there is none.
        high: Its upper end.
        n: Procedures that it is of.
        hits: Those that count, of a share.
        missing: Procedures that it would be of, of which the value is not known.
        remarks: What a reader must know.
        references: Where guidelines give a value.
    """

    definition: Definition
    value: float | None = None
    reason: Said | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    hits: int | None = None
    missing: int = 0
    remarks: tuple[Said, ...] = ()
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True)
class RateOf:
    """An indicator of a unit and how it is found.

    Attributes:
        definition: What it is.
        needs: Fields of a procedure, any of which tells it.
        find: Computes it of procedures; the flag is whether there is a column that tells which of them are normal.
        pathology: Whether it is of what only pathology tells, and is left out where nothing does.
    """

    definition: Definition
    needs: tuple[str, ...]
    find: Callable[[Definition, Sequence[Procedure], bool], Rate]
    pathology: bool = False

    def of(self, procedures: Sequence[Procedure], told: frozenset[str]) -> Rate:
        """Return the indicator of some procedures, whose sources tell the fields ``told``."""
        if not told.intersection(self.needs):
            return Rate(self.definition, reason=Said("no_column", {"columns": ", ".join(self.needs)}))
        return self.find(self.definition, procedures, "normal" in told)


def student(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return Student's interval of a mean of at least two values."""
    count = len(values)
    reach = float(special.stdtrit(count - 1, (1 + confidence) / 2)) * float(np.std(values, ddof=1)) / count**0.5
    mean = float(np.mean(values))
    return mean - reach, mean + reach


def share_of(definition: Definition, flags: Sequence[bool | None], remarks: tuple[Said, ...] = ()) -> Rate:
    """Return a share with Wilson's interval of those that are known."""
    known = [flag for flag in flags if flag is not None]
    missing = len(flags) - len(known)
    if not known:
        return Rate(definition, reason=Said("no_value"), missing=missing, remarks=remarks)
    hits = sum(known)
    low, high = wilson(hits, len(known), CONFIDENCE)
    return Rate(definition, hits / len(known), None, low, high, len(known), hits, missing, remarks)


def _flag(name: str) -> Callable[[Definition, Sequence[Procedure], bool], Rate]:
    def find(definition: Definition, procedures: Sequence[Procedure], tells_normal: bool) -> Rate:
        return share_of(definition, [getattr(one, name) for one in procedures])

    return find


def _times(procedures: Sequence[Procedure], tells_normal: bool) -> tuple[list[float | None], tuple[Said, ...]]:
    """Return the withdrawal times of normal procedures, and what is to be said of them."""
    # Of one that is not known to be normal or not, neither is known whether it belongs here.
    chosen = [one for one in procedures if not tells_normal or one.normal is not False]
    unsure = [tells_normal and one.normal is None for one in chosen]
    times = [
        None if doubt or one.withdrawal_cut else one.withdrawal_seconds
        for one, doubt in zip(chosen, unsure, strict=True)
    ]
    cut = sum(one.withdrawal_cut and not doubt for one, doubt in zip(chosen, unsure, strict=True))
    remarks = () if tells_normal else (Said("not_only_normal"),)
    return times, (*remarks, *((Said("cut_left_out", {"count": cut}),) if cut else ()))


def _mean(definition: Definition, procedures: Sequence[Procedure], tells_normal: bool) -> Rate:
    times, remarks = _times(procedures, tells_normal)
    known = [time for time in times if time is not None]
    missing = len(times) - len(known)
    if not known:
        return Rate(definition, reason=Said("no_value"), missing=missing, remarks=remarks)
    if len(known) == 1:
        remarks = (*remarks, Said("one_value"))
        return Rate(definition, known[0], n=1, missing=missing, remarks=remarks)
    low, high = student(known)
    # No time is below 0, though few that differ much would allow it.
    return Rate(definition, float(np.mean(known)), None, max(0.0, low), high, len(known), None, missing, remarks)


def _six_minutes(definition: Definition, procedures: Sequence[Procedure], tells_normal: bool) -> Rate:
    times, remarks = _times(procedures, tells_normal)
    return share_of(definition, [None if time is None else time >= SIX_MINUTES for time in times], remarks)


def _rate(name: str, title: str, definition: str, formula: str, source: str = "", unit: str = "share") -> Definition:
    return Definition(name, title, unit, definition, formula, source, ())


RATES: tuple[RateOf, ...] = (
    RateOf(
        _rate(
            "caecal_intubation_rate",
            "Caecal intubation rate",
            "The share of procedures in which the caecum is reached.",
            "procedures with the caecum reached / procedures of which it is known",
        ),
        ("caecum_reached",),
        _flag("caecum_reached"),
    ),
    RateOf(
        _rate(
            "adequate_preparation_rate",
            "Adequate preparation rate",
            "The share of procedures with an adequate preparation: as judged, or else a BBPS of at least 6 with at "
            "least 2 in each segment.",
            "adequate / procedures of which it is known; from scores it is where those of all segments are",
            "Lai et al. 2009, doi 10.1016/j.gie.2008.05.057",
        ),
        ("adequate", "bbps_right", "bbps_transverse", "bbps_left"),
        _flag("prepared"),
    ),
    RateOf(
        _rate(
            "withdrawal_mean_seconds",
            "Mean withdrawal time",
            "The mean withdrawal time of normal procedures: nothing pathological found, nothing taken.",
            "mean over normal procedures, or over all where no column tells which they are",
            "Barclay et al. 2006, doi 10.1056/NEJMoa055498",
            "s",
        ),
        ("withdrawal_seconds",),
        _mean,
    ),
    RateOf(
        _rate(
            "withdrawal_6min_rate",
            "Withdrawals of at least 6 min",
            "The share of normal procedures whose withdrawal takes at least 6 minutes.",
            "withdrawals of 360 s or more / withdrawals that are known, of the same procedures as the mean",
        ),
        ("withdrawal_seconds",),
        _six_minutes,
    ),
    RateOf(
        _rate(
            "adenoma_detection_rate",
            "Adenoma detection rate (ADR)",
            "The share of procedures in which at least one adenoma is found; which procedures count is the user's to "
            "choose.",
            "procedures with an adenoma / procedures of which it is known",
        ),
        ("adenoma",),
        _flag("adenoma"),
        pathology=True,
    ),
    RateOf(
        _rate(
            "polyp_detection_rate",
            "Polyp detection rate (PDR)",
            "The share of procedures in which at least one polyp is found.",
            "procedures with a polyp / procedures of which it is known",
        ),
        ("polyp",),
        _flag("polyp"),
        pathology=True,
    ),
    RateOf(
        _rate(
            "ssl_detection_rate",
            "Sessile serrated lesion detection rate (SSLDR)",
            "The share of procedures in which at least one sessile serrated lesion is found.",
            "procedures with such a lesion / procedures of which it is known",
        ),
        ("ssl",),
        _flag("ssl"),
        pathology=True,
    ),
)
"""All indicators of a unit, in the order in which they are shown."""
