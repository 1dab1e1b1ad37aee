"""The fingerprint of a video: features of pictures sampled over its whole length."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cineloop.cohort.audit import features
from cineloop.cohort.audit.features import SIDE, Codes, Floats
from cineloop.cohort.audit.pictures import Greys, grey_pictures
from cineloop.video import Video

#: Changes whenever a stored fingerprint would come out otherwise.
VERSION = 4

# Pictures are read at this size; borders are cut off before they are brought to SIDE.
_READ = 224
_FEWEST, _MOST, _EXTRA = 12, 32, 64
_SPACING, _LONG_SPACING = 0.5, 2.0
# A border is darker than this in all pictures; a line of scene has this share of brighter pixels.
_BLACK, _LIT = 24, 0.08


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What is kept of a video to find its copies.

    Attributes:
        duration: Seconds.
        frames: Frames of the video.
        times: Float32 [T], seconds of the sampled pictures.
        box: Float32 [4], left, top, right, bottom of the scene as shares of the picture.
        detail: Grey levels of fine structure: the median over pictures of its standard deviation.
        motion: Grey levels by which a pixel changes over time: root mean square.
        picture: Int16 [N], the sampled picture that each feature is in.
        places: Float32 [N, 2], x and y as shares of the box.
        scales: Float32 [N], as shares of the box's width.
        codes: Uint64 [N, 2].
        mirrored: Uint64 [N, 2].
    """

    duration: float
    frames: int
    times: Floats
    box: Floats
    detail: float
    motion: float
    picture: npt.NDArray[np.int16]
    places: Floats
    scales: Floats
    codes: Codes
    mirrored: Codes

    def to_bytes(self) -> bytes:
        """Return the fingerprint for the cache."""
        stream = io.BytesIO()
        np.savez(stream, **vars(self))
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Fingerprint:
        """Return the fingerprint that :meth:`to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            values = {name: stored[name] for name in stored.files}
        return cls(**{name: value.item() if value.ndim == 0 else value for name, value in values.items()})


def sampled(frames: int, duration: float, keyframes: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return the frames to look at.

    They are all frames of a very short video, else one every half second, at most 32, at fixed shares of the duration
    so that a copy is looked at in the same frames. Of a long video keyframes in between are added, which cost least, so
    that a short piece cut from it holds some.
    """
    count = min(frames, int(np.clip(np.ceil(duration / _SPACING), _FEWEST, _MOST)))
    grid = ((np.arange(count) + 0.5) * frames / count).astype(np.intp)
    extra = min(_EXTRA, int(duration / _LONG_SPACING) - count)
    if extra <= 0 or len(keyframes) == 0:
        return grid
    wanted = (np.arange(extra) + 0.5) * frames / extra
    at = np.clip(np.searchsorted(keyframes, wanted), 0, len(keyframes) - 1)
    return np.union1d(grid, keyframes[at])


def scene_box(pictures: Greys) -> Floats:
    """Return left, top, right and bottom of what is not border, as shares of the picture."""
    lit = pictures.max(axis=0) > _BLACK
    box = []
    for axis in (0, 1):
        lines = np.flatnonzero(lit.mean(axis=axis) > _LIT)
        low, high = (lines[0], lines[-1] + 1) if len(lines) else (0, lit.shape[1 - axis])
        box.append((low / lit.shape[1 - axis], high / lit.shape[1 - axis]))
    return np.array([box[0][0], box[1][0], box[0][1], box[1][1]], np.float32)


def fingerprint(path: Path, frames: int, duration: float) -> Fingerprint:
    """Look at a video and describe it."""
    with Video(path, threads=1) as video:
        pictures, times = grey_pictures(video, sampled(frames, duration, video.keyframes), _READ)
    box = scene_box(pictures)
    cut = _cut(pictures, box)
    usable = ndimage.uniform_filter((cut.max(axis=0) > _BLACK).astype(np.float32), SIDE // 10) > 0.8
    found = [features.features(picture, usable) for picture in cut]
    fine = cut - ndimage.gaussian_filter(cut, (0, 4, 4))
    return Fingerprint(
        duration=duration,
        frames=frames,
        times=times.astype(np.float32),
        box=box,
        detail=float(np.median(fine.std(axis=(1, 2)))),
        motion=float(np.sqrt(ndimage.gaussian_filter(cut, (0, 2, 2)).var(axis=0).mean())),
        picture=np.repeat(np.arange(len(found)), [len(each.scales) for each in found]).astype(np.int16),
        places=np.concatenate([each.places for each in found]),
        scales=np.concatenate([each.scales for each in found]),
        codes=np.concatenate([each.codes for each in found]),
        mirrored=np.concatenate([each.mirrored for each in found]),
    )


def _cut(pictures: Greys, box: Floats) -> Floats:
    """Return the scene of each picture as float32 [T, SIDE, SIDE]."""
    from PIL import Image

    corners = tuple(float(edge) * pictures.shape[1] for edge in box)
    return np.stack(
        [
            np.asarray(
                Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=corners), np.float32
            )
            for picture in pictures
        ]
    )
