"""The indicators of a unit: figures against independent references, and what is not known."""

from __future__ import annotations

import csv
import json
import re
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy import stats

from cineloop import __version__
from cineloop.analysis.report import plain as plain_report
from cineloop.analysis.summary import NOT_GIVEN, summarise
from cineloop.analysis.summary.procedure import Procedure
from cineloop.analysis.summary.rates import RATES, Rate
from cineloop.analysis.summary.read import read_procedures, read_table
from cineloop.analysis.summary.text import interval_of, value_text
from cineloop.analysis.summary.write import plain, write_summary
from cineloop.errors import CineloopError
from cineloop.files import sha256_file
from made_analysis import bare_analysis
from program import call


def write(path, text):
    path.write_text(text.strip().replace("; ", "\n") + "\n", encoding="utf-8")
    return path


@cache
def written():
    """Return the report of an analysis as it is written."""
    return json.dumps(plain_report(bare_analysis()))


def report(folder, name, values, remarks=()):
    folder.mkdir(parents=True, exist_ok=True)
    content = json.loads(written())
    usual = content["indicators"][0]
    content["procedure"] = name
    content["indicators"] = [
        {
            **usual,
            "definition": {**usual["definition"], "name": key},
            "value": value,
            "reason": usual["reason"] if value is None else None,
            "remarks": [{"key": one, "values": {}, "text": ""} for one in remarks],
        }
        for key, value in values.items()
    ]
    (folder / "report.json").write_text(json.dumps(content))
    return folder


def rates(*sources, **options):
    return {one.definition.name: one for one in summarise(sources, **options).whole.rates}


def test_shares_and_means_equal_independent_references(tmp_path):
    rng = np.random.default_rng(0)
    minutes = rng.normal(7, 2, 60).round(2)
    flags = rng.random(60) < 0.3
    lines = [f"{int(flag)},{minute}" for flag, minute in zip(flags, minutes, strict=True)]
    found = rates(write(tmp_path / "t.csv", "adenoma,withdrawal_min\n" + "\n".join(lines)))
    adr = found["adenoma_detection_rate"]
    theirs = stats.binomtest(int(flags.sum()), 60).proportion_ci(0.95, method="wilson")
    assert (adr.value, adr.low, adr.high) == pytest.approx((flags.mean(), theirs.low, theirs.high))
    mean = found["withdrawal_mean_seconds"]
    low, high = stats.t.interval(0.95, 59, loc=minutes.mean(), scale=stats.sem(minutes))
    assert (mean.value, mean.low, mean.high) == pytest.approx((60 * minutes.mean(), 60 * low, 60 * high))
    assert found["withdrawal_6min_rate"].hits == (minutes >= 6).sum()


def test_what_is_not_known_is_counted_and_is_no_no(tmp_path):
    text = "procedure,cecum_reached,adenomas,ssl; a,yes,2,no; b,no,0,; c,,,NA; d,1,1,; e,TRUE,unknown,"
    found = rates(write(tmp_path / "t.csv", text))
    caecum = found["caecal_intubation_rate"]
    assert (caecum.hits, caecum.n, caecum.missing) == (3, 4, 1)
    adenoma = found["adenoma_detection_rate"]
    assert (adenoma.hits, adenoma.n, adenoma.missing) == (2, 3, 2)
    ssl = found["ssl_detection_rate"]
    assert (ssl.value, ssl.n, ssl.missing) == (0, 1, 4)
    # Of polyps no column tells anything, and of preparation none either: the one is left out, the other says so.
    assert "polyp_detection_rate" not in found
    assert found["adequate_preparation_rate"].reason.key == "no_column"
    none = rates(write(tmp_path / "u.csv", "adenoma,polyp; ,1; ,0"))["adenoma_detection_rate"]
    assert (none.value, none.reason.key, none.missing) == (None, "no_value", 2)


