"""Small grey pictures of a video, for comparing recordings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cineloop.video import Video

Greys = npt.NDArray[np.uint8]

# Luma of ITU-R BT.601, in parts of 256.
_LUMA = np.array([77, 150, 29], np.uint16)


def grey_pictures(video: Video, indices: npt.NDArray[np.intp], side: int) -> tuple[Greys, npt.NDArray[np.float64]]:
    """Read frames as luminance, stretched to a square.

    Args:
        video: The recording.
        indices: Frame numbers, rising.
        side: Width and height of the result in pixels.

    Returns:
        Uint8 [T, side, side], and the frames' times in seconds [T] from the first frame of the video.

    Raises:
        VideoError: One of the frames cannot be decoded.
    """
    found = video.frames(indices, size=(side, side))
    grey = np.empty(found.pixels.shape[:3], np.uint8)
    for picture, out in zip(found.pixels, grey, strict=True):
        out[:] = (picture @ _LUMA) >> 8
    return grey, np.array([ref.seconds for ref in found.refs]) - video.refs[0].seconds
