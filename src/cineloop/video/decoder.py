"""Decoding chosen frames of one stream exactly, with as little decoding as the stream allows."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from cineloop.video.container import Medium, open_container
from cineloop.video.index import FrameIndex, Stretch, plan, with_preroll
from cineloop.video.packets import PacketReader
from cineloop.video.source import Integers

# Codecs in which a picture that claims to be no reference truly is none, so that leaving it out changes no other.
# (In HEVC it may still serve a higher temporal layer; in VP9 it may still adapt the probabilities.)
_SKIPPABLE = {"h264", "mpeg4", "mpeg2video", "mpeg1video"}
# Codecs whose containers mark the beginning of a gradual refresh as a keyframe.
_GRADUAL = {"h264", "hevc"}
_REFUSE = {"err_detect": "explode"}
# Where a decoder has to be told to refuse damage rather than to fill in.
_OPTIONS = {"mjpeg": _REFUSE}
# Codecs whose decoder fills in and marks the picture; with several threads that mark may come after the picture.
_MARKS_LATE = {"h264", "mpeg4", "mpeg2video", "mpeg1video"}
# Values of FFmpeg's field order for pictures that are not made of two fields: unknown, progressive.
PROGRESSIVE = {0, 1}


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What came of a frame that was asked for.

    Attributes:
        index: Its position in presentation order.
        frame: The picture as decoded, or None where it cannot be decoded exactly.
        reason: Why not, in words.
    """

    index: int
    frame: VideoFrame | None
    reason: str = ""


def output_order(medium: Medium, threads: int) -> Integers:
    """Decode a whole stream once and return the packet numbers of its frames in the order in which they came out.

    Pictures that cannot be decoded are absent.
    """
    container, stream = open_container(medium)
    context = stream.codec_context
    context.thread_count, context.thread_type = threads, "FRAME"
    order: list[int] = []
    number = 0
    with container:
        for packet in container.demux(stream):
            last = not packet.size
            if not last:
                packet.pts = number
                number += 1
            try:
                frames = context.decode(None if last else packet)
            except av.FFmpegError:
                continue
            order += [frame.pts for frame in frames if frame.pts is not None]
    return np.array(list(dict.fromkeys(order)), dtype=np.int64)


class _StartAgainError(Exception):
    """Decoding has to start over in another way; frames given so far stand."""


