"""Where an item lies in its file, and what part of its picture counts."""

from __future__ import annotations

from cineloop.cohort.item import Item
from cineloop.errors import CohortError
from cineloop.video.content import detect_content
from cineloop.video.reader import Video
from cineloop.video.spatial import Box


def bounds(item: Item, frames: int) -> tuple[int, int]:
    """Return the first frame of an item and the number of its frames, given the frames of its file.

    Raises:
        CohortError: The clip lies outside of the file.
    """
    start = item.start or 0
    stop = frames if item.stop is None else item.stop
    if not 0 <= start < stop <= frames:
        raise CohortError(
            f"The clip's frames {start} to {stop} do not lie in its file of {frames} frames",
            where=item.path,
            mend="Correct start and stop of this item.",
        )
    return start, stop - start


class ContentBoxes:
    """The content area of each medium, found once."""

    def __init__(self) -> None:
        self._known: dict[str, Box] = {}

    def of(self, item: Item, video: Video) -> Box:
        """Return the bounding box (x, y, width, height) of the endoscope's picture."""
        if item.media not in self._known:
            area = detect_content(video)
            self._known[item.media] = (area.x, area.y, area.width, area.height)
        return self._known[item.media]
