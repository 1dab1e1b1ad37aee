"""One coded video of each kind, written once a session."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from video_codes import variable_times, write_coded_video

FRAMES = 48

VARIANTS: dict[str, tuple[str, dict]] = {
    "b-frames": ("mp4", {"keyint": 12, "bframes": 3}),
    "no-b-frames": ("mp4", {"keyint": 12, "bframes": 0}),
    "open-gop": ("mp4", {"keyint": 12, "bframes": 3, "open_gop": True}),
    "open-gop-ts": ("ts", {"keyint": 12, "bframes": 3, "open_gop": True}),
    "matroska": ("mkv", {"keyint": 12, "bframes": 3}),
    "h264-avi": ("avi", {"keyint": 12, "bframes": 2}),
    "variable-rate": ("mp4", {"keyint": 12, "bframes": 3, "times": variable_times(FRAMES)}),
    "variable-rate-late": ("mkv", {"keyint": 12, "bframes": 3, "times": variable_times(FRAMES, 5.0)}),
    "late-start": ("mp4", {"keyint": 12, "bframes": 2, "times": [7 + Fraction(i, 25) for i in range(FRAMES)]}),
    "mpeg4": ("mp4", {"codec": "mpeg4", "keyint": 12, "bframes": 2}),
    "mpeg4-avi": ("avi", {"codec": "mpeg4", "keyint": 12, "bframes": 2}),
    "mpeg2-ts": ("ts", {"codec": "mpeg2video", "keyint": 12, "bframes": 2}),
    "mpeg2-ps": ("mpg", {"codec": "mpeg2video", "keyint": 12, "bframes": 2}),
    "motion-jpeg": ("avi", {"codec": "mjpeg"}),
    "gif": ("gif", {"codec": "gif"}),
    "vp8": ("webm", {"codec": "vp8", "keyint": 12, "options": {"auto-alt-ref": "1", "lag-in-frames": "10"}}),
    "vp9": ("webm", {"codec": "vp9", "keyint": 12}),
    "hevc": ("mp4", {"codec": "hevc", "keyint": 12, "bframes": 3, "open_gop": True}),
    "rotated-90": ("mp4", {"turns": 1}),
    "rotated-180": ("mp4", {"turns": 2}),
    "rotated-270": ("mov", {"turns": 3}),
    "odd-size": ("mp4", {"size": (161, 121)}),
    "ten-bit": ("mp4", {"pixel_format": "yuv420p10le"}),
    "grey": ("mp4", {"pixel_format": "gray"}),
    "interlaced-ts": ("ts", {"keyint": 12, "options": {"flags": "+ildct", "x264-params": "tff=1:open-gop=0"}}),
}


@pytest.fixture(scope="session")
def coded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the file of a variant; frame ``i`` of ``FRAMES`` shows ``i``."""
    folder = tmp_path_factory.mktemp("coded")

    def file(variant: str) -> Path:
        suffix, arguments = VARIANTS[variant]
        path = folder / f"{variant}.{suffix}"
        if not path.exists():
            write_coded_video(path, FRAMES, **arguments)
        return path

    return file
