"""Plots of a timeline."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from cineloop.errors import TimelineError
from cineloop.report.render.plot import plot_timeline, write_plot
from timelines import made_timeline, with_holes


def texts(svg):
    return [
        "".join(one.itertext()).strip() for one in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_every_probability_and_signal_has_its_panel_over_time():
    drawing = plot_timeline(made_timeline(2500))
    words = texts(drawing.svg)
    for wanted in ("Ileocecal region", "unreadable", "BBPS 3", "n/a", "unfiltered", "filtered", "probability", "time"):
        assert wanted in words
    assert [word for word in words if word in ("0:00", "0:10", "1:40")] == ["0:00", "0:10", "1:40"]
    assert words.count("1.0") == 7
    assert "a.mp4" in drawing.alt
    hours = texts(plot_timeline(replace(made_timeline(90_001), scores={})).svg)
    assert "1:00:00" in hours


def test_words_in_chinese():
    words = texts(plot_timeline(made_timeline(100), language="zh").svg)
    for wanted in ("回盲部", "不可读", "概率", "未滤波", "时间", "不适用"):
        assert wanted in words


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_files_by_suffix_the_same_each_time(suffix, tmp_path):
    timeline = replace(made_timeline(100), scores={})
    first, second = (write_plot(plot_timeline(timeline), tmp_path / f"{name}{suffix}") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[:4] == {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<svg"}[suffix]
    if suffix == ".png":
        with Image.open(first) as picture:
            assert picture.width == 2200
    with pytest.raises(TimelineError, match="already there"):
        write_plot(plot_timeline(timeline), first)


def test_an_hour_of_flicker_stays_small():
    timeline = made_timeline(90_000)
    flicker = (np.arange(90_000) % 2).astype(np.int8)
    drawing = plot_timeline(replace(timeline, signals={**timeline.signals, "outside": flicker}))
    assert len(drawing.svg) < 1_500_000


@pytest.mark.parametrize("frames", [200, 20_000])
def test_what_could_not_be_decoded_is_a_gap_in_the_line(frames):
    timeline = with_holes(made_timeline(frames), (np.arange(frames) * 4 // frames) == 1)
    drawing = plot_timeline(timeline)
    assert "nan" not in drawing.svg
    line = drawing.figure.axes[0].get_lines()[0].get_ydata()
    assert 0.2 < np.isnan(line).mean() < 0.3


def test_scores_alone_signals_alone_and_odd_names():
    timeline = made_timeline(60)
    scores = replace(timeline, signals={}, filtered={}, scores={"polyp 7x": timeline.scores["outside"]})
    assert "polyp 7x" in texts(plot_timeline(scores).svg)
    many = {"grade": np.arange(60, dtype=np.int8)}
    drawn = texts(plot_timeline(replace(timeline, scores={}, signals=many, filtered={})).svg)
    assert "grade" in drawn
    assert "filtered" not in drawn
    with pytest.raises(TimelineError, match="neither"):
        plot_timeline(replace(timeline, scores={}, signals={}, filtered={}))


def test_the_raw_line_is_thin_and_the_filtered_one_thick():
    svg = plot_timeline(made_timeline(200)).svg
    widths = [float(width) for width in re.findall(r"stroke-width: ([\d.]+)", svg)]
    assert widths.count(0.7) >= 4
    assert widths.count(2.2) >= 4
