from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cineloop.errors import EvaluationError
from cineloop.evaluation.bootstrap import Resampling
from cineloop.evaluation.scorer import figures
from cineloop.evaluation.subgroups import subgroup_tables
from made_predictions import made


def tables(some, **options):
    return subgroup_tables(some, metrics=["auroc", "sensitivity"], resampling=Resampling(100), **options)


def with_attribute(values, **options):
    return made(0, attributes={"thing": values}, **options)


def test_each_level_has_the_figures_of_its_items():
    sites = ["x", "y", "y"] * 40
    some = with_attribute(sites)
    (table,) = tables(some, threshold=0.3)
    assert [(row.level, row.n_items, row.n_patients) for row in table.rows] == [("x", 40, 40), ("y", 80, 40)]
    for row in table.rows:
        wanted = figures(some.select(np.array(sites) == row.level), threshold=0.3)
        assert {one.key.metric: one.value for one in row.estimates} == {
            name: wanted[name] for name in ("auroc", "sensitivity")
        }


def test_too_few_patients_get_counts_only():
    sites = ["rare"] * 27 + ["common"] * 93
    (table,) = tables(with_attribute(sites))
    common, rare = table.rows
    assert common.estimates
    assert (rare.level, rare.n_items, rare.n_patients, rare.estimates) == ("rare", 27, 9, ())
    assert rare.reason == "fewer than 10 patients"
    (table,) = tables(with_attribute(sites), least_patients=9)
    assert all(row.estimates for row in table.rows)


def test_items_without_a_value_are_a_level_of_their_own():
    (table,) = tables(with_attribute(["x", None, "y"] * 40))
    assert [row.level for row in table.rows] == ["x", "y", "unknown"]
    (table,) = tables(with_attribute([1.0, float("nan"), None] * 40))
    assert [(row.level, row.n_items) for row in table.rows] == [("1", 40), ("unknown", 80)]


def test_many_numbers_are_cut_into_thirds():
    ages = np.random.default_rng(0).permutation(120) + 0.5
    (table,) = tables(with_attribute(ages.tolist()))
    assert [(row.level, row.n_items) for row in table.rows] == [("≤ 39.5", 40), ("> 39.5 to 79.5", 40), ("> 79.5", 40)]


def test_few_numbers_are_levels():
    (table,) = tables(with_attribute([1.0, 2.0, 2.0] * 40))
    assert [row.level for row in table.rows] == ["1", "2"]


def test_what_forms_no_subgroups_says_so():
    (table,) = tables(with_attribute(["x"] * 120))
    assert (table.rows, table.reason) == ((), "one value only")
    (table,) = tables(with_attribute([f"scope {i}" for i in range(120)]))
    assert (table.rows, table.reason) == ((), "120 values, which form no subgroups")


def test_the_wanted_attributes_alone_are_used():
    some = replace(made(0), attributes={"a": ["x", "y"] * 60, "b": ["x", "y"] * 60})
    assert [table.attribute for table in tables(some)] == ["a", "b"]
    assert [table.attribute for table in tables(some, attributes=["b"])] == ["b"]
    with pytest.raises(EvaluationError, match="'aa'") as raised:
        tables(some, attributes=["aa"])
    assert "'a'" in raised.value.mend
