"""Frames in and out: reading, sampling, transforming and writing procedure video.

Names are resolved on first use, so that a recipe can be checked without loading a decoder.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cineloop.video.content import ContentArea, detect_content, find_content
    from cineloop.video.frame import Frame, FrameRef, Frames
    from cineloop.video.info import VideoInfo
    from cineloop.video.reader import SkippedRange, Video
    from cineloop.video.writer import VideoWriter

_MODULES = {
    "ContentArea": "content",
    "Frame": "frame",
    "FrameRef": "frame",
    "Frames": "frame",
    "SkippedRange": "reader",
    "Video": "reader",
    "VideoInfo": "info",
    "VideoWriter": "writer",
    "detect_content": "content",
    "find_content": "content",
}

__all__ = [
    "ContentArea",
    "Frame",
    "FrameRef",
    "Frames",
    "SkippedRange",
    "Video",
    "VideoInfo",
    "VideoWriter",
    "detect_content",
    "find_content",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"cineloop.video.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'cineloop.video' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
