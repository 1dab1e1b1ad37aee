"""The picture that stands for every frame that was removed."""

from __future__ import annotations

import numpy as np

from cineloop.report.render.text import sprite, width_of
from cineloop.video.frame import Pixels

GROUND = (36, 38, 44)
_INK = (168, 172, 180)
_WORD = "removed"
# Of the height, and of the width that the word may take.
_TALL, _WIDE = 0.09, 0.8


def card(size: tuple[int, int]) -> Pixels:
    """Return a plain picture with the word *removed*, RGB uint8 ``[H, W, 3]``, read-only.

    Args:
        size: Width and height; where the word would not fit there is none.
    """
    width, height = size
    picture = np.empty((height, width, 3), dtype=np.uint8)
    picture[:] = GROUND
    letters = max(8, round(_TALL * height))
    while letters > 8 and width_of(_WORD, "Medium", letters) > _WIDE * width:
        letters -= 1
    tall = 2 * letters
    if tall <= height and width_of(_WORD, "Medium", letters) <= width:
        word = sprite(_WORD, "Medium", letters, _INK, GROUND, tall)
        top, left = (height - tall) // 2, (width - word.shape[1]) // 2
        picture[top : top + tall, left : left + word.shape[1]] = word
    picture.setflags(write=False)
    return picture
