"""Texts that stand in English and Chinese side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["en", "zh"]

Pairs: TypeAlias = Mapping[str, tuple[str, str]]
"""By key, English and Chinese. A bar divides the form for one from that for all other numbers."""


class Bilingual:
    """The texts of one language.

    Args:
        pairs: In both.
        language: Which.
    """

    def __init__(self, pairs: Pairs, language: Language) -> None:
        self.language: Language = language
        self._pairs = pairs
        self._column = ("en", "zh").index(language)

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text of a key, with values in their places; ``n`` chooses between one and several.

        Raises:
            KeyError: There is no such key.
        """
        one, _, several = self._pairs[key][self._column].partition("|")
        return (several if several and values.get("n") != 1 else one).format_map(values)

    @property
    def all(self) -> Mapping[str, str]:
        """The texts by key, as they are written."""
        return {key: both[self._column] for key, both in self._pairs.items()}
