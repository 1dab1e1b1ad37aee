"""What blanking let slip on labelled procedures, and what it took away."""

from __future__ import annotations

import numpy as np
import pytest

from cineloop.analysis.privacy.blanking import Span
from cineloop.analysis.privacy.privacy_audit import LabelledProcedure, privacy_audit
from cineloop.errors import PrivacyError
from cineloop.evaluation.bootstrap import Resampling
from cineloop.evaluation.missed import exact_upper

FEW = Resampling(replicates=400)


def procedure(name, outside, spans, *, seconds=100, patient=None):
    times = np.arange(seconds, dtype=np.float64)
    flags = np.zeros(seconds, dtype=bool)
    for start, stop in outside:
        flags[start:stop] = True
    return LabelledProcedure(
        name, times, float(seconds), flags, tuple(Span(a, b, "outside") for a, b in spans), patient
    )


def test_frames_seconds_and_stretches_that_slip_through_are_counted():
    result = privacy_audit([procedure("a", [(0, 10), (90, 100)], [(0, 7), (93, 95), (96, 100)])], FEW)
    (found,) = result.procedures
    assert (found.outside_rows, found.missed_rows) == (20, 3 + 3 + 1)
    assert found.missed_seconds == 7
    assert found.longest_seconds == 3
    assert (result.frames.missed, result.frames.of) == (7, 20)
    assert (result.cases.missed, result.cases.of) == (1, 1)
    assert result.per_hour == pytest.approx(7 / 100 * 3600)


def test_what_was_lost_inside_is_a_share_of_the_time_inside():
    result = privacy_audit(
        [procedure("a", [(0, 10)], [(0, 28)]), procedure("b", [(0, 10)], [(0, 10)], seconds=190)], FEW
    )
    assert [each.lost_share for each in result.procedures] == [pytest.approx(0.2), 0]
    assert result.lost_share == pytest.approx(18 / 270)
    assert result.lost_low <= result.lost_share <= result.lost_high


def test_without_a_miss_the_bound_is_the_rule_of_three():
    clean = [procedure(f"p{n}", [(0, 10)], [(0, 12)]) for n in range(30)]
    result = privacy_audit(clean, FEW)
    assert result.cases.missed == 0
    assert result.cases.upper == pytest.approx(3 / 30, rel=0.06)
    assert result.frames.upper == pytest.approx(result.cases.upper)
    assert result.per_hour_upper is None


def test_misses_are_bounded_over_procedures_not_over_frames():
    cases = [procedure(f"p{n}", [(0, 40)], [(0, 40 if n % 5 else 20)]) for n in range(20)]
    result = privacy_audit(cases, Resampling(replicates=2000))
    assert (result.frames.missed, result.frames.of) == (4 * 20, 20 * 40)
    # Over frames the bound would be near 0.12; whole procedures are missed together.
    assert result.frames.upper > 0.15
    assert exact_upper(80, 800, 0.95) < 0.12
    assert result.cases.upper == pytest.approx(exact_upper(4, 20, 0.95))
    assert result.per_hour < result.per_hour_upper < 2.5 * result.per_hour


def test_procedures_of_one_patient_are_drawn_together():
    cases = [procedure(f"p{n}", [(0, 10)], [(0, 12)], patient=f"q{n // 3}") for n in range(30)]
    assert privacy_audit(cases, FEW).frames.upper == pytest.approx(exact_upper(0, 10, 0.95))


def test_a_cohort_without_a_frame_out_of_the_body_proves_nothing():
    with pytest.raises(PrivacyError, match="nothing can be missed"):
        privacy_audit([procedure("a", [], [(0, 100)])])


def test_the_audit_is_told_in_json_and_in_a_table():
    result = privacy_audit([procedure("a", [(0, 5)], [(0, 5)]), procedure("b", [(0, 5)], [])], FEW)
    plain = result.to_json()
    assert plain["frames"]["missed"] == 5
    assert plain["procedures"][1]["longest_seconds"] == 5
    table = result.table()
    assert [next(iter(row)) for row in table.rows] == ["b", "a"]