class PacketDecoder:
    """Gives the frames of one stream by number.

    Every packet is sent under its number in decode order in place of its time stamp, so that each picture that comes
    out says which packet it was made of, whatever the container's clock does. A picture counts as exact when it came
    out, no damage was reported in it, and the same holds for every packet from its keyframe up to it.

    Args:
        medium: The file.
        index: Its index.
        threads: Decoder threads; 0 means one per core.

    Attributes:
        decoded: Pictures that the decoder gave, wanted or not.
    """

    def __init__(self, medium: Medium, index: FrameIndex, threads: int) -> None:
        self.decoded = 0
        self._medium = medium
        self._index = self._plain_index = index
        self._threads = threads
        self._preroll = "untried"
        self._reader: PacketReader | None = None
        self._context: VideoCodecContext | None = None
        self._leaving_out = False
        self._start = 0  # the packet with which the running decoder began
        self._next: int | None = None  # the packet to send next, while the decoder is running
        self._start_is_key = False  # that packet gave a picture that stands alone
        self._whole_from = 0  # nothing was left out from this packet on
        self._shown = -1  # the last frame that came out
        self._held: dict[int, VideoFrame] = {}  # frames that came out and are not given yet
        self._bad: list[int] = []  # packets with damage, sorted
        self._failures = 0  # packets that the decoder refused
        self._turn = 0  # counts requests, so that one notices that another came between
        self._reached = (-1, -1)  # the last frame asked for, and one past the last packet that it needed

    def frames(self, wanted: Integers) -> Iterator[Decoded]:
        """Decode frames.

        Args:
            wanted: Frame indices ``[T]``, strictly increasing.

        Yields:
            One result for each, in order.

        Raises:
            VideoError: The file can no longer be read, or is no longer the one that was indexed.
        """
        given = 0
        while given < len(wanted):
            self._turn += 1
            turn = self._turn
            try:
                for result in self._stretches(wanted[given:]):
                    given += 1
                    yield result
                    if self._turn != turn:
                        break  # another request moved the decoder in the meantime
            except _StartAgainError:
                continue

    def close(self) -> None:
        """Close the file; the next request opens it again."""
        if self._reader is not None:
            self._reader.close()
        self._reader = self._context = self._next = None
        self._held.clear()

    def _stretches(self, wanted: Integers) -> Iterator[Decoded]:
        stretches = plan(self._index, wanted)
        for number, stretch in enumerate(stretches):
            # A drained decoder has given its frame without decoding beyond it, but cannot go on. Whoever asks for the
            # frames of a group one call after the other needs it to go on.
            frame, stop = self._reached
            running_to = 0 if self._next is None else self._next + 1
            sequel = frame < stretch.wanted[0] and stretch.start < max(stop, running_to)
            self._reached = int(stretch.wanted[-1]), stretch.stop
            yield from self._decode(stretch, go_on=sequel and number == len(stretches) - 1)

    def _decode(self, stretch: Stretch, *, go_on: bool) -> Iterator[Decoded]:
        index, final = self._index, int(stretch.wanted[-1])
        kept = bytearray(len(index.packets))
        np.frombuffer(kept, dtype=np.uint8)[index.packet[stretch.wanted]] = 1
        if not self._can_continue(stretch):
            self._begin(stretch.start)
        self._held = {i: frame for i, frame in self._held.items() if i > final or kept[index.packet[i]]}
        for frame in stretch.wanted.tolist():
            horizon = index.horizon[index.last[frame]]
            while self._next is not None and self._shown < horizon:
                if self._next < stretch.stop:
                    pictures = self._send(self._next, leave_out=not kept[self._next])
                elif go_on and self._next < len(index.packets):
                    pictures = self._send(self._next, leave_out=False)
                else:
                    pictures = self._drain(wanted=True)
                for picture in pictures:
                    self._take(picture, kept, final)
            yield self._judge(frame)
        if not go_on and self._next is not None:
            self._drain()
            self._held.clear()

    def _can_continue(self, stretch: Stretch) -> bool:
        """Say whether the running decoder, going forward, serves a stretch with less decoding than a new start."""
        if all(frame in self._held for frame in stretch.wanted[: len(self._held) + 1].tolist()):
            return True
        if self._next is None or not self._start <= stretch.start <= self._next:
            return False
        packet = self._index.packet[stretch.wanted]
        sent = packet < self._next
        return all(
            frame in self._held or (frame > self._shown and number >= self._whole_from)
            for frame, number in zip(stretch.wanted[sent].tolist(), packet[sent].tolist(), strict=True)
        )

    def _begin(self, start: int) -> None:
        """Start decoding anew at packet ``start``."""
        if self._next is not None:
            self._drain()
        if self._reader is None:
            self._reader = PacketReader(self._medium, self._index.packets)
        if self._reader.go_to(start) or self._context is None:
            self._context = self._reader.stream.codec_context
            self._context.thread_count, self._context.thread_type = self._threads, "FRAME"
            self._context.options = self._options(self._context.name)
            self._leaving_out = False
        self._start = self._next = self._whole_from = start
        self._shown = -1
        self._start_is_key = False
        self._held.clear()

    def _options(self, codec: str) -> dict[str, str]:
        """Return how a decoder treats damage: what several threads refuse is found by one, which marks it in time."""
        return _REFUSE if self._threads != 1 and codec in _MARKS_LATE else _OPTIONS.get(codec, {})

    def _send(self, number: int, *, leave_out: bool) -> list[VideoFrame]:
        """Send one packet; where ``leave_out``, the decoder may pass over it if no other picture refers to it."""
        assert self._reader is not None
        assert self._context is not None
        context = self._context
        packet = self._reader.read()
        leave_out = leave_out and context.name in _SKIPPABLE and context.field_order in PROGRESSIVE
        if leave_out != self._leaving_out:
            context.skip_frame = "NONREF" if leave_out else "DEFAULT"
            self._leaving_out = leave_out
        self._next = number + 1
        if leave_out:
            self._whole_from = number + 1
        if self._index.packets.corrupt[number]:
            self._blame(number)
        packet.pts = number
        try:
            frames = context.decode(packet)
        except av.FFmpegError:
            self._refused(retry=True)
            self._blame(number)
            return []
        self.decoded += len(frames)
        return frames

    def _refused(self, *, retry: bool) -> None:
        """Note that the decoder refused something, and start again with one thread where there were several."""
        self._failures += 1
        if retry and self._threads != 1:
            # Several packets are in work; one thread tells which of them it was.
            self._threads = 1
            self.close()
            raise _StartAgainError from None

    def _drain(self, *, wanted: bool = False) -> list[VideoFrame]:
        """Take out what the decoder still holds and make it ready for a new start."""
        assert self._context is not None
        self._next = None
        try:
            frames = self._context.decode(None)
        except av.FFmpegError:
            # What does not come out is missed, and named, where it is judged.
            self._refused(retry=wanted)
            frames = []
        self._context.flush_buffers()
        self.decoded += len(frames)
        return frames

    def _take(self, picture: VideoFrame, kept: bytearray, final: int) -> None:
        """Note what came out of the decoder, and hold it if it is wanted now or may be in a sequel."""
        number = picture.pts
        if number is None:
            return
        if picture.is_corrupt:
            self._blame(number)
        frame = int(self._index.frame_of[number])
        if number == self._start:
            self._start_is_key = picture.key_frame
        self._shown = max(self._shown, frame)
        if frame >= 0 and (kept[number] or frame > final):
            self._held[frame] = picture

    def _blame(self, packet: int) -> None:
        """Note damage in a packet, except in pictures that the keyframe at the start was never going to serve."""
        if self._index.owner_entry(packet) >= self._start:
            at = bisect_left(self._bad, packet)
            if at == len(self._bad) or self._bad[at] != packet:
                insort(self._bad, packet)

    def _start_is_whole(self) -> bool:
        """Say whether decoding began with a picture that stands alone, rather than with a gradual refresh."""
        if self._preroll != "untried" or self._failures or self._index.frame_of[self._start] < 0:
            return True
        return self._start_is_key or (self._context is not None and self._context.name not in _GRADUAL)

    def _judge(self, frame: int) -> Decoded:
        """Decide whether a frame that is due came out exactly."""
        index = self._index
        picture = self._held.pop(frame, None)
        at = bisect_left(self._bad, int(index.entry[frame]))
        damaged = at < len(self._bad) and self._bad[at] <= index.last[frame]
        if picture is not None and not damaged and self._start_is_whole():
            if self._preroll == "trying":
                self._preroll = "needed"
            return Decoded(frame, picture)
        if self._preroll in {"untried", "trying"} and not self._failures:
            # Keyframes of a gradual refresh give whole pictures only later: see whether one group more helps.
            first_try = self._preroll == "untried"
            self._preroll = "trying" if first_try else "useless"
            self._index = with_preroll(index) if first_try else self._plain_index
            self._bad.clear()
            self.close()
            raise _StartAgainError
        if not damaged:
            self._blame(int(index.packet[frame]))
            return Decoded(frame, None, "the decoder gives no picture for it")
        culprit = int(index.frame_of[self._bad[at]])
        return Decoded(
            frame,
            None,
            "its data are damaged" if culprit in (frame, -1) else f"it depends on frame {culprit}, which is damaged",
        )
