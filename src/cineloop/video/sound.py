"""The sound of a recording, copied beside written pictures as it is, packet by packet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from cineloop.errors import VideoError
from cineloop.video.container import Medium, ffmpeg_errors, open_sound

# Decoders need a little of what comes before: Opus 80 ms, AAC two packets.
_PREROLL = Fraction(1, 10)


@dataclass(frozen=True, slots=True)
class Sound:
    """Sound that a :class:`~cineloop.video.writer.VideoWriter` copies: the first track of a recording.

    Attributes:
        path: The recording.
        start: When the part begins that is copied, in seconds on the recording's clock.
        stop: When it ends.
        shift: What is added to its times.
    """

    path: Path
    start: Fraction
    stop: Fraction
    shift: Fraction = Fraction(0)


class SoundCopy:
    """Copies sound into a file that is being written, no further than its pictures have come.

    Nothing is decoded or encoded, and one packet is held. What describes the track (a title, a language) is left
    behind.

    Args:
        sound: What to copy.
        into: The file, before its header is written.
        path: Its name, for messages.

    Raises:
        VideoError: The recording has no sound or cannot be read, or the container cannot hold it without encoding it
            anew.
    """

    def __init__(self, sound: Sound, into: OutputContainer, path: Path) -> None:
        self._sound, self._into = sound, into
        self._source, stream = open_sound(Medium(sound.path))
        # There is no context where there is no decoder, which copying does not need.
        context = getattr(stream, "codec_context", None)
        codec = "of a kind that is not known" if context is None else context.codec.canonical_name
        try:
            self._stream = into.add_stream_from_template(stream)
            into.start_encoding()
        except (av.FFmpegError, ValueError):
            self.close()
            raise VideoError(
                f"The sound is {codec}, which {path.suffix} cannot hold without encoding it anew",
                where=sound.path,
                mend="Write another kind of file (.mkv holds most sound), or leave the sound out.",
            ) from None
        self._packets = self._wanted(self._source, stream)
        self._next = next(self._packets, None)

    def _wanted(self, source: InputContainer, track: AudioStream) -> Iterator[tuple[Fraction, Packet[AudioStream]]]:
        """Yield packets with their new times, which increase."""
        last: int | None = None
        with ffmpeg_errors(self._sound.path, "copying its sound"):
            for packet in source.demux(track):
                time = packet.dts if packet.dts is not None else packet.pts
                if not packet.size or time is None or (last is not None and time <= last):
                    continue
                begins = time * packet.time_base
                if begins >= self._sound.stop:
                    return
                if begins + (packet.duration or 0) * packet.time_base < self._sound.start - _PREROLL:
                    continue
                last = time
                ticks = round(self._sound.shift / packet.time_base)
                packet.dts = time + ticks
                packet.pts = packet.dts if packet.pts is None else packet.pts + ticks
                packet.stream = self._stream
                yield begins + self._sound.shift, packet

    def up_to(self, seconds: Fraction | None) -> None:
        """Copy what begins before a time of the written file, or with None all that is left.

        Raises:
            VideoError: The sound cannot be read or written.
        """
        while self._next is not None and (seconds is None or self._next[0] < seconds):
            try:
                self._into.mux(self._next[1])
            except av.FFmpegError as error:
                raise VideoError(f"The sound cannot be written: {error}", where=self._sound.path) from None
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the recording."""
        self._source.close()
