"""Recordings that FFmpeg reads: a file is surveyed once, then gives any of its frames."""

from __future__ import annotations

import gc
import math
import os
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame

from cineloop.errors import EmptyVideoError, FrameDecodeError, TruncatedVideoError, VideoError
from cineloop.video.colour import RgbConverter, Turn
from cineloop.video.container import Medium, open_container
from cineloop.video.decoder import PROGRESSIVE, PacketDecoder, output_order
from cineloop.video.index import (
    MISSING,
    FrameIndex,
    IndexCache,
    Packets,
    index_by_output,
    index_by_times,
    plan,
    times_can_be_trusted,
    until,
)
from cineloop.video.info import VideoInfo
from cineloop.video.packets import read_packets
from cineloop.video.parallel import ParallelDecoder
from cineloop.video.promise import broken_promise
from cineloop.video.source import Clock, Integers, Picture, Size

# Formats that cut a byte stream into packets by looking for start codes, where a packet may be one field of a picture.
_PARSED = {"mpegts", "mpeg", "h264", "hevc", "mpegvideo", "m4v"}
# Formats without time stamps for display: the order of reordered pictures is known only to the decoder.
_UNTIMED = {"avi", "h264", "hevc", "mpegvideo", "m4v", "mjpeg"}
_CONTAINER_NAMES = {"mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "matroska"}


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What reading a file through, without decoding, tells.

    Attributes:
        index: Its frames and packets.
        time_base: Seconds per unit of its time stamps.
        nominal_rate: Frames per second that the container states, or None.
        container: Its format.
        codec: Its codec.
        interlaced: Whether the stream states that pictures are made of two fields.
        has_audio: Whether there is sound.
        sample_aspect_ratio: Width to height of a stored pixel.
        declared_frames: Frames that the header promises, or None.
        truncated: What is missing from its end, or None.
    """

    index: FrameIndex
    time_base: Fraction
    nominal_rate: Fraction | None
    container: str
    codec: str
    interlaced: bool
    has_audio: bool
    sample_aspect_ratio: Fraction
    declared_frames: int | None
    truncated: str | None

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes, nearly."""
        return self.index.nbytes


_SURVEYS: IndexCache[Survey] = IndexCache(limit=256 << 20)


def survey(medium: Medium, threads: int) -> Survey:
    """Read a file through; what was read before in this process and has not changed is remembered.

    Raises:
        EmptyVideoError: It has no video stream, or one without a frame.
        TruncatedVideoError: It ends so early that nothing can be read.
        VideoError: It cannot be read.
    """
    state = medium.path.stat()
    key = (str(medium.path.resolve()), medium.data is None, state.st_size, state.st_mtime_ns)
    known = _SURVEYS.get(key)
    if known is None:
        known = _survey(medium, threads)
        _SURVEYS.put(key, known)
    return known


def _survey(medium: Medium, threads: int) -> Survey:
    missing = broken_promise(medium.path if medium.data is None else medium.data)
    try:
        container, stream = open_container(medium)
    except VideoError as error:
        if missing is None or isinstance(error, EmptyVideoError):
            raise
        raise truncated_error(medium.path, missing, readable=False) from None
    with container:
        packets = read_packets(medium, container, stream)
        context, name, declared = stream.codec_context, container.format.name, stream.frames or None
        held = _frames_held(packets, name)
        if not missing and declared is not None and held < declared:
            missing = f"holds {held} of the {declared} frames that its header promises"
        if not missing and len(packets) and packets.corrupt[-1]:
            missing = "ends within its last frame"
        interlaced = context.field_order not in PROGRESSIVE
        return Survey(
            index=_index(
                medium,
                packets,
                guess_order=(name in _UNTIMED and context.reorder_depth > 0) or (name in _PARSED and interlaced),
                truncated=missing,
                threads=threads,
            ),
            time_base=stream.time_base or Fraction(1, 1000),
            nominal_rate=stream.guessed_rate or stream.average_rate,
            container=_CONTAINER_NAMES.get(name, name),
            codec=context.codec.canonical_name,
            interlaced=interlaced,
            has_audio=bool(container.streams.audio),
            sample_aspect_ratio=stream.sample_aspect_ratio or Fraction(1),
            declared_frames=declared,
            truncated=missing,
        )


def _frames_held(packets: Packets, container: str) -> float:
    """Return how many frames a file holds, to be compared with what its header promises."""
    if container.startswith("mov"):
        return len(packets)
    if container == "avi" and len(packets):
        # Frames that a recorder dropped have no packet, but their place in time.
        return int(packets.dts.max()) + 1
    return math.inf


def _index(medium: Medium, packets: Packets, *, guess_order: bool, truncated: str | None, threads: int) -> FrameIndex:
    """Index a stream by its time stamps, or, where they cannot be trusted, by decoding it once."""
    if len(packets) and not packets.key.any():
        packets.key[0] = guess_order = True
    if guess_order or not times_can_be_trusted(packets):
        index = index_by_output(packets, output_order(medium, threads))
    else:
        index = index_by_times(packets)
    if truncated and len(packets):
        # Not every format tells that the last thing it read was only part of a packet.
        packets.corrupt[-1] = True
        index = until(index, _complete_before(packets))
    if not len(index):
        if truncated:
            raise truncated_error(medium.path, truncated, readable=False)
        raise EmptyVideoError("The video stream holds no frame", where=medium.path, mend="Record or export it again.")
    return index


def truncated_error(path: Path, missing: str, *, readable: bool = True) -> TruncatedVideoError:
    """Return the error for a file from whose end something is missing.

    Args:
        path: The file.
        missing: What.
        readable: Whether what is there can be read.
    """
    mend = (
        "Copy it again, or leave it out (predict --skip-errors, data.on_error: skip); in Python, "
        "Video(path, allow_truncated=True) reads what is there."
        if readable
        else "Copy it again from the recorder, or leave it out: without what is missing no frame of it can be read."
    )
    return TruncatedVideoError(f"The file {missing}", where=path, mend=mend)


def _complete_before(packets: Packets) -> int:
    """Return the time before which no picture of a truncated stream can be missing.

    A picture is never shown before it is decoded, so what came after the end is shown after the next decode time.
    """
    broken = np.flatnonzero(packets.corrupt)
    end = int(broken[0]) if len(broken) else len(packets)
    if end < len(packets) and packets.dts[end] != MISSING:
        return int(packets.dts[end])
    known = packets.dts[:end][packets.dts[:end] != MISSING]
    return int(known[-1] + np.median(np.diff(known))) if len(known) > 1 else int(np.iinfo(np.int64).max)


# Sources with decoder threads, and what a child process inherited of them and must not touch.
_OPEN_SOURCES: weakref.WeakSet[FileSource] = weakref.WeakSet()
_LEFT_TO_PARENT: list[object] = []


def _after_fork() -> None:
    # What the parent had not yet collected may own decoder threads too: the child must never free it.
    gc.freeze()
    for source in list(_OPEN_SOURCES):
        source.after_fork()


os.register_at_fork(after_in_child=_after_fork)


class FileSource:
    """A recording that FFmpeg reads.

    Args:
        medium: The file.
        threads: Decoder threads; 0 means one per core.
        allow_truncated: Serve what is there of a file that ends early.

    Raises:
        TruncatedVideoError: The file ends early and that is not allowed.
        EmptyVideoError: It has no frame.
        VideoError: It cannot be read.
    """

    def __init__(self, medium: Medium, *, threads: int, allow_truncated: bool) -> None:
        self._survey = survey(medium, threads)
        if self._survey.truncated and not allow_truncated:
            raise truncated_error(medium.path, self._survey.truncated)
        self._medium = medium
        self._threads = threads
        self._start_decoder()
        _OPEN_SOURCES.add(self)
        self._info: VideoInfo | None = None
        index = self._survey.index
        self._clock = Clock(index.pts, self._survey.time_base, int(index.pts[-1]) + _last_duration(self._survey))

    def _start_decoder(self) -> None:
        self._decoder = PacketDecoder(self._medium, self._survey.index, self._threads)
        self._converter = RgbConverter(self._threads)
        most = self._threads or os.cpu_count() or 1
        self._parallel = ParallelDecoder(self._medium, self._survey.index, most) if most > 1 else None

    def after_fork(self) -> None:
        """Begin anew in a child process: it has not the parent's decoder threads, and freeing them would hang."""
        _LEFT_TO_PARENT.append((self._decoder, self._converter, self._parallel))
        self._start_decoder()

    @property
    def clock(self) -> Clock:
        """When its frames are shown."""
        return self._clock

    @property
    def keyframes(self) -> Integers:
        """Frames that can be decoded without any other."""
        index = self._survey.index
        return np.flatnonzero(index.packet == index.entry)

    @property
    def decoded_frames(self) -> int:
        """Pictures decoded so far."""
        return self._decoder.decoded + (self._parallel.decoded if self._parallel is not None else 0)

    @property
    def info(self) -> VideoInfo:
        """What the recording is; the first call decodes the first frame."""
        if self._info is None:
            self._info = self._describe()
        return self._info

    def pictures(self, indices: Integers, size: Size | None, *, at_once: bool = False) -> Iterator[Picture]:
        """Decode frames; see :class:`~cineloop.video.source.Source`."""
        stretches = plan(self._survey.index, indices) if at_once and self._parallel is not None else []
        if self._parallel is not None and self._parallel.worth(stretches) > 1:
            for frame, pixels, reason in self._parallel.pictures(stretches, size):
                yield Picture(frame, pixels, None if pixels is not None else self._error(frame, reason))
            return
        for result in self._decoder.frames(indices):
            if result.frame is None:
                yield Picture(result.index, None, self._error(result.index, result.reason))
            else:
                yield Picture(result.index, self._converter.convert(result.frame, size))

    def close(self) -> None:
        """Close the file."""
        self._decoder.close()
        if self._parallel is not None:
            self._parallel.close()

    def _error(self, frame: int, reason: str) -> FrameDecodeError:
        return FrameDecodeError(
            f"Frame {frame} cannot be decoded exactly: {reason}",
            where=self._medium.path,
            mend="Copy the recording again from its source, or go on without the frame (predict and render "
            "--skip-errors, data.on_error: skip).",
        )

    def _describe(self) -> VideoInfo:
        first = self._first_picture()
        known, clock = self._survey, self.clock
        turn = Turn.of(first)
        width, height = (first.height, first.width) if turn.transposed else (first.width, first.height)
        fps, variable = frame_rate(clock, known.nominal_rate)
        return VideoInfo(
            kind="video",
            container=known.container,
            codec=known.codec,
            pixel_format=first.format.name,
            bit_depth=max(component.bits for component in first.format.components),
            width=width,
            height=height,
            sample_aspect_ratio=1 / known.sample_aspect_ratio if turn.transposed else known.sample_aspect_ratio,
            frames=len(known.index),
            fps=fps,
            duration_seconds=float((clock.end - int(clock.pts[0])) * clock.time_base),
            rotation=turn.degrees,
            variable_rate=variable,
            interlaced=known.interlaced or first.interlaced_frame,
            has_audio=known.has_audio,
            truncated=known.truncated is not None,
            declared_frames=known.declared_frames,
        )

    def _first_picture(self) -> VideoFrame:
        """Return the first frame that can be decoded."""
        reason = ""
        for start in (0, *np.unique(self._survey.index.entry)[1:4].tolist()):
            frame = int(self._survey.index.frame_of[start]) if start else 0
            if frame < 0:
                continue
            result = next(self._decoder.frames(np.array([frame])))
            if result.frame is not None:
                return result.frame
            reason = reason or result.reason
        raise self._error(0, reason)


def _last_duration(known: Survey) -> int:
    """Return how long the last frame is shown, in units of the time base."""
    index = known.index
    if index.packets.duration > 0:
        return index.packets.duration
    if len(index) > 1:
        return int(np.median(np.diff(index.pts)))
    return round(1 / (known.nominal_rate * known.time_base)) if known.nominal_rate else 1


def frame_rate(clock: Clock, nominal: Fraction | None) -> tuple[Fraction | None, bool]:
    """Return frames per second, and whether the rate varies.

    Times are rounded to the container's clock, so a rate counts as constant where each frame is within one tick, or a
    quarter of a frame, of where a constant rate puts it; the nominal rate is taken where it does so.
    """
    ticks = clock.pts - clock.pts[0]
    if len(ticks) == 1:
        length = (clock.end - int(clock.pts[0])) * clock.time_base
        return (1 / length if length > 0 else nominal), False
    mean = Fraction(len(ticks) - 1, 1) / (int(ticks[-1]) * clock.time_base)
    for rate in (nominal, mean):
        if rate:
            step = float(1 / (rate * clock.time_base))
            drift = np.abs(ticks - step * np.arange(len(ticks)))
            if float(drift.max()) <= max(1.0, step / 4):
                return rate.limit_denominator(100_000), False
    return mean.limit_denominator(100_000), True
