"""What is shown in place of frames that cannot be decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cineloop.errors import VideoError
from cineloop.report.render.colours import WARNING
from cineloop.report.render.text import Pixels, stamp, unit_of, width_of
from cineloop.report.render.words import Words
from cineloop.video import SkippedRange, Video
from cineloop.video.frame import Frame, FrameRef
from cineloop.video.source import Size

# Of 256: how bright a repeated picture is.
_DIMMED = 110
_BLACK = (0, 0, 0)
_NAMED = 5


@dataclass(frozen=True)
class Lost:
    """Frames, one after another, that cannot be decoded.

    Attributes:
        start: The first one.
        stop: One past the last one.
        begins: When the first one is shown, in seconds on the recording's own clock.
        ends: When the last one is over.
        reason: Why, for the first one.
    """

    start: int
    stop: int
    begins: float
    ends: float
    reason: str

    @classmethod
    def of(cls, skipped: SkippedRange, video: Video) -> Lost:
        """Return what a stream of a video left out."""
        clock, start, stop = video.clock, skipped.start, skipped.stop
        end = int(clock.pts[stop]) if stop < len(video) else clock.end
        begins, ends = (float(time * clock.time_base) for time in (int(clock.pts[start]), end))
        return cls(start, stop, begins, ends, skipped.reason)

    def __str__(self) -> str:
        alone = self.stop == self.start + 1
        frames = f"frame {self.start}" if alone else f"frames {self.start} to {self.stop - 1}"
        return f"{frames}, {self.begins:.3f} s to {self.ends:.3f} s"


def pictures(video: Video, total: int, size: Size, words: Words, *, skip_errors: bool) -> Iterator[Frame]:
    """Decode the first frames of a video, with a picture for each of them.

    In place of a frame that cannot be decoded comes the last one that could be, grey and dark, with a line that says
    so; before the first one that can be, black. Which they were is in ``video.skipped``.

    Args:
        video: The recording.
        total: How many frames.
        size: Width and height to scale to.
        words: In which language.
        skip_errors: Go on after a frame that cannot be decoded.

    Yields:
        All ``total`` frames, in order.

    Raises:
        FrameDecodeError: A frame cannot be decoded, and errors are not skipped.
        VideoError: No frame can be decoded.
    """
    refs, due, last = video.refs, 0, None
    for frame in video.stream(0, total, size=size, on_error="skip" if skip_errors else "raise"):
        yield from _stand_ins(refs[due : frame.ref.index], last, size, words)
        yield frame
        due, last = frame.ref.index + 1, frame
    if last is None:
        raise VideoError(
            f"None of the {total} frames can be decoded", where=video.path, mend="Copy the recording again."
        )
    yield from _stand_ins(refs[due:total], last, size, words)


def _stand_ins(refs: Sequence[FrameRef], last: Frame | None, size: Size, words: Words) -> Iterator[Frame]:
    if refs:
        marked = _marked(last, size, words)
        yield from (Frame(marked, ref) for ref in refs)


def _marked(last: Frame | None, size: Size, words: Words) -> Pixels:
    """Return a picture that nobody takes for the frame's own, RGB uint8 [H, W, 3]."""
    width, height = size
    if last is None:
        marked, text = np.zeros((height, width, 3), np.uint8), words.lost
    else:
        grey = (last.pixels.astype(np.uint32).mean(axis=2) * _DIMMED / 256).astype(np.uint8)
        marked, text = np.repeat(grey[..., None], 3, axis=2), words.repeated.format(last.ref.index)
    unit = unit_of(width, height)
    line = min(height, round(1.6 * unit))
    text = text if width_of(text, "Bold", unit) + unit <= width else words.lost
    band = min(width, width_of(text, "Bold", unit) + unit)
    if line >= unit and band > unit:
        marked[height - line :, :band] = 0
        stamp(marked, (unit // 2, height - line, band - unit, line), text, unit, WARNING, _BLACK, weight="Bold")
    return marked


def told(lost: Sequence[Lost], total: int) -> str:
    """Return how many of ``total`` frames had no picture, which, and when, as a sentence."""
    count = sum(one.stop - one.start for one in lost)
    spans = "; ".join(str(one) for one in lost[:_NAMED])
    more = f"; and {len(lost) - _NAMED} more stretches" if len(lost) > _NAMED else ""
    instead = "the last picture before them" + (" (black before the first)" if lost[0].start == 0 else "")
    return f"{count} of {total} frames cannot be decoded and show {instead}, marked: {spans}{more}"
