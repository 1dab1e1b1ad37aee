"""Everything that an analysis says can be said in both languages."""

from __future__ import annotations

import re
import string
from dataclasses import fields

import pytest

from cineloop.analysis.indicators import MEASURES
from cineloop.analysis.moments import PHASES
from cineloop.analysis.summary.rates import RATES
from cineloop.analysis.words import CHINESE, ENGLISH, LANGUAGES, Said
from support import ROOT

SOURCE = ROOT / "src" / "cineloop" / "analysis"


def names_in(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_words():
    for field in fields(ENGLISH):
        one, other = getattr(ENGLISH, field.name), getattr(CHINESE, field.name)
        if isinstance(one, dict) and one:
            assert one.keys() == other.keys(), field.name
            assert all(names_in(one[key]) == names_in(other[key]) for key in one), field.name
            assert all(other.values())


def test_every_sentence_that_is_said_exists_and_every_one_is_said():
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    said = set(re.findall(r"Said\(\s*\"(\w+)\"", code))
    assert said == set(ENGLISH.sentences)


def test_every_indicator_has_a_chinese_title_definition_and_formula():
    for one in (*MEASURES, *RATES):
        assert re.search(r"[\u4e00-\u9fff]", CHINESE.title(one.definition)), one.definition.name
        assert CHINESE.definition(one.definition).endswith("。"), one.definition.name
        assert re.search(r"[\u4e00-\u9fff]", CHINESE.formula(one.definition)), one.definition.name
        assert ENGLISH.title(one.definition) == one.definition.title
        assert ENGLISH.definition(one.definition) == one.definition.definition
        assert ENGLISH.formula(one.definition) == one.definition.formula


@pytest.mark.parametrize("language", LANGUAGES)
def test_phases_and_events_have_words(language):
    words = LANGUAGES[language]
    assert set(PHASES) == set(words.phases)
    assert {"insertion_start", "caecum_reached", "withdrawal_start", "withdrawal_end", "alarm"} == set(words.events)


def test_a_sentence_is_english_as_text():
    said = Said("never_inside", {"seconds": 3.0})
    assert str(said) == "the scope is never seen in the body for 3 s"
    assert CHINESE.say(said) == "未见镜身在体内持续 3 秒"
