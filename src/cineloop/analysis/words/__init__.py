"""The words of an analysis in English and Chinese.

English titles and definitions stand with the definitions themselves. Sentences are named by keys, so that a result
holds them in no language and a page shows them in any.
"""

from __future__ import annotations

from collections.abc import Mapping

from cineloop.analysis.words.chinese import CHINESE
from cineloop.analysis.words.english import ENGLISH
from cineloop.analysis.words.pairs import Bilingual, Language, Pairs
from cineloop.analysis.words.said import Said, Words

LANGUAGES: Mapping[Language, Words] = {"en": ENGLISH, "zh": CHINESE}

__all__ = ["CHINESE", "ENGLISH", "LANGUAGES", "Bilingual", "Language", "Pairs", "Said", "Words"]
