"""A plan shows what training would decode, and opens no file for it."""

from __future__ import annotations

import pytest

from cineloop.cohort import Cohort
from cineloop.errors import CohortError
from cineloop.report.sampling import Method, from_records, plan, to_records
from cineloop.video.records import read_records, write_records
from cineloop.video.sampling import FrameSampler, RoundsConfig, SamplingConfig
from sampled import MODES, made_cohort, method


def test_a_plan_opens_no_file_unless_asked():
    cohort = made_cohort()
    planned = plan(cohort, [method(mode) for mode in MODES], clock="steady")
    assert planned.clock == "steady"
    assert len(planned.samples) == 160
    assert plan(cohort, [method("uniform")], clock="true").clock is None


def test_a_plan_is_what_the_sampler_says():
    planned = plan(made_cohort(), [method("random_window", RoundsConfig(step=2, cap=4), seed=7)], splits=["train"])
    for number in range(len(planned.samples)):
        row = planned.samples.row(number)
        sampler = FrameSampler(SamplingConfig(mode="random_window", seed=7))
        assert row.indices == tuple(sampler.indices(row.clip.total, row.clip.name, round=row.round).tolist())
        assert row.seconds == pytest.approx([index * row.clip.step for index in row.indices])
    assert set(planned.samples.round.tolist()) == {0, 1, 3}
    assert planned.samples.round_step == 2


def test_epochs_differ_where_draws_are_new_in_each():
    config = SamplingConfig(mode="random", redraw="epoch")
    redrawn = Method("recipe", lambda split: FrameSampler(config))
    planned = plan(made_cohort(10), [redrawn, method("uniform")], epochs=3)
    assert planned.samples.epochs == (0, 1, 2, 3)
    rows = [planned.samples.row(number) for number in range(len(planned.samples))]
    first = [row.indices for row in rows if row.epoch == 1]
    assert first != [row.indices for row in rows if row.epoch == 2]
    assert all(row.epoch == 0 for row in rows if row.method == "uniform")


def test_the_files_own_clock_is_used_where_it_is_cheap(tiny_cohort):
    cohort = Cohort.read(format="endofm", root=tiny_cohort, classes=("dark", "bright"))
    planned = plan(cohort, [method("clip")])
    assert planned.clock == "true"
    assert planned.samples.row(0).seconds is not None


def test_a_split_that_is_not_there_is_refused():
    with pytest.raises(CohortError, match="no split 'extra'"):
        plan(made_cohort(), [method("uniform")], splits=["extra"])


def test_records_hold_the_table(tmp_path):
    planned = plan(made_cohort(), [method("random", RoundsConfig(cap=2)), method("clip")], clock="steady")
    write_records(to_records(planned.samples), tmp_path / "samples.parquet")
    back, items = from_records(read_records(tmp_path / "samples.parquet"), cohort=made_cohort())
    assert back.methods == planned.samples.methods
    assert len(back) == len(planned.samples)
    for number in range(len(back)):
        one, other = back.row(number), planned.samples.row(number)
        assert (one.clip.name, one.clip.label, one.round, one.indices) == (
            other.clip.name,
            other.clip.label,
            other.round,
            other.indices,
        )
        assert one.seconds == pytest.approx(other.seconds, abs=1e-5)
        if one.clip.step is not None:
            assert one.clip.step == pytest.approx(other.clip.step, rel=1e-3)
    assert all(item is not None for item in items)


def test_frames_of_a_piece_of_a_file_count_from_its_start(tmp_path):
    cohort = made_cohort(10)
    shifted = cohort.items.with_columns(start=3 + 0 * cohort.items["target"])
    object.__setattr__(cohort, "items", shifted)
    planned = plan(cohort, [method("uniform")], clock="steady")
    assert planned.samples.indices.min() == 0
    write_records(to_records(planned.samples), tmp_path / "r.parquet")
    records = read_records(tmp_path / "r.parquet")
    assert records["start"].unique().to_list() == [3]
    assert min(indices[0] for indices in records["indices"]) == 3
    back, _ = from_records(records)
    assert back.indices.tolist() == planned.samples.indices.tolist()
