"""Where text is burned into the pictures of a recording: strokes that stay where they are while the scene moves.

There is no reading of letters: whatever is thin, stands out and stands still is taken for text. So are names in any
script, logos and scales, and so are the stripes of a still scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects, grey_closing, grey_opening, label, maximum_filter, uniform_filter

from cineloop.analysis.privacy.box import Box
from cineloop.video.frame import Pixels

Flags: TypeAlias = npt.NDArray[np.bool_]
Levels: TypeAlias = npt.NDArray[np.int16]

# Strokes are thinner than this share of the height of the frame.
_STROKE = 0.018
# Levels (of 255) by which a stroke stands out from what is around it, and some of it clearly so.
_WEAK, _CLEAR = 16, 32
# Heights, in pixels, of the windows, three times as wide, in which strokes are counted; letters fill at least this
# share of one, and are clear for this share of what they fill.
_WINDOWS = (9, 19, 37)
_FILLED, _CLEARLY = 0.10, 0.3
# Nothing is written in the outermost pixels, but recorders leave lines there.
_EDGE = 3
# Smaller things are no letters.
_PIXELS, _SIDE = 15, 5
# Around what was found, as shares of its height, and at least and at most so many pixels: to the sides, where digits
# change, more than above and below.
_ABOVE, _ABOVE_LIMITS = 0.3, (3, 12)
_BESIDE, _BESIDE_LIMITS = 1.0, (8, 50)
# More of the picture than this is not text but a scene that stands still.
_TOO_MUCH = 0.10
# Rectangles are made of squares of this side.
_CELL = 8


@dataclass(frozen=True)
class FoundText:
    """What was found in a recording.

    Attributes:
        boxes: Rectangles in the frames that were looked at.
        share: Of the picture that they cover, in [0, 1].
        looks: Groups of frames that were compared.
        still: Those of them in which the scene stood still, so that text cannot be told from it. Where it does so in
            all, everything that stands out is in the boxes; else these groups are left out.
    """

    boxes: tuple[Box, ...]
    share: float
    looks: int
    still: int


def find_text(looks: Sequence[Levels], area: Flags) -> FoundText:
    """Find burned-in text.

    Args:
        looks: :func:`persistent_strokes` of groups of frames of one recording, the widest spread in time first. Text is
            found that stays for the whole of one group, while the scene does not.
        area: Where to look, bool ``[H, W]``.
    """
    found = [text_area(strokes, area) for strokes in looks]
    within = max(1, int(area.sum()))
    moving = [each for each in found if each.sum() <= _TOO_MUCH * within]
    chosen = moving or found[:1]
    boxes = _rectangles(np.logical_or.reduce(chosen)) if chosen else ()
    share = float(_cover(boxes, area.shape)[area].mean()) if boxes else 0.0
    return FoundText(boxes, share, len(found), len(found) - len(moving))


def persistent_strokes(frames: Pixels) -> Levels:
    """Return by how much each place stands out as part of a thin stroke, in nearly all of some frames.

    A bright stroke that stays is, even where it is darkest over time, brighter than what is around it on average; a
    dark one likewise. A scene that moves has neither.

    Args:
        frames: RGB uint8 ``[T, H, W, 3]``.

    Returns:
        int16 ``[H, W]``, levels of the colour channel that shows it best.
    """
    count, height = frames.shape[:2]
    reach = max(7, 2 * round(_STROKE * height / 2) + 1)
    spared = count // 5
    ordered = np.sort(frames, axis=0)
    low, high = ordered[spared].astype(np.int16), ordered[count - 1 - spared].astype(np.int16)
    mean = frames.mean(axis=0).astype(np.int16)
    strokes = np.zeros(frames.shape[1:3], dtype=np.int16)
    for channel in range(3):
        level = mean[..., channel]
        np.maximum(strokes, low[..., channel] - grey_opening(level, (reach, reach)), out=strokes)
        np.maximum(strokes, grey_closing(level, (reach, reach)) - high[..., channel], out=strokes)
    return strokes


def text_area(strokes: Levels, area: Flags) -> Flags:
    """Return where strokes lie as close together as letters do, with a margin, bool ``[H, W]``.

    Args:
        strokes: As :func:`persistent_strokes` gives them.
        area: Where to look, bool ``[H, W]``.
    """
    inner = np.zeros_like(area)
    inner[_EDGE:-_EDGE, _EDGE:-_EDGE] = area[_EDGE:-_EDGE, _EDGE:-_EDGE]
    weak = (strokes > _WEAK) & inner
    letters = np.zeros_like(area)
    for height in _WINDOWS:
        size = (height, 3 * height)
        filled = uniform_filter(weak.astype(np.float32), size, mode="constant")
        clear = uniform_filter(((strokes > _CLEAR) & inner).astype(np.float32), size, mode="constant")
        dense = (filled > _FILLED) & (clear > _CLEARLY * filled)
        letters |= weak & maximum_filter(dense, size=size)
    found = np.zeros_like(area)
    groups, _ = label(maximum_filter(letters, size=(5, 15)))
    for number, place in enumerate(find_objects(groups), start=1):
        _widen(found, place, letters[place] & (groups[place] == number))
    return found


def _widen(found: Flags, place: tuple[slice, slice], letters: Flags) -> None:
    """Add a group of letters and its margin to what was found."""
    rows, columns = np.nonzero(letters)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    if len(rows) < _PIXELS or min(height, width) < _SIDE:
        return
    above = int(np.clip(_ABOVE * height, *_ABOVE_LIMITS))
    beside = int(np.clip(_BESIDE * height, *_BESIDE_LIMITS))
    top, left = max(0, place[0].start - above), max(0, place[1].start - beside)
    bottom, right = place[0].stop + above, place[1].stop + beside
    view = found[top:bottom, left:right]
    marks = np.zeros_like(view)
    marks[rows + place[0].start - top, columns + place[1].start - left] = True
    view |= maximum_filter(marks, size=(2 * above + 1, 2 * beside + 1))


def _rectangles(found: Flags) -> tuple[Box, ...]:
    """Return rectangles, made of squares of a grid, that cover an area: runs of a row, joined with equal ones below."""
    height, width = found.shape
    grid = np.zeros((-(-height // _CELL), -(-width // _CELL)), dtype=bool)
    rows, columns = np.nonzero(found)
    grid[rows // _CELL, columns // _CELL] = True
    boxes: list[Box] = []
    growing: dict[tuple[int, int], int] = {}
    for row in range(len(grid) + 1):
        cells = np.flatnonzero(np.diff(np.pad(grid[row], 1).astype(np.int8))) if row < len(grid) else np.zeros(0, int)
        runs = set(zip(cells[::2].tolist(), cells[1::2].tolist(), strict=True))
        for run in [run for run in growing if run not in runs]:
            edges = (run[0] * _CELL, growing.pop(run) * _CELL, run[1] * _CELL, row * _CELL)
            boxes.append(Box.covering(*edges, (width, height)))
        for run in runs:
            growing.setdefault(run, row)
    return tuple(sorted(boxes))


def _cover(boxes: Sequence[Box], shape: tuple[int, ...]) -> Flags:
    covered = np.zeros(shape, dtype=bool)
    for box in boxes:
        covered[box.rows, box.columns] = True
    return covered
