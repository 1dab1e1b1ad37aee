"""A strip below the picture: each signal's state, its probability, and the whole recording with a cursor."""

from __future__ import annotations

import math

import numpy as np

from cineloop.report.render.colours import CURSOR, GROUND, INK, SOFT, TROUGH, WARNING, colour_of
from cineloop.report.render.lanes import lane_colours, ticks
from cineloop.report.render.layout import Scene
from cineloop.report.render.moment import Moment, clock_text, score_name
from cineloop.report.render.panel import Panel
from cineloop.report.render.text import Pixels, stamp, unit_of, width_of
from cineloop.timeline.decision import UNDEFINED

_SMALLEST = 256


class Strip:
    """The default layout: nothing of the picture is hidden, the strip is added below it.

    Where the picture is wide enough, the lanes of the whole recording stand beside the states, else below them. A
    picture narrower than 256 pixels, or of odd width, gets black borders.

    Args:
        scene: What to show.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._names = list(scene.timeline.shown)
        width = max(_SMALLEST, scene.width + scene.width % 2)
        self._unit = unit = unit_of(width, scene.height)
        self._pad, self._line = max(6, unit // 2), round(1.6 * unit)
        self._columns(width)
        lanes_below = 0 if self._beside else len(self._names) * round(0.8 * unit) + self._pad
        head, axis = round(1.9 * unit), round(1.5 * unit)
        rows = len(self._names) * self._line
        tall = head + rows + lanes_below + axis
        tall += (scene.height + tall) % 2
        self.size = (width, scene.height + tall)
        self._canvas = np.zeros((scene.height + tall, width, 3), np.uint8)
        self._left = (width - scene.width) // 2
        strip = self._canvas[scene.height :]
        strip[:] = GROUND
        self._rows = [head + number * self._line for number in range(len(self._names))]
        if self._beside:
            thick = round(0.9 * unit)
            self._lanes = [top + (self._line - thick) // 2 for top in self._rows]
        else:
            thick = round(0.8 * unit) - 2
            self._lanes = [head + rows + self._pad + number * (thick + 2) for number in range(len(self._names))]
        self._thick = thick
        self._draw_ground(strip)
        self._panel = Panel(strip, scene.letters)

    def _columns(self, width: int) -> None:
        """Divide the width: title, state, probability, its number, and lanes where there is room."""
        unit, words, pad, letters = self._unit, self._scene.words, self._pad, self._scene.letters
        gap = round(0.8 * unit)
        states = [words.state(name, value) for name in self._names for value in (UNDEFINED, 0, 1, 2, 3)]
        title = max((width_of(words.title(name), "Medium", unit, letters) for name in self._names), default=0)
        state = unit + max((width_of(text, "Bold", unit) for text in states), default=0)
        number = width_of("0.00", "Medium", unit)
        title, state = min(title, round(0.36 * width)), min(state, round(0.36 * width))
        bar = 5 * unit
        table = pad + title + gap + state + gap + bar + gap // 2 + number
        self._beside = width - table - 2 * gap - 2 * pad >= 14 * unit
        if not self._beside:
            bar = max(0, width - 2 * pad - (table - bar - pad))
        self._title = (pad, title)
        self._state = (pad + title + gap, state)
        self._bar = (pad + title + gap + state + gap, bar)
        self._number = (self._bar[0] + bar + gap // 2, number)
        left = self._number[0] + number + 2 * gap if self._beside else pad
        self._span = (left, width - pad - left)

    def _draw_ground(self, strip: Pixels) -> None:
        """Draw what no frame changes: titles, lanes, the axis."""
        scene, unit = self._scene, self._unit
        for name, top in zip(self._names, self._rows, strict=True):
            box = (self._title[0], top, self._title[1], self._line)
            stamp(strip, box, scene.words.title(name), unit, SOFT, GROUND, letters=scene.letters)
            bar_top, tall = self._bar_place(top)
            strip[bar_top : bar_top + tall, self._bar[0] : sum(self._bar)] = TROUGH
        left, length = self._span
        colours = lane_colours(scene.timeline, length, scene.start, scene.stop)
        for lane, top in zip(colours, self._lanes, strict=True):
            strip[top : top + self._thick, left : left + length] = lane
        bottom = self._lanes[-1] + self._thick if self._lanes else self._rows[-1]
        small = max(10, round(0.8 * unit))
        for time, text in ticks(scene.start, scene.stop, max(1, length // (6 * unit))):
            x = left + round((time - scene.start) / (scene.stop - scene.start) * (length - 1))
            strip[bottom + 2 : bottom + 2 + unit // 3, x : x + max(1, unit // 12)] = SOFT
            wide = width_of(text, "Medium", small)
            begin = min(max(left, x - wide // 2), left + length - wide)
            stamp(strip, (begin, bottom + 2 + unit // 3, wide, round(1.1 * small)), text, small, SOFT, GROUND)

    def _bar_place(self, top: int) -> tuple[int, int]:
        tall = max(4, round(0.5 * self._unit))
        return top + (self._line - tall) // 2, tall

    def compose(self, picture: Pixels, moment: Moment) -> Pixels:
        """Return the picture above the strip; see :class:`~cineloop.report.render.layout.Layout`."""
        scene = self._scene
        self._canvas[: scene.height, self._left : self._left + scene.width] = picture
        self._head(moment)
        for name, top in zip(self._names, self._rows, strict=True):
            self._signal(name, top, moment.row)
        left, length = self._span
        thin = max(1, self._unit // 10)
        share = (moment.seconds - scene.start) / (scene.stop - scene.start)
        x = left + round(min(max(share, 0.0), 1.0) * (length - thin))
        first = self._lanes[0] - 2
        self._panel.cursor(x, first, self._lanes[-1] + self._thick + 2 - first, thin, CURSOR)
        return self._canvas

    def _head(self, moment: Moment) -> None:
        scene, words, unit = self._scene, self._scene.words, self._unit
        width, pad = self.size[0], self._pad
        total = clock_text(scene.stop, hours=scene.hours, tenths=scene.stop < 60)
        time = clock_text(moment.seconds, hours=scene.hours, tenths=True)
        wide = width_of(f"{clock_text(scene.stop, hours=scene.hours, tenths=True)} / {total}0", "Bold", unit)
        top, tall = round(0.2 * unit), self._line
        self._panel.text((pad, top, wide, tall), f"{time} / {total}", unit, INK, weight="Bold")
        status, colour = words.filtered if scene.timeline.filtered else words.raw, SOFT
        if moment.row is None:
            status, colour = words.nothing, WARNING
        elif moment.held is not None:
            status, colour = words.held.format(moment.held), WARNING
        digits = "0" * len(str(scene.frames))
        numbered = width_of(words.frame.format(digits), "Medium", unit)
        longest = width_of(words.held.format(digits), "Medium", unit)
        after = pad + wide + unit
        if after + numbered + unit + longest <= width - pad:
            self._panel.text((after, top, numbered, tall), words.frame.format(moment.frame), unit, SOFT)
            after += numbered + unit
        self._panel.text((after, top, width - pad - after, tall), status, unit, colour, right=True)

    def _signal(self, name: str, top: int, row: int | None) -> None:
        scene, unit, panel = self._scene, self._unit, self._panel
        value = UNDEFINED if row is None else int(scene.timeline.shown[name][row])
        chip, wide = self._state
        side = round(0.7 * unit)
        panel.bar((chip, top + (self._line - side) // 2, side, side), 1.0, colour_of(name, value))
        text = "–" if row is None else scene.words.state(name, value)
        ink = SOFT if value == UNDEFINED else INK
        panel.text((chip + unit, top, wide - unit, self._line), text, unit, ink, weight="Bold")
        score = None if row is None else score_name(scene.timeline, name, value)
        share = 0.0 if row is None or score is None else float(scene.timeline.scores[score][row])
        if math.isnan(share):
            score, share = None, 0.0
        bar_top, tall = self._bar_place(top)
        # A bar that does not apply is grey; that of a signal of 0 and 1 has the colour of its 1.
        tone = SOFT if value == UNDEFINED else colour_of(name, 1 if score == name else value)
        panel.bar((self._bar[0], bar_top, self._bar[1], tall), share, tone)
        number = "" if score is None else f"{share:.2f}"
        panel.text((self._number[0], top, self._number[1], self._line), number, unit, SOFT, right=True)
