"""Where the endoscope's picture is within the frame: a circle, an octagon, a rectangle, or all of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter

from cineloop.video.frame import Pixels
from cineloop.video.outline import Circle, Limits, fit_circle, fit_limits
from cineloop.video.reader import Video
from cineloop.video.source import Integers

Shape = Literal["full", "rectangle", "octagon", "circle"]

# Longer side, in pixels, at which outlines are fitted.
_WORKING_SIDE = 320
# Pixels this much brighter than the darkest ones (of 255) in the brighter frames count as lit.
_LIT_ABOVE_BLACK = 14.0
# Borders are black; a darkest level above this is a scene without a border.
_BLACK_AT_MOST = 40.0
# Evidence for "inside", in nats: parts of a scene may be dark (one pixel in ten), borders hardly ever lit (text).
_LIT, _DARK = math.log(0.9 / 0.03), math.log(0.1 / 0.97)
# A shape with more freedom has to explain this share of the frame better than a simpler one.
_PREFERENCE = 0.004
# Dark share inside, plus this many times the lit share outside, beyond which the picture is no endoscope's (an
# ultrasound sector among captions, say).
_TEXT_WEIGHT, _MISFIT = 2.0, 0.4
# Share of the outline at which the picture must really end: inside clearly brighter than outside.
_EDGE_SHARE = 0.5
_EDGE_STEP = 8.0


@dataclass(frozen=True, slots=True)
class ContentArea:
    """The part of the frame that shows the scene.

    Attributes:
        shape: ``full`` where there is no border, or none that can be told from a dark scene.
        x: Left edge of the bounding box, in pixels from the left.
        y: Top edge of the bounding box, in pixels from the top.
        width: Width of the bounding box in pixels.
        height: Height of the bounding box in pixels.
        frame_width: Width of the frame in pixels.
        frame_height: Height of the frame in pixels.
        circle: Centre and radius in pixels, for a circle (which the frame may cut).
        limits: Half-planes that bound a rectangle or octagon, in pixels.
    """

    shape: Shape
    x: int
    y: int
    width: int
    height: int
    frame_width: int
    frame_height: int
    circle: Circle | None = None
    limits: Limits | None = None

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The bounding box: x, y, width, height."""
        return self.x, self.y, self.width, self.height

    def mask(self) -> npt.NDArray[np.bool_]:
        """Return ``[frame_height, frame_width]``, True inside."""
        y, x = np.mgrid[: self.frame_height, : self.frame_width].astype(np.float32) + 0.5
        if self.circle is not None:
            return self.circle.contains(x, y)
        if self.limits is not None:
            return self.limits.contains(x, y)
        return np.ones((self.frame_height, self.frame_width), dtype=bool)

    def crop(self, pixels: Pixels) -> Pixels:
        """Cut ``[..., H, W, 3]`` to the bounding box; the result is a view."""
        return pixels[..., self.y : self.y + self.height, self.x : self.x + self.width, :]


def detect_content(video: Video, *, samples: int = 16) -> ContentArea:
    """Find the content area of a recording from a few frames spread over it.

    Args:
        video: The recording.
        samples: Frames to look at. Frames that decode on their own are preferred, where there are enough; those that
            cannot be decoded are left out.

    Raises:
        FrameDecodeError: None of the frames can be decoded.
    """
    width, height = video.info.width, video.info.height
    found = list(video.pictures(spread(video.keyframes, len(video), samples=samples), size=working_size(width, height)))
    whole = [picture.pixels for picture in found if picture.pixels is not None]
    if not whole:
        raise next(picture.error for picture in found if picture.error is not None)
    return find_content(np.stack(whole), frame_size=(width, height))


def spread(keyframes: Integers, count: int, *, samples: int = 16) -> Integers:
    """Return frames spread over a recording: keyframes where there are enough of them, increasing.

    Args:
        keyframes: Those that decode on their own.
        count: Frames of the recording.
        samples: How many to return at most.
    """
    pool = keyframes if len(keyframes) >= samples else np.arange(count)
    return pool[np.unique(np.linspace(0, len(pool) - 1, samples).round().astype(np.int64))]


