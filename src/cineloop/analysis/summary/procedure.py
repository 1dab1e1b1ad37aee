"""One procedure as a unit counts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

LEAST_TOTAL, LEAST_SEGMENT = 6.0, 2.0
"""From which scores of the Boston Bowel Preparation Scale on a preparation is adequate: in total, in each segment."""

_PREPARATION = frozenset({"adequate", "bbps_right", "bbps_transverse", "bbps_left"})


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """What is known of a procedure; None is not known, and never no.

    Attributes:
        name: Its name; empty where the table has none.
        caecum_reached: Whether the caecum was reached.
        withdrawal_seconds: Withdrawal time.
        withdrawal_cut: Whether the recording ends before the withdrawal does, so that its time is longer.
        normal: Whether nothing pathological was found, and nothing taken.
        adequate: Whether the preparation was adequate, as somebody judged it.
        bbps_right: Score of the Boston Bowel Preparation Scale, 0 to 3.
        bbps_transverse: Likewise.
        bbps_left: Likewise.
        adenoma: Whether an adenoma was found.
        polyp: Whether a polyp was found.
        ssl: Whether a sessile serrated lesion was found.
        others: The other columns, by their titles.
    """

    name: str = ""
    caecum_reached: bool | None = None
    withdrawal_seconds: float | None = None
    withdrawal_cut: bool = False
    normal: bool | None = None
    adequate: bool | None = None
    bbps_right: float | None = None
    bbps_transverse: float | None = None
    bbps_left: float | None = None
    adenoma: bool | None = None
    polyp: bool | None = None
    ssl: bool | None = None
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def prepared(self) -> bool | None:
        """Whether the preparation was adequate: as judged, or else from the scores of all three segments.

        A single low score would tell as well, but counting those who have one and not those who do not is no rate.
        """
        segments = [score for score in (self.bbps_right, self.bbps_transverse, self.bbps_left) if score is not None]
        if self.adequate is not None or len(segments) < 3:
            return self.adequate
        return sum(segments) >= LEAST_TOTAL and min(segments) >= LEAST_SEGMENT

    def completed(self, other: Procedure) -> Procedure:
        """Return this procedure with what only the other one knows; scores of both are not put together."""
        open_to = {one.name for one in fields(self) if getattr(self, one.name) is None}
        if not open_to >= _PREPARATION:
            open_to -= _PREPARATION
        if "withdrawal_seconds" in open_to:
            open_to.add("withdrawal_cut")
        known = {name: getattr(other, name) for name in open_to}
        return replace(self, **known, others={**other.others, **self.others})
