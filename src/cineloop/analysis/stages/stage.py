"""What takes part in a pass over the frames of a procedure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cineloop.video.frame import Pixels
from cineloop.video.recording import Instants, Recording
from cineloop.video.source import Integers, Picture
from cineloop.video.spatial import cut

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Span:
    """A stretch of the recording that is kept on disk as a whole; seconds.

    Attributes:
        start: Where it begins.
        stop: Where the next begins.
    """

    start: Fraction
    stop: Fraction


class Stage(Protocol):
    """What takes part in a pass. It is asked for the frames of a span, is given them in order, and answers."""

    def needs(self, span: Span, *, onward: bool) -> Integers:
        """Return the frames that it must be given, counted over all parts, increasing.

        Args:
            span: What comes next.
            onward: Whether it has just worked on the span before.
        """

    def take(self, picture: Picture) -> None:
        """Take a frame, or the news that it cannot be decoded."""

    def answer(self) -> Arrays:
        """Return what was found in the span, and forget it."""


def instants_in(instants: Instants, span: Span, recording: Recording) -> slice:
    """Return which of the instants lie in a span; an instant lies where its frame appears."""
    seconds = recording.seconds_of(instants.frames)
    low, high = np.searchsorted(seconds, [float(span.start) - 5e-7, float(span.stop) - 5e-7], side="left")
    return slice(int(low), int(high))


def cropped(picture: Picture, recording: Recording) -> Pixels:
    """Return a frame cut to the endoscope's picture."""
    assert picture.pixels is not None
    found: Pixels = cut(picture.pixels[np.newaxis], recording.content_box(picture.index))[0]
    return found


def exact(seconds: float) -> Fraction:
    """Return seconds as the fraction that was meant: 0.1 is a tenth."""
    return Fraction(seconds).limit_denominator(1_000_000)