def working_size(width: int, height: int) -> tuple[int, int]:
    """Return the width and height at which the content area of frames is looked for."""
    scale = min(1.0, _WORKING_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def find_content(pixels: Pixels, *, frame_size: tuple[int, int] | None = None) -> ContentArea:
    """Find the content area in pictures of one recording.

    Borders are black in all frames but for burned-in text; the scene is lit in at least one in ten. The outline is the
    shape that makes both most likely, found exactly for one edge at a time; where no sharp edge supports it, the whole
    frame is the answer, so that a dark scene is never cut.

    Args:
        pixels: RGB uint8 ``[T, H, W, 3]``, best scaled to some 300 pixels a side.
        frame_size: Width and height that the answer refers to; None means that of the pictures.
    """
    height, width = pixels.shape[1:3]
    frame_width, frame_height = frame_size or (width, height)
    level = _brightness(pixels)
    black = float(np.quantile(level, 0.01))
    whole = ContentArea("full", 0, 0, frame_width, frame_height, frame_width, frame_height)
    if black > _BLACK_AT_MOST or min(height, width) < 16:
        return whole
    lit = level > black + _LIT_ABOVE_BLACK
    evidence: npt.NDArray[np.float64] = np.where(lit, _LIT, _DARK).astype(np.float64)
    margin = _PREFERENCE * evidence.size * (_LIT - _DARK)
    found: tuple[Shape, Limits | Circle | None] = ("full", None)
    best = float(evidence.sum())
    outlines: list[tuple[Shape, Limits | Circle]] = [
        ("rectangle", fit_limits(evidence, diagonal=False)),
        ("circle", fit_circle(evidence)),
        ("octagon", fit_limits(evidence, diagonal=True)),
    ]
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    for shape, outline in outlines:
        inside = outline.contains(x, y)
        score = float(evidence[inside].sum())
        if score > best + margin and _fits(lit, inside) and _ends_sharply(level, outline):
            found, best = (shape, outline), score
    shape, chosen = found
    if chosen is None:
        return whole
    placed = chosen.scaled(frame_width / width, frame_height / height)
    left, top, right, bottom = placed.bounds(frame_width, frame_height)
    return ContentArea(
        shape,
        left,
        top,
        right - left,
        bottom - top,
        frame_width,
        frame_height,
        circle=placed if isinstance(placed, Circle) else None,
        limits=placed if isinstance(placed, Limits) else None,
    )


def _brightness(pixels: Pixels) -> npt.NDArray[np.float32]:
    """Return how bright each place is in the brighter tenth of the frames: ``[H, W]``, 0 to 255.

    A median takes out noise and thin strokes and leaves edges where they are.
    """
    brightest = pixels.max(axis=3)
    rank = max(0, len(brightest) - 1 - len(brightest) // 10)
    level = np.partition(brightest, rank, axis=0)[rank]
    return np.asarray(median_filter(level, size=3, mode="nearest"), dtype=np.float32)


def _fits(lit: npt.NDArray[np.bool_], inside: npt.NDArray[np.bool_]) -> bool:
    """Say whether what is dark inside and lit outside can be a scene's shadows and a border's text."""
    if inside.all() or not inside.any():
        return False
    return float((~lit[inside]).mean()) + _TEXT_WEIGHT * float(lit[~inside].mean()) <= _MISFIT


def _ends_sharply(level: npt.NDArray[np.float32], outline: Limits | Circle) -> bool:
    """Say whether the picture is brighter inside than outside along most of the outline that lies within the frame."""
    height, width = level.shape
    points, normals = outline.edge(width, height)
    reach = max(2.5, 0.012 * max(width, height))
    outer, inner = points + reach * normals, points - reach * normals
    within = ((outer >= 0) & (outer < [width, height])).all(axis=1)
    if within.sum() < 8:
        return False
    at = [np.clip(each[within], 0, [width - 1, height - 1]).astype(np.int64) for each in (inner, outer)]
    step = level[at[0][:, 1], at[0][:, 0]] - level[at[1][:, 1], at[1][:, 0]]
    return bool((step > _EDGE_STEP).mean() >= _EDGE_SHARE)