def test_withdrawal_times_are_of_normal_procedures(tmp_path):
    text = "withdrawal_seconds,normal; 300,yes; 420,yes; 900,no; 1000,; ,yes"
    found = rates(write(tmp_path / "t.csv", text))
    mean = found["withdrawal_mean_seconds"]
    assert (mean.value, mean.n, mean.missing) == (360, 2, 2)
    assert mean.remarks == ()
    assert (found["withdrawal_6min_rate"].hits, found["withdrawal_6min_rate"].n) == (1, 2)
    without = rates(write(tmp_path / "u.csv", "withdrawal_seconds,age; 300,; 420,; 900,; 1000,; ,5"))
    assert without["withdrawal_mean_seconds"].value == 655
    assert [one.key for one in without["withdrawal_mean_seconds"].remarks] == ["not_only_normal"]
    single = rates(write(tmp_path / "v.csv", "withdrawal_time; 7:30"))["withdrawal_mean_seconds"]
    assert (single.value, single.low, single.remarks[-1].key) == (450, None, "one_value")


@pytest.mark.parametrize(
    ("row", "prepared"),
    [
        ({"bbps_right": 2, "bbps_transverse": 2, "bbps_left": 2}, True),
        ({"bbps_right": 3, "bbps_transverse": 3, "bbps_left": 1}, False),
        # One segment alone tells nothing: only bad ones would count.
        ({"bbps_right": 1}, None),
        ({"bbps_right": 3, "bbps_transverse": 3, "bbps_left": 1, "adequate": True}, True),
        ({}, None),
    ],
)
def test_an_adequate_preparation(row, prepared):
    assert Procedure(**row).prepared is prepared


def test_reports_of_analyses_are_summed_up(tmp_path):
    values = {"caecum_reached": 1.0, "withdrawal_seconds": 500.0, "bbps_total": None, "clean_share": 0.9}
    report(tmp_path / "a", "P1", values)
    report(tmp_path / "deep" / "b", "P2", {**values, "caecum_reached": 0.0, "withdrawal_seconds": None})
    report(tmp_path / "c", "P3", {**values, "withdrawal_seconds": 200.0}, ["at_least_ends_inside"])
    found = rates(tmp_path)
    assert (found["caecal_intubation_rate"].hits, found["caecal_intubation_rate"].n) == (2, 3)
    mean = found["withdrawal_mean_seconds"]
    assert (mean.value, mean.n, mean.missing) == (500, 1, 2)
    cut = next(one for one in mean.remarks if one.key == "cut_left_out")
    assert cut.values == {"count": 1}
    assert found["adequate_preparation_rate"].missing == 3
    assert "adenoma_detection_rate" not in found
    assert read_procedures([tmp_path / "c"]).rows[0].withdrawal_cut


def test_a_summary_says_where_its_procedures_come_from_and_when(tmp_path):
    for number in (1, 2):
        report(tmp_path / "reports" / str(number), f"P{number}", {"caecum_reached": 1.0, "withdrawal_seconds": 500.0})
    table = write(tmp_path / "unit.csv", "procedure,adenoma; P1,1; P9,0; P8,0")
    summary = summarise([table, tmp_path / "reports"])
    assert [(one.name, one.procedures) for one in summary.sources] == [("unit.csv", 3), ("reports", 2)]
    assert summary.sources[0].sha256 == sha256_file(table)
    write_summary(summary, tmp_path / "out.html")
    page, content = (tmp_path / "out.html").read_text(encoding="utf-8"), plain(summary)
    assert content["sources"] == [vars(one) for one in summary.sources]
    assert content["made"] == summary.made
    for said in (*(one.sha256 for one in summary.sources), "unit.csv (3 procedures)", summary.made[:10], __version__):
        assert said in page, said
    report(tmp_path / "reports" / "2", "P2", {"caecum_reached": 0.0, "withdrawal_seconds": 500.0})
    assert summarise([tmp_path / "reports"]).sources[0].sha256 != summary.sources[1].sha256


def test_reports_of_one_recording_are_told(tmp_path):
    for name in ("P1", "P2", "P3"):
        report(tmp_path / name, name, {"caecum_reached": 1.0, "withdrawal_seconds": 500.0})
    assert any("3 of 1" in note for note in summarise([tmp_path]).notes)
    assert not summarise([tmp_path / "P1"]).notes


