"""What was found in the frames of one recording, with their times."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from cineloop.timeline.decision import UNDEFINED, States

if TYPE_CHECKING:
    from cineloop.video import Video

Integers: TypeAlias = npt.NDArray[np.int64]
Seconds: TypeAlias = npt.NDArray[np.float64]
Scores: TypeAlias = npt.NDArray[np.float32]

SCORE, FILTERED, THRESHOLD = "p_", "filtered_", "threshold_"
"""What the columns of scores, of filtered signals and of the thresholds of scores begin with."""

COLUMNS = ("frame", "seconds", "source", "frame_rate")
"""The other columns of a table; no signal is called like one of them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Timeline:
    """Results of one recording, a row a frame that was looked at.

    Not every frame needs a row: where each ``stride``-th was looked at, a row stands for the frames up to the next.
    Arrays are copied and read-only.

    Attributes:
        source: The recording's name.
        frames: Presentation indices, int64 [F], increasing from 0 or later.
        seconds: When they are shown, on the recording's own clock, float64 [F], increasing.
        frame_rate: Frames a second of the recording; where it varies, the mean.
        scores: Probabilities by name, float32 [F] each, in [0, 1]; NaN where the frame could not be decoded.
        signals: What was decided for each frame, by name, int8 [F] each; -1 does not apply, else a number from 0 on.
        filtered: Signals after post-processing, of the same kind; may be empty.
        thresholds: From which score on the raw signals were decided, by the name of the score, in [0, 1]; empty where
            that is not known, or where the largest score decides.

    Raises:
        ValueError: There is no row, lengths or values are not as described, a threshold is of no score, or a name
            cannot be that of a column.
    """

    source: str
    frames: Integers
    seconds: Seconds
    frame_rate: float
    scores: Mapping[str, Scores] = field(default_factory=dict)
    signals: Mapping[str, States] = field(default_factory=dict)
    filtered: Mapping[str, States] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.source:
            raise ValueError("a timeline names its recording")
        if not (math.isfinite(self.frame_rate) and self.frame_rate > 0):
            raise ValueError(f"a frame rate is a number above 0, not {self.frame_rate}")
        object.__setattr__(self, "frame_rate", float(self.frame_rate))
        frames, seconds = _whole(self.frames, "frames", np.int64), _real(self.seconds, "seconds", np.float64)
        if not len(frames) or len(seconds) != len(frames):
            raise ValueError(f"{len(frames)} frames and {len(seconds)} times; as many of both are needed, at least one")
        if frames[0] < 0 or not (np.diff(frames) > 0).all():
            raise ValueError("the frames do not increase from 0 or later")
        if not (np.isfinite(seconds).all() and (np.diff(seconds) > 0).all()):
            raise ValueError("the times do not increase")
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "seconds", seconds)
        for kind in ("scores", "signals", "filtered"):
            _check_names(kind, getattr(self, kind))
        rows: dict[str, Any] = {name: _real(row, name, np.float32) for name, row in self.scores.items()}
        for name, row in rows.items():
            if not ((row >= 0) & (row <= 1) | np.isnan(row)).all():
                raise ValueError(f"the scores of {name!r} are not all in [0, 1]")
        self._settle("scores", rows)
        for kind in ("signals", "filtered"):
            rows = {name: _whole(row, name, np.int8) for name, row in getattr(self, kind).items()}
            for name, row in rows.items():
                if len(row) and row.min() < UNDEFINED:
                    raise ValueError(f"the signal {name!r} has a value below {UNDEFINED}")
            self._settle(kind, rows)
        object.__setattr__(self, "thresholds", _checked(self.thresholds, self.scores))
        for name in self.signals:
            if name.removeprefix(THRESHOLD) in self.thresholds and name.startswith(THRESHOLD):
                raise ValueError(f"a signal cannot be called {name!r}, which names a threshold")

    def _settle(self, kind: str, rows: Mapping[str, npt.NDArray[Any]]) -> None:
        for name, row in rows.items():
            if len(row) != len(self.frames):
                raise ValueError(f"{name!r} has {len(row)} values for {len(self.frames)} frames")
            if kind == "signals" and (row[~self.seen] != UNDEFINED).any():
                raise ValueError(f"the signal {name!r} has a value in a frame that no score is known of")
        object.__setattr__(self, kind, dict(rows))

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """Whether each row's frame could be decoded, bool [F]: where not, every score is NaN."""
        if not self.scores:
            return np.ones(len(self), np.bool_)
        known: npt.NDArray[np.bool_] = np.logical_or.reduce([~np.isnan(row) for row in self.scores.values()])
        return known

    @property
    def stride(self) -> int:
        """From one row to the next, the median number of frames; 1 of a single row."""
        return max(1, int(np.median(np.diff(self.frames)))) if len(self) > 1 else 1

    @property
    def rate(self) -> float:
        """Rows a second: what the kernels of filters are scaled to."""
        return self.frame_rate / self.stride

    @property
    def end(self) -> float:
        """When what the last row stands for is over, in seconds."""
        return float(self.seconds[-1]) + 1 / self.rate

    @property
    def shown(self) -> Mapping[str, States]:
        """The filtered signals, or the raw ones where there are none."""
        return self.filtered or self.signals

    def equals(self, other: Timeline) -> bool:
        """Return whether two timelines are the same in every value, and in the order of their names."""
        plain = [(one.source, one.frame_rate, list(one.thresholds.items())) for one in (self, other)]
        if plain[0] != plain[1]:
            return False
        ours, theirs = (
            [("frames", one.frames), ("seconds", one.seconds)]
            + [
                (kind + name, row)
                for kind in ("scores", "signals", "filtered")
                for name, row in getattr(one, kind).items()
            ]
            for one in (self, other)
        )
        return len(ours) == len(theirs) and all(
            name == also and np.array_equal(row, same, equal_nan=row.dtype.kind == "f")
            for (name, row), (also, same) in zip(ours, theirs, strict=True)
        )

    def write(self, path: str | Path) -> Path:
        """Write the timeline as ``.parquet``, ``.csv`` or ``.json``, atomically, over a file that is there.

        A table has the columns ``frame``, ``seconds``, ``p_<score>``, ``<signal>``, ``filtered_<signal>``, ``source``,
        ``frame_rate`` and, where thresholds are known, ``threshold_<score>``; JSON has the fields by name. Reading the
        file gives the same values.

        Raises:
            TimelineError: The suffix is another.
        """
        from cineloop.timeline.storage import write_timeline

        return write_timeline(self, Path(path))

    @classmethod
    def read(cls, path: str | Path, *, video: Video | None = None) -> Timeline:
        """Read what :meth:`write` wrote, a table with such columns, or a JSON log of the published quality control.

        Args:
            path: A ``.parquet``, ``.csv`` or ``.json`` file. A table without ``source`` is named after its file, and
                one without ``frame_rate`` gets it from its times.
            video: The recording, which gives a published log the times that it lacks.

        Raises:
            TimelineError: The file is missing or no timeline, or a published log was given without its video.
        """
        from cineloop.timeline.storage import read_timeline

        return read_timeline(Path(path), video=video)


