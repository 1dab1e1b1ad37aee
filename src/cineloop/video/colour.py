"""From a decoded picture to upright RGB, 8 bits a channel."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from cineloop.video.frame import Pixels
from cineloop.video.source import Size

# Y'CbCr matrices (H.273 numbers) that swscale knows: BT.709, FCC, BT.470BG, SMPTE 170M, SMPTE 240M, BT.2020.
_KNOWN_MATRICES = {1, 4, 5, 6, 7, 9}
_UNSPECIFIED = 2
# A triangle filter that widens with the reduction, so that scaling down does not alias.
_SCALER = Interpolation.BILINEAR


class RgbConverter:
    """Turns decoded pictures into RGB.

    One pass of swscale undoes chroma subsampling, the Y'CbCr matrix and the range that the stream states, reduces more
    than 8 bits to 8 and scales. Where the stream does not state them, the matrix is BT.601 and the range limited, as
    in FFmpeg and the readers built on it. Transparent pixels are laid on black. Transfer curves are left alone.

    Args:
        threads: Threads for the conversion; 0 means one per core.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._reformatter = VideoReformatter()
        self._second = VideoReformatter()
        self._alpha: dict[str, bool] = {}

    def convert(self, frame: VideoFrame, size: Size | None) -> Pixels:
        """Return a picture upright and in RGB.

        Args:
            frame: As decoded.
            size: Width and height to scale to (antialiased bilinear), or None for the picture's own.

        Returns:
            uint8 ``[H, W, 3]``; possibly a view of memory with padded rows.
        """
        turn = Turn.of(frame)
        if size is not None and turn.transposed:
            size = size[::-1]
        width, height = size or (frame.width, frame.height)
        if frame.colorspace not in _KNOWN_MATRICES and frame.colorspace != _UNSPECIFIED and not _is_rgb(frame.format):
            frame.colorspace = _UNSPECIFIED
        if self._has_alpha(frame.format):
            frame = _on_black(self._reformatter.reformat(frame, format="rgba", threads=self._threads))
            reformatter = self._second
        else:
            reformatter = self._reformatter
        rgb = reformatter.reformat(
            frame, width=width, height=height, format="rgb24", interpolation=_SCALER, threads=self._threads
        )
        return turn.apply(_view(rgb, 3))

    def _has_alpha(self, pixel_format: VideoFormat) -> bool:
        known = self._alpha.get(pixel_format.name)
        if known is None:
            known = any(component.is_alpha for component in pixel_format.components)
            self._alpha[pixel_format.name] = known
        return known


class Turn:
    """How a stored picture is turned to stand upright: transposed or not, then mirrored along either axis."""

    __slots__ = ("degrees", "mirror_x", "mirror_y", "transposed")

    def __init__(self, *, transposed: bool = False, mirror_x: bool = False, mirror_y: bool = False) -> None:
        self.transposed, self.mirror_x, self.mirror_y = transposed, mirror_x, mirror_y
        # Clockwise; a mirrored picture has no rotation of its own.
        turns = {(False, False, False): 0, (True, True, False): 90, (False, True, True): 180, (True, False, True): 270}
        self.degrees = turns.get((transposed, mirror_x, mirror_y), 0)

    @staticmethod
    def of(frame: VideoFrame) -> Turn:
        """Read the display matrix that the container attached to a picture."""
        # What the frame's own `side_data` gives is kept by the frame and keeps it: a cycle, which holds the memory of
        # hundreds of pictures until Python's collector comes by.
        side_data: Mapping[str, Any] = SideDataContainer(frame)  # type: ignore[call-arg]
        data = side_data.get("DISPLAYMATRIX")
        if data is None:
            return _UPRIGHT
        # Rows of (a, b, u), (c, d, v), (x, y, w): a stored point (p, q) is shown at (a p + c q, b p + d q).
        a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
        if abs(b) > abs(a):
            return Turn(transposed=True, mirror_x=c < 0, mirror_y=b < 0)
        return Turn(mirror_x=a < 0, mirror_y=d < 0)

    def apply(self, pixels: Pixels) -> Pixels:
        """Turn ``[H, W, 3]``; the result is a view."""
        if self.transposed:
            pixels = pixels.transpose(1, 0, 2)
        if self.mirror_y:
            pixels = pixels[::-1]
        return pixels[:, ::-1] if self.mirror_x else pixels


_UPRIGHT = Turn()


def scaled(pixels: Pixels, size: Size | None) -> Pixels:
    """Scale RGB uint8 ``[H, W, 3]`` to a width and height as decoded pictures are scaled, or leave it as it is."""
    if size is None or size == (pixels.shape[1], pixels.shape[0]):
        return pixels
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    return _view(frame.reformat(width=size[0], height=size[1], format="rgb24", interpolation=_SCALER), 3)


def _is_rgb(pixel_format: VideoFormat) -> bool:
    return bool(pixel_format.is_rgb)


def _view(frame: VideoFrame, channels: int) -> Pixels:
    """Return a packed 8-bit picture's own memory as ``[H, W, channels]``."""
    plane = frame.planes[0]
    rows: Pixels = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width * channels].reshape(frame.height, frame.width, channels)


def _on_black(frame: VideoFrame) -> VideoFrame:
    """Lay an RGBA picture on black."""
    rgba = _view(frame, 4)
    alpha = rgba[..., 3:].astype(np.uint16)
    rgb = ((rgba[..., :3] * alpha + 127) // 255).astype(np.uint8)
    return VideoFrame.from_ndarray(rgb, format="rgb24")
