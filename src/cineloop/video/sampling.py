"""Which frames of a video a model sees.

The arithmetic is that which the published fine-tuning tools document (borders of equal chunks, a sample without
replacement, one frame a window; augmentation rounds that move within chunks and windows), with one difference: every
draw comes from a generator seeded by the video's name, the round and the seed, so it is the same in any process.

A *mode* is a row of :data:`MODES`; a new one is a :class:`SamplingMode` more in that table. All indices are 0-based
presentation indices, int64 ``[F]``, sorted, within ``[0, total)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field, PositiveInt

from cineloop.errors import EmptyVideoError
from cineloop.schema import Section, did_you_mean
from cineloop.seeds import generator

Indices = npt.NDArray[np.int64]


def _clip(positions: npt.NDArray[np.floating[Any]], total: int) -> Indices:
    return np.minimum(positions.astype(np.int64), total - 1)


def borders(total: int, frames: int, shift: float = 0.0) -> Indices:
    """Return ``frames`` indices from the first frame to the last at equal distances.

    A single one is the middle frame; shifted, it goes round the video. The distance multiplies the position in
    floating point, as published, so that at some lengths (62 frames, 8 wanted) the last index is that of the last
    frame but one.

    Args:
        total: Frames in the video.
        frames: Frames wanted.
        shift: Moves each index to the right by this part of the distance, up to the last frame.
    """
    if frames == 1:
        return np.array([int(total * (0.5 + shift)) % total])
    return _clip((np.arange(frames) + shift) * ((total - 1) / (frames - 1)), total)


def stretched(total: int, frames: int, shift: float = 0.0) -> Indices:
    """Return ``frames`` indices of a video shorter than that: each of its frames repeats about equally often.

    Args:
        total: Frames in the video.
        frames: Frames wanted.
        shift: Moves each index to the right by this part of the (fractional) distance.
    """
    return _clip((np.arange(frames) + shift) * (total / frames), total)


def moved_within_chunks(edges: Indices, round: int, rng: np.random.Generator) -> Indices:
    """Return ``edges`` with each but the last moved right by ``round`` inside the chunk up to the next one.

    Where the chunk is too short for that, any of its interior frames is drawn; where it has none, the edge stays.
    """
    left, right = edges[:-1], edges[1:]
    interior = right - left - 1
    drawn = left + 1 + (rng.random(len(left)) * interior).astype(np.int64)
    moved = np.where(left + round < right, left + round, np.where(interior > 0, drawn, left))
    return np.append(moved, edges[-1])


def uniform(total: int, frames: int, round: int | None, rng: np.random.Generator, shift: float = 0.0) -> Indices:
    """Return equally spaced frames; a round moves them within their chunks, which a shorter video has none of."""
    if total < frames:
        return stretched(total, frames, shift)
    edges = borders(total, frames, shift)
    return edges if round is None else moved_within_chunks(edges, round, rng)


def random(total: int, frames: int, round: int | None, rng: np.random.Generator, shift: float = 0.0) -> Indices:
    """Return frames drawn without replacement, or with it from a shorter video."""
    return np.sort(rng.choice(total, size=frames, replace=total < frames, shuffle=False))


def random_window(total: int, frames: int, round: int | None, rng: np.random.Generator, shift: float = 0.0) -> Indices:
    """Return one frame of each of ``frames`` equal windows; round ``r`` takes the ``(1000 i + r)``-th of window ``i``.

    The windows of a shorter video are narrower than a frame: the frame is that which a point drawn in it falls in.
    """
    width = total / frames
    edges = np.arange(frames + 1) * width
    if round is None and total < frames:
        return _clip(edges[:-1] + rng.random(frames) * width, total)
    start = edges[:-1].astype(np.int64)
    length = np.maximum(np.minimum(edges[1:].astype(np.int64), total) - start, 1)
    if round is None:
        return start + rng.integers(length)
    return start + (1000 * np.arange(frames) + round) % length


def _few_rounds(total: int, frames: int) -> int | None:
    """Return the number of rounds where the frames wanted are more than half of those there are, or just one."""
    if 2 * frames > total:
        return max(1, min(5, total // (2 * frames) + 1))
    return 1 if frames == 1 else None


def rounds_of_uniform(total: int, frames: int) -> int:
    """Return how many rounds the chunks between the borders have frames for."""
    return _few_rounds(total, frames) or max(1, int((total - 1) / (frames - 1)) - 1)


def rounds_of_draws(total: int, frames: int) -> int:
    """Return how many draws the video has frames for, ten at most."""
    return _few_rounds(total, frames) or min(10, total // frames)


@dataclass(frozen=True)
class SamplingMode:
    """A way to choose frames.

    Attributes:
        name: What a recipe writes.
        select: ``(total, frames, round, rng, shift) -> indices``; ``round`` is None for the original row, ``shift`` in
            [0, 1) is the part of a frame distance by which a further view of the video looks later.
        max_rounds: ``(total, frames) -> rounds`` that make sense for a video.
        drawn: The original row is drawn by ``rng``; so views are further draws, not shifts.
        fresh_rounds: A round is a new draw, which is repeated should it equal the original row.
    """

    name: str
    select: Callable[[int, int, int | None, np.random.Generator, float], Indices]
    max_rounds: Callable[[int, int], int]
    drawn: bool
    fresh_rounds: bool = False


MODES = {
    mode.name: mode
    for mode in (
        SamplingMode("uniform", uniform, rounds_of_uniform, drawn=False),
        SamplingMode("random", random, rounds_of_draws, drawn=True, fresh_rounds=True),
        SamplingMode("random_window", random_window, rounds_of_draws, drawn=True),
    )
}


def _known(mode: str) -> str:
    if mode not in MODES:
        raise ValueError(f"Unknown sampling mode {mode!r}. {did_you_mean(mode, MODES)}")
    return mode


ModeName = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(MODES)})]


class RoundsConfig(Section):
    """Augmentation rounds: a training video is joined by copies of it that show other frames.

    The rounds are 1, 1 + ``step``, 1 + 2 ``step``, ... up to what the video's length allows and to ``cap``.
    """

    step: PositiveInt = 1
    cap: PositiveInt | None = None


class SamplingConfig(Section):
    """Which frames of a video a model sees.

    Attributes:
        mode: ``uniform``: equally spaced, first and last included. ``random``: a sorted sample of all frames.
            ``random_window``: one frame of each of ``frames`` equal windows.
        frames: How many.
        seed: Together with the video's name and the round, decides every draw.
        redraw: ``never``: a video (and round) shows the same frames in every epoch. ``epoch``: draws are new in every
            epoch, and at every occurrence in one.
        rounds: Augmentation rounds for training; None for none.
    """

    mode: ModeName = "uniform"
    frames: PositiveInt = 8
    seed: int = 42
    redraw: Literal["never", "epoch"] = "never"
    rounds: RoundsConfig | None = None


@dataclass(frozen=True)
class FrameSampler:
    """Chooses frames as a :class:`SamplingConfig` says.

    Attributes:
        config: What to do.
    """

    config: SamplingConfig

    def indices(
        self,
        total: int,
        video_id: str,
        *,
        round: int | None = None,
        epoch: int = 0,
        occurrence: int = 0,
        view: int = 0,
        views: int = 1,
    ) -> Indices:
        """Return the frames to decode, int64 ``[F]``, sorted: a function of the configuration and the arguments alone.

        Args:
            total: Frames in the video.
            video_id: The video's name within its cohort; draws depend on it and on nothing else of the video.
            round: An augmentation round from 1 on, or None for the original row.
            epoch: Counts only where ``redraw`` is ``epoch``.
            occurrence: How often the video (and round) came before in the epoch; counts only where ``redraw`` is
                ``epoch``.
            view: Which of several temporal views of the original row, from 0; view 0 is what a single view shows. In
                a mode that draws, another view is another draw; in one that does not, view ``v`` looks ``v / views``
                of a frame distance later.
            views: How many views there are.

        Raises:
            EmptyVideoError: ``total`` is 0.
            ValueError: A round below 1, a view out of range, or a view of a round.
        """
        if total < 1:
            raise EmptyVideoError("The video has no frames to choose from", where=video_id)
        if round is not None and (round < 1 or views != 1):
            raise ValueError(f"round {round} with {views} views; rounds begin at 1 and have one view")
        if not 0 <= view < views:
            raise ValueError(f"view {view} of {views}")
        mode = MODES[self.config.mode]
        frames = self.config.frames
        moment = (epoch, occurrence) if self.config.redraw == "epoch" else (0, 0)
        rng = self._rng(video_id, round, *moment, view)
        chosen = mode.select(total, frames, round, rng, 0.0 if mode.drawn else view / views)
        if round is not None and mode.fresh_rounds and total not in (1, frames):
            original = mode.select(total, frames, None, self._rng(video_id, None, *moment, view), 0.0)
            while np.array_equal(chosen, original):
                chosen = mode.select(total, frames, round, rng, 0.0)
        return chosen

    def rounds(self, total: int) -> tuple[int, ...]:
        """Return the augmentation rounds of a video of ``total`` frames, the original row not counted."""
        if self.config.rounds is None:
            return ()
        last = MODES[self.config.mode].max_rounds(total, self.config.frames)
        if self.config.rounds.cap is not None:
            last = min(last, self.config.rounds.cap)
        return tuple(range(1, last + 1, self.config.rounds.step))

    def _rng(self, video_id: str, round: int | None, epoch: int, occurrence: int, view: int) -> np.random.Generator:
        return generator("sampling", self.config.seed, video_id, round or 0, epoch, occurrence, view)
