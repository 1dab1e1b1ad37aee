"""The colours of signals: on rendered videos, on plots, and those of the published overlay."""

from __future__ import annotations

from collections.abc import Mapping

from cineloop.report.render.text import Colour
from cineloop.timeline.decision import UNDEFINED

GROUND: Colour = (18, 19, 22)
INK: Colour = (238, 240, 243)
SOFT: Colour = (166, 173, 182)
TROUGH: Colour = (48, 52, 58)
CURSOR: Colour = (255, 255, 255)
WARNING: Colour = (244, 190, 92)

_PLAIN: Colour = (96, 104, 114)
_ABSENT: Colour = (34, 37, 42)
# The published hues where they can be told apart on black; from dirty to clean the scores also grow brighter.
_STATES: Mapping[str, Mapping[int, Colour]] = {
    "course": {1: (74, 143, 199), 2: (168, 121, 204), 3: (53, 168, 158)},
    "alarm": {1: (238, 95, 134)},
    "outside": {1: (70, 140, 235)},
    "out_of_body": {1: (70, 140, 235)},
    "in_body": {0: (70, 140, 235), 1: _PLAIN},
    "nonsense": {1: (240, 150, 40)},
    "ileocecal": {1: (235, 80, 90)},
    "bbps": {0: (140, 62, 38), 1: (176, 132, 30), 2: (72, 178, 200), 3: (110, 214, 130)},
}
_OTHERS: tuple[Colour, ...] = (_PLAIN, (200, 120, 200), (120, 200, 200), (200, 200, 120), (230, 160, 120))


def colour_of(signal: str, value: int) -> Colour:
    """Return the colour of a signal's value: dark where it does not apply, grey for an ordinary 0."""
    if value == UNDEFINED:
        return _ABSENT
    known = _STATES.get(signal)
    if known is not None:
        return known.get(value, _PLAIN)
    return _OTHERS[value] if value < len(_OTHERS) else _OTHERS[1 + (value - 1) % (len(_OTHERS) - 1)]


PUBLISHED: Mapping[str, Mapping[int, Colour]] = {
    "outside": {1: (0, 0, 255)},
    "nonsense": {1: (255, 165, 0)},
    "ileocecal": {1: (255, 0, 0)},
    "bbps": {0: (0x5B, 0x0F, 0x00), 1: (0x7F, 0x60, 0x00), 2: (0, 255, 255), 3: (0, 128, 0)},
}
"""The squares of the published overlay; all other states are black."""
