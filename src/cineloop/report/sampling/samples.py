"""A table of samples: which frames of which video stand in which row, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cineloop.identity import pseudonym

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_SPLITS = {"train": 0, "val": 1, "test": 2}


def split_order(split: str) -> tuple[int, str]:
    """Return a key that sorts splits: train, val, test, then others by name."""
    return _SPLITS.get(split, len(_SPLITS)), split


@dataclass(frozen=True, slots=True)
class Clip:
    """A video, or a piece of one, in one split.

    Attributes:
        name: The item's id, or its pseudonym.
        split: ``train``, ``val``, ``test`` or another name.
        total: Frames in it.
        label: Class name, None where it is not known.
        start: Its first frame in the file.
        step: Seconds from a frame to the next one, None where that is not known or not steady.
        at: When its first frame is shown, in seconds of the file.
    """

    name: str
    split: str
    total: int
    label: str | None = None
    start: int = 0
    step: float | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One row: the frames that one sample is made from.

    Attributes:
        clip: Of what.
        method: How they were chosen.
        indices: Frames counted from the clip's first, in the order in which a model sees them.
        round: The augmentation round, None for the original row.
        epoch: From 1; 0 where there are no epochs.
        view: The temporal view, from 0.
        occurrence: How often the row came before in its epoch.
        seconds: When each frame is shown, in seconds of the file; None where only the clip's clock is known.
    """

    clip: Clip
    method: str
    indices: tuple[int, ...]
    round: int | None = None
    epoch: int = 0
    view: int = 0
    occurrence: int = 0
    seconds: tuple[float, ...] | None = None


