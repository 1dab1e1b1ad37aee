"""``Video``: any recording, frame by frame, the same way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, overload

import numpy as np
import numpy.typing as npt

from cineloop.errors import FrameDecodeError, VideoError
from cineloop.video.frame import Frame, FrameRef, Frames
from cineloop.video.info import VideoInfo
from cineloop.video.opening import open_source
from cineloop.video.source import Clock, Integers, Picture, Size


class FrameRefs(Sequence[FrameRef]):
    """The names of all frames of a video, made as they are looked at."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __len__(self) -> int:
        return len(self._clock.pts)

    @overload
    def __getitem__(self, index: int) -> FrameRef: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[FrameRef, ...]: ...

    def __getitem__(self, index: int | slice) -> FrameRef | tuple[FrameRef, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        position = range(len(self))[index]
        return FrameRef(position, int(self._clock.pts[position]), self._clock.time_base)


@dataclass(frozen=True, slots=True)
class SkippedRange:
    """Frames that a stream left out because they cannot be decoded.

    Attributes:
        start: The first one.
        stop: One past the last one.
        reason: Why, for the first one.
    """

    start: int
    stop: int
    reason: str


class Video:
    """A recording: a video file, a DICOM object, a folder of images or a single image.

    What it is decides its content, not its name. Frames are RGB uint8, upright, numbered from 0 in the order in which
    they are shown; a frame is either exact or an error, never an approximation and never another frame. A truncated
    file is refused unless ``allow_truncated`` asks for the part that is there.

    The object can be sent to another process, or used after a fork: it opens the recording again there. Requests may
    interrupt a stream, at the price of decoding part of a group again; it is not meant for several threads at once.

    Args:
        path: A file or folder.
        threads: Decoder threads; 0 means one per core. Data workers pass 1.
        allow_truncated: Serve the frames that are whole in a file that ends early.

    Raises:
        TruncatedVideoError: The file ends before what its header promises.
        EmptyVideoError: There is no frame in it.
        VideoError: It is missing, or nothing that can be read.
    """

    def __init__(self, path: str | Path, *, threads: int = 0, allow_truncated: bool = False) -> None:
        self.path = Path(path)
        self._threads = threads
        self._allow_truncated = allow_truncated
        self.skipped: list[SkippedRange] = []
        self._source = open_source(self.path, threads=threads, allow_truncated=allow_truncated)

    def __reduce__(self) -> tuple[object, ...]:
        return _reopen, (self.path, self._threads, self._allow_truncated)

    def __len__(self) -> int:
        return len(self._source.clock.pts)

    def __repr__(self) -> str:
        return f"Video({str(self.path)!r}, {len(self)} frames)"

    @property
    def info(self) -> VideoInfo:
        """What the recording is. The first call may decode one frame."""
        return self._source.info

    @property
    def refs(self) -> FrameRefs:
        """The names of all frames."""
        return FrameRefs(self._source.clock)

    @property
    def clock(self) -> Clock:
        """When the frames are shown."""
        return self._source.clock

    @property
    def keyframes(self) -> Integers:
        """Indices of the frames that can be decoded without any other, increasing: the cheapest ones to look at."""
        return self._source.keyframes

    @property
    def decoded_frames(self) -> int:
        """Pictures decoded so far to answer requests: those asked for and those that had to be decoded on the way."""
        return self._source.decoded_frames

    def at(self, seconds: float) -> int:
        """Return the index of the frame that is on screen at a time.

        Args:
            seconds: On the recording's own clock, as in ``FrameRef.seconds``. Before the first frame appears, the
                first frame is what a player shows.

        Raises:
            VideoError: The time is after the last frame's disappearance, or not a number.
        """
        clock = self._source.clock
        end = clock.end * clock.time_base
        if not seconds < float(end) and seconds != float(end):
            raise VideoError(
                f"There is no frame at {seconds} s: the recording ends at {float(end):.3f} s",
                where=self.path,
                mend="Ask for an earlier time.",
            )
        ticks = Fraction(seconds) / clock.time_base
        # A float second names the tick it was derived from, not the one a rounding error before.
        nearest = round(ticks)
        tick = nearest if abs(ticks - nearest) < Fraction(1, 1000) else int(ticks // 1)
        return max(int(np.searchsorted(clock.pts, tick, side="right")) - 1, 0)

    def frames(self, indices: Sequence[int] | npt.NDArray[np.integer], *, size: Size | None = None) -> Frames:
        """Decode chosen frames.

        Args:
            indices: Frame indices ``[T]``, in any order, repeated or not.
            size: Width and height to scale to (antialiased bilinear, in the pass that converts to RGB); None keeps
                the recording's own.

        Returns:
            The frames in the order asked for: pixels RGB uint8 ``[T, H, W, 3]``.

        Raises:
            FrameDecodeError: One of them cannot be decoded exactly.
            VideoError: An index is not a frame of this recording, or none was given.
        """
        asked = self._checked(indices)
        wanted, places = np.unique(asked, return_inverse=True)
        distinct: npt.NDArray[np.uint8] | None = None
        for row, picture in enumerate(self._source.pictures(wanted, size, at_once=True)):
            if picture.pixels is None:
                assert picture.error is not None
                raise picture.error
            if distinct is None:
                distinct = np.empty((len(wanted), *picture.pixels.shape), dtype=np.uint8)
            elif picture.pixels.shape != distinct.shape[1:]:
                height, width = picture.pixels.shape[:2]
                raise VideoError(
                    f"Frame {picture.index} has another size ({width}x{height}) than those before it",
                    where=self.path,
                    mend="Pass size=(width, height) to have all frames of one size.",
                )
            distinct[row] = picture.pixels
        assert distinct is not None
        in_order = len(wanted) == len(asked) and bool((np.diff(places) > 0).all())
        refs = self.refs
        return Frames(distinct if in_order else distinct[places], tuple(refs[i] for i in asked.tolist()))

    def stream(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        step: int = 1,
        rate: float | None = None,
        size: Size | None = None,
        on_error: Literal["raise", "skip"] = "raise",
    ) -> Iterator[Frame]:
        """Decode frames one after the other, holding only a few in memory.

        Args:
            start: The first frame; negative counts from the end.
            stop: One past the last frame; negative counts from the end; None means all.
            step: Give every ``step``-th frame.
            rate: Give the frames on screen at this many instants a second, counted from the first one's appearance;
                where the recording is slower than that each of its frames comes once. Not together with ``step``.
            size: Width and height to scale to, as in :meth:`frames`.
            on_error: ``raise`` stops at a frame that cannot be decoded; ``skip`` leaves it out and notes it in
                ``skipped``, which lists the ranges of the newest stream.

        Yields:
            The frames, in order.

        Raises:
            FrameDecodeError: A frame cannot be decoded exactly, and ``on_error`` is ``raise``.
            VideoError: The step or rate is impossible.
        """
        if step < 1 or (rate is not None and not rate > 0) or (rate is not None and step != 1):
            raise VideoError(
                f"Frames cannot be streamed with step {step} and rate {rate}",
                where=self.path,
                mend="Give a step of at least 1, or a rate above 0, and not both.",
            )
        span = range(len(self))[start:stop]
        wanted = np.arange(span.start, span.stop, step, dtype=np.int64)
        if rate is not None and len(span):
            wanted = self._at_rate(span, rate)
        return self._stream(wanted, size, skip=on_error == "skip")

    def pictures(self, indices: npt.NDArray[np.integer], *, size: Size | None = None) -> Iterator[Picture]:
        """Decode chosen frames one after the other, holding only a few in memory; failures are given, not raised.

        Args:
            indices: Frame indices ``[T]``, strictly increasing.
            size: Width and height to scale to, as in :meth:`frames`.

        Yields:
            One picture for each index, in order: its pixels, or why it cannot be decoded exactly.

        Raises:
            VideoError: An index is not a frame of this recording, or they do not increase.
        """
        if not len(indices):
            return
        asked = self._checked(indices)
        if not (np.diff(asked) > 0).all():
            raise VideoError("Frames are walked through in order", where=self.path, mend="Sort them, each once.")
        yield from self._source.pictures(asked, size)

    def _stream(self, wanted: Integers, size: Size | None, *, skip: bool) -> Iterator[Frame]:
        self.skipped = []
        refs = self.refs
        for picture in self._source.pictures(wanted, size):
            if picture.pixels is not None:
                yield Frame(np.ascontiguousarray(picture.pixels), refs[picture.index])
                continue
            assert picture.error is not None
            if not skip:
                raise picture.error
            self._note_skip(picture.index, picture.error)

    def _note_skip(self, index: int, error: FrameDecodeError) -> None:
        if self.skipped and self.skipped[-1].stop == index:
            last = self.skipped.pop()
            self.skipped.append(SkippedRange(last.start, index + 1, last.reason))
        else:
            self.skipped.append(SkippedRange(index, index + 1, error.what))

    def _at_rate(self, span: range, rate: float) -> Integers:
        """Return the frames of ``span`` that are on screen at ``rate`` instants a second, each once."""
        clock = self._source.clock
        first = int(clock.pts[span.start])
        end = int(clock.pts[span.stop]) if span.stop < len(self) else clock.end
        step = 1 / (Fraction(rate).limit_denominator(1_000_000) * clock.time_base)
        instants = -(-(end - first) * step.denominator // step.numerator)
        # Exact integer arithmetic: instant k is tick first + floor(k * step).
        ticks = first + np.arange(max(instants, 1), dtype=np.int64) * step.numerator // step.denominator
        return np.unique(np.searchsorted(clock.pts, ticks, side="right") - 1)

    def _checked(self, indices: Sequence[int] | npt.NDArray[np.integer]) -> Integers:
        asked = np.asarray(indices)
        if asked.ndim != 1 or not len(asked) or not np.issubdtype(asked.dtype, np.integer):
            raise VideoError(
                f"Frames are asked for by a list of whole numbers, not {indices!r:.60}",
                where=self.path,
                mend="Give at least one frame index.",
            )
        outside = asked[(asked < 0) | (asked >= len(self))]
        if len(outside):
            raise VideoError(
                f"Frame {outside[0]} does not exist: there are {len(self)} frames",
                where=self.path,
                mend=f"Ask for frames 0 to {len(self) - 1}.",
            )
        return asked.astype(np.int64)

    def close(self) -> None:
        """Release the file; asking for more opens it again."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _reopen(path: Path, threads: int, allow_truncated: bool) -> Video:
    return Video(path, threads=threads, allow_truncated=allow_truncated)
