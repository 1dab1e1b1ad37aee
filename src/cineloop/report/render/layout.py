"""What a layout of a rendered video is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cineloop.report.render.moment import Moment
from cineloop.report.render.text import OWN, Letters, Pixels
from cineloop.report.render.words import Words
from cineloop.timeline.timeline import Timeline


@dataclass(frozen=True, eq=False)
class Scene:
    """What a layout needs to know before the first frame.

    Attributes:
        timeline: What to show.
        words: In which language.
        width: Of the recording's pictures, in pixels.
        height: Likewise.
        frames: Of the recording.
        start: When the first frame appears, in seconds.
        stop: When the last one disappears.
        letters: In which fonts.
    """

    timeline: Timeline
    words: Words
    width: int
    height: int
    frames: int
    start: float
    stop: float
    letters: Letters = OWN

    @property
    def complete(self) -> bool:
        """Whether the timeline has a row for every frame."""
        return len(self.timeline) == self.frames

    @property
    def hours(self) -> bool:
        """Whether times are written with hours."""
        return self.stop >= 3600


class Layout(Protocol):
    """Puts what a timeline says to the pictures of one video, one after the other."""

    size: tuple[int, int]
    """Width and height of the result in pixels."""

    def compose(self, picture: Pixels, moment: Moment) -> Pixels:
        """Return a picture with what is known of its frame.

        Args:
            picture: RGB uint8 [H, W, 3] of the scene's size.
            moment: The frame.

        Returns:
            RGB uint8 of :attr:`size`, valid until the next call.
        """