def test_a_table_counts_before_a_report_and_both_complete_each_other(tmp_path):
    report(tmp_path / "a", "P1", {"caecum_reached": 0.0, "withdrawal_seconds": 500.0, "bbps_right": 1.0}, ["no"])
    report(tmp_path / "c", "P9", {"caecum_reached": 1.0, "withdrawal_seconds": 100.0}, ["at_least_ends_inside"])
    text = "procedure,endoscopist,caecum_reached,adenoma,bbps_left; P1,Lee,yes,1,3; P2,Ng,,0,"
    table = write(tmp_path / "t.csv", text)
    both = read_procedures([table, tmp_path / "a", tmp_path / "c" / "report.json"])
    first, second, third = both.rows
    assert (first.caecum_reached, first.withdrawal_seconds, first.adenoma) == (True, 500, True)
    # Scores of two observers are not put together.
    assert (first.bbps_left, first.bbps_right) == (3, None)
    assert (second.name, second.withdrawal_seconds) == ("P2", None)
    assert (third.name, third.withdrawal_cut, third.adenoma) == ("P9", True, None)
    assert [note.rstrip(".").rsplit(": ")[-1] for note in both.notes[1:3]] == ["1", "1"]
    assert "they count twice" in both.notes[3]
    assert first.others["endoscopist"] == "Lee"
    summary = summarise([table, tmp_path / "a", tmp_path / "c"], by="endoscopist")
    assert [(group.name, group.procedures) for group in summary.groups] == [("Lee", 1), ("Ng", 1), (NOT_GIVEN, 1)]


def test_groups_have_their_own_figures(tmp_path):
    text = "site,adenoma; north,1; south,0; north,0; ,1; south,0"
    summary = summarise([write(tmp_path / "t.csv", text)], by="site", guideline="asge-acg-2024")
    hits = {group.name: (group.rates[-1].hits, group.rates[-1].n) for group in summary.groups}
    assert hits == {"north": (1, 2), "south": (0, 2), NOT_GIVEN: (1, 1)}
    assert (summary.whole.rates[-1].hits, summary.whole.rates[-1].n) == (2, 5)
    [reference] = summary.whole.rates[-1].references
    assert (reference.value, reference.side) == (0.35, "above")
    assert summary.groups[1].rates[-1].references[0].side == "below"


def test_parquet_tables_with_their_own_types(tmp_path):
    table = pl.DataFrame(
        {"Caecum Reached": [True, False, None], "Withdrawal (min)": [6.0, 7.5, None], "Polyps": [0, 3, 1]}
    )
    table.write_parquet(tmp_path / "t.parquet")
    rows = read_table(tmp_path / "t.parquet").rows
    assert [row.caecum_reached for row in rows] == [True, False, None]
    assert [row.withdrawal_seconds for row in rows] == [360, 450, None]
    assert [row.polyp for row in rows] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("age,sex; 5,m", "No column tells anything"),
        ("procedure; a", "No column tells anything"),
        ("adenoma,ADENOMAS; 1,1", "tell the same"),
        ("withdrawal_min,withdrawal_seconds; 1,60", "tell the same"),
        ("adenoma; maybe", "'maybe', which is not yes or no, or how many"),
        ("adenoma; none", "'none', which is not yes or no"),
        ("adenoma; -1", "which is not yes or no"),
        ("caecum_reached; 2", "which is not yes or no"),
        ("withdrawal_time; 7.5", "not a time as minutes:seconds"),
        ("withdrawal_min; long", "not a number of minutes"),
        ("bbps_left; 4", "not a score from 0 to 3"),
        ("procedure,adenoma; a,1; a,0", "the procedure 'a' twice"),
        ("adenoma", "no row"),
    ],
)
def test_a_table_that_cannot_be_understood_is_told(text, told, tmp_path):
    with pytest.raises(CineloopError) as error:
        summarise([write(tmp_path / "t.csv", text)])
    assert told in error.value.what
    assert error.value.mend


