"""Which frames of a video a model sees: a mode, how many, and draws that are the same in any process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, PositiveInt

from cineloop.errors import EmptyVideoError
from cineloop.schema import Section, did_you_mean
from cineloop.seeds import generator
from cineloop.video import sampling_modes as modes
from cineloop.video import sampling_upstream as upstream
from cineloop.video.sampling_modes import ClipConfig, Indices, Request, SamplingMode, counted
from cineloop.video.source import Clock

__all__ = [
    "MODES",
    "ClipConfig",
    "FrameSampler",
    "Indices",
    "ModeName",
    "RoundsConfig",
    "SamplingConfig",
    "SamplingMode",
]

MODES = {
    mode.name: mode
    for mode in (
        SamplingMode("uniform", counted(modes.uniform), modes.rounds_of_uniform),
        SamplingMode("random", counted(modes.random), modes.rounds_of_draws, drawn=True, fresh_rounds=True),
        SamplingMode("random_window", counted(modes.random_window), modes.rounds_of_draws, drawn=True),
        SamplingMode("clip", modes.clip, modes.rounds_of_clip, timed=True),
        SamplingMode("upstream_uniform", upstream.upstream_uniform, upstream.rounds_of_upstream),
        SamplingMode("upstream_random", upstream.upstream_random, upstream.rounds_of_upstream),
        SamplingMode("upstream_random_window", upstream.upstream_random_window, upstream.rounds_of_upstream),
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
            ``random_window``: one frame of each of ``frames`` equal windows. ``clip``: equally spaced frames of a piece
            of fixed duration, as the published decoder takes them. ``upstream_uniform``, ``upstream_random``,
            ``upstream_random_window``: what the published classifier writes down.
        frames: How many.
        seed: Together with the video's name and the round, decides every draw.
        redraw: ``never``: a video (and round) shows the same frames in every epoch. ``epoch``: draws are new in every
            epoch, and at every occurrence in one.
        rounds: Augmentation rounds for training; None for none.
        clip: The piece that the mode ``clip`` looks at.
    """

    mode: ModeName = "uniform"
    frames: PositiveInt = 8
    seed: int = 42
    redraw: Literal["never", "epoch"] = "never"
    rounds: RoundsConfig | None = None
    clip: ClipConfig = ClipConfig()


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
        clock: Clock | None = None,
        position: int = 0,
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
                of a frame distance later, or that part of the way to the last piece in the mode ``clip``.
            views: How many views there are.
            clock: When the video's frames are shown, which modes that are ``timed`` look at.
            position: The video's place in its split, from 0, which published modes are seeded by.

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
        moment = (epoch, occurrence) if self.config.redraw == "epoch" else (0, 0)
        rng = self._rng(video_id, round, *moment, view)
        asked = Request(
            total=total,
            frames=self.config.frames,
            round=round,
            shift=0.0 if mode.drawn else view / views,
            clock=clock,
            clip=self.config.clip,
            position=position,
            seed=self.config.seed,
        )
        chosen = mode.select(asked, rng)
        if round is not None and mode.fresh_rounds and total not in (1, asked.frames):
            original = mode.select(replace(asked, round=None), self._rng(video_id, None, *moment, view))
            while np.array_equal(chosen, original):
                chosen = mode.select(asked, rng)
        return chosen

    @property
    def timed(self) -> bool:
        """Whether :meth:`indices` looks at when frames are shown."""
        return MODES[self.config.mode].timed

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
