"""DICOM objects that hold pictures: cine loops, single images, and whole videos wrapped in DICOM."""

from __future__ import annotations

import dataclasses
import logging
import struct
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pydicom
from av.video.codeccontext import VideoCodecContext
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames, get_frame, parse_fragments
from pydicom.errors import InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    UID,
    ImplicitVRLittleEndian,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from cineloop.errors import EmptyVideoError, FrameDecodeError, TruncatedVideoError, VideoError
from cineloop.video.colour import scaled
from cineloop.video.container import Medium
from cineloop.video.dicom_display import Display, frame_clock
from cineloop.video.file import FileSource, frame_rate, truncated_error
from cineloop.video.info import ASSUMED_FPS, VideoInfo
from cineloop.video.source import Clock, Integers, Picture, Size, Source

# Without a handler of its own, what pydicom remarks on odd files would be printed.
logging.getLogger("pydicom").addHandler(logging.NullHandler())

# Transfer syntaxes whose pixel data are one MPEG-2, H.264 or H.265 bitstream (PS3.5 8.2.5 to 8.2.8).
_VIDEO_SYNTAXES = "1.2.840.10008.1.2.4.10"
# Transfer syntaxes that FFmpeg decodes where pydicom has no decoder installed: lossless and 12-bit JPEG, JPEG-LS.
_FFMPEG_DECODERS = {
    JPEGExtended12Bit: "mjpeg",
    JPEGLossless: "mjpeg",
    JPEGLosslessSV1: "mjpeg",
    JPEGLSLossless: "jpegls",
    JPEGLSNearLossless: "jpegls",
}
_FRAME_HEADERS = {0xC0, 0xC1, 0xC2, 0xC3, 0xF7}
_RAW_STREAMS = {"h264", "hevc", "mpegvideo"}
# What pydicom and its plug-ins raise on damaged or unsupported objects.
_DAMAGE = (
    InvalidDicomError,
    EOFError,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)


def open_dicom(path: Path, *, threads: int, allow_truncated: bool) -> Source:
    """Open a DICOM file.

    Raises:
        TruncatedVideoError: It ends early and that is not allowed.
        EmptyVideoError: It holds no pictures.
        VideoError: It cannot be read.
    """
    dataset = read_dataset(path)
    if "PixelData" not in dataset:
        # A file that ends within an element reads as if it had none; up to the pixels it can still be read.
        header = read_dataset(path, header_only=True)
        if "Rows" in header:
            raise truncated_error(path, "ends before its pixel data do", readable=False)
        kind = header.get("SOPClassUID")
        name = kind.name if isinstance(kind, UID) else "of unknown kind"
        raise EmptyVideoError(
            f"The DICOM object holds no pictures ({name})", where=path, mend="Give an image or cine object."
        )
    if _syntax(dataset).startswith(_VIDEO_SYNTAXES):
        return DicomVideoSource(path, dataset, threads=threads, allow_truncated=allow_truncated)
    return DicomSource(path, dataset, allow_truncated=allow_truncated)


def read_dataset(path: Path, *, header_only: bool = False) -> Dataset:
    """Read a DICOM file, also one without the preamble.

    Args:
        path: The file.
        header_only: Leave out the pixels, and what stands behind them.

    Raises:
        TruncatedVideoError: It is damaged or ends early.
    """
    try:
        with path.open("rb") as stream:
            bare = stream.read(132)[128:] != b"DICM"
        with warnings.catch_warnings():
            # Deviations that pydicom puts up with are none that change pictures.
            warnings.simplefilter("ignore")
            return pydicom.dcmread(path, force=bare, stop_before_pixels=header_only)
    except _DAMAGE as error:
        raise TruncatedVideoError(
            f"The DICOM file is damaged or ends early: {error}",
            where=path,
            mend="Copy it again from its source, or leave it out (predict --skip-errors, data.on_error: skip).",
        ) from None


def _syntax(dataset: Dataset) -> UID:
    meta = getattr(dataset, "file_meta", None)
    return UID(meta.get("TransferSyntaxUID") or ImplicitVRLittleEndian) if meta is not None else ImplicitVRLittleEndian


