from __future__ import annotations

import re
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from cineloop.report.charts import bar_chart, histogram
from cineloop.report.coloured import Key, Keys, Share, Shares
from cineloop.report.entries import Entries, Entry, Line
from cineloop.report.figures import confusion_matrix
from cineloop.report.gallery import FrameStrip, gallery
from cineloop.report.html import (
    Banner,
    Bullets,
    Card,
    Cards,
    Cell,
    Column,
    Details,
    Fact,
    Facts,
    Figure,
    Grid,
    Page,
    Paragraph,
    Picture,
    Range,
    Section,
    Stack,
    Table,
    count,
    interval,
    number,
    row,
)
from html_reader import HOSTILE, Reader


@cache
def full(text="plain"):
    """Return a page with every block there is, each with ``text`` wherever text can be."""
    matrix = confusion_matrix(np.array([[3.0, 1.0], [0.0, 4.0]]), [text, f"{text} too"])
    bars = bar_chart([text, text], [(text, np.array([1.0, 2.0])), ("b", np.array([2.0, 1.0]))], x=text)
    strips = gallery([FrameStrip(text, np.zeros((2, 20, 30, 3), np.uint8), (text, text), text, "bad")])
    picture = Picture(strips.strips[0].pictures[0].data, text, 30, 20, caption=text)
    blocks = (
        Paragraph(text),
        Cards((Card(text, text, text, text, Range(0.5, 0.4, 0.6), lead=True), Card(text, text))),
        Table(text, (Column(text, hint=text), Column(text, numeric=True)), (row(text, Cell(text, "bad", text)),), text),
        Grid((Figure(matrix, text, text), Stack((picture, strips)))),
        Details(text, (Facts((Fact(text, text),)), Bullets((text, text)), Figure(bars))),
        Entries((Entry(text, text, text, (Line(text, text, text),), (Paragraph(text),)), Entry(text, "–", muted=True))),
        Keys(((text, (Key(text, "good"),)),)),
        Shares(text, (Share(Key(text, "good"), 0.5, text, text),), text),
    )
    return Page(
        title=text,
        kicker=text,
        subtitle=text,
        chips=(Fact(text, text),),
        banners=(Banner(text), Banner(text, "bad")),
        watermark=text,
        sections=tuple(Section(text, blocks, text, text) for _ in range(4)),
        provenance=(Fact(text, text),),
        footnote=text,
    )


def test_a_page_is_well_formed_and_its_ids_are_unique():
    reader = Reader(full().render())
    assert len(reader.ids) == len(set(reader.ids))
    assert len(reader.ids) > 100


def test_references_inside_a_page_point_at_something():
    page = full().render()
    reader = Reader(page)
    wanted = {value[1:] for _, name, value in reader.attributes if name in ("href", "xlink:href") and value[0] == "#"}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", page))
    wanted |= {value for _, name, value in reader.attributes if name == "aria-labelledby"}
    assert wanted <= set(reader.ids)
    assert wanted


def test_a_page_fetches_nothing():
    page = full().render()
    reader = Reader(page)
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(reader.tags)
    for _, name, value in reader.attributes:
        assert not name.startswith("on")
        if name in ("src", "href", "xlink:href", "action", "poster", "srcset", "data"):
            assert value.startswith(("data:image/", "#")), value
    policy = next(value for tag, name, value in reader.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none';")
    assert "script-src" not in policy
    assert "http" not in policy
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_text_is_never_markup():
    page = full(HOSTILE).render()
    reader = Reader(page)
    assert {"script", "u"}.isdisjoint(reader.tags)
    assert page.count("<script") == 0
    assert sum("alert(1)" in text for text in reader.texts) > 40
    # Every attribute that carries text kept its quotes closed.
    assert not any(name == "onclick" for _, name, _ in reader.attributes)


def test_a_page_can_be_read_without_eyes():
    reader = Reader(full("words").render())
    tags = set(reader.tags)
    assert {"main", "nav", "header", "footer", "h1", "h2", "caption"} <= tags
    assert reader.tags.count("h1") == 1
    pictures = sum(tag == "img" for tag in reader.tags)
    assert sum(tag == "img" and name == "alt" and bool(value) for tag, name, value in reader.attributes) == pictures > 0
    drawings = reader.tags.count("svg")
    assert (
        sum(tag == "svg" and name == "aria-label" and bool(value) for tag, name, value in reader.attributes) == drawings
    )
    assert reader.tags.count("th") == sum(tag == "th" and name == "scope" for tag, name, _ in reader.attributes)
    assert ("html", "lang", "en") in reader.attributes


def test_every_page_says_what_it_is_not():
    assert "Research software, not a medical device." in Page(title="x").render()


def test_a_watermark_stands_at_both_ends():
    assert full("reason in words").render().count('<p class="watermark"') == 2
    assert "watermark" not in Page(title="x").render().split("</style>")[1]


def test_few_sections_need_no_navigation():
    page = full()
    assert "<nav" in page.render()
    assert "<nav" not in replace(page, sections=page.sections[:3]).render()


def test_a_page_is_the_same_every_time(tmp_path):
    first, second = full().write(tmp_path / "a.html"), full().write(tmp_path / "b.html")
    assert first.read_bytes() == second.read_bytes()


def test_a_row_has_a_cell_a_column():
    with pytest.raises(AssertionError):
        Table("x", (Column("a"), Column("b")), (row("1"),))


def test_pages_are_plain_data():
    assert all(field.name != "html" for field in fields(Page))
    assert full() != Page(title="x")


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.12345, "0.123"), (-0.5, "−0.500"), (1.0, "1.000"), (-0.0001, "−0.000")]
)
def test_numbers_as_text(value, text):
    assert number(value) == text


def test_intervals_as_text():
    assert interval(0.1, 0.25) == "0.100–0.250"
    assert interval(-0.1, 0.25) == "−0.100 to 0.250"
    assert interval(None, None) == ""


def test_counts_as_text():
    assert count(1, "patient") == "1 patient"
    assert count(12345, "item") == "12,345 items"
    assert count(2, "body", "bodies") == "2 bodies"


def test_an_empty_histogram_is_drawn():
    assert "Distribution of length" in histogram(np.array([np.nan]), x="length").alt
