"""Still images, multi-page images and folders of images, read as recordings."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cineloop.errors import EmptyVideoError, FrameDecodeError, TruncatedVideoError, VideoError
from cineloop.files import natural
from cineloop.video.colour import scaled
from cineloop.video.frame import Pixels
from cineloop.video.image_structure import whole_structure
from cineloop.video.info import ASSUMED_FPS, IMAGE_SUFFIXES, VideoInfo
from cineloop.video.source import Clock, Integers, Picture, Size

# What Pillow's readers raise on damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, Image.DecompressionBombError)
# The Exif tag of the orientation: 1 is upright, from 5 on width and height change places.
_ORIENTATION = 0x0112
_MODE_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I;16N": 16, "I": 32, "F": 32}


def to_rgb(image: Image.Image) -> Pixels:
    """Return a Pillow image upright as RGB uint8 ``[H, W, 3]``.

    The Exif orientation is applied, 16-bit grey is reduced to 8 bits over its full range, transparency is laid on
    black.

    Raises:
        ValueError: The image holds numbers without a defined brightness (floating point, 32-bit integers).
    """
    if _orientation(image) != 1:
        image = ImageOps.exif_transpose(image)
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        values = np.asarray(image)
        if mode == "F" or values.min() < 0 or values.max() > 0xFFFF:
            raise ValueError(f"its values (mode {mode}) have no defined brightness")
        grey = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    # Beside a channel of its own, transparency may be one colour, or some of a palette.
    if mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        layered = image.convert("RGBA")
        image = Image.new("RGBA", layered.size, (0, 0, 0, 255))
        image.alpha_composite(layered)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _orientation(image: Image.Image) -> int:
    """Return the Exif orientation, 1 to 8; 1 where none is stated."""
    value = image.getexif().get(_ORIENTATION, 1)
    return value if value in range(1, 9) else 1


class ImageSource:
    """One image file; its pages, where it has several, are the frames.

    A JPEG or PNG whose structure is whole is not decoded before a frame is asked for; any other file is, once, as only
    that tells whether all of it is there. Of a camera's JPEG with previews (MPO) the picture is the one frame.

    Args:
        path: The file.

    Raises:
        TruncatedVideoError: It ends early.
        VideoError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.decoded_frames = 0
        try:
            with Image.open(path) as image:
                kind = (image.format or "image").lower()
                pages = 1 if kind == "mpo" else int(getattr(image, "n_frames", 1))
                shape = _shape_by_header(image, path) if pages == 1 else None
                durations = [0.0]
                if shape is None:
                    durations = []
                    for page in range(pages):
                        image.seek(page)
                        image.load()
                        durations.append(float(image.info.get("duration", 0)))
                    image.seek(0)
                    shape = to_rgb(image).shape
                mode = image.mode
        except _DAMAGE as error:
            raise image_error(path, error) from None
        self.clock, timed = _page_clock(durations)
        self.info = _image_info("image", kind, kind, mode, shape, self.clock, fps=_rate(self.clock) if timed else None)

    @property
    def keyframes(self) -> Integers:
        """Every page stands alone."""
        return np.arange(len(self.clock.pts))

    def pictures(self, indices: Integers, size: Size | None, *, at_once: bool = False) -> Iterator[Picture]:
        """Decode pages; see :class:`~cineloop.video.source.Source`."""
        with Image.open(self._path) as image:
            for index in indices.tolist():
                try:
                    image.seek(index)
                    pixels = to_rgb(image)
                except _DAMAGE as error:
                    yield Picture(index, None, _frame_error(self._path, index, error))
                    continue
                self.decoded_frames += 1
                yield Picture(index, scaled(pixels, size))

    def close(self) -> None:
        """Nothing stays open."""


def _shape_by_header(image: Image.Image, path: Path) -> tuple[int, ...] | None:
    """Return height and width, upright, of an image that is whole; None where it must be decoded to tell."""
    # What 32 bits hold has a brightness or not; the values tell.
    structure = whole_structure(path) if image.mode not in {"I", "F"} else None
    if structure is None:
        return None
    turned = structure.may_turn and _orientation(image) >= 5
    return image.size if turned else image.size[::-1]


