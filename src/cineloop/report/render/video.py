"""A timeline over its video, as a video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from cineloop.errors import TimelineError
from cineloop.progress import Progress, silent, stage
from cineloop.report.render.corner import Corner
from cineloop.report.render.layout import Layout, Scene
from cineloop.report.render.lettering import Lettering
from cineloop.report.render.lost import Lost, pictures, told
from cineloop.report.render.moment import Holder
from cineloop.report.render.strip import Strip
from cineloop.report.render.upstream import Upstream
from cineloop.report.render.words import LANGUAGES, Language
from cineloop.timeline.timeline import Timeline
from cineloop.video import Video, VideoWriter
from cineloop.video.info import ASSUMED_FPS
from cineloop.video.sound import Sound

LayoutName: TypeAlias = Literal["strip", "corner", "upstream"]

LAYOUTS: Mapping[LayoutName, type[Strip] | type[Corner] | type[Upstream]] = {
    "strip": Strip,
    "corner": Corner,
    "upstream": Upstream,
}
SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
_TOLD = 25


@dataclass(frozen=True)
class Rendered:
    """What was written of a timeline.

    Attributes:
        path: The video; None where only a plot was asked for.
        frames: In it.
        notes: What the user should know, in sentences.
        lost: Frames that could not be decoded and show the last picture before them.
        plot: The figure; None where none was asked for.
    """

    path: Path | None
    frames: int
    notes: tuple[str, ...] = ()
    lost: tuple[Lost, ...] = ()
    plot: Path | None = None


def check_target(path: Path) -> None:
    """Check that a video can be written to ``path``, before any work.

    Raises:
        TimelineError: The suffix is none of :data:`SUFFIXES`, or a file stands there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise TimelineError(
            f"Rendered videos are not written as {path.suffix or 'a file without a suffix'}",
            where=path,
            mend=f"Use one of {', '.join(SUFFIXES)}.",
        )
    if path.exists():
        raise TimelineError("A file is already there", where=path, mend="Give another --out, or remove it.")


def render_video(
    timeline: Timeline,
    video: Video,
    out: Path,
    *,
    layout: LayoutName = "strip",
    language: Language = "en",
    written: Lettering | None = None,
    audio: bool = False,
    skip_errors: bool = False,
    progress: Progress = silent,
) -> Rendered:
    """Write a video that shows what a timeline says of each frame.

    Frames are decoded, drawn on and written one after the other, so that memory does not depend on the length; the file
    appears when it is whole. Frames keep their times. Sound is copied only where that is asked. Where the recording's
    pixels are not square, the picture is scaled to its right proportions. The filtered signals are shown, or the raw
    ones where there are none.

    Args:
        timeline: Of this video. Its rows are held where it does not have one for every frame.
        video: The recording.
        out: Where to; H.264 in ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``.
        layout: ``strip`` adds a strip below the picture; ``corner`` lays a translucent panel over a corner;
            ``upstream`` is the published overlay, which ends with the shorter of timeline and video.
        language: Of the words; the published overlay has its own.
        written: How names are written, where the package's own font lacks letters.
        audio: Copy the first track of sound, as it is. Voices identify people.
        skip_errors: In place of a frame that cannot be decoded show the last picture before it, marked, and go on.
        progress: Told about frames.

    Raises:
        TimelineError: The timeline has more frames than the video, shows nothing, or does not fit the layout; or
            ``out`` is there or has another suffix.
        VideoError: A frame cannot be decoded, and errors are not skipped; or none can be decoded; or one cannot be
            written.
    """
    check_target(out)
    if not timeline.shown:
        raise TimelineError("The timeline has no signals to show", where=timeline.source, mend="Give one with signals.")
    info, clock = video.info, video.clock
    total, notes = _frames_to_show(timeline, video, published=layout == "upstream")
    aspect = 1 / info.sample_aspect_ratio if info.rotation % 180 else info.sample_aspect_ratio
    width = info.width if layout == "upstream" else round(info.width * aspect)
    unit = float(clock.time_base)
    lettered = written or Lettering(LANGUAGES[language])
    words = lettered.words
    scene = Scene(
        timeline=timeline,
        words=words,
        width=width,
        height=info.height,
        frames=len(video),
        start=float(clock.pts[0]) * unit,
        stop=clock.end * unit,
        letters=lettered.letters,
    )
    composer: Layout = LAYOUTS[layout](scene)
    holder = Holder(timeline)
    sound, heard = _sound(video, total, wanted=audio)
    writer = VideoWriter(
        out,
        info.fps or ASSUMED_FPS,
        composer.size,
        crf=20,
        preset="veryfast",
        threads=0,
        explicit_times=info.variable_rate,
        sound=sound,
        container_options=None if out.suffix.lower() == ".mkv" else {"movflags": "+faststart"},
    )
    with stage(progress, total, f"render {video.path.name}"), writer:
        shown = pictures(video, total, (width, info.height), words, skip_errors=skip_errors)
        for count, frame in enumerate(shown, start=1):
            moment = holder.at(frame.ref.index, frame.ref.seconds)
            seconds = frame.ref.pts * frame.ref.time_base if info.variable_rate else None
            writer.write(composer.compose(frame.pixels, moment), seconds=seconds)
            if count % _TOLD == 0 or count == total:
                progress.advance(_TOLD if count % _TOLD == 0 else count % _TOLD)
    lost = tuple(Lost.of(one, video) for one in video.skipped)
    return Rendered(out, total, (*notes, *heard, *([told(lost, total)] if lost else [])), lost)


