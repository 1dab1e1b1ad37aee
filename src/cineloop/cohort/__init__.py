"""Cohorts: media, items and splits as typed tables; the split lock; the audit; formats, a file an on-disk layout.

Names are resolved on first use: schemas and formats can be looked up without loading Polars.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cineloop.cohort.cohort import Cohort
    from cineloop.cohort.format import FORMATS, FormatRequest, FormatSpec, Record
    from cineloop.cohort.item import Identity, Item
    from cineloop.cohort.schema import DataSection, SplitSection

_LAZY = {
    "Cohort": "cineloop.cohort.cohort",
    "FORMATS": "cineloop.cohort.format",
    "FormatRequest": "cineloop.cohort.format",
    "FormatSpec": "cineloop.cohort.format",
    "Record": "cineloop.cohort.format",
    "Identity": "cineloop.cohort.item",
    "Item": "cineloop.cohort.item",
    "DataSection": "cineloop.cohort.schema",
    "SplitSection": "cineloop.cohort.schema",
}

__all__ = [
    "FORMATS",
    "Cohort",
    "DataSection",
    "FormatRequest",
    "FormatSpec",
    "Identity",
    "Item",
    "Record",
    "SplitSection",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
