"""The page holds the table it was made from, whatever names stand in it, and says what it is."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cineloop.cohort import Cohort
from cineloop.report.packing import pack, unpack
from cineloop.report.sampling import Clip, Origin, Sample, Samples, decode_sheets, page, plan
from cineloop.report.sampling.sheets import choose_clips, write_sheet
from cineloop.video.sampling import RoundsConfig
from sampled import MODES, made_cohort, method, table

ORIGIN = Origin("planned", "made", "plain", "a steady clock", notes=(("uniform", "8 frames, seed 42"),))
HOSTILE = "</script><!--<script>alert(1)</script>\u2028"


def blob_of(html):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1])


def rows_of(data):
    """Return the rows of a page's data as (split, name, method, round, epoch, total, frames)."""
    column = {name: np.cumsum(unpack(data[name])) for name in ("method", "clip", "round", "epoch", "count")}
    total, split, steps = unpack(data["total"]), unpack(data["clipSplit"]), unpack(data["indices"])
    rows, at = [], 0
    for row, count in enumerate(column["count"]):
        clip = column["clip"][row]
        frames = tuple(np.cumsum(steps[at : at + count]).tolist())
        at += count
        name = data["methods"][column["method"][row]], int(column["round"][row]), int(column["epoch"][row])
        rows.append((data["splits"][split[clip]], data["names"][clip], *name, int(total[clip]), frames))
    return rows


def plain(samples):
    rows = [samples.row(number) for number in range(len(samples))]
    return [(r.clip.split, r.clip.name, r.method, r.round or 0, r.epoch, r.clip.total, r.indices) for r in rows]


@given(st.lists(st.integers(-(2**52), 2**52)))
def test_integers_come_out_as_they_went_in(values):
    assert unpack(pack(np.array(values, np.int64))).tolist() == values


def test_the_page_holds_the_table():
    planned = plan(made_cohort(), [method(mode, RoundsConfig(cap=3)) for mode in MODES], clock="steady")
    html = page(planned.samples, ORIGIN).render()
    data = blob_of(html)
    assert rows_of(data) == plain(planned.samples)
    assert data["labels"] == ["normal", "polyp", "ulcer"]
    assert "Nothing was decoded or trained" in html
    assert "8 frames, seed 42" in html


def test_no_name_ends_the_data_and_only_the_own_script_runs():
    made = Samples.of([Sample(Clip(HOSTILE, HOSTILE, 9, HOSTILE), HOSTILE, (0, 3))])
    html = page(made, ORIGIN).render()
    assert rows_of(blob_of(html)) == plain(made)
    assert html.count("</script>") == 2
    assert re.search(r"script-src 'sha256-[\w+/]{43}=';", html)
    assert "unsafe-eval" not in html
    assert not re.search(r"https?://(?!www\.w3\.org/)", html)


def test_a_page_is_the_same_every_time():
    made = table((90, [0, 8, 80]), (5, [0, 1, 4, 4]))
    assert page(made, ORIGIN).render() == page(made, ORIGIN).render()


def test_times_that_no_steady_clock_tells_are_written_out():
    steady, uneven = Clip("a", "train", 100, step=0.04, at=2.0), Clip("b", "train", 100, step=0.04)
    made = Samples.of([Sample(steady, "random", (0, 50)), Sample(uneven, "random", (0, 50), seconds=(0.0, 2.345))])
    data = blob_of(page(made, ORIGIN).render())
    assert unpack(data["timedRows"]).tolist() == [1]
    assert unpack(data["milliseconds"]).tolist() == [0, 2345]
    assert data["at"] == [2.0, 0.0]


def test_many_epochs_are_thinned_and_the_page_says_so():
    clip = Clip("a", "train", 1000)
    made = Samples.of([Sample(clip, "random", (epoch, 500), epoch=epoch) for epoch in range(1, 41)])
    thin = made.thinned(20)
    assert thin.epochs[0] == 1
    assert thin.epochs[-1] == 40
    assert len(thin) == 10
    assert made.thinned(80) is made


def test_pseudonyms_take_the_names_and_their_order():
    planned = plan(made_cohort(), [method("uniform"), method("clip")], clock="steady")
    salted, order = planned.samples.salted("secret")
    names = [clip.name for clip in salted.clips if clip.split == "train"]
    assert names == sorted(names)
    assert not re.search(r"P\d{3}", page(salted, ORIGIN).render())
    back = [(planned.samples.clips[order[row.clip]].name, row.indices) for row in _positions(salted)]
    assert sorted(back) == sorted((planned.samples.row(n).clip.name, planned.samples.row(n).indices) for n in range(80))


def _positions(samples):
    for number in range(len(samples)):
        yield Sample(int(samples.clip[number]), "", samples.row(number).indices)


def test_a_fallback_stands_where_no_script_runs():
    html = page(table((90, [0, 44, 88]), (90, [0, 0, 89])), ORIGIN).render()
    fallback = re.search(r'<div class="live" data-part="summary">(.*?)</section>', html, re.DOTALL)[1]
    assert "All rows, by method and split." in fallback
    assert "uniform" in fallback


@pytest.fixture(scope="module")
def planned(tiny_cohort):
    cohort = Cohort.read(format="endofm", root=tiny_cohort, classes=("dark", "bright"))
    return plan(cohort, [method("uniform"), method("random")])


def test_sheets_show_the_sampled_frames_of_every_class(planned, tmp_path):
    sheets = decode_sheets(planned.samples, planned.items, 2)
    assert len(sheets) == 4
    assert {planned.samples.clips[sheet.clip].label for sheet in sheets} == {"dark", "bright"}
    assert all(sheet.frames.shape == (8, 40, 48, 3) for sheet in sheets)
    html = page(planned.samples, ORIGIN, sheets=sheets).render()
    assert [len(sheet["pictures"]) for sheet in blob_of(html)["sheets"]] == [8] * 4
    path = write_sheet(planned.samples, sheets[0], tmp_path)
    assert re.fullmatch(r"P\d{3}_clip.mp4_uniform_sampling.png", path.name)
    picture = np.asarray(Image.open(path).convert("RGB"))
    assert picture.shape[1] == 2 * 24 + 6 * 190 + 5 * 12
    assert (picture == 255).all(axis=2).mean() < 0.9


def test_videos_of_sheets_do_not_follow_their_names(planned):
    clips = choose_clips(planned.samples, planned.items, 22)
    assert sorted(clips) == list(range(22))
    assert clips != sorted(clips)
