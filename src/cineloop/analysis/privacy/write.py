"""Writing a recording again without what must not be in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from cineloop.analysis.privacy.card import card
from cineloop.analysis.privacy.part import Part
from cineloop.errors import PrivacyError
from cineloop.progress import Progress, silent, stage
from cineloop.video.colour import scaled
from cineloop.video.frame import Pixels
from cineloop.video.info import ASSUMED_FPS
from cineloop.video.writer import VideoWriter

Watch: TypeAlias = Callable[[Part, int, Pixels], None]
"""Told about each picture that is kept: its part, its frame, and the masked pixels."""

_TOLD = 25


def shown_size(part: Part) -> tuple[int, int]:
    """Return the width and height at which a part's pictures have their right proportions."""
    info = part.video.info
    aspect = 1 / info.sample_aspect_ratio if info.rotation % 180 else info.sample_aspect_ratio
    return max(1, round(info.width * aspect)), info.height


def write_video(
    parts: Sequence[Part],
    path: Path,
    *,
    watch: Watch | None = None,
    progress: Progress = silent,
) -> int:
    """Write parts, one after the other, as one video; the file appears when it is whole.

    Every picture is drawn anew and encoded again, so nothing of the old file is copied but masked pixels and times:
    no sound, no title, no times of day, no other streams. What was removed shows the word *removed*; pictures before,
    in and after such a stretch do not refer to each other. Memory does not depend on the length.

    Args:
        parts: In order.
        path: The file; H.264 in MP4.
        watch: Told about every picture that is kept.
        progress: Told about frames.

    Returns:
        Frames in the video.

    Raises:
        PrivacyError: The parts are not of one size.
        VideoError: A picture cannot be written.
    """
    first = parts[0]
    size = shown_size(first)
    if any(shown_size(part) != size for part in parts):
        raise PrivacyError(
            "Parts of several sizes cannot be joined to one video",
            where=", ".join("{}x{}".format(*shown_size(part)) for part in parts),
            mend="Write one video a part (without join).",
        )
    info = first.video.info
    timed = info.variable_rate or len(parts) > 1
    writer = VideoWriter(
        path,
        info.fps or ASSUMED_FPS,
        size,
        crf=18,
        preset="veryfast",
        threads=0,
        explicit_times=timed,
        anonymous=True,
        container_options={"movflags": "+faststart"},
    )
    blank = card(size)
    total = sum(len(part.blanked) for part in parts)
    count = 0
    with stage(progress, total, "de-identify"), writer:
        for part in parts:
            clock = part.video.clock
            before: bool | None = None
            for frame, pixels in part.pictures():
                seconds = (
                    part.start - first.start + (int(clock.pts[frame]) - int(clock.pts[0])) * clock.time_base
                    if timed
                    else None
                )
                removed = pixels is None
                if pixels is not None and watch is not None:
                    watch(part, frame, pixels)
                picture = blank if pixels is None else scaled(pixels, size)
                writer.write(picture, seconds=seconds, keyframe=removed != before)
                before = removed
                count += 1
                if count % _TOLD == 0 or count == total:
                    progress.advance(_TOLD if count % _TOLD == 0 else count % _TOLD)
    return count
