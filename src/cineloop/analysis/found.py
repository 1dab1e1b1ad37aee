"""What a pass has found, as timelines, windows, pictures and gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cineloop.analysis.models import Model
from cineloop.analysis.result import Gap, Place, Thumbnail, Windows
from cineloop.analysis.settings import Settings
from cineloop.analysis.stages.stage import Arrays, exact
from cineloop.timeline.timeline import Timeline
from cineloop.video.recording import Instants, Recording

Floats = npt.NDArray[np.float64]

# Frames that are compared at a time: of hours all at once are hundreds of megabytes.
_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Looks:
    """The frames themselves, N of them.

    Attributes:
        frames: Counted over all parts, int64 [N].
        sharpness: float64 [N].
        signatures: What each looks like from afar, uint8 [N, 8, 8, 3].
    """

    frames: npt.NDArray[np.int64]
    sharpness: Floats
    signatures: npt.NDArray[np.uint8]


def place_of(recording: Recording, frame: int) -> Place:
    """Return where to find a frame."""
    part = recording.part_of(frame)
    seconds = recording.appears(frame)
    return Place(seconds, frame, part.number, frame - part.first, seconds - recording.appears(part.first))


def place_at(recording: Recording, seconds: float) -> Place:
    """Return the frame that is on screen at a moment, and where to find it."""
    frame = int(np.searchsorted(recording.seconds, seconds + 1e-6, side="right")) - 1
    return place_of(recording, max(frame, 0))


def timeline_of(model: Model, arrays: Arrays, recording: Recording, instants: Instants, *, name: str) -> Timeline:
    """Return what a model of frames said, a row an instant; NaN where a frame could not be decoded.

    Args:
        model: The model.
        arrays: What the pass found.
        recording: The procedure.
        instants: When models of frames looked.
        name: Of the procedure.
    """
    frame_of = dict(zip(instants.numbers.tolist(), instants.frames.tolist(), strict=True))
    frames = np.array([frame_of[number] for number in arrays[f"{model.stage}/numbers"].tolist()], dtype=np.int64)
    scores = arrays[f"{model.stage}/scores"].astype(np.float32)
    return Timeline(
        source=name,
        frames=frames,
        seconds=recording.seconds_of(frames),
        frame_rate=recording.fps,
        scores={output: scores[:, at] for at, output in enumerate(model.outputs)},
    )


def windows_of(model: Model, arrays: Arrays, settings: Settings) -> Windows:
    """Return what the classifier said; -1 is decided of a window that lacks a frame."""
    numbers, scores = arrays["classify/numbers"], arrays["classify/scores"]
    start = np.array([float(int(number) * exact(settings.step)) for number in numbers], dtype=np.float64)
    judged = np.isfinite(scores).all(axis=1)
    decided = np.where(judged, np.nan_to_num(scores, nan=-1.0).argmax(axis=1), -1)
    if model.positive is not None and len(model.outputs) == 2:
        at = model.outputs.index(model.positive)
        yes = scores[:, at] >= model.thresholds[model.positive]
        decided = np.where(judged, np.where(yes, at, 1 - at), -1)
    return Windows(
        start=start,
        stop=start + settings.window,
        probabilities={output: scores[:, at] for at, output in enumerate(model.outputs)},
        decided=decided.astype(np.int64),
        positive=model.positive,
    )


def thumbnails_of(arrays: Arrays, recording: Recording, instants: Instants) -> tuple[Thumbnail, ...]:
    """Return the small pictures in order of time."""
    frame_of = dict(zip(instants.numbers.tolist(), instants.frames.tolist(), strict=True))
    ends = np.cumsum(arrays["picture/lengths"])
    found = []
    for number, size, end, length in zip(
        arrays["picture/numbers"].tolist(),
        arrays["picture/sizes"].tolist(),
        ends.tolist(),
        arrays["picture/lengths"].tolist(),
        strict=True,
    ):
        jpeg = arrays["picture/bytes"][end - length : end].tobytes()
        found.append(Thumbnail(recording.appears(frame_of[number]), jpeg, *size))
    return tuple(found)


def looks_of(arrays: Arrays, instants: Instants) -> Looks:
    """Return how sharp the frames are and what they look like."""
    frame_of = dict(zip(instants.numbers.tolist(), instants.frames.tolist(), strict=True))
    frames = np.array([frame_of[number] for number in arrays["look/numbers"].tolist()], dtype=np.int64)
    return Looks(frames, arrays["look/sharpness"], arrays["look/signatures"])


def stillness_of(looks: Looks, frames: npt.NDArray[np.int64]) -> Floats:
    """Return how much each of some frames looks like the one before it, float64 [F].

    It is 1 where nothing changes from afar, and falls to 0 where as much changes as twice the root mean square over the
    procedure; a half where one of the two could not be decoded.

    Args:
        looks: The frames that could be looked at.
        frames: Which are asked about, increasing.
    """
    rows = np.searchsorted(looks.frames, frames)
    known = rows < len(looks.frames)
    known[known] = looks.frames[rows[known]] == frames[known]
    both = np.flatnonzero(known[1:] & known[:-1]) + 1
    change = np.zeros(len(both))
    for block in range(0, len(both), _BLOCK):
        some = both[block : block + _BLOCK]
        apart = looks.signatures[rows[some]].astype(np.float32) - looks.signatures[rows[some - 1]]
        change[block : block + _BLOCK] = np.sqrt(np.square(apart).mean(axis=(1, 2, 3), dtype=np.float64))
    usual = float(np.sqrt(np.square(change).mean())) if len(change) else 0.0
    still = np.full(len(frames), 0.5)
    if usual > 0:
        still[both] = np.clip(1 - change / (2 * usual), 0, 1)
    return still


def gaps_of(arrays: Arrays, recording: Recording, instants: Instants) -> tuple[Gap, ...]:
    """Return the stretches in which frames that were asked for could not be decoded.

    A stretch lasts from the first frame that was lost to the next one that was not.
    """
    lost = arrays["lost/frames"]
    order = np.argsort(lost, kind="stable")
    lost, reasons = lost[order], arrays["lost/reasons"][order]
    missing = set(lost.tolist())
    good = np.array([frame for frame in instants.frames.tolist() if frame not in missing], dtype=np.int64)
    found: list[Gap] = []
    for frame, reason in zip(lost.tolist(), reasons.tolist(), strict=True):
        if found and frame < found[-1].stop:
            continue
        after = int(np.searchsorted(good, frame))
        stop = int(good[after]) if after < len(good) else len(recording)
        end = recording.appears(stop) if stop < len(recording) else recording.duration
        found.append(Gap(frame, stop, recording.appears(frame), end, reason))
    return tuple(found)
