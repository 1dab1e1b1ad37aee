"""What a video is, as far as can be said without looking at its pictures."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Kind = Literal["video", "dicom", "images", "image"]

ASSUMED_FPS = Fraction(25)
"""Frames per second given to what carries no times of its own (folders of images, some DICOM files)."""

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".jp2", ".j2k", ".ppm", ".pgm"})
"""Suffixes of still images that a folder is searched for, lower case. A file that is named may have any suffix."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """Properties of a recording.

    Attributes:
        kind: ``video`` (a file that FFmpeg reads), ``dicom``, ``images`` (a folder) or ``image``.
        container: Container format, such as ``mp4``, ``matroska``, ``dicom``, ``folder``, ``png``.
        codec: Codec, or the name of the DICOM transfer syntax's codec.
        pixel_format: FFmpeg's name of the stored pixel format, or the photometric interpretation or image mode.
        bit_depth: Bits per sample as stored.
        width: Pixels across, as frames are returned: after rotation, before any ``size``.
        height: Pixels down, likewise.
        sample_aspect_ratio: Width to height of a stored pixel; 1 where square or unknown. Frames are never stretched.
        frames: Frames that can be asked for.
        fps: Frames per second (the mean, where the rate varies), or None where the source states no times: its frames
            are then counted at ``ASSUMED_FPS``.
        duration_seconds: From the first frame's appearance to the last one's disappearance.
        rotation: Degrees clockwise by which the stored pictures were turned to be returned upright.
        variable_rate: Whether frame durations differ by more than the rounding of the file's clock.
        interlaced: Whether the pictures were scanned in two fields; they are returned as stored, both fields woven.
        has_audio: Whether there is sound beside the pictures.
        truncated: Whether the file ends before what its header promises.
        declared_frames: Frames promised by the header, or None where it says nothing.
    """

    kind: Kind
    container: str
    codec: str
    pixel_format: str
    bit_depth: int
    width: int
    height: int
    sample_aspect_ratio: Fraction
    frames: int
    fps: Fraction | None
    duration_seconds: float
    rotation: int = 0
    variable_rate: bool = False
    interlaced: bool = False
    has_audio: bool = False
    truncated: bool = False
    declared_frames: int | None = None