def test_other_sources_are_told(tmp_path):
    (tmp_path / "report.json").write_text("{}")
    (tmp_path / "newer.json").write_text('{"schema": 2}')
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "empty").mkdir()
    for path, told in (
        (tmp_path / "absent.csv", "no such file"),
        (tmp_path / "report.json", "no report: procedure"),
        (tmp_path / "newer.json", "version 2, newer"),
        (tmp_path / "broken.json", "cannot be read"),
        (tmp_path / "empty", "No report.json lies"),
        (tmp_path / "notes.txt", "neither a table nor a report"),
    ):
        with pytest.raises(CineloopError, match=told):
            summarise([path])
    table = write(tmp_path / "t.csv", "adenoma,site; 1,a")
    with pytest.raises(CineloopError, match="no guideline"):
        summarise([table], guideline="nobody's")
    with pytest.raises(CineloopError, match="column 'sit'") as error:
        summarise([table], by="sit")
    assert "'site'" in error.value.mend
    report(tmp_path / "a", "P1", {"caecum_reached": 1.0})
    with pytest.raises(CineloopError, match="No procedure of the tables has the name"):
        summarise([table, tmp_path / "a"])


def test_files_say_the_same(tmp_path):
    text = "site,adenoma,withdrawal_min; <b>north</b>,1,7; south,0,9; south,,8"
    summary = summarise([write(tmp_path / "t.csv", text)], by="site", guideline="asge-acg-2024")
    for suffix in (".csv", ".json", ".html"):
        write_summary(summary, tmp_path / f"out{suffix}")
    rows = list(csv.DictReader((tmp_path / "out.csv").open(encoding="utf-8")))
    content = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert content == plain(summary)
    flat = [
        (g["name"], one["name"], one["n"]) for g in (content["whole"], *content["groups"]) for one in g["indicators"]
    ]
    assert [(row["group"], row["indicator"], int(row["n"])) for row in rows] == flat
    adr = next(row for row in rows if row["indicator"] == "adenoma_detection_rate")
    assert (float(adr["value"]), adr["hits"], adr["missing"]) == (0.5, "1", "1")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "50.0%" in page
    assert "1/2, 1 not known" in page
    assert "figure not verified in the source" in page
    assert "Research software, not a medical device" in page
    assert "<b>north" not in page
    table = page[page.index("each with its intervals and counts") :]
    table = table[: table.index("</table>")]
    assert "Adenoma detection rate" in table
    # What no column tells is none of the table.
    assert "Caecal intubation rate" not in table
    head, *body = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    assert {len(re.findall(r"<t[hd]\b", line)) for line in (head, *body)} == {5}
    with pytest.raises(CineloopError, match="already there"):
        write_summary(summary, tmp_path / "out.csv")
    with pytest.raises(CineloopError, match=r"no \.pdf"):
        write_summary(summary, tmp_path / "out.pdf")


def test_times_are_told_as_in_a_report():
    told = [value_text(seconds, "s") for seconds in (5.2, 450, 3599.7, 7796)]
    assert told == ["0:05 min", "7:30 min", "1:00:00 h", "2:09:56 h"]
    about = next(one.definition for one in RATES if one.definition.unit == "s")
    assert interval_of(Rate(about, 480, low=432, high=510)) == "7:12–8:30 min"
    assert interval_of(Rate(about, 3000, low=-60, high=7796)) == "0:00 min–2:09:56 h"


def test_the_verb_prints_writes_and_refuses(tmp_path):
    table = write(tmp_path / "t.csv", "site,adenoma,withdrawal_min; north,1,7; south,0,9; south,,8")
    done = call("summary", table, "--by", "site", "--out", tmp_path / "s.html")
    assert done.returncode == 0, done.stderr
    assert "Adenoma detection rate (ADR)   50.0%" in done.stdout
    assert "site south: 2 procedures" in done.stdout
    assert "site north: 1 procedure\n" in done.stdout
    # A reason has a place of its own, so that the columns before it stay narrow.
    adr = next(line for line in done.stdout.splitlines() if line.startswith("Adenoma"))
    assert len(adr) < 100
    assert "withdrawal times are of all" in done.stderr
    assert (tmp_path / "s.html").exists()
    again = call("summary", table, "--out", tmp_path / "s.html")
    assert (again.returncode, again.stdout) == (2, "")
    told = json.loads(call("summary", table, "--json", "--guideline", "none").stdout)
    assert told["guideline"] is None
    assert told["whole"]["indicators"][-1]["hits"] == 1
    assert call("summary", tmp_path / "absent.csv").returncode == 2