@dataclass(frozen=True, eq=False)
class Samples:
    """Many rows, in order of method, clip, epoch, occurrence, round and view.

    Attributes:
        clips: [C], in order of split and name.
        methods: [M].
        clip: Position in ``clips``, int64 [R].
        method: Position in ``methods``, int64 [R].
        round: Augmentation round, 0 for the original row, int64 [R].
        epoch: From 1, 0 where there are none, int64 [R].
        view: Temporal view, int64 [R].
        occurrence: Within the epoch, int64 [R].
        offsets: Where each row's frames begin in ``indices``, int64 [R + 1].
        indices: Frames counted from their clip's first, int64 [S].
        seconds: When they are shown, in seconds of the file, NaN where not known, float64 [S].
        round_step: The distance of augmentation rounds that was asked for; None where there are none.
    """

    clips: tuple[Clip, ...]
    methods: tuple[str, ...]
    clip: Integers
    method: Integers
    round: Integers
    epoch: Integers
    view: Integers
    occurrence: Integers
    offsets: Integers
    indices: Integers
    seconds: Floats
    round_step: int | None = None

    @classmethod
    def of(cls, rows: Iterable[Sample], *, methods: Sequence[str] = (), round_step: int | None = None) -> Samples:
        """Build the table from rows in any order.

        Args:
            rows: The rows.
            methods: Their order; methods that are not named follow by name.
            round_step: See :class:`Samples`.
        """
        given = list(rows)
        clips = tuple(sorted({row.clip for row in given}, key=lambda clip: (split_order(clip.split), _key(clip))))
        used = {row.method for row in given}
        named = (*(name for name in methods if name in used), *sorted(used - set(methods)))
        place = {clip: number for number, clip in enumerate(clips)}
        rank = {name: number for number, name in enumerate(named)}
        columns = np.array(
            [(rank[row.method], place[row.clip], row.epoch, row.occurrence, row.round or 0, row.view) for row in given],
            np.int64,
        ).reshape(-1, 6)
        order = np.lexsort(columns.T[::-1])
        ordered = [given[row] for row in order]
        counts = np.array([len(row.indices) for row in ordered], np.int64)
        seconds = [row.seconds if row.seconds is not None else (np.nan,) * len(row.indices) for row in ordered]
        method, clip, epoch, occurrence, round, view = columns[order].T
        return cls(
            clips=clips,
            methods=named,
            clip=clip,
            method=method,
            round=round,
            epoch=epoch,
            view=view,
            occurrence=occurrence,
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            indices=np.array([index for row in ordered for index in row.indices], np.int64),
            seconds=_timed(clips, clip, counts, ordered, seconds),
            round_step=round_step,
        )

    def __len__(self) -> int:
        return len(self.clip)

    def row(self, number: int) -> Sample:
        """Return one row."""
        part = slice(int(self.offsets[number]), int(self.offsets[number + 1]))
        seconds = self.seconds[part]
        return Sample(
            clip=self.clips[self.clip[number]],
            method=self.methods[self.method[number]],
            indices=tuple(self.indices[part].tolist()),
            round=int(self.round[number]) or None,
            epoch=int(self.epoch[number]),
            view=int(self.view[number]),
            occurrence=int(self.occurrence[number]),
            seconds=None if np.isnan(seconds).any() else tuple(seconds.tolist()),
        )

    @property
    def counts(self) -> Integers:
        """Frames of each row, int64 [R]."""
        return np.diff(self.offsets)

    @property
    def totals(self) -> Integers:
        """Frames of each clip, int64 [C]."""
        return np.array([clip.total for clip in self.clips], np.int64)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits: train, val, test, then others by name."""
        return tuple(sorted({clip.split for clip in self.clips}, key=split_order))

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs, ascending; ``(0,)`` where there are none."""
        return tuple(np.unique(self.epoch).tolist())

    def take(self, rows: npt.NDArray[np.bool_]) -> Samples:
        """Return the rows marked True [R]; the clips and methods stay."""
        return self._in_order(np.flatnonzero(rows))

    def compact(self) -> Samples:
        """Return the table without the clips and methods that have no row."""
        clips, clip = np.unique(self.clip, return_inverse=True)
        methods, method = np.unique(self.method, return_inverse=True)
        return replace(
            self,
            clips=tuple(self.clips[place] for place in clips.tolist()),
            methods=tuple(self.methods[place] for place in methods.tolist()),
            clip=clip.astype(np.int64),
            method=method.astype(np.int64),
        )

    def salted(self, salt: str) -> tuple[Samples, Integers]:
        """Return the table with pseudonyms for names and in their order, and where each of its clips stood, int64 [C].

        The order of true names, in which patients stand together, is lost with the names.
        """
        named = [replace(clip, name=pseudonym(clip.name, salt)) for clip in self.clips]
        order = sorted(range(len(named)), key=lambda one: (split_order(named[one].split), _key(named[one])))
        place = np.argsort(np.array(order, np.int64), kind="stable")
        moved = replace(self, clips=tuple(named[one] for one in order), clip=place[self.clip])
        keys = (moved.view, moved.round, moved.occurrence, moved.epoch, moved.clip, moved.method)
        return moved._in_order(np.lexsort(keys)), np.array(order, np.int64)

    def _in_order(self, rows: Integers) -> Samples:
        counts = self.counts[rows]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        frames = np.repeat(self.offsets[rows] - offsets[:-1], counts) + np.arange(offsets[-1])
        return replace(
            self,
            clip=self.clip[rows],
            method=self.method[rows],
            round=self.round[rows],
            epoch=self.epoch[rows],
            view=self.view[rows],
            occurrence=self.occurrence[rows],
            offsets=offsets,
            indices=self.indices[frames],
            seconds=self.seconds[frames],
        )

    def thinned(self, frames: int) -> Samples:
        """Return fewer epochs where all together hold more than ``frames`` frames: the first, the last, some between.

        At least two stay, so that it can be seen whether they differ.
        """
        numbers = [epoch for epoch in self.epochs if epoch]
        if len(self.indices) <= frames or len(numbers) <= 2:
            return self
        fixed = int(self.counts[self.epoch == 0].sum())
        each = (len(self.indices) - fixed) / len(numbers)
        kept = max(2, min(len(numbers), int((frames - fixed) / each)))
        chosen = {numbers[int(place)] for place in np.linspace(0, len(numbers) - 1, kept).round()}
        return self.take(np.isin(self.epoch, [0, *chosen]))


def _key(clip: Clip) -> tuple[object, ...]:
    return clip.name, clip.total, clip.start, clip.label or "", clip.step or 0.0, clip.at


def _timed(
    clips: Sequence[Clip],
    clip: Integers,
    counts: Integers,
    rows: Sequence[Sample],
    seconds: Sequence[Sequence[float]],
) -> Floats:
    """Return when frames are shown: as the row says, else by the clip's clock."""
    said = np.array([one for row in seconds for one in row], np.float64)
    step = np.array([np.nan if one.step is None else one.step for one in clips], np.float64)
    begin = np.array([one.at for one in clips], np.float64)
    indices = np.array([index for row in rows for index in row.indices], np.float64)
    of = np.repeat(clip, counts)
    return np.where(np.isnan(said), begin[of] + indices * step[of] if len(clips) else said, said)