class DicomSource:
    """A DICOM object whose frames are stored one by one, plain or compressed.

    Args:
        path: The file.
        dataset: Its content.
        allow_truncated: Serve the frames that are whole where some are missing.

    Raises:
        TruncatedVideoError: Frames are missing and that is not allowed, or none is whole.
        VideoError: The description of the pixels is incomplete.
    """

    def __init__(self, path: Path, dataset: Dataset, *, allow_truncated: bool) -> None:
        self._path = path
        self._dataset: Dataset | None = dataset
        self.decoded_frames = 0
        try:
            declared = max(1, int(dataset.get("NumberOfFrames") or 1))
            present = min(declared, _frames_present(dataset))
            self._display = Display(dataset)
            clock = frame_clock(dataset, present) if present else None
            aspect = [Fraction(str(each)) for each in dataset.get("PixelAspectRatio") or (1, 1)]
        except _DAMAGE as error:
            raise VideoError(
                f"The object does not describe its pixels: {error}", where=path, mend="Export it again."
            ) from None
        missing = f"holds {present} of the {declared} frames that its header promises" if present < declared else None
        if missing and (not allow_truncated or not present):
            raise truncated_error(path, missing)
        self.clock = clock or Clock(np.arange(present, dtype=np.int64), 1 / ASSUMED_FPS, present)
        fps, variable = frame_rate(self.clock, None)
        self.info = VideoInfo(
            kind="dicom",
            container="dicom",
            codec=_syntax(dataset).keyword or str(_syntax(dataset)),
            pixel_format=str(dataset.PhotometricInterpretation),
            bit_depth=int(dataset.BitsStored),
            width=int(dataset.Columns),
            height=int(dataset.Rows),
            sample_aspect_ratio=aspect[1] / aspect[0],
            frames=present,
            fps=fps if clock else None,
            duration_seconds=float(self.clock.end * self.clock.time_base),
            variable_rate=variable,
            truncated=missing is not None,
            declared_frames=declared,
        )

    @property
    def keyframes(self) -> Integers:
        """Every frame stands alone."""
        return np.arange(len(self.clock.pts))

    def pictures(self, indices: Integers, size: Size | None, *, at_once: bool = False) -> Iterator[Picture]:
        """Decode frames; see :class:`~cineloop.video.source.Source`."""
        for index in indices.tolist():
            try:
                values, photometric = self.stored(index)
                pixels = self._display.to_rgb(values, photometric, index)
            except FrameDecodeError as problem:
                yield Picture(index, None, problem)
            except _DAMAGE as error:
                yield Picture(index, None, self._error(index, error))
            else:
                self.decoded_frames += 1
                yield Picture(index, scaled(pixels, size))

    def stored(self, index: int) -> tuple[npt.NDArray[np.generic], str]:
        """Return a frame's stored values, ``[H, W]`` or ``[H, W, 3]``, and the photometric interpretation they have.

        Grey values are neither rescaled nor windowed; Y'CbCr is converted to RGB.

        Raises:
            FrameDecodeError: It cannot be decoded.
        """
        try:
            return self._decode(self.dataset, index)
        except (*_DAMAGE, av.FFmpegError) as error:
            raise self._error(index, error) from None

    @property
    def dataset(self) -> Dataset:
        """The whole object."""
        if self._dataset is None:
            self._dataset = read_dataset(self._path)
        return self._dataset

    def _error(self, index: int, error: Exception) -> FrameDecodeError:
        return FrameDecodeError(
            f"Frame {index} cannot be decoded: {str(error).splitlines()[0]}",
            where=self._path,
            mend="Copy the object again from its source, store it uncompressed, or go on without the frame "
            "(predict and render --skip-errors).",
        )

    def close(self) -> None:
        """Let go of the data; asking for more reads them again."""
        self._dataset = None

    def _decode(self, dataset: Dataset, index: int) -> tuple[npt.NDArray[np.generic], str]:
        """Return one frame's values and how they are to be understood."""
        syntax = _syntax(dataset)
        fallback = _FFMPEG_DECODERS.get(syntax)
        wide = syntax == JPEGExtended12Bit and int(dataset.BitsStored) > 8
        decoder = get_decoder(syntax)
        if fallback is not None and (wide or not decoder.is_available):
            data = get_frame(dataset.PixelData, index, number_of_frames=int(dataset.get("NumberOfFrames") or 1))
            return _decode_with_ffmpeg(data, fallback, dataset), str(dataset.PhotometricInterpretation)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values, stated = decoder.as_array(dataset, index=index, raw=True)
            photometric = str(stated["photometric_interpretation"])
            if photometric in {"YBR_FULL", "YBR_FULL_422"} and values.dtype == np.uint8:
                # Pillow's conversion is the same arithmetic (full-range BT.601) in integers, many times faster.
                return np.asarray(Image.fromarray(values, "YCbCr").convert("RGB")), "RGB"
            if photometric.startswith("YBR"):
                return convert_color_space(values, photometric, "RGB"), "RGB"
        return values, photometric


