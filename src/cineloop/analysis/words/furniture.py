"""What stands around every page of an analysis, by language."""

from __future__ import annotations

from collections.abc import Mapping

from cineloop.analysis.words.pairs import Language
from cineloop.report.furniture import ENGLISH, Furniture

FURNITURE: Mapping[Language, Furniture] = {
    "en": ENGLISH,
    "zh": Furniture(
        language="zh-Hans",
        skip="跳到正文",
        sections="章节",
        invalid="结果无效。",
        provenance="来源",
        disclaimer="研究用软件，非医疗器械。",
    ),
}