def _sound(video: Video, total: int, *, wanted: bool) -> tuple[Sound | None, tuple[str, ...]]:
    """Return the sound of the first frames of a video, and what is to be told of it."""
    if not wanted:
        return None, ()
    if not (video.info.kind == "video" and video.info.has_audio):
        return None, ("the recording has no sound",)
    clock = video.clock
    start, stop = (
        int(time) * clock.time_base for time in (clock.pts[0], clock.pts[total] if total < len(video) else clock.end)
    )
    # At a constant rate the first frame is written at 0.
    return Sound(video.path, start, stop, Fraction(0) if video.info.variable_rate else -start), ()


def _frames_to_show(timeline: Timeline, video: Video, *, published: bool) -> tuple[int, tuple[str, ...]]:
    """Return how many frames are shown, and what is odd about timeline and video."""
    frames, last = len(video), int(timeline.frames[-1])
    stop = last + timeline.stride
    notes = []
    if last >= frames and not published:
        raise TimelineError(
            f"The timeline goes to frame {last} ({last + 1} frames) and the video has {frames} frames",
            where=f"{timeline.source}, {video.path}",
            mend="Name the video that the timeline was made from. An analysis of several files has one timeline for "
            "all of them: cineloop analyze --overlay draws each.",
        )
    if published and not last < frames <= stop:
        shown = min(stop, frames)
        notes.append(f"the timeline has {last + 1} frames and the video {frames}: the first {shown} are shown")
    elif frames - last > min(timeline.stride + 1, int(np.diff(timeline.frames).max(initial=1))):
        # Rows at a rate that does not divide the video's are by turns one frame further apart.
        notes.append(f"the timeline says nothing about the last {frames - stop} of {frames} frames")
    rows = timeline.frames[timeline.frames < frames]
    apart = np.abs(timeline.seconds[: len(rows)] - video.clock.pts[rows] * float(video.clock.time_base))
    if len(rows) and float(apart.max()) > 0.5 / timeline.frame_rate:
        row = int(apart.argmax())
        notes.append(
            f"the times differ: frame {rows[row]} is at {timeline.seconds[row]:.3f} s in the timeline and "
            f"{video.refs[int(rows[row])].seconds:.3f} s in the video, whose times are shown"
        )
    return min(stop, frames) if published else frames, tuple(notes)
