"""What is filled in every frame of a recording: text, given regions, and what is outside of the endoscope's picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from cineloop.analysis.privacy.box import Box
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.analysis.privacy.text import Levels, find_text, persistent_strokes
from cineloop.errors import FrameDecodeError
from cineloop.video.content import ContentArea, find_content
from cineloop.video.frame import Pixels
from cineloop.video.info import ASSUMED_FPS
from cineloop.video.reader import Video

Flags: TypeAlias = npt.NDArray[np.bool_]
Origin: TypeAlias = Literal["given", "text"]

# Text is looked for in frames of at most this side; letters that can be read are not lost by it.
_WORKING_SIDE = 1280
# Groups of frames in which text is looked for, at most; frames in each; seconds between them: the scene has to move.
_GROUPS, _FRAMES, _APART = 10, 8, 0.6
# Frames of each group that are also compared with those of all others.
_SPREAD = 2
# Pixels a side at which the outline of the endoscope's picture is looked for.
_OUTLINE_SIDE = 320


@dataclass(frozen=True)
class MaskedBox:
    """A rectangle that is filled.

    Attributes:
        box: Where.
        origin: ``given`` by the user, or ``text`` that was found.
    """

    box: Box
    origin: Origin


@dataclass(frozen=True)
class Mask:
    """What is filled in each frame.

    Attributes:
        size: Width and height of the frames.
        boxes: Rectangles.
        content: The endoscope's picture, whose surroundings are filled; None where they are not.
        found_share: Of the picture, in [0, 1], in which text was found.
        looks: Groups of frames in which text was looked for.
        still: Those of them in which it cannot be told from the scene.
    """

    size: tuple[int, int]
    boxes: tuple[MaskedBox, ...] = ()
    content: ContentArea | None = None
    found_share: float = 0.0
    looks: int = 0
    still: int = 0

    @cached_property
    def filled(self) -> Flags:
        """Which pixels are filled, bool ``[H, W]``."""
        filled = np.zeros(self.size[::-1], dtype=np.bool_) if self.content is None else ~self.content.mask()
        for each in self.boxes:
            filled[each.box.rows, each.box.columns] = True
        return filled

    @cached_property
    def empty(self) -> bool:
        """Whether nothing is filled."""
        return not self.filled.any()

    @cached_property
    def _left(self) -> Pixels:
        """1 where a picture is left as it is and 0 where it is filled, uint8 ``[H, W, 3]``: a product is fastest."""
        return np.repeat(~self.filled[..., None], 3, axis=2).astype(np.uint8)

    def fill(self, pixels: Pixels) -> Pixels:
        """Return a picture ``[H, W, 3]`` with black where it is masked; the picture itself where nothing is."""
        return pixels if self.empty else pixels * self._left

    def with_text_of(self, other: Mask) -> Mask:
        """Return a mask of the same size that also fills the text that was found in another part."""
        more = tuple(each for each in other.boxes if each not in self.boxes)
        return dataclasses.replace(self, boxes=self.boxes + more)


def find_mask(video: Video, kept: npt.NDArray[np.int64], settings: PrivacySettings) -> Mask:
    """Look at some of the frames that are kept, and return what is to be filled in all of them.

    Args:
        video: The recording.
        kept: Frames that are not blanked, increasing.
        settings: ``masks``, ``outside_picture`` and ``find_text``.

    Raises:
        PrivacyError: A given region lies outside of the frame.
    """
    size = video.info.width, video.info.height
    given = tuple(MaskedBox(region.placed(size), "given") for region in settings.masks)
    if not len(kept) or not (settings.outside_picture or settings.find_text):
        return Mask(size, given)
    scale = min(1.0, _WORKING_SIDE / max(size))
    working = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    looks: list[Levels] = []
    spread: list[Pixels] = []
    for group in _groups(kept, float(video.info.fps or ASSUMED_FPS)):
        frames = _read(video, group, working)
        if frames is None:
            continue
        spread.append(frames[:: max(1, len(frames) // _SPREAD)][:_SPREAD])
        if settings.find_text:
            looks.append(persistent_strokes(frames))
    if not spread:
        return Mask(size, given)
    everywhere = np.concatenate(spread)
    content = _content(everywhere, size) if settings.outside_picture else None
    if not settings.find_text:
        return Mask(size, given, content)
    if len(looks) > 1:
        looks.insert(0, persistent_strokes(everywhere))
    inside = np.ones(working[::-1], bool) if content is None else _content(everywhere, working).mask()
    text = find_text(looks, inside)
    found = tuple(MaskedBox(box.scaled(working, size), "text") for box in text.boxes)
    return Mask(size, given + found, content, text.share, text.looks, text.still)


def _groups(kept: npt.NDArray[np.int64], fps: float) -> Iterator[npt.NDArray[np.int64]]:
    """Yield groups of frames, spread over those that are kept."""
    step = max(1, min(round(_APART * fps), len(kept) // _FRAMES))
    length = (_FRAMES - 1) * step + 1
    count = max(1, min(_GROUPS, len(kept) // (2 * length)))
    for start in np.linspace(0, max(0, len(kept) - length), count).astype(np.int64):
        yield kept[start : start + length : step]


def _read(video: Video, frames: npt.NDArray[np.int64], size: tuple[int, int]) -> Pixels | None:
    """Return those of some frames that can be decoded, RGB uint8 ``[T, H, W, 3]``; None where none can."""
    try:
        return video.frames(frames, size=size).pixels
    except FrameDecodeError:
        read = []
        for frame in frames.tolist():
            try:
                read.append(video.frames([frame], size=size).pixels)
            except FrameDecodeError:
                continue
        return np.concatenate(read) if read else None


def _content(frames: Pixels, size: tuple[int, int]) -> ContentArea:
    every = max(1, max(frames.shape[1:3]) // _OUTLINE_SIDE)
    return find_content(frames[:, ::every, ::every], frame_size=size)
