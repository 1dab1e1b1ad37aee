"""The words on a rendered video, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from unicodedata import normalize

from cineloop.timeline.decision import UNDEFINED

Language: TypeAlias = Literal["en", "zh"]

_SCORES = {value: f"BBPS {value}" for value in range(4)}


@dataclass(frozen=True)
class Words:
    """One language.

    Attributes:
        titles: What a signal is called, by name.
        states: What its values are called.
        undefined: The value -1.
        no: The value 0 of a signal without words of its own.
        yes: The value 1 of such a signal.
        filtered: The signals shown are filtered.
        raw: They are not.
        held: The result of an earlier frame is shown; ``{}`` is its index.
        nothing: There is no result for this frame.
        lost: The frame cannot be decoded.
        repeated: Likewise, and the picture of an earlier frame is shown; ``{}`` is its index.
        frame: ``{}`` is the index.
        probability: Of a label.
        threshold: From which probability on a signal holds.
        time: Of the recording.
    """

    titles: Mapping[str, str]
    states: Mapping[str, Mapping[int, str]]
    undefined: str
    no: str
    yes: str
    filtered: str
    raw: str
    held: str
    nothing: str
    lost: str
    repeated: str
    frame: str
    probability: str
    threshold: str
    time: str

    def title(self, signal: str) -> str:
        """Return what a signal is called; one that is not known by its name, with spaces for underscores."""
        return self.titles.get(signal, self.name(signal).replace("_", " "))

    def name(self, name: str) -> str:
        """Return a name of the user's as it is written: with each accent on its letter, as fonts have them."""
        return self.titles.get(name, normalize("NFC", name))

    def state(self, signal: str, value: int) -> str:
        """Return what a value of a signal is called."""
        known = self.states.get(signal, {0: self.no, 1: self.yes})
        return known.get(value, self.undefined if value == UNDEFINED else str(value))


ENGLISH = Words(
    titles={
        "course": "Phase",
        "alarm": "Alarm",
        "outside": "Scope",
        "out_of_body": "Gate",
        "in_body": "Gate",
        "nonsense": "Picture",
        "ileocecal": "Ileocecal region",
        "bbps": "Cleanliness",
    },
    states={
        "course": {-1: "unknown", 0: "outside", 1: "insertion", 2: "caecum", 3: "withdrawal", 4: "inside"},
        "outside": {0: "inside", 1: "outside"},
        "out_of_body": {0: "inside", 1: "outside"},
        "in_body": {0: "outside", 1: "inside"},
        "nonsense": {0: "readable", 1: "unreadable"},
        "ileocecal": {0: "not seen", 1: "seen"},
        "bbps": _SCORES,
    },
    undefined="n/a",
    no="no",
    yes="yes",
    filtered="filtered",
    raw="unfiltered",
    held="held from frame {}",
    nothing="no result",
    lost="cannot be decoded",
    repeated="cannot be decoded – picture of frame {}",
    frame="frame {}",
    probability="probability",
    threshold="threshold",
    time="time",
)

CHINESE = Words(
    titles={
        "course": "阶段",
        "alarm": "报警",
        "outside": "位置",
        "out_of_body": "体内外",
        "in_body": "体内外",
        "nonsense": "画面",
        "ileocecal": "回盲部",
        "bbps": "清洁度",
    },
    states={
        "course": {-1: "未知", 0: "体外", 1: "进镜", 2: "盲肠", 3: "退镜", 4: "体内"},
        "outside": {0: "体内", 1: "体外"},
        "out_of_body": {0: "体内", 1: "体外"},
        "in_body": {0: "体外", 1: "体内"},
        "nonsense": {0: "可读", 1: "不可读"},
        "ileocecal": {0: "未见", 1: "可见"},
        "bbps": _SCORES,
    },
    undefined="不适用",
    no="否",
    yes="是",
    filtered="已滤波",
    raw="未滤波",
    held="沿用第 {} 帧",
    nothing="无数据",
    lost="无法解码",
    repeated="无法解码 – 沿用第 {} 帧画面",
    frame="第 {} 帧",
    probability="概率",
    threshold="阈值",
    time="时间",
)

GLYPHS = "外坏盲"
"""What the published overlay writes: outside, bad, caecum."""

LANGUAGES: Mapping[Language, Words] = {"en": ENGLISH, "zh": CHINESE}
