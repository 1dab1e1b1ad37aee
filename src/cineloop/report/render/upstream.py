"""The overlay of the published quality control: four stacked squares over the upper left corner of the picture."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from cineloop.errors import TimelineError
from cineloop.report.render.colours import PUBLISHED
from cineloop.report.render.layout import Scene
from cineloop.report.render.moment import Moment
from cineloop.report.render.text import Pixels, font
from cineloop.report.render.words import GLYPHS
from cineloop.timeline.decision import SIGNALS, UNDEFINED


class Upstream:
    """Squares of side ``min(height // 8, width)`` for outside, nonsense, ileocecal and bbps, one below the other.

    A square has its colour and a white glyph while its signal is 1, that of bbps the colour and the number of its
    score; else it is black. The published font is not free and is replaced.

    Args:
        scene: What to show.

    Raises:
        TimelineError: The timeline lacks one of the four signals.
    """

    def __init__(self, scene: Scene) -> None:
        missing = [name for name in SIGNALS if name not in scene.timeline.shown]
        if missing:
            raise TimelineError(
                f"The published overlay shows {', '.join(SIGNALS)}, and the timeline has no {', '.join(missing)}",
                where=scene.timeline.source,
                mend="Choose another layout.",
            )
        self._rows = [scene.timeline.shown[name] for name in SIGNALS]
        self.size = (scene.width, scene.height)
        self._side = min(scene.height // 8, scene.width)
        self._squares = [
            {value: _square(self._side, name, value) for value in (UNDEFINED, 0, 1, 2, 3)} for name in SIGNALS
        ]
        self._canvas = np.empty((scene.height, scene.width, 3), np.uint8)

    def compose(self, picture: Pixels, moment: Moment) -> Pixels:
        """Return the picture under the squares; see :class:`~cineloop.report.render.layout.Layout`."""
        self._canvas[:] = picture
        side = self._side
        for number, (row, squares) in enumerate(zip(self._rows, self._squares, strict=True)):
            value = UNDEFINED if moment.row is None else int(row[moment.row])
            self._canvas[number * side : (number + 1) * side, :side] = squares.get(value, squares[UNDEFINED])
        return self._canvas


def _square(side: int, name: str, value: int) -> Pixels:
    colour = PUBLISHED[name].get(value)
    if colour is None or not side:
        return np.zeros((side, side, 3), np.uint8)
    image = Image.new("RGB", (side, side), colour)
    text = str(value) if name == "bbps" else GLYPHS[SIGNALS.index(name)]
    left = side // 4 if name == "bbps" else 0
    drawn = font("Bold", side)
    _, top, _, bottom = drawn.getbbox(text, anchor="ls")
    ImageDraw.Draw(image).text((left, (side - top - bottom) / 2), text, (255, 255, 255), drawn, anchor="ls")
    return np.asarray(image)
