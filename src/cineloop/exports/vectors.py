"""Pictures that every export is tested on and ships: made here, of no patient, at several sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cineloop.seeds import generator

Pixels = npt.NDArray[np.uint8]

_SIZES = ((240, 320), (333, 271), (480, 640), (720, 1280))
_SAME = 3


def picture(height: int, width: int, *, number: int) -> Pixels:
    """Return a picture of soft colours, a dark middle, an edge or two and a little noise, uint8 RGB [H, W, 3]."""
    rng = generator("export vector", height, width, number)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height * 2 - 1, x / width * 2 - 1
    base = rng.uniform(0.1, 0.9, 3)
    field = np.zeros((height, width, 3), dtype=np.float32)
    for _ in range(6):
        wave = rng.normal(0, 4, 2)
        field += np.sin(wave[0] * y + wave[1] * x + rng.uniform(0, 6.3))[..., None] * rng.normal(0, 0.09, 3)
    distance = np.hypot(y - rng.uniform(-0.4, 0.4), x - rng.uniform(-0.4, 0.4))
    light = 1 - rng.uniform(0, 0.9) * np.exp(-((distance / rng.uniform(0.2, 0.8)) ** 2))
    values = (base + field) * light[..., None]
    top, left = rng.uniform(-0.8, 0.4, 2)
    patch = (y > top) & (y < top + 0.4) & (x > left) & (x < left + 0.5)
    values[patch] *= rng.uniform(0.3, 1.6, 3)
    values += rng.normal(0, 0.01, (height, width, 1))
    result: Pixels = (values.clip(0, 1) * 255).astype(np.uint8)
    return result


def made_inputs(size: tuple[int, int], *, frames: int | None = None, whole: bool = True) -> list[Pixels]:
    """Return the inputs that an export is tested on, each of one size.

    Args:
        size: Height and width of the network's input; several are of this size, so that a batch can be made.
        frames: Frames of a clip; None for single frames.
        whole: Whether pictures of other sizes do too; without it only larger ones are given.

    Returns:
        uint8 RGB [H, W, 3] each, or [T, H, W, 3] of clips.
    """
    sizes: Sequence[tuple[int, int]] = [size] * _SAME + [
        one for one in _SIZES if whole or (one[0] >= size[0] and one[1] >= size[1])
    ]
    if frames is None:
        return [picture(height, width, number=number) for number, (height, width) in enumerate(sizes)]
    found = []
    for number, (height, width) in enumerate(sizes[: _SAME + 2]):
        still = picture(height, width, number=number)
        # The picture drifts, so that the order of frames matters.
        found.append(np.stack([np.roll(still, (3 * step, 5 * step), axis=(0, 1)) for step in range(frames)]))
    return found
