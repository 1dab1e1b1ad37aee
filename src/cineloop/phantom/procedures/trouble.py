"""When a frame cannot be read, and why: the course of blur, wall contact, bubbles and turbid fluid in a procedure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TROUBLES = ("none", "blur", "contact", "bubbles", "fluid")
"""What may stand between the lens and the wall."""

UNREADABLE = 0.5
"""Severity from which on nothing can be recognised; what occurs is well below or well above."""

_MILD, _SEVERE = (0.05, 0.3), (0.75, 1.0)
# Seconds of a spell: shortest and longest.
_SHORT, _LONG = (0.5, 2.0), (0.6, 3.0)
_MILD_SHARE = 0.25


@dataclass(frozen=True)
class Course:
    """Trouble, frame by frame; arrays are [T].

    Attributes:
        kind: int8, an index into ``TROUBLES``.
        severity: float32, 0 to 1.
        spell: int16, the number of the spell, from which its details follow; -1 where there is none.
    """

    kind: NDArray[np.int8]
    severity: NDArray[np.float32]
    spell: NDArray[np.int16]

    def unreadable(self) -> NDArray[np.bool_]:
        """Return in which frames nothing can be recognised, bool [T]."""
        return self.severity >= UNREADABLE


def draw_course(rng: np.random.Generator, inside: NDArray[np.bool_], rate: int, share: float) -> Course:
    """Draw the course of a procedure.

    Args:
        rng: Decides everything.
        inside: ``[T]`` where the scope is inside of the body; only there frames become unreadable, and fluid and
            bubbles are.
        rate: Frames per second.
        share: Of the time inside that is to be unreadable.
    """
    frames = len(inside)
    found = Course(
        np.zeros(frames, dtype=np.int8), np.zeros(frames, dtype=np.float32), np.full(frames, -1, dtype=np.int16)
    )
    _spread(rng, found, inside, rate, _MILD_SHARE, severe=False)
    _spread(rng, found, inside, rate, share, severe=True)
    return found


def _spread(
    rng: np.random.Generator, course: Course, inside: NDArray[np.bool_], rate: int, share: float, *, severe: bool
) -> None:
    """Put spells over a course, so that they take about ``share`` of it; mild blur is everywhere, all else inside."""
    shortest, longest = _LONG if severe else _SHORT
    if share <= 0:
        return
    pause = (shortest + longest) / 2 * (1 - share) / share
    at = rng.exponential(pause) * rate
    number = int(course.spell.max(initial=-1)) + 1
    while at < len(inside):
        length = rng.uniform(shortest, longest) * rate
        place = np.arange(int(at), min(max(int(at + length), int(at) + 1), len(inside)))
        # Severe trouble takes structure away as often as it adds some: how much a frame has tells nothing.
        kind = rng.choice(len(TROUBLES), p=(0, 0.2, 0.17, 0.33, 0.3) if severe else (0, 0.5, 0, 0.3, 0.2))
        if severe or TROUBLES[kind] != "blur":
            place = place[inside[place]]
        course.kind[place], course.spell[place] = kind, number
        course.severity[place] = rng.uniform(*(_SEVERE if severe else _MILD))
        number += 1
        at += length + rng.exponential(pause) * rate
