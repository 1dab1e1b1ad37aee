from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from functools import cache

import matplotlib
import numpy as np
import pytest

from cineloop.report import charts, figures
from cineloop.report.charts import ForestRow, Line, Panel
from cineloop.report.drawing import PALETTE
from cineloop.report.figures import Point

GRID = np.linspace(0, 1, 11)
LINE = Line("model", GRID, np.sqrt(GRID), GRID * 0.9, np.minimum(1, GRID + 0.2), GRID)

DRAW = {
    "roc": lambda mark: figures.roc_curve([LINE], points=[Point("threshold", 0.2, 0.5)], watermark=mark),
    "many roc": lambda mark: figures.roc_curve([LINE] * 5, watermark=mark),
    "precision-recall": lambda mark: figures.precision_recall_curve([LINE], prevalence=0.3, watermark=mark),
    "confusion": lambda mark: figures.confusion_matrix(np.eye(3) * 4, ["a", "b", "c"], watermark=mark),
    "shares": lambda mark: figures.confusion_matrix(np.eye(12), list("abcdefghijkl"), normalised=True, watermark=mark),
    "reliability": lambda mark: figures.reliability_curve([LINE], scores=GRID, x="said", y="seen", watermark=mark),
    "scores": lambda mark: figures.score_histogram(
        [("a", GRID), ("b", GRID[:0])], x="probability", threshold=0.4, watermark=mark
    ),
    "training": lambda mark: charts.training_curve(
        Panel("Loss", (LINE, LINE), marked=4, marked_label="best", log=True), watermark=mark
    ),
    "forest": lambda mark: charts.forest_plot(
        [ForestRow("site", None, heading=True), ForestRow("north", 0.8, 0.7, 0.9), ForestRow("south", 0.6)],
        x="AUROC",
        reference=0.7,
        watermark=mark,
    ),
    "bars": lambda mark: charts.bar_chart(
        ["a", "b"], [("train", GRID[:2]), ("test", GRID[2:4])], x="n", watermark=mark
    ),
    "histogram": lambda mark: charts.histogram(GRID, x="seconds", watermark=mark),
}


@cache
def drawn(name, watermark=None):
    return DRAW[name](watermark)


@pytest.mark.parametrize("name", DRAW)
def test_a_figure_is_valid_vector_graphics_with_words_for_it(name):
    drawing = drawn(name)
    root = ElementTree.fromstring(drawing.svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(drawing.alt) > 15
    assert "valid" not in drawing.alt
    ElementTree.fromstring(drawing.inline("f1"))


@pytest.mark.parametrize("name", DRAW)
def test_a_watermark_is_written_on_the_figure_and_said(name):
    drawing = DRAW[name]("one patient only")
    assert "one patient only" in " ".join(ElementTree.fromstring(drawing.svg).itertext())
    assert "one patient only" in drawing.alt
    assert "one patient" not in drawn(name).svg


def test_figures_are_the_same_every_time():
    assert DRAW["roc"](None).svg == drawn("roc").svg


def test_a_long_watermark_stays_a_few_lines():
    drawing = DRAW["roc"]("word " * 200)
    assert 8 < drawing.svg.count("word") <= 30


def test_on_a_page_colours_follow_the_style_sheet():
    drawing = drawn("roc")
    inline = drawing.inline("f1")
    assert PALETTE[0] in drawing.svg
    assert not re.search(rf": {PALETTE[0]}", inline)
    assert f"var(--fig-1, {PALETTE[0]})" in inline


def test_words_in_a_figure_are_left_alone_by_the_colouring():
    label = f'a "# b: {PALETTE[0]} url(#c)'
    inline = figures.confusion_matrix(np.eye(2), [label, "x"]).inline("f1")
    texts = [element.text for element in ElementTree.fromstring(inline).iter("{http://www.w3.org/2000/svg}text")]
    assert any(text and text.startswith('a "# b: #') for text in texts)


def test_two_figures_share_no_id():
    drawing = drawn("roc")
    first, second = (set(re.findall(r'\bid="([^"]+)"', drawing.inline(prefix))) for prefix in ("f1", "f2"))
    assert first
    assert not first & second


def test_a_figure_of_its_own_stands_on_white(tmp_path):
    path = drawn("roc").write(tmp_path / "figures" / "roc.svg")
    root = ElementTree.parse(path).getroot()
    assert root[0].tag.endswith("title")
    assert root[1].get("fill") == "white"


@pytest.mark.parametrize("label", ["$x_1$ and $y^2$", "Großer Polyp", "息肉", "x" * 200, "a\\frac{", "", "a<b>&\"'"])
def test_any_name_can_be_drawn(label, recwarn):
    drawing = figures.confusion_matrix(np.eye(2), [label, "other"])
    texts = [text.strip() for text in ElementTree.fromstring(drawing.svg).itertext()]
    assert (label if len(label) < 16 else f"{label[:15]}…") in texts
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]


def test_a_row_without_items_has_no_shares():
    drawing = figures.confusion_matrix(np.array([[3.0, 1.0], [0.0, 0.0]]), ["a", "b"], normalised=True)
    texts = list(ElementTree.fromstring(drawing.svg).itertext())
    assert texts.count("–") == 2
    assert "75.0%" in texts


def test_drawing_leaves_the_library_as_it_was():
    before = dict(matplotlib.rcParams)
    DRAW["forest"]("mark")
    assert dict(matplotlib.rcParams) == before


def test_drawing_never_loads_the_global_interface():
    code = (
        "import sys, numpy as np; from cineloop.report.figures import confusion_matrix;"
        "confusion_matrix(np.eye(2), ['a', 'b']); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
