"""From an item to a frame: decode exactly that one, prepare it, and say what was decoded."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from cineloop.cohort.item import Item
from cineloop.errors import CineloopError, VideoError
from cineloop.seeds import generator
from cineloop.tasks.reading import ContentBoxes, bounds
from cineloop.tasks.scoring import Failure, sorted_out
from cineloop.training.samples import SampleKey
from cineloop.video.frame import Pixels
from cineloop.video.frame_input import FrameInput
from cineloop.video.frame_transform import FrameTransform
from cineloop.video.reader import Video
from cineloop.video.records import SampleRecord
from cineloop.video.spatial import cut

_OPEN = 256
# Of all open files together, in bytes, and of each beside its pictures: those that H.264 may refer to, and one.
_MEMORY, _EACH, _PICTURES = 1 << 28, 1 << 20, 17
_MODE = "frame"
_MOST = 32


@dataclass(frozen=True)
class Sample:
    """One training frame.

    Attributes:
        key: Which.
        frame: float32 [3, h, w], normalised.
        target: What the labels make of it.
        record: What was decoded.
    """

    key: SampleKey
    frame: Tensor
    target: int
    record: SampleRecord


@dataclass(frozen=True)
class Looked:
    """Frames of one file, prepared.

    Attributes:
        items: Their positions.
        frames: float32 [N, 3, h, w], normalised.
        records: What was decoded, one a frame.
    """

    items: tuple[int, ...]
    frames: Tensor
    records: tuple[SampleRecord, ...]


class FrameReader:
    """Decodes the frames that items name.

    The videos used last stay open, since opening one takes longer than decoding a frame of it: as many as ``most`` and
    their decoders' memory allow.

    Args:
        split: For the records.
        crop_content: Cut frames to the endoscope's picture.
        most: Files that are open at a time, at least one.
    """

    def __init__(self, split: str, *, crop_content: bool, most: int = _OPEN) -> None:
        self.split = split
        self.crop_content = crop_content
        self.most = most
        self._boxes = ContentBoxes()
        self._open: OrderedDict[Path, Video] = OrderedDict()
        # Pixels of a picture of each open file, known from the first that was decoded: to ask for it costs another one.
        self._areas: dict[Path, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": OrderedDict(), "_areas": {}}

    def video(self, item: Item) -> Video:
        """Return the opened file of an item.

        Raises:
            VideoError: It cannot be opened.
        """
        found = self._open.get(item.path)
        if found is None:
            # Workers share the cores among themselves; one decoding thread each.
            found = self._open[item.path] = Video(item.path, threads=1)
            # A still is not asked for again.
            most = self.most if item.start is not None else 1
            while len(self._open) > 1 and (len(self._open) > most or self._held() > _MEMORY):
                path, video = self._open.popitem(last=False)
                self._areas.pop(path, None)
                video.close()
        else:
            self._open.move_to_end(item.path)
        return found

    def _held(self) -> int:
        """Return some upper bound of the bytes that the decoders of open files hold."""
        return _EACH * len(self._open) + _PICTURES * sum(self._areas.values()) * 3 // 2

    def read(
        self, items: Sequence[Item], *, epoch: int = 0, occurrence: int = 0
    ) -> tuple[Pixels, tuple[SampleRecord, ...]]:
        """Return the frames uint8 [N, H, W, 3] of items of one file, and what was decoded.

        Raises:
            VideoError: The file or a frame cannot be decoded.
            CohortError: A frame lies outside of the file.
        """
        video = self.video(items[0])
        places = [bounds(item, len(video)) for item in items]
        frames = video.frames([start for start, _ in places])
        self._areas[items[0].path] = frames.pixels.shape[1] * frames.pixels.shape[2]
        box = self._boxes.of(items[0], video) if self.crop_content else None
        records = tuple(
            SampleRecord(
                epoch=epoch + 1,
                split=self.split,
                item=item.id,
                media=item.media,
                mode=_MODE,
                total=total,
                refs=(ref,),
                occurrence=occurrence,
                start=start,
            )
            for item, ref, (start, total) in zip(items, frames.refs, places, strict=True)
        )
        return cut(frames.pixels, box), records


class TrainFrames(Dataset[Any]):
    """Augmented training frames, addressed by :class:`SampleKey`; everything random follows from the key."""

    def __init__(self, items: Sequence[Item], reader: FrameReader, transform: FrameTransform, *, seed: int) -> None:
        self.items = list(items)
        self.reader = reader
        self.transform = transform
        self.seed = seed

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: SampleKey) -> Sample | Failure:
        item = self.items[key.item]
        assert item.target is not None
        try:
            pixels, (record,) = self.reader.read([item], epoch=key.epoch, occurrence=key.occurrence)
        except VideoError as error:
            return Failure(key.item, error)
        rng = generator("augment", self.seed, key.epoch, item.id, 0, key.occurrence)
        return Sample(key, self.transform(pixels[0], rng), item.target, record)


class EvalFrames(Dataset[Any]):
    """Frames in the order of their items, several of one file at once, addressed by the number of the group.

    Attributes:
        groups: Positions of items, those of one file that follow each other together.
    """

    def __init__(self, items: Sequence[Item], reader: FrameReader, prepare: FrameInput, *, most: int = _MOST) -> None:
        self.items = list(items)
        self.reader = reader
        self.prepare = prepare
        self.groups: list[list[int]] = []
        for _, run in groupby(range(len(self.items)), key=lambda position: self.items[position].path):
            positions = list(run)
            self.groups += [positions[first : first + most] for first in range(0, len(positions), most)]

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, group: int) -> list[Looked | Failure]:
        positions = self.groups[group]
        try:
            return [self._look(positions)]
        except CineloopError as error:
            if len(positions) == 1:
                return [Failure(positions[0], error)]
        # One bad frame does not take its neighbours with it.
        found: list[Looked | Failure] = []
        for position in positions:
            try:
                found.append(self._look([position]))
            except CineloopError as error:
                found.append(Failure(position, error))
        return found

    def _look(self, positions: Sequence[int]) -> Looked:
        pixels, records = self.reader.read([self.items[position] for position in positions])
        return Looked(tuple(positions), self.prepare.tensor(pixels), records)


def laid_out(frames: Tensor) -> Tensor:
    """Return float32 [B, 3, h, w] with the channels of a pixel together: convolutions on CPUs are faster so."""
    return frames.contiguous(memory_format=torch.channels_last)


def join_samples(samples: Sequence[Sample | Failure]) -> dict[str, Any]:
    """Join training frames into a batch: ``input`` float32 [B, 3, h, w], ``target`` int64 [B], keys and records.

    Failures stand aside in ``failures``; a batch of nothing else has no input.
    """
    good, batch = sorted_out(samples, Sample)
    if good:
        batch["input"] = laid_out(torch.stack([sample.frame for sample in good]))
        batch["target"] = torch.tensor([sample.target for sample in good])
    return batch


def one_frame_each(items: Sequence[Item], stride: float | None) -> list[Item]:
    """Return items of one frame each: a video, or a part of one, becomes a frame every ``stride`` seconds.

    Args:
        items: Frames, videos and parts of videos.
        stride: Seconds between two frames; None takes every frame.
    """
    found: list[Item] = []
    for item in items:
        if item.start is not None and item.stop == item.start + 1:
            found.append(item)
            continue
        if item.frames == 1:
            found.append(item)
            continue
        try:
            with Video(item.path, threads=1) as video:
                start, total = bounds(item, len(video))
                wanted = _every(video, start, total, stride)
        except VideoError:
            # Reading it will say what is wrong, or count it where failures are skipped.
            found.append(item)
            continue
        if wanted == [0] and total == 1 and item.start is None:
            found.append(item)
            continue
        found += [
            dataclasses.replace(item, id=f"{item.media}#{index}", start=index, stop=index + 1) for index in wanted
        ]
    return found


def _every(video: Video, start: int, total: int, stride: float | None) -> list[int]:
    """Return the frames on screen every ``stride`` seconds of a part of a video."""
    if stride is None:
        return list(range(start, start + total))
    clock = video.clock
    seconds = np.asarray(clock.pts[start : start + total] - clock.pts[start], dtype=np.float64) * float(clock.time_base)
    ticks = np.arange(0.0, seconds[-1] + 1e-9, stride)
    places = np.searchsorted(seconds, ticks + 1e-6, side="right") - 1
    return [start + int(place) for place in np.unique(places)]
