"""What a pass keeps of the frames themselves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cineloop.analysis.pictures import SMALL, sharpness_of, signature_of, thumbnail
from cineloop.analysis.stages.stage import Arrays, Span, instants_in
from cineloop.video.frame import Pixels
from cineloop.video.recording import Instants, Recording
from cineloop.video.source import Integers, Picture


class Looker:
    """What keeps of the frames at each instant how sharp they are, what they look like, and now and then a picture.

    Args:
        recording: The procedure.
        instants: When it looks.
        every: Instants from one small picture to the next.
    """

    def __init__(self, recording: Recording, instants: Instants, *, every: int) -> None:
        self._recording, self._instants, self._every = recording, instants, every
        self._number_of: Mapping[int, int] = {}
        self._last = -1
        self._start()

    def _start(self) -> None:
        self._numbers: list[int] = []
        self._sharpness: list[float] = []
        self._signatures: list[Pixels] = []
        self._pictures: list[tuple[int, bytes, int, int]] = []

    def needs(self, span: Span, *, onward: bool) -> Integers:
        """Return the frames at the instants of the span."""
        chosen = instants_in(self._instants, span, self._recording)
        frames, numbers = self._instants.frames[chosen], self._instants.numbers[chosen]
        self._number_of = dict(zip(frames.tolist(), numbers.tolist(), strict=True))
        return frames

    def take(self, picture: Picture) -> None:
        """Look at a frame."""
        number = self._number_of.get(picture.index)
        if number is None or picture.pixels is None:
            return
        self._numbers.append(number)
        self._sharpness.append(sharpness_of(picture.pixels))
        self._signatures.append(signature_of(picture.pixels))
        if number % self._every == 0:
            jpeg, width, height = thumbnail(picture.pixels, *SMALL)
            self._pictures.append((number, jpeg, width, height))

    def answer(self) -> Arrays:
        """Return by instant ``sharpness`` float64 [N] and ``signatures`` uint8 [N, 8, 8, 3], and pictures as JPEG."""
        data = [np.frombuffer(jpeg, dtype=np.uint8) for _, jpeg, _, _ in self._pictures]
        found: Arrays = {
            "look/numbers": np.array(self._numbers, dtype=np.int64),
            "look/sharpness": np.array(self._sharpness, dtype=np.float64),
            "look/signatures": np.array(self._signatures, dtype=np.uint8).reshape(-1, 8, 8, 3),
            "picture/numbers": np.array([number for number, *_ in self._pictures], dtype=np.int64),
            "picture/sizes": np.array([one[2:] for one in self._pictures], dtype=np.int64).reshape(-1, 2),
            "picture/lengths": np.array([len(one) for one in data], dtype=np.int64),
            "picture/bytes": np.concatenate(data) if data else np.zeros(0, dtype=np.uint8),
        }
        self._start()
        return found