class FolderSource:
    """A folder of images, one a frame, in natural order of their names (``2.png`` before ``10.png``).

    Args:
        path: The folder; what lies in folders below it is not looked at.

    Raises:
        EmptyVideoError: There is no image in it.
        VideoError: Its first image cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.decoded_frames = 0
        files = (
            file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")
        )
        self._files = sorted((file for file in files if file.is_file()), key=lambda file: natural(file.name))
        if not self._files:
            raise EmptyVideoError(
                "The folder holds no images", where=path, mend=f"Known suffixes: {', '.join(sorted(IMAGE_SUFFIXES))}."
            )
        first = self._files[0]
        try:
            with Image.open(first) as image:
                shape = to_rgb(image).shape
                codec, mode = (image.format or "image").lower(), image.mode
        except _DAMAGE as error:
            raise image_error(first, error) from None
        self.clock = _even_clock(len(self._files))
        self.info = _image_info("images", "folder", codec, mode, shape, self.clock, fps=None)

    @property
    def keyframes(self) -> Integers:
        """Every image stands alone."""
        return np.arange(len(self._files))

    def pictures(self, indices: Integers, size: Size | None, *, at_once: bool = False) -> Iterator[Picture]:
        """Decode images; see :class:`~cineloop.video.source.Source`."""
        for index in indices.tolist():
            try:
                with Image.open(self._files[index]) as image:
                    pixels = to_rgb(image)
            except _DAMAGE as error:
                yield Picture(index, None, _frame_error(self._files[index], index, error))
                continue
            self.decoded_frames += 1
            yield Picture(index, scaled(pixels, size))

    def close(self) -> None:
        """Nothing stays open."""


def image_error(path: Path, error: BaseException) -> VideoError:
    """Return the error for an image file that Pillow refuses."""
    if isinstance(error, UnidentifiedImageError):
        return VideoError("This is no image that can be read", where=path, mend="Convert it to PNG.")
    if isinstance(error, Image.DecompressionBombError):
        return VideoError("The image is too large to be one of a recording", where=path, mend="Scale it down.")
    if isinstance(error, ValueError) and "brightness" in str(error):
        return VideoError(f"The image cannot be shown: {error}", where=path, mend="Convert it to 8 or 16 bits.")
    if isinstance(error, PermissionError | FileNotFoundError):
        return VideoError(f"The image cannot be opened: {error.strerror}", where=path, mend="Check its rights.")
    return TruncatedVideoError(
        f"The image is damaged or ends early: {error}",
        where=path,
        mend="Copy it again from its source, or leave it out (predict --skip-errors, data.on_error: skip).",
    )


def _frame_error(path: Path, index: int, error: BaseException) -> FrameDecodeError:
    return FrameDecodeError(
        f"Frame {index} cannot be decoded: {error}",
        where=path,
        mend="Copy the image again from its source, or go on without it (predict and render --skip-errors).",
    )


def _even_clock(frames: int) -> Clock:
    return Clock(np.arange(frames, dtype=np.int64), 1 / ASSUMED_FPS, frames)


def _page_clock(durations: list[float]) -> tuple[Clock, bool]:
    """Return when pages are shown, from their durations in milliseconds, and whether those were stated."""
    if len(durations) == 1 or not all(duration > 0 for duration in durations):
        return _even_clock(len(durations)), False
    ends = np.cumsum(np.rint(np.array(durations)).astype(np.int64).clip(1))
    return Clock(np.concatenate([[0], ends[:-1]]), Fraction(1, 1000), int(ends[-1])), True


def _rate(clock: Clock) -> Fraction:
    return Fraction(len(clock.pts)) / (clock.end * clock.time_base)


def _image_info(
    kind: str, container: str, codec: str, mode: str, shape: tuple[int, ...], clock: Clock, *, fps: Fraction | None
) -> VideoInfo:
    return VideoInfo(
        kind="images" if kind == "images" else "image",
        container=container,
        codec=codec,
        pixel_format=mode,
        bit_depth=_MODE_BITS.get(mode, 8),
        width=shape[1],
        height=shape[0],
        sample_aspect_ratio=Fraction(1),
        frames=len(clock.pts),
        fps=fps,
        duration_seconds=float(clock.end * clock.time_base),
        variable_rate=len(np.unique(np.diff(np.append(clock.pts, clock.end)))) > 1,
    )
