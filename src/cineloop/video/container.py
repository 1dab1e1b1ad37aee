"""Opening files with FFmpeg: known formats only, local only, with errors that name the file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from cineloop.errors import EmptyVideoError, VideoError

# Formats that hold pictures. Left out are playlists, which make FFmpeg open further files, and guesses such as
# text-mode art, which would turn any text file into a video.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpegtsraw,mpeg,ogg,gif,flv,live_flv,asf,mxf,nut,dv,ivf,av1,obu,"
    "h264,hevc,mpegvideo,m4v,mjpeg,yuv4mpegpipe,rm,wtv,vob,apng"
)
# A disk or network share that gives nothing for this long is reported rather than waited for.
_STALL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Medium:
    """Where a file's bytes are: on disk, or in memory (a bitstream taken out of DICOM).

    Attributes:
        path: The file, for opening and for messages.
        data: The bytes to read instead of the file's own.
    """

    path: Path
    data: bytes | None = None


@contextmanager
def ffmpeg_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn FFmpeg's errors into :class:`VideoError` with the file's name."""
    try:
        yield
    except av.ExitError:
        raise VideoError(
            f"Nothing came for {_STALL_SECONDS:.0f} s while {doing}",
            where=path,
            mend="Check the disk or network share.",
        ) from None
    except av.FFmpegError as error:
        raise VideoError(
            f"The file cannot be read while {doing}: {error.strerror}",
            where=path,
            mend="Check that it plays; if it does, convert it to MP4.",
        ) from None


def open_container(medium: Medium) -> tuple[InputContainer, VideoStream]:
    """Open a file and choose its first real video stream (cover pictures do not count).

    Raises:
        EmptyVideoError: There is no video stream.
        VideoError: FFmpeg knows no such format, or cannot read the header.
    """
    container = _open(medium)
    cover = av.stream.Disposition.attached_pic
    stream = next((each for each in container.streams.video if not each.disposition & cover), None)
    if stream is None:
        container.close()
        raise EmptyVideoError(
            "The file has no video stream", where=medium.path, mend="Give the file that holds the pictures."
        )
    if getattr(stream, "codec_context", None) is None:  # PyAV's way of saying that it has no such decoder
        container.close()
        raise VideoError("The file's video codec is not known", where=medium.path, mend="Convert it to H.264 in MP4.")
    _read_only(container, stream)
    return container, stream


def open_sound(medium: Medium) -> tuple[InputContainer, AudioStream]:
    """Open a file and choose its first track of sound.

    Raises:
        VideoError: There is none, or FFmpeg cannot read the header.
    """
    container = _open(medium)
    if not container.streams.audio:
        container.close()
        raise VideoError("The recording has no sound", where=medium.path, mend="Leave the sound out.")
    stream = container.streams.audio[0]
    _read_only(container, stream)
    return container, stream


def _read_only(container: InputContainer, stream: Stream) -> None:
    for other in container.streams:
        other.discard = av.stream.Discard.default if other.index == stream.index else av.stream.Discard.all


def _open(medium: Medium) -> InputContainer:
    # A plain name such as `concat:x` would select one of FFmpeg's protocols.
    file: str | io.BytesIO = f"file:{medium.path}" if medium.data is None else io.BytesIO(medium.data)
    with ffmpeg_errors(medium.path, "opening it"):
        return av.open(
            file,
            "r",
            container_options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"},
            timeout=(_STALL_SECONDS, _STALL_SECONDS),
            metadata_errors="ignore",
        )
