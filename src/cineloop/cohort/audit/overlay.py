"""Laying one video's pictures over another's: small, grey, and only the part that both show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cineloop.cohort.audit.features import Floats
from cineloop.cohort.audit.fingerprint import Fingerprint
from cineloop.cohort.audit.geometry import Fit

_GRID = 44
_REFINED = 8
# A copy's scene lies within the original's, but for the error of finding borders.
_OUTSIDE = 0.06


@lru_cache(maxsize=4)
def _blur(sigma: float) -> Floats:
    """Return a Gaussian blur as a matrix [G, G], the border mirrored."""
    matrix: Floats = ndimage.gaussian_filter1d(np.eye(_GRID), sigma, axis=0).astype(np.float32)
    return matrix


def _blurred(stack: Floats, sigma: float) -> Floats:
    blur = _blur(sigma)
    found: Floats = np.matmul(np.matmul(blur, stack), blur.T)
    return found


def band(stack: Floats) -> Floats:
    """Return the structure of pictures [T, G, G]: what is left of them without their broad shading."""
    return stack - _blurred(stack, 5.0)


def changes_of(stack: Floats) -> Floats:
    """Return what changes from picture to picture [T, G, G]: the pictures less their mean over time."""
    smooth = _blurred(stack, 1.0)
    still: Floats = smooth.mean(axis=0)
    return smooth - still


def normal(stack: Floats) -> Floats:
    """Return pictures as rows of zero mean and unit length; a flat picture becomes zero."""
    rows = stack.reshape(len(stack), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(length > 1e-3 * np.sqrt(rows.shape[1]), rows / np.maximum(length, 1e-9), 0)


@dataclass(frozen=True)
class Overlay:
    """The part of the two scenes that both show, and how one maps onto the other.

    Attributes:
        long_box: Float [4], the longer video's scene in its picture.
        short_box: Float [4], the shorter video's scene in its picture.
        scale: Float [2].
        shift: Float [2]: short = scale * long + shift, in shares of the scenes.
        window: Float [4], left, top, right, bottom of the common part, in shares of the short one's scene.
    """

    long_box: Floats
    short_box: Floats
    scale: Floats
    shift: Floats
    window: Floats

    @classmethod
    def of(cls, long: Fingerprint, short: Fingerprint, found: Fit) -> Overlay:
        """Return the overlay that the features suggest."""
        low = np.maximum(0.0, found.shift) + 0.02
        high = np.minimum(1.0, found.scale + found.shift) - 0.02
        return cls(long.box, short.box, found.scale, found.shift, np.concatenate([low, high]))

    @property
    def inside(self) -> bool:
        """Whether on each axis one scene lies within the other."""
        low, high = self.shift, self.shift + self.scale
        within = (low >= -_OUTSIDE) & (high <= 1 + _OUTSIDE)
        around = (low <= _OUTSIDE) & (high >= 1 - _OUTSIDE)
        return bool((within | around).all())

    def fixed(self, pictures: npt.NDArray[np.uint8]) -> Floats:
        """Return the common part of the short one's pictures, float32 [T, G, G]."""
        return self._look(pictures, self.short_box, self.window[:2], self.window[2:])

    def moving(self, pictures: npt.NDArray[np.uint8], mirrored: bool) -> Floats:
        """Return the common part of the long one's pictures, brought over the short one's."""
        low = (self.window[:2] - self.shift) / self.scale
        high = (self.window[2:] - self.shift) / self.scale
        box = self.long_box
        if mirrored:
            pictures = pictures[:, :, ::-1]
            box = np.array([1 - box[2], box[1], 1 - box[0], box[3]])
        return self._look(pictures, box, low, high)

    @staticmethod
    def _look(pictures: npt.NDArray[np.uint8], box: Floats, low: Floats, high: Floats) -> Floats:
        size = box[2:] - box[:2]
        begin, end = box[:2] + low * size, box[:2] + high * size
        across = _resampler(begin[0], end[0], pictures.shape[2])
        down = _resampler(begin[1], end[1], pictures.shape[1])
        part: Floats = np.matmul(np.matmul(down, pictures.astype(np.float32)), across.T)
        return part

    def refine(self, fixed: Floats, pictures: npt.NDArray[np.uint8], mirrored: bool) -> tuple[Overlay, Floats]:
        """Return the place, near this one, at which the pictures agree best, and the pictures there."""
        few = np.linspace(0, len(fixed) - 1, min(len(fixed), _REFINED)).astype(int)
        goal = normal(band(fixed[few]))

        def score(place: Overlay) -> float:
            return float((goal * normal(band(place.moving(pictures[few], mirrored)))).sum(axis=1).mean())

        best, best_score = self, score(self)
        step = 0.02
        while step > 0.002:
            improved = False
            for axis in (0, 1):
                for kind in ("shift", "low", "high"):
                    for sign in (1, -1):
                        place = best._changed(axis, kind, sign * step)
                        found = score(place)
                        if found > best_score + 1e-5:
                            best, best_score, improved = place, found, True
            if not improved:
                step /= 2
        return best, best.moving(pictures, mirrored)

    def _changed(self, axis: int, kind: str, amount: float) -> Overlay:
        scale, shift = self.scale.copy(), self.shift.copy()
        if kind == "shift":
            shift[axis] += amount
        elif kind == "high":
            scale[axis] += amount
        else:
            scale[axis] -= amount
            shift[axis] += amount
        return Overlay(self.long_box, self.short_box, scale, shift, self.window)


def _resampler(begin: float, end: float, size: int) -> Floats:
    """Return weights [G, size] that bring the part of a line from ``begin`` to ``end`` (shares) to G samples."""
    step = (end - begin) * size / _GRID
    centres = begin * size + (np.arange(_GRID) + 0.5) * step - 0.5
    width = max(1.0, step)
    weights = np.maximum(0, 1 - np.abs(np.arange(size)[None, :] - centres[:, None]) / width)
    total = weights.sum(axis=1, keepdims=True)
    matrix: Floats = (weights / np.maximum(total, 1e-6)).astype(np.float32)
    return matrix
