"""A small translucent panel in the upper right corner of the picture, for those who want the picture's own size."""

from __future__ import annotations

import numpy as np

from cineloop.report.render.colours import GROUND, INK, SOFT, colour_of
from cineloop.report.render.layout import Scene
from cineloop.report.render.moment import Moment, clock_text
from cineloop.report.render.panel import Panel
from cineloop.report.render.text import Pixels, unit_of, width_of
from cineloop.timeline.decision import UNDEFINED

# Of 256: how much of the panel is seen, and how much of the picture under it.
_OPAQUE = 190


class Corner:
    """The time and the state of each signal over a corner of the picture, which shows through.

    Args:
        scene: What to show.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._names = list(scene.timeline.shown)
        self.size = (scene.width, scene.height)
        words, letters = scene.words, scene.letters
        self._unit = unit = max(10, round(0.8 * unit_of(scene.width, scene.height)))
        self._pad, self._line = max(4, unit // 2), round(1.45 * unit)
        states = [self._said(name, value) for name in self._names for value in (UNDEFINED, 0, 1, 2, 3)]
        notes = [] if scene.complete else [words.held.format("0" * len(str(scene.frames))), words.nothing]
        content = max(
            width_of(clock_text(scene.stop, hours=scene.hours, tenths=True) + "0", "Bold", unit, letters),
            *(width_of(text, "Medium", unit, letters) + unit for text in states),
            *(width_of(text, "Medium", unit, letters) for text in notes),
        )
        width = min(scene.width, content + 2 * self._pad)
        lines = 1 + len(self._names) + bool(notes)
        # Of a panel that does not fit a small picture the upper part is seen.
        whole = np.empty((lines * self._line + self._pad, width, 3), np.uint8)
        whole[:] = GROUND
        self._panel = Panel(whole, letters)
        self._height = min(scene.height, len(whole))
        self._box = (slice(0, self._height), slice(scene.width - width, scene.width))
        self._canvas = np.empty((scene.height, scene.width, 3), np.uint8)

    def _said(self, name: str, value: int) -> str:
        return f"{self._scene.words.title(name)}: {self._scene.words.state(name, value)}"

    def compose(self, picture: Pixels, moment: Moment) -> Pixels:
        """Return the picture under the panel; see :class:`~cineloop.report.render.layout.Layout`."""
        scene, unit, pad, line, panel = self._scene, self._unit, self._pad, self._line, self._panel
        words, width = scene.words, panel.pixels.shape[1] - 2 * self._pad
        top = pad // 2
        panel.text(
            (pad, top, width, line),
            clock_text(moment.seconds, hours=scene.hours, tenths=True),
            unit,
            INK,
            weight="Bold",
        )
        for number, name in enumerate(self._names, start=1):
            value = UNDEFINED if moment.row is None else int(scene.timeline.shown[name][moment.row])
            at, side = top + number * line, round(0.7 * unit)
            panel.bar((pad, at + (line - side) // 2, side, side), 1.0, colour_of(name, value))
            text = "–" if moment.row is None else self._said(name, value)
            panel.text((pad + unit, at, width - unit, line), text, unit, SOFT if value == UNDEFINED else INK)
        if not scene.complete:
            note = "" if moment.held is None else words.held.format(moment.held)
            note = words.nothing if moment.row is None else note
            panel.text((pad, top + (len(self._names) + 1) * line, width, line), note, unit, SOFT)
        self._canvas[:] = picture
        under = self._canvas[self._box].astype(np.uint16)
        over = panel.pixels[: self._height].astype(np.uint16)
        self._canvas[self._box] = (under * (256 - _OPAQUE) + over * _OPAQUE + 128) >> 8
        return self._canvas
