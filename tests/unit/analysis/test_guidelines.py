"""Values of guidelines: what ships, what a user may bring, and on which side an indicator lies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cineloop.analysis.guidelines import guideline, known_indicators, references_for, shipped
from cineloop.analysis.indicators import Facts, measure
from cineloop.analysis.settings import Settings
from cineloop.errors import CineloopError
from courses import course

FACTS = Facts.of(course("o10 i60 c5 i400 o10"), Settings())
WITHDRAWAL = next(one for one in measure(FACTS, Settings()) if one.definition.name == "withdrawal_seconds")


def test_every_shipped_guideline_is_sourced_and_of_indicators_that_exist():
    assert list(shipped()) == ["asge-acg-2024", "aga", "esge-2017", "usmstf-2025"]
    assert Settings().guideline in shipped()
    for one in shipped().values():
        assert one.source
        assert one.year
        assert one.link.startswith("https://")
        for value in one.values:
            assert value.indicator in known_indicators()
            assert set(value.text) == {"en", "zh"}


def test_figures_that_were_not_read_in_their_source_are_marked():
    unverified = {
        (key, value.indicator, value.value)
        for key, one in shipped().items()
        for value in one.values
        if not value.verified
    }
    assert unverified == {
        ("asge-acg-2024", "withdrawal_seconds", 480),
        ("asge-acg-2024", "withdrawal_mean_seconds", 480),
        *(
            ("esge-2017", name, value)
            for name in ("withdrawal_seconds", "withdrawal_mean_seconds")
            for value in (360, 600)
        ),
    }


@pytest.mark.parametrize(("value", "sides"), [(359.0, "below below"), (360.0, "at below"), (400.0, "above below")])
def test_a_value_lies_on_a_side_and_is_given_no_verdict(value, sides):
    references = references_for(replace(WITHDRAWAL, value=value), "aga")
    assert [one.value for one in references] == [360, 540]
    assert " ".join(one.side for one in references) == sides
    assert all("not a single procedure" in one.applies for one in references)
    assert all(one.verified and "2021" in one.source and "https://" in one.source for one in references)


def test_no_value_and_no_guideline_have_no_reference():
    missing = next(one for one in measure(FACTS, Settings()) if one.definition.name == "bbps_total")
    assert references_for(missing, "aga") == ()
    assert references_for(WITHDRAWAL, None) == ()
    assert references_for(WITHDRAWAL, "usmstf-2025") == ()


def test_texts_are_in_the_language_that_is_asked_for():
    [english] = references_for(WITHDRAWAL, "asge-acg-2024")
    [chinese] = references_for(WITHDRAWAL, "asge-acg-2024", "zh")
    assert (english.text, english.verified) == ("mean of normal examinations at least 8 min", False)
    assert chinese.text == "阴性检查平均至少 8 分钟"
    assert "单次检查" in chinese.applies


OWN = """
title: Our unit
source: Quality circle
year: 2026
values:
  - {indicator: withdrawal_seconds, value: 420, text: at least 7 min}
"""


def test_a_user_brings_values_of_their_own(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(OWN)
    [one] = references_for(WITHDRAWAL, str(path), "zh")
    assert (one.guideline, one.text, one.side, one.source) == (
        "Our unit",
        "at least 7 min",
        "below",
        "Quality circle, 2026",
    )
    assert one.verified is False


@pytest.mark.parametrize(
    ("change", "told", "mend"),
    [
        (
            ("withdrawal_seconds", "withdrawl_seconds"),
            "values.0.indicator: there is no indicator",
            "'withdrawal_seconds'",
        ),
        (("value: 420", "value: 420, aplies: mean"), "unknown key 'values.0.aplies'", "'applies'"),
        (("text:", "txt:"), "missing key 'values.0.text'", None),
        (("value: 420", "value: long"), "values.0.value", None),
        (("title: Our unit\n", ""), "missing key 'title'", None),
        (("values:\n", "values: []\nmore:\n"), "unknown key 'more'", None),
        (("text: at least 7 min", "text: {}"), "values.0.text", None),
        ((OWN, "[1, 2]"), "mapping", None),
    ],
)
def test_a_file_that_is_no_guideline_names_the_key(change, told, mend, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(OWN.replace(*change))
    with pytest.raises(CineloopError) as error:
        guideline(str(path))
    assert told in error.value.what
    assert mend is None or mend in error.value.mend


def test_an_unknown_guideline_is_told():
    with pytest.raises(CineloopError, match="no guideline 'asge'"):
        guideline("asge")
    with pytest.raises(CineloopError, match="cannot be read"):
        guideline("absent.yaml")
