"""A model of frames in a pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cineloop.analysis.indicator import StageName
from cineloop.analysis.stages.stage import Arrays, Span, cropped, instants_in
from cineloop.inference.live import LiveFrames
from cineloop.video.recording import Instants, Recording
from cineloop.video.source import Integers, Picture


class FrameStage:
    """A model of frames: an answer for each instant.

    Args:
        name: What it is for.
        live: The model.
        recording: The procedure.
        instants: When it looks.
        size: Frames of a batch.
        outputs: How many numbers the model gives a frame.
    """

    def __init__(
        self, name: StageName, live: LiveFrames, recording: Recording, instants: Instants, *, size: int, outputs: int
    ) -> None:
        self.name = name
        self._live, self._recording, self._instants = live, recording, instants
        self._size, self._width = size, outputs
        self._number_of: Mapping[int, int] = {}
        self._group, self._places, self._shape = -1, dict[int, Any](), (0, 0)
        self._found: dict[int, npt.NDArray[np.float64]] = {}

    def needs(self, span: Span, *, onward: bool) -> Integers:
        """Return the frames at the instants of the span."""
        chosen = instants_in(self._instants, span, self._recording)
        frames, numbers = self._instants.frames[chosen], self._instants.numbers[chosen]
        self._number_of = dict(zip(frames.tolist(), numbers.tolist(), strict=True))
        return frames

    def take(self, picture: Picture) -> None:
        """Prepare a frame and, when the batch is full, run the model."""
        number = self._number_of.get(picture.index)
        if number is None:
            return
        self._found[number] = np.full(self._width, np.nan)
        if picture.pixels is None:
            return
        pixels = cropped(picture, self._recording) if self._live.crop_content else picture.pixels
        group, place = divmod(number, self._size)
        # Where the size of frames changes, what was prepared of them may too.
        if (group, pixels.shape[:2]) != (self._group, self._shape):
            self._run()
            self._group, self._shape = group, (pixels.shape[0], pixels.shape[1])
        self._places[place] = self._live.prepare(pixels)

    def _run(self) -> None:
        if self._places:
            for place, scores in self._live.scores(self._places, self._size).items():
                self._found[self._group * self._size + place] = scores
        self._places = {}

    def answer(self) -> Arrays:
        """Return ``numbers`` int64 [N] of the instants and ``scores`` float64 [N, L], NaN for what was not decoded."""
        self._run()
        self._group = -1
        numbers = sorted(self._found)
        rows = [self._found[number] for number in numbers]
        self._found = {}
        return {
            f"{self.name}/numbers": np.array(numbers, dtype=np.int64),
            f"{self.name}/scores": np.array(rows, dtype=np.float64).reshape(-1, self._width),
        }
