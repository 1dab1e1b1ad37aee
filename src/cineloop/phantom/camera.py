"""How the scope moves: one scripted passage by a target, with a hand's unsteadiness on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Motion = Literal["pass", "visit"]


@dataclass(frozen=True)
class Passage:
    """When and how a target comes into view.

    Time is a fraction of the clip. A window that runs beyond the end goes on at the beginning: the clip then opens and
    closes with the target in view, so that every moment is as likely as any other to show it.

    Attributes:
        start: When it comes into view, in [0, 1).
        share: Share of the clip in which it is in view.
        motion: ``pass``: in at one side of the view, out at the other; ``visit``: out where it came in.
        side: 1 or -1, the side of the first entry.
    """

    start: float
    share: float
    motion: Motion
    side: int

    def inside(self, time: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether the target is in view at ``time``."""
        return (time - self.start) % 1.0 < self.share

    def track(self, time: NDArray[np.float64], speed: float, reach: float) -> NDArray[np.float64]:
        """Return the target's place relative to the view: within (-1, 1) just while it is in view.

        Args:
            time: ``[T]`` in [0, 1].
            speed: How fast the target leaves the view, in half-widths of the view per clip.
            reach: How far it goes at most, in half-widths beyond the edge.
        """
        since = (time - self.start) % 1.0
        inside = since < self.share
        progress = since / self.share
        if self.motion == "pass":
            within = 2 * progress - 1
        else:
            within = 1 - 1.5 * np.sin(np.pi * np.clip(progress, 0, 1)) ** 0.8
        gone = 1.0 - self.share
        left = np.clip(since - self.share, 0, gone)
        away = reach * (1 - np.exp(-speed * left / reach))
        back = reach * (1 - np.exp(-speed * (gone - left) / reach))
        wraps = self.start + self.share > 1
        if self.motion == "visit":
            # Before a first entry and after a last exit the scope is free; between two it has to come back.
            outside = 1 + (np.minimum(away, back) if wraps else np.where(time < self.start, back, away))
        else:
            outside = np.where(time < self.start, -1 - back, 1 + away)
        return self.side * np.where(inside, within, outside)


def wander(
    rng: np.random.Generator, frames: int, seconds: float, amplitude: float, tempo: float
) -> NDArray[np.float64]:
    """Return ``[T]`` a smooth random motion: three slow sinusoids.

    Args:
        rng: Source of phases.
        frames: Number of frames.
        seconds: Duration of the clip.
        amplitude: Largest deviation.
        tempo: Mean frequency in hertz.
    """
    time = np.linspace(0, seconds, frames, endpoint=False)
    rates = tempo * rng.uniform(0.4, 1.8, 3)
    phases = rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * rates[:, None] * time + phases[:, None])
    drift: NDArray[np.float64] = amplitude / 3 * waves.sum(axis=0)
    return drift
