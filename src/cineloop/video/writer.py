"""Writing video: atomic, correctly tagged, at a constant or a variable rate."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.container
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream

from cineloop.errors import VideoError
from cineloop.files import atomic_path
from cineloop.schema import did_you_mean
from cineloop.video.frame import Pixels
from cineloop.video.sound import Sound, SoundCopy

# FFmpeg's encoder for each codec, all part of PyAV's wheels; none of them needs hardware.
_ENCODERS = {
    "h264": "libx264",
    "hevc": "libx265",
    "vp8": "libvpx",
    "vp9": "libvpx-vp9",
    "mpeg4": "mpeg4",
    "mpeg2video": "mpeg2video",
    "mjpeg": "mjpeg",
    "ffv1": "ffv1",
    "gif": "gif",
}
_CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".avi": "avi",
    ".ts": "mpegts",
    ".mpg": "mpeg",
    ".gif": "gif",
}
_PIXEL_FORMATS = {"mjpeg": "yuvj420p", "gif": "bgr8"}
# Ticks per second when frames carry their own times: MPEG's clock, a multiple of all usual frame rates.
_CLOCK = 90_000
# Codecs whose bitstream says which matrix was used; of the others readers assume BT.601.
_CODECS_WITH_MATRIX = {"h264", "hevc", "vp9", "mpeg2video"}
# Matrix, primaries and transfer as ITU-T H.273 numbers them.
_BT709, _BT601 = 1, 6
_LIMITED, _FULL = 1, 2
# Network units of type 6: supplemental enhancement information, in which x264 writes its version and settings.
_WITHOUT_MESSAGES = "filter_units=remove_types=6"
# Exact rounding and interpolated chroma: writing is not where a millisecond matters.
_SCALER = int(
    av.video.reformatter.Interpolation.BICUBIC
    | av.video.reformatter.Interpolation.ACCURATE_RND
    | av.video.reformatter.Interpolation.FULL_CHR_H_INT
    | av.video.reformatter.Interpolation.FULL_CHR_H_INP
)


class VideoWriter:
    """Encodes RGB pictures into a video file that appears, complete, when the writer is closed.

    The file is written beside ``path`` under a temporary name and renamed on a clean exit; after an exception nothing
    is left. Y'CbCr is tagged with its matrix: BT.601, and from 720 lines on BT.709 where the codec can say so. Chroma
    is subsampled 4:2:0; an odd width or height cannot be, so it is written 4:4:4 and keeps its size.

    Args:
        path: The file to write; its suffix chooses the container (mp4, m4v, mov, mkv, webm, avi, ts, mpg, gif).
        fps: Frames per second. With explicit times it is only the nominal rate.
        size: Width and height in pixels.
        codec: ``h264``, ``hevc``, ``vp8``, ``vp9``, ``mpeg4``, ``mpeg2video``, ``mjpeg``, ``ffv1`` or ``gif``.
        crf: Constant quality of h264, hevc and vp9; lower is better. None leaves the encoder's default.
        preset: Speed against size of h264 and hevc, in the encoder's own words.
        keyint: Frames from one keyframe to the next. None leaves the encoder's default.
        bframes: Consecutive B-frames at most. None leaves the encoder's default.
        open_gop: Lets pictures refer across a keyframe that follows them (h264, hevc).
        pixel_format: An FFmpeg pixel format other than the default, such as ``yuv420p10le`` or ``gray``.
        rotation: Degrees counter-clockwise that a player must turn the stored pictures by: 0, 90, 180 or 270.
        explicit_times: Frames carry their own ``seconds`` (a variable rate, or a start other than 0).
        anonymous: Leave out what encoders tell of themselves beside the pictures (SEI messages of h264).
        threads: Encoder threads; with 1 equal pictures give equal bytes (on CPUs with the same vector instructions), 0
            uses all cores.
        options: Further options of the encoder, passed as they are.
        container_options: Further options of the container, such as ``{"movflags": "+faststart"}``.
        sound: What to copy beside the pictures; None writes no sound.

    Raises:
        VideoError: The container, codec or pixel format is unknown, or they do not go together; or the container cannot
            hold the sound.
    """

    def __init__(
        self,
        path: str | Path,
        fps: Fraction | float,
        size: tuple[int, int],
        *,
        codec: str = "h264",
        crf: int | None = 18,
        preset: str | None = None,
        keyint: int | None = None,
        bframes: int | None = None,
        open_gop: bool = False,
        pixel_format: str | None = None,
        rotation: int = 0,
        explicit_times: bool = False,
        anonymous: bool = False,
        threads: int = 1,
        options: dict[str, str] | None = None,
        container_options: dict[str, str] | None = None,
        sound: Sound | None = None,
    ) -> None:
        self.path = Path(path)
        container = _CONTAINERS.get(self.path.suffix.lower())
        if container is None:
            mend = did_you_mean(self.path.suffix.lower(), _CONTAINERS)
            raise VideoError("The suffix names no container that can be written", where=self.path, mend=mend)
        if codec not in _ENCODERS:
            raise VideoError(f"Unknown codec {codec!r}", where=self.path, mend=did_you_mean(codec, _ENCODERS))
        self._width, self._height = size
        if self._width < 1 or self._height < 1:
            raise VideoError(f"A video cannot be {self._width}x{self._height}", where=self.path, mend="Give a size.")
        rate = _rate(fps)
        if rate <= 0:
            raise VideoError(f"A rate of {fps} frames per second is impossible", where=self.path, mend="Give fps > 0.")
        self._explicit = explicit_times
        self._time_base = Fraction(1, _CLOCK) if explicit_times else 1 / rate
        self._last_pts: int | None = None
        self._count = 0
        self._closed = False
        self._cleanup = ExitStack()
        try:
            self._temporary = self._cleanup.enter_context(atomic_path(self.path))
            self._container = self._cleanup.enter_context(
                av.open(
                    str(self._temporary),
                    "w",
                    format=container,
                    options={"fflags": "+bitexact", **(container_options or {})},
                )
            )
            stream: VideoStream = self._container.add_stream(_ENCODERS[codec], rate=rate)  # type: ignore[assignment]
            self._stream = stream
            self._configure(stream.codec_context, codec, pixel_format, threads)
            encoder_options = _options(codec, crf, preset, keyint, bframes, open_gop)
            stream.codec_context.options = {**encoder_options, **(options or {})}
            if rotation:
                stream.set_display_rotation(rotation)
            stream.codec_context.open()
            self._filter: av.BitStreamFilterContext | None = None
            if anonymous and codec == "h264":
                self._container.start_encoding()
                self._filter = av.BitStreamFilterContext(_WITHOUT_MESSAGES, stream)
            self._sound = None if sound is None else SoundCopy(sound, self._container, self.path)
            if self._sound is not None:
                self._cleanup.callback(self._sound.close)
        except VideoError as error:
            self._abort(error)
            raise
        except (av.FFmpegError, ValueError) as error:
            self._abort(error)
            raise VideoError(
                f"{codec} cannot be written here: {error}", where=self.path, mend="Choose another codec or container."
            ) from None

    def _configure(self, context: VideoCodecContext, codec: str, pixel_format: str | None, threads: int) -> None:
        odd = self._width % 2 or self._height % 2
        context.width, context.height = self._width, self._height
        context.pix_fmt = pixel_format or _PIXEL_FORMATS.get(codec) or ("yuv444p" if odd else "yuv420p")
        context.time_base = self._time_base
        context.thread_count = threads
        matrix = _BT709 if self._height >= 720 and codec in _CODECS_WITH_MATRIX else _BT601
        full = context.pix_fmt.startswith(("yuvj", "gray"))
        if not context.pix_fmt.startswith(("rgb", "bgr", "gbr")):
            context.colorspace = context.color_primaries = context.color_trc = matrix
            context.color_range = _FULL if full else _LIMITED
        self._matrix, self._range, self._format = matrix, _FULL if full else _LIMITED, context.pix_fmt

    def write(self, pixels: Pixels, *, seconds: float | Fraction | None = None, keyframe: bool = False) -> None:
        """Append a picture.

        Args:
            pixels: RGB uint8 ``[H, W, 3]`` of the writer's size.
            seconds: When it is shown; needed, and increasing, with ``explicit_times``, and refused without.
            keyframe: Nothing from this picture on refers to one before it, nor the other way round (without
                ``open_gop``).

        Raises:
            VideoError: The picture does not fit, its time does not follow, or it cannot be encoded.
        """
        if pixels.shape != (self._height, self._width, 3) or pixels.dtype != np.uint8:
            raise VideoError(
                f"A picture of shape {pixels.shape} and type {pixels.dtype} was given to a writer of RGB uint8 "
                f"[{self._height}, {self._width}, 3]",
                where=self.path,
                mend="Resize or convert the pictures first.",
            )
        if self._explicit != (seconds is not None):
            raise VideoError(
                "Times are given with every picture or with none",
                where=self.path,
                mend="Set explicit_times and pass seconds with each picture, or neither.",
            )
        pts = self._count if seconds is None else round(Fraction(seconds) * _CLOCK)
        if self._last_pts is not None and pts <= self._last_pts:
            raise VideoError(f"The time {seconds} s does not follow the one before", where=self.path)
        rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        frame = rgb.reformat(
            format=self._format,
            dst_colorspace="ITU709" if self._matrix == _BT709 else "ITU601",
            dst_color_range=self._range,
            interpolation=_SCALER,
        )
        frame.pts, frame.time_base = pts, self._time_base
        if keyframe:
            frame.pict_type = PictureType.I
        self._last_pts = pts
        self._count += 1
        self._encode(frame)

    def _encode(self, frame: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                if frame is None and self._count <= 2:
                    # x265 leaves the decoding times of so short a video undefined; two pictures have no other order.
                    packet.dts = packet.pts
                self._container.mux(packet if self._filter is None else self._filter.filter(packet))
                if self._sound is not None and packet.dts is not None:
                    self._sound.up_to(packet.dts * packet.time_base)
            if frame is None and self._filter is not None:
                self._container.mux(self._filter.filter(None))
        except av.FFmpegError as error:
            raise VideoError(f"Picture {self._count - 1} cannot be written: {error}", where=self.path) from None

    def close(self) -> None:
        """Finish the file and put it in its place; nothing happens the second time.

        Raises:
            VideoError: No picture was written, or the last ones cannot be encoded.
        """
        if self._closed:
            return
        try:
            if not self._count:
                raise VideoError("No picture was written", where=self.path, mend="Write at least one.")
            self._encode(None)
            if self._sound is not None:
                self._sound.up_to(None)
        except BaseException as error:
            self._abort(error)
            raise
        self._closed = True
        self._cleanup.close()

    def _abort(self, error: BaseException) -> None:
        self._closed = True
        self._cleanup.__exit__(type(error), error, error.__traceback__)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif not self._closed:
            self._abort(error)


def _rate(fps: Fraction | float) -> Fraction:
    """Return a frame rate as the fraction that was meant: 29.97 is 30000/1001, 12.5 is 25/2."""
    if isinstance(fps, Fraction):
        return fps
    ntsc = Fraction(round(fps * 1001 / 1000) * 1000, 1001)
    exact = Fraction(fps).limit_denominator(1000)
    return ntsc if exact.denominator > 1 and abs(float(ntsc) - fps) < 0.005 else exact


def _options(
    codec: str, crf: int | None, preset: str | None, keyint: int | None, bframes: int | None, open_gop: bool
) -> dict[str, str]:
    """Return one encoder's options for the writer's common arguments."""
    options: dict[str, str] = {}
    if crf is not None and codec in {"h264", "hevc", "vp9"}:
        options["crf"] = str(crf)
        if codec == "vp9":
            options["b"] = "0"
    if preset is not None:
        options["preset"] = preset
    if keyint is not None:
        options["g"] = str(keyint)
    if bframes is not None:
        options["bf"] = str(bframes)
    if codec == "h264":
        # x264's macroblock tree reads memory that it has not written (seen on AVX-512): other bytes in every process.
        # Scene cuts would place keyframes of their own between the asked ones.
        options["x264-params"] = ":".join(
            [f"open-gop={int(open_gop)}", "mbtree=0"] + (["scenecut=0"] if keyint is not None else [])
        )
    elif codec == "hevc":
        extra = [] if keyint is None else [f"keyint={keyint}", "scenecut=0"]
        options["x265-params"] = ":".join(["log-level=none", f"open-gop={int(open_gop)}", *extra])
    return options