def _whole(values: npt.ArrayLike, name: str, kind: type[np.integer[Any]]) -> npt.NDArray[Any]:
    array = np.asarray(values)
    limits = np.iinfo(kind)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(f"{name!r} is not whole numbers [F] but {array.dtype} {list(array.shape)}")
    if len(array) and (array.max() > limits.max or array.min() < limits.min):
        raise ValueError(f"a value of {name!r} does not fit {limits.bits} bits")
    return _sealed(array.astype(kind))


def _real(values: npt.ArrayLike, name: str, kind: type[np.floating[Any]]) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise ValueError(f"{name!r} is not numbers [F] but {array.dtype} {list(array.shape)}")
    return _sealed(array.astype(kind))


def _sealed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.setflags(write=False)
    return array


def _checked(thresholds: Mapping[str, float], scores: Mapping[str, Scores]) -> dict[str, float]:
    for name, value in thresholds.items():
        if name not in scores:
            raise ValueError(f"there is a threshold of {name!r} and no such score")
        if not 0 <= value <= 1:
            raise ValueError(f"the threshold of {name!r} is {value}, not in [0, 1]")
    return {name: float(value) for name, value in thresholds.items()}


def _check_names(kind: str, rows: Mapping[str, Any]) -> None:
    for name in rows:
        if not name or not name.isprintable() or '"' in name:
            raise ValueError(f"{name!r} cannot be the name of a column")
        if kind != "scores" and (name in COLUMNS or name.startswith((SCORE, FILTERED))):
            raise ValueError(f"a signal cannot be called {name!r}, which names another column")
