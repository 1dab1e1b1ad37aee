"""The ways to choose frames of a video.

The arithmetic of ``uniform``, ``random`` and ``random_window`` is that which the published fine-tuning tools of
Endo-FM document (borders of equal chunks, a sample without replacement, one frame a window; augmentation rounds that
move within chunks and windows), with one difference: every draw comes from a generator that the caller seeds by the
video's name, so it is the same in any process. ``clip`` is what those tools' decoder really did. A new mode is a row
more in :data:`cineloop.video.sampling.MODES`. All indices are 0-based presentation indices, int64 ``[F]``, sorted,
within ``[0, total)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, PositiveInt

from cineloop.schema import Section
from cineloop.video.source import Clock

Indices = npt.NDArray[np.int64]


class ClipConfig(Section):
    """The piece of a recording that the mode ``clip`` looks at: so many seconds, wherever they begin.

    Attributes:
        stride: Frames from one chosen frame to the next at ``fps``: the piece lasts ``frames * stride / fps`` seconds.
        fps: The rate that the stride is counted at, whatever the recording's own.
        start: ``spread``: at the beginning, and further views on the way to the end. ``random``: drawn.
    """

    stride: PositiveInt = 32
    fps: float = Field(default=30.0, gt=0)
    start: Literal["spread", "random"] = "spread"


_CLIP = ClipConfig()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a mode.

    Attributes:
        total: Frames in the video.
        frames: Frames wanted.
        round: An augmentation round from 1 on, None for the original row.
        shift: In [0, 1): which part of all temporal views lies before this one; 0 for the first or only one.
        clock: When the video's frames are shown; None takes one frame after the other at ``clip.fps``.
        clip: Options of the mode ``clip``.
        position: The video's place in its split, from 0.
        seed: The recipe's.
    """

    total: int
    frames: int
    round: int | None = None
    shift: float = 0.0
    clock: Clock | None = None
    clip: ClipConfig = _CLIP
    position: int = 0
    seed: int = 42


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


def clip(asked: Request, rng: np.random.Generator) -> Indices:
    """Return equally spaced frames of a piece of fixed duration, as the published decoder chooses them.

    The piece begins at the start of the recording, at a later one for a further view, or anywhere (``start: random``,
    and in augmentation rounds). From the first frame shown in it on, ``frames`` positions at equal distances are cut
    down to whole frames; where the recording ends before, its last frame repeats.
    """
    clock = asked.clock
    if clock is None:
        steady = Fraction(1) / Fraction(asked.clip.fps).limit_denominator(100_000)
        clock = Clock(np.arange(asked.total), steady, asked.total)
    shown = clock.pts - clock.pts[0]
    duration = clock.end - int(clock.pts[0])
    rate = asked.total / float(duration * clock.time_base)
    length = asked.clip.stride * asked.frames / asked.clip.fps * rate
    free = max(asked.total - length, 0.0)
    drawn = asked.clip.start == "random" or asked.round is not None
    begin = rng.uniform(0.0, free) if drawn else free * asked.shift
    tick = duration / asked.total
    first = int(np.searchsorted(shown, int(begin * tick)))
    # One frame beyond the piece is decoded too, so positions may round up to it.
    past = min(int(np.searchsorted(shown, int((begin + length - 1) * tick), side="right")) + 1, asked.total)
    # In single precision, as published: a position a hair below a whole frame counts as that frame.
    positions = np.linspace(0, max(length - 1, 0), asked.frames).astype(np.float32)
    return first + _clip(positions, max(past - first, 1))


def rounds_of_clip(total: int, frames: int) -> int:
    """Return ten: a start is drawn for each, whatever the length."""
    return 10


@dataclass(frozen=True)
class SamplingMode:
    """A way to choose frames.

    Attributes:
        name: What a recipe writes.
        select: From what is asked, and a generator for what is drawn, to indices.
        max_rounds: ``(total, frames) -> rounds`` that make sense for a video.
        drawn: Whether the original row is always drawn; further views are then further draws.
        fresh_rounds: A round is a new draw, which is repeated should it equal the original row.
        timed: Whether it needs to know when frames are shown.
    """

    name: str
    select: Callable[[Request, np.random.Generator], Indices]
    max_rounds: Callable[[int, int], int]
    drawn: bool = False
    fresh_rounds: bool = False
    timed: bool = False


def counted(
    choose: Callable[[int, int, int | None, np.random.Generator, float], Indices],
) -> Callable[[Request, np.random.Generator], Indices]:
    """Return a mode's ``select`` from a function of counts alone."""
    return lambda asked, rng: choose(asked.total, asked.frames, asked.round, rng, asked.shift)
