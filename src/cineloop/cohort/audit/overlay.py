"""Laying one video's pictures over another's: small, grey, and only the part that both show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cineloop.cohort.audit.features import Floats
from cineloop.cohort.audit.fingerprint import Fingerprint
from cineloop.cohort.audit.geometry import Fit

_GRID = 44
_REFINED = 8
# Blurs, in samples, at which pictures are brought over each other; steps at each, and how far one goes at most.
_SOFTNESS = (3.0, 0.5)
_STEPS = 6
_REACH = 0.08
# Shares of the scene by which features may be wrong where two scenes are the same.
_NEARLY = 0.2
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
    def starts(cls, long: Fingerprint, short: Fingerprint, found: Fit) -> list[Overlay]:
        """Return the overlays to begin from: what the features suggest, and what lies near it and is likelier.

        Pieces of one recording have the same frame; their features, of pictures a fraction of a frame's time apart,
        suggest a small shift.
        """
        whole = np.zeros(2), np.ones(2)
        near = np.abs(np.concatenate([found.scale - 1, found.shift])).max() < _NEARLY
        places = [(found.shift, found.scale), whole] if near else [(found.shift, found.scale)]
        return [
            cls(
                long.box,
                short.box,
                scale,
                shift,
                np.concatenate([np.maximum(0.0, shift) + 0.02, np.minimum(1.0, scale + shift) - 0.02]),
            )
            for shift, scale in places
        ]

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

    def refine(self, fixed: Floats, pictures: npt.NDArray[np.uint8], mirrored: bool) -> Overlay:
        """Return the place, near this one, at which the pictures agree best.

        Image registration by least squares (Lucas and Kanade, 1981), first of softened pictures, which agree from
        farther away.
        """
        few = np.linspace(0, len(fixed) - 1, min(len(fixed), _REFINED)).astype(int)
        sample = pictures[few]
        best = self
        for softness in _SOFTNESS:
            goal = normal(band(_blurred(fixed[few], softness)))
            here = best._sight(goal, sample, mirrored, softness)
            for _ in range(_STEPS):
                scale, shift = here.step(best)
                reach = 1.0
                while reach > 0.2:
                    place = replace(best, scale=best.scale + reach * scale, shift=best.shift + reach * shift)
                    found = place._sight(goal, sample, mirrored, softness) if (place.scale > 0.2).all() else None
                    if found is not None and found.score > here.score + 1e-5:
                        break
                    reach /= 2
                else:
                    break
                gain, best, here = found.score - here.score, place, found
                if gain < 1e-4:
                    break
        return best

    def _sight(self, goal: Floats, pictures: npt.NDArray[np.uint8], mirrored: bool, softness: float) -> _Sight:
        moved = band(_blurred(self.moving(pictures, mirrored), softness))
        rows = normal(moved)
        return _Sight(goal, moved, rows, float((goal * rows).sum(axis=1).mean()))


@dataclass(frozen=True)
class _Sight:
    """How the pictures look from one place.

    Attributes:
        goal: Float32 [T, G * G], what they should look like, rows of unit length.
        moved: Float32 [T, G, G], what they look like.
        rows: Float32 [T, G * G], the same as rows of unit length.
        score: Mean correlation of the two.
    """

    goal: Floats
    moved: Floats
    rows: Floats
    score: float

    def step(self, place: Overlay) -> tuple[Floats, Floats]:
        """Return the changes of scale and shift that would bring the pictures onto the goal, were they linear."""
        size = (place.window[2:] - place.window[:2]) / _GRID
        at = place.window[:2, None] + (np.arange(_GRID) + 0.5) * size[:, None]
        at = ((at - place.shift[:, None]) / place.scale[:, None]).astype(np.float32)
        length = np.linalg.norm((self.moved - self.moved.mean(axis=(1, 2), keepdims=True)), axis=(1, 2), keepdims=True)
        unit = self.moved / np.maximum(length, 1e-6)
        across = -np.gradient(unit, axis=2) / np.float32(size[0])
        down = -np.gradient(unit, axis=1) / np.float32(size[1])
        slopes = np.stack([across * at[0], down * at[1][:, None], across, down]).reshape(4, -1)
        square = slopes @ slopes.T
        square += 1e-3 * np.trace(square) / 4 * np.eye(4, dtype=np.float32)
        change = np.linalg.solve(square.astype(np.float64), slopes @ (self.goal - self.rows).reshape(-1))
        change = np.clip(change, -_REACH, _REACH)
        return change[:2], change[2:]


def _resampler(begin: float, end: float, size: int) -> Floats:
    """Return weights [G, size] that bring the part of a line from ``begin`` to ``end`` (shares) to G samples."""
    step = (end - begin) * size / _GRID
    centres = begin * size + (np.arange(_GRID) + 0.5) * step - 0.5
    width = max(1.0, step)
    weights = np.maximum(0, 1 - np.abs(np.arange(size)[None, :] - centres[:, None]) / width)
    total = weights.sum(axis=1, keepdims=True)
    matrix: Floats = (weights / np.maximum(total, 1e-6)).astype(np.float32)
    return matrix
