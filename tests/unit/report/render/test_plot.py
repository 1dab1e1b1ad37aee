"""Plots of a timeline."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
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


def dashed(drawing):
    """Return the panels of a plot that have a dashed line, by their place, with its height."""
    return {
        place: line.get_ydata()[0]
        for place, axes in enumerate(drawing.figure.axes)
        for line in axes.get_lines()
        if line.get_linestyle() == "--"
    }


def test_a_line_stands_at_each_threshold_with_its_value():
    timeline = made_timeline(200)
    assert dashed(plot_timeline(timeline)) == {}
    known = replace(timeline, thresholds={"outside": 0.31, "ileocecal": 0.9996})
    drawing = plot_timeline(known)
    assert dashed(drawing) == {0: 0.31, 2: 0.9996}
    words = texts(drawing.svg)
    assert words.count("threshold") == 2
    assert {"0.310", "0.9996"} <= set(words)
    assert "阈值" in texts(plot_timeline(known, language="zh").svg)


def overlaps(drawing):
    """Return the pairs of texts of a plot that lie over each other."""
    canvas = FigureCanvasAgg(drawing.figure)
    canvas.draw()
    shown = [text for text in drawing.figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in shown]
    inside = [
        (one, box)
        for one, box in boxes
        # Ticks beyond the axis are there and not drawn.
        if box.x0 >= 0 and box.x1 <= drawing.figure.bbox.x1 + 1 and box.y0 >= 0 and box.y1 <= drawing.figure.bbox.y1 + 1
    ]
    lost = {one for one, _ in boxes} - {one for one, _ in inside}
    return lost, [(one, other) for (one, first), (other, second) in combinations(inside, 2) if first.overlaps(second)]


@pytest.mark.filterwarnings("ignore:Glyph .* missing from")
@pytest.mark.parametrize("left_out", ["nothing", "scores", "signals", "all but three rows"])
@pytest.mark.parametrize(
    ("source", "language"), [(f"visit/{'a recording with a long name ' * 9}.mp4", "en"), ("结肠镜检查" * 30, "zh")]
)
def test_no_text_lies_over_another(source, language, left_out):
    timeline = replace(made_timeline(3 if left_out == "all but three rows" else 200), source=source)
    timeline = replace(timeline, thresholds={"outside": 1.0, "nonsense": 0.0})
    if left_out == "scores":
        timeline = replace(timeline, scores={}, thresholds={})
    if left_out == "signals":
        timeline = replace(timeline, signals={}, filtered={})
    lost, over = overlaps(plot_timeline(timeline, language=language))
    assert not over
    assert not any("recording" in one or "结肠镜" in one for one in lost)


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
