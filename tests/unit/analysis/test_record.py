"""``report.json``: what is written is what is read, as the published schema describes it."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import jsonschema
import numpy as np
import pytest
from pydantic import TypeAdapter

from cineloop.analysis.report import json_schema, plain, read_report, write_report
from cineloop.analysis.report.record import Report, report_of
from cineloop.errors import ReportError
from made_analysis import bare_analysis, chinese_analysis, made_analysis, parted_analysis
from odd_analyses import odd_analyses

MADE = {"whole": made_analysis, "bare": bare_analysis, "parted": parted_analysis, "chinese": chinese_analysis}
MADE |= odd_analyses()


@pytest.fixture(scope="module")
def checker():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


@pytest.mark.parametrize("name", MADE)
def test_every_report_is_as_the_schema_says(name, checker):
    values = plain(MADE[name]())
    checker.validate(values)
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_what_was_written_is_read(tmp_path):
    analysis = parted_analysis()
    write_report(analysis, tmp_path)
    assert read_report(tmp_path) == read_report(tmp_path / "report.json") == report_of(analysis)


def test_a_probability_that_is_not_known_is_null(checker):
    windows = made_analysis().windows
    polyp = windows.probabilities["polyp"].copy()
    polyp[3] = np.nan
    both = {"normal": 1 - polyp, "polyp": polyp}
    values = plain(made_analysis(windows=replace(windows, probabilities=both)))
    checker.validate(values)
    assert values["windows"]["probabilities"]["polyp"][3] is None
    assert values["windows"]["probabilities"]["polyp"][4] == polyp[4]


def test_a_clip_that_was_not_judged_has_no_class(checker):
    values = plain(MADE["clips not judged"]())
    checker.validate(values)
    decided = values["windows"]["decided"]
    assert decided[100:120] == [None] * 20
    assert set(decided[:100]) | set(decided[120:]) == {"normal", "polyp"}


def test_reasons_stand_in_the_language_of_the_report_and_as_keys():
    for analysis, text in (
        (made_analysis(), "the segment boundaries were not given"),
        (chinese_analysis(), "未给出肠段分界时间"),
    ):
        values = plain(analysis)
        assert values["indicators"][-1]["reason"] == {"key": "no_segments", "values": {}, "text": text}
        remark = values["indicators"][0]["remarks"][0]
        assert remark["key"] == "returned_to_caecum"
        assert remark["values"]["away"] == 71
        assert "71" in remark["text"]


def test_a_figure_that_is_no_number_is_refused():
    analysis = made_analysis()
    broken = replace(analysis.indicators[0], value=float("nan"))
    with pytest.raises(ValueError):
        plain(replace(analysis, indicators=(broken,)))


def test_the_schema_tells_every_field(checker):
    told = json_schema()
    derived = TypeAdapter(Report).json_schema(mode="serialization")
    assert set(told["properties"]) == {field.name for field in fields(Report)}
    fields_of = {name: set(one["properties"]) for name, one in derived["$defs"].items()}
    fields_of["Said"].add("text")
    assert {name: set(one["properties"]) for name, one in told["$defs"].items()} == fields_of
    for one in (told, *told["$defs"].values()):
        assert one["additionalProperties"] is False
        assert set(one["required"]) == set(one["properties"])


@pytest.mark.parametrize(
    "break_it",
    [
        lambda values: values.update(extra=1),
        lambda values: values.pop("fingerprint"),
        lambda values: values["indicators"][0].update(verdict="good"),
        lambda values: values["events"][0]["place"].pop("frame"),
        lambda values: values["settings"].update(rate=0),
        lambda values: values["stages"][0].update(stage="oracle"),
        lambda values: values.update(schema=2),
    ],
)
def test_the_schema_is_strict(break_it, checker):
    values = plain(bare_analysis())
    break_it(values)
    assert not checker.is_valid(values)


def test_reports_that_cannot_be_read_say_why(tmp_path):
    path = tmp_path / "report.json"
    with pytest.raises(ReportError, match="cannot be read"):
        read_report(tmp_path)
    path.write_text("{")
    with pytest.raises(ReportError, match="cannot be read"):
        read_report(path)
    path.write_text('{"schema": 2}')
    with pytest.raises(ReportError, match="version 2, newer"):
        read_report(path)
    values = plain(bare_analysis())
    del values["indicators"][0]["definition"]["unit"]
    path.write_text(json.dumps(values))
    with pytest.raises(ReportError, match=r"indicators\.0\.definition\.unit"):
        read_report(path)
    path.write_text("[]")
    with pytest.raises(ReportError, match="no report"):
        read_report(path)
