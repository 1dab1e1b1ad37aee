"""Cineloop: procedure video in, cohorts that cannot leak, models that are proven, reports a clinician can read.

Names are resolved on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cineloop._version import __version__

if TYPE_CHECKING:
    from cineloop import models, video
    from cineloop.api import analyze, evaluate, export, features, load, predict, sampling, train
    from cineloop.cohort import Cohort
    from cineloop.report.render import render
    from cineloop.timeline import Timeline
    from cineloop.video import Video

_LAZY = {
    "analyze": "cineloop.api",
    "train": "cineloop.api",
    "evaluate": "cineloop.api",
    "predict": "cineloop.api",
    "export": "cineloop.api",
    "features": "cineloop.api",
    "load": "cineloop.api",
    "sampling": "cineloop.api",
    "render": "cineloop.report.render",
    "Cohort": "cineloop.cohort",
    "Timeline": "cineloop.timeline",
    "Video": "cineloop.video",
}
_MODULES = {"models", "video", "cohort", "evaluation", "phantom", "testing"}

__all__ = [
    "Cohort",
    "Timeline",
    "Video",
    "__version__",
    "analyze",
    "evaluate",
    "export",
    "features",
    "load",
    "models",
    "predict",
    "render",
    "sampling",
    "train",
    "video",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"cineloop.{name}")
    raise AttributeError(f"module 'cineloop' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_MODULES})
