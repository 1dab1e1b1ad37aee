"""The words on rendered videos, and the font that draws them."""

from __future__ import annotations

from dataclasses import fields
from importlib import resources
from io import BytesIO

import pytest
from fontTools.ttLib import TTFont

from cineloop.report.render.text import font, font_bytes, shortened, sprite, width_of
from cineloop.report.render.words import CHINESE, ENGLISH, GLYPHS, LANGUAGES
from cineloop.timeline.decision import SIGNALS
from cineloop.timeline.quality import LABELS

WEIGHTS = ("Medium", "Bold")


def all_texts(words):
    for field in fields(words):
        value = getattr(words, field.name)
        if isinstance(value, str):
            yield value
        elif field.name == "titles":
            yield from value.values()
        else:
            yield from (text for states in value.values() for text in states.values())


@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_font_has_every_letter_that_is_written(weight):
    has = TTFont(BytesIO(font_bytes(weight))).getBestCmap()
    texts = [text for words in LANGUAGES.values() for text in all_texts(words)]
    needed = {ord(letter) for text in [*texts, GLYPHS, "…–0123456789:./-"] for letter in text}
    assert needed - has.keys() == set()
    assert set(range(0x20, 0x7F)) <= has.keys()
    assert ord("é") in has


@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_font_is_free_small_and_has_a_name_of_its_own(weight):
    data = font_bytes(weight)
    assert len(data) < 60_000
    names = {name.nameID: str(name) for name in TTFont(BytesIO(data))["name"].names}
    assert "SIL Open Font License" in names[13]
    # The licence keeps the original's name for the original.
    assert not any(word in names[number] for number in (1, 4, 6) for word in ("Source", "Noto"))
    licence = resources.files("cineloop.report").joinpath("fonts", "OFL.txt").read_text()
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "Adobe" in licence


def test_both_languages_say_the_same():
    assert CHINESE.titles.keys() == ENGLISH.titles.keys()
    assert {name: states.keys() for name, states in CHINESE.states.items()} == {
        name: states.keys() for name, states in ENGLISH.states.items()
    }
    assert set(SIGNALS) <= ENGLISH.states.keys()
    assert len(LABELS) == 3 + len(ENGLISH.states["bbps"])
    for words in LANGUAGES.values():
        assert words.frame.format(7).count("7") == words.held.format(7).count("7") == 1


def test_states_in_words():
    assert ENGLISH.state("outside", 1) == ENGLISH.state("in_body", 0) == "outside"
    assert CHINESE.state("nonsense", 1) == "不可读"
    assert [ENGLISH.state("bbps", value) for value in (-1, 2)] == ["n/a", "BBPS 2"]
    assert ENGLISH.title("polyp_in_view") == "polyp in view"
    assert [ENGLISH.state("polyp", value) for value in (0, 1, 2)] == ["no", "yes", "2"]


def test_text_that_is_too_long_is_cut():
    whole = width_of("Ileocecal region", "Medium", 12)
    assert shortened("Ileocecal region", "Medium", 12, whole) == "Ileocecal region"
    cut = shortened("Ileocecal region", "Medium", 12, whole - 1)
    assert cut.endswith("…")
    assert width_of(cut, "Medium", 12) < whole
    assert shortened("Ileocecal region", "Medium", 12, 2) == ""


def test_a_line_of_text_fits_its_height_in_both_languages():
    for text in ("Åy", "清洁度"):
        drawn = sprite(text, "Bold", 20, (255, 255, 255), (0, 0, 0), 32)
        assert drawn.shape == (32, width_of(text, "Bold", 20), 3)
        rows = drawn.max(axis=(1, 2))
        assert rows.max() > 200
        assert rows[0] == rows[-1] == 0
    assert font("Bold", 20) is font("Bold", 20)
