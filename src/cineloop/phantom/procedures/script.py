"""The script of a procedure: when the scope is where, and what it is turned to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cineloop.phantom.procedures.anatomy import Anatomy, Pole
from cineloop.phantom.procedures.schema import ProcedureConfig

PHASES = ("outside", "insertion", "caecum", "withdrawal")
"""The phases of a procedure; outside stands at both ends, and between two ways in."""

_DOORWAY = 0.3
_NEAR, _FAR = 1.15, 2.0


@dataclass(frozen=True)
class Stretch:
    """A part of a procedure with one aim.

    Attributes:
        phase: One of ``PHASES``.
        share: How long it takes, relative to the others.
        stop: Depth that the scope goes to, units from the anus.
        pole: What it stays at and looks at, an index into the anatomy's poles; None on the way.
    """

    phase: str
    share: float
    stop: float
    pole: int | None = None


@dataclass(frozen=True)
class Script:
    """A procedure, frame by frame; arrays are [T].

    Attributes:
        rate: Frames per second.
        reached: Whether the scope reaches the caecum.
        main: First frame of the way to the caecum, and the frame after the last of the way back.
        phase: int8, an index into ``PHASES``.
        depth: float64, units from the anus; NaN outside.
        pole: int8, what the scope stays at, an index into the anatomy's poles; -1 on the way and outside.
        scene: int16, the number of the stay outside; -1 inside.
    """

    rate: int
    reached: bool
    main: tuple[int, int]
    phase: NDArray[np.int8]
    depth: NDArray[np.float64]
    pole: NDArray[np.int8]
    scene: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.phase)

    def withdrawal(self) -> tuple[int, int] | None:
        """Return the first frame of the withdrawal and the one after its last; None where the caecum is not reached.

        It begins when the scope leaves the caecum for the last time, and ends outside, or with the recording.
        """
        caecum = np.flatnonzero(self.phase == PHASES.index("caecum"))
        return (int(caecum[-1]) + 1, self.main[1]) if len(caecum) else None


def _stay(rng: np.random.Generator, pole: Pole) -> float:
    return pole.row - rng.uniform(_NEAR, _FAR)


def _way(
    rng: np.random.Generator, poles: tuple[Pole, ...], start: float, stop: float, phase: str, share: float
) -> list[Stretch]:
    """Return the way from one depth to another, with a stay at each pole that is passed."""
    between = [index for index, pole in enumerate(poles) if min(start, stop) < pole.row < max(start, stop)]
    if stop < start:
        between.reverse()
    found: list[Stretch] = []
    here = start
    for index in between:
        place = _stay(rng, poles[index])
        found.append(Stretch(phase, abs(place - here) * rng.uniform(0.6, 1.4), place))
        found.append(Stretch(phase, rng.uniform(1.5, 4.5), place + rng.uniform(-0.3, 0.3), index))
        here = place
    found.append(Stretch(phase, max(abs(stop - here), 0.5) * rng.uniform(0.8, 1.2), stop))
    whole = sum(stretch.share for stretch in found)
    return [Stretch(one.phase, one.share / whole * share, one.stop, one.pole) for one in found]


def _detour(rng: np.random.Generator, anatomy: Anatomy) -> list[Stretch]:
    """Return a way in and out that ends short of the caecum."""
    furthest = rng.uniform(0.25, 0.8) * anatomy.length
    share, inward = rng.uniform(0.1, 0.6), rng.uniform(0.4, 0.6)
    return [
        *_way(rng, anatomy.poles, _DOORWAY, furthest, "insertion", share * inward),
        *_way(rng, anatomy.poles, furthest, _DOORWAY, "withdrawal", share * (1 - inward)),
    ]


def _passage(rng: np.random.Generator, anatomy: Anatomy, reached: bool) -> list[Stretch]:
    """Return the way to the caecum, or as far as it goes, and back."""
    last = len(anatomy.poles) - 1 if reached else len(anatomy.poles) - 1 - int(rng.integers(1, 3))
    pole = anatomy.poles[last]
    share, inward = rng.uniform(0.3, 0.5), rng.uniform(0.15, 0.8)
    arrival = _stay(rng, pole)
    phase = "caecum" if reached else "insertion"
    looks, rest = int(rng.integers(3, 6)), rng.uniform(0.16, 0.24)
    stays = [Stretch(phase, rest / looks * rng.uniform(0.6, 1.4), _stay(rng, pole), last) for _ in range(looks)]
    return [
        *_way(rng, anatomy.poles[:last], _DOORWAY, arrival, "insertion", share * inward),
        *stays,
        *_way(rng, anatomy.poles[:last], stays[-1].stop, _DOORWAY, "withdrawal", share * (1 - inward)),
    ]


def draw_script(rng: np.random.Generator, config: ProcedureConfig, anatomy: Anatomy, rate: int) -> Script:
    """Draw the course of a procedure.

    Args:
        rng: Decides everything.
        config: How long it is, and how often something is out of the ordinary.
        anatomy: The colon.
        rate: Frames per second.
    """
    reached = bool(rng.random() < config.reached)
    late, cut = bool(rng.random() < config.late), bool(rng.random() < config.cut)
    before, after = 0, 0
    if rng.random() < config.detours:
        before, after = ((1, 0), (0, 1), (1, 1), (2, 0), (0, 2))[int(rng.choice(5, p=(0.22, 0.22, 0.12, 0.22, 0.22)))]
    passages = [_detour(rng, anatomy) for _ in range(before)]
    passages.append(_passage(rng, anatomy, reached))
    passages += [_detour(rng, anatomy) for _ in range(after)]

    def pause(low: float, high: float) -> Stretch:
        return Stretch("outside", rng.uniform(low, high), _DOORWAY)

    if cut:
        passages[-1] = passages[-1][: -int(rng.integers(1, 3))] or passages[-1]
    stretches: list[Stretch] = [] if late else [pause(0.02, 0.07)]
    entry = rng.uniform(0.5, 4.0) if late else _DOORWAY
    edges = [0, 0]
    for number, passage in enumerate(passages):
        if number:
            stretches.append(pause(0.1, 0.25))
        if number == before:
            edges = [len(stretches), len(stretches) + len(passage)]
        stretches += passage
    if not cut:
        stretches.append(pause(0.02, 0.07))
    seconds = rng.uniform(*config.seconds)
    return _lay_out(stretches, entry, (edges[0], edges[1]), round(seconds * rate), rate, reached)


def _lay_out(
    stretches: list[Stretch], entry: float, main: tuple[int, int], frames: int, rate: int, reached: bool
) -> Script:
    """Return the frames of a list of stretches that begin at depth ``entry``."""
    ends = np.cumsum([stretch.share for stretch in stretches])
    stops = np.round(ends / ends[-1] * frames).astype(int)
    starts = np.concatenate([[0], stops[:-1]])
    phase = np.zeros(frames, dtype=np.int8)
    pole = np.full(frames, -1, dtype=np.int8)
    scene = np.full(frames, -1, dtype=np.int16)
    depth = np.full(frames, np.nan)
    here, scenes = entry, 0
    for stretch, first, last in zip(stretches, starts, stops, strict=True):
        phase[first:last] = PHASES.index(stretch.phase)
        if stretch.phase == "outside":
            scene[first:last] = scenes
            scenes, here = scenes + 1, _DOORWAY
            continue
        if stretch.pole is not None:
            pole[first:last] = stretch.pole
        progress = (np.arange(last - first) + 1) / max(last - first, 1)
        depth[first:last] = here + (stretch.stop - here) * progress
        here = stretch.stop
    inside = np.concatenate([[False], scene < 0, [False]])
    flips = np.flatnonzero(np.diff(inside.astype(np.int8)))
    for first, last in flips.reshape(-1, 2):
        # A hand neither starts nor stops at once.
        depth[first:last] = gaussian_filter1d(depth[first:last], 0.35 * rate, mode="nearest")
    return Script(rate, reached, (int(starts[main[0]]), int(stops[main[1] - 1])), phase, depth, pole, scene)
