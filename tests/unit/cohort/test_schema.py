"""The data section of a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from cineloop.cohort.schema import DataSection
from cineloop.errors import CohortError, PluginError, RecipeError
from cineloop.schema import validate


def section(**keywords):
    return validate(DataSection, {"format": "endofm", "root": "data", **keywords}, where="mine.yaml", prefix="data")


def test_reads_back_from_its_own_plain_form():
    made = section(
        patient={"regex": "(P)"},
        classes=["a", "b"],
        split={"folds": 3, "fold": 1},
        reviewed_pairs=[["x", "y"]],
        allow_leakage="  one patient only ",
        attributes={"grade": {"column": "g"}},
        format_options={"suffix": ".csv"},
    )
    assert validate(DataSection, made.model_dump(mode="json"), where="again") == made
    assert made.allow_leakage == "one patient only"
    assert made.root == Path("data")
    assert made.options().suffix == ".csv"


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"format": "endofn"}, CohortError, "Unknown format: 'endofn'"),
        ({"format": "acme/tapes"}, PluginError, "not enabled: 'acme'"),
        ({"allow_leakage": ""}, RecipeError, "the reason in words"),
        ({"allow_leakage": " \t"}, RecipeError, "the reason in words"),
        ({"classes": ["a", "a"]}, RecipeError, "different"),
        ({"classes": []}, RecipeError, "different and not empty"),
        ({"split": {"test": 0.5, "val": 0.5}}, RecipeError, "nothing is left"),
        ({"split": {"folds": 3, "fold": 3}}, RecipeError, "fold 3 of 3 does not exist"),
        ({"split": {"folds": 2, "val": 0.5}}, RecipeError, "nothing to train on"),
        ({"split": {"folds": 1}}, RecipeError, "greater than or equal to 2"),
        ({"attributes": {"a b": {"column": "x"}}}, RecipeError, "not a name"),
        ({"attributes": {"patient": {"column": "x"}}}, RecipeError, "beside"),
        ({"format_options": {"suffixx": ".csv"}}, RecipeError, "no option 'suffixx'; Did you mean 'suffix'"),
        ({"format_options": {"suffix": ".doc"}}, RecipeError, "data.format_options.suffix"),
        ({"pateint": {"column": "x"}}, RecipeError, "Did you mean 'patient'"),
        ({"on_error": "ignore"}, RecipeError, "data.on_error"),
    ],
)
def test_mistakes_are_named(keywords, error, message):
    with pytest.raises(error) as caught:
        section(**keywords)
    assert message in str(caught.value)
    assert "mine.yaml" in str(caught.value)