class DicomVideoSource(FileSource):
    """A DICOM object that wraps a whole MPEG-2, H.264 or H.265 bitstream.

    Args:
        path: The file.
        dataset: Its content.
        threads: Decoder threads; 0 means one per core.
        allow_truncated: Serve what is there of a bitstream that ends early.
    """

    def __init__(self, path: Path, dataset: Dataset, *, threads: int, allow_truncated: bool) -> None:
        try:
            data = b"".join(generate_frames(dataset.PixelData, number_of_frames=1))
        except _DAMAGE as error:
            raise truncated_error(path, f"holds no whole bitstream ({error})", readable=False) from None
        super().__init__(Medium(path, data), threads=threads, allow_truncated=allow_truncated)
        self._stated = frame_clock(dataset, len(super().clock.pts)) if self._bare_stream() else None
        self._syntax = _syntax(dataset).keyword

    def _bare_stream(self) -> bool:
        return self._survey.container in _RAW_STREAMS

    @property
    def clock(self) -> Clock:
        """When its frames are shown: as the bitstream says, or as the object does where that has no clock."""
        return getattr(self, "_stated", None) or super().clock

    def _describe(self) -> VideoInfo:
        return dataclasses.replace(super()._describe(), kind="dicom", container="dicom", codec=self._syntax)


def _frames_present(dataset: Dataset) -> int:
    """Return how many whole frames the pixel data hold."""
    data: bytes = dataset.PixelData
    declared = max(1, int(dataset.get("NumberOfFrames") or 1))
    if not _syntax(dataset).is_encapsulated:
        samples = int(dataset.Rows) * int(dataset.Columns) * int(dataset.SamplesPerPixel)
        if str(dataset.PhotometricInterpretation) == "YBR_FULL_422":
            samples = samples * 2 // 3
        bits = samples * int(dataset.BitsAllocated)
        return 0 if not bits else len(data) * 8 // bits
    fragments, _ = parse_fragments(data)
    if declared == 1:
        return min(fragments, 1)
    # Several fragments may make one frame; fewer fragments than frames means that frames are missing.
    return declared if fragments >= declared else fragments


def _decode_with_ffmpeg(data: bytes, codec: str, dataset: Dataset) -> npt.NDArray[np.generic]:
    """Decode one JPEG frame to its stored values, ``[H, W]`` or ``[H, W, 3]``."""
    if codec == "jpegls" and _interleaved_by_sample(data):
        raise ValueError("JPEG-LS with interleaved samples is not supported")
    context: Any = av.CodecContext.create(codec, "r")
    assert isinstance(context, VideoCodecContext)
    frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    if not frames or frames[0].is_corrupt:
        raise ValueError("the JPEG data are damaged")
    frame = frames[0]
    colour = frame.format.name.startswith(("bgr", "gbr", "rgb"))
    values: npt.NDArray[np.generic] = frame.to_ndarray(format="rgb24") if colour else frame.to_ndarray()
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    if values.shape[:2] != (rows, columns):
        raise ValueError(f"the JPEG data show {values.shape[1]}x{values.shape[0]}, not {columns}x{rows}")
    # FFmpeg widens samples of other widths to the whole 8 or 16 bits.
    values = np.right_shift(values, max(0, 8 * values.itemsize - _precision(data)))
    if int(dataset.get("PixelRepresentation", 0)):
        values = values.view(np.int16 if values.dtype == np.uint16 else np.int8)
    return values


def _precision(data: bytes) -> int:
    """Return the bits per sample that a JPEG or JPEG-LS frame header states."""
    at = 2
    while at + 5 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in _FRAME_HEADERS:
            return data[at + 4]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise ValueError("the JPEG data have no frame header")


def _interleaved_by_sample(data: bytes) -> bool:
    """Say whether a JPEG-LS scan mixes the samples of a pixel, which FFmpeg decodes to nothing without saying so."""
    scan = data.find(b"\xff\xda")
    components = data[scan + 4] if 0 <= scan < len(data) - 4 else 0
    mode = scan + 4 + 2 * components + 2
    return components > 1 and mode < len(data) and data[mode] == 2
