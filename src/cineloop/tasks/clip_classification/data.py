"""From an item to a clip: choose frames, decode exactly these, prepare them, and say what was decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from cineloop.video.frame import Frames
from cineloop.video.reader import Video
from cineloop.video.records import SampleRecord
from cineloop.video.sampling import FrameSampler
from cineloop.video.spatial import cut
from cineloop.video.transforms import EvalTransform, TrainTransform


@dataclass(frozen=True)
class Sample:
    """One training clip.

    Attributes:
        key: Which.
        clip: float32 [3, T, H, W], normalised.
        target: The class.
        record: What was decoded.
    """

    key: SampleKey
    clip: Tensor
    target: int
    record: SampleRecord


@dataclass(frozen=True)
class Views:
    """All views of one item.

    Attributes:
        item: The item's position.
        clips: float32 [V, 3, T, H, W], normalised.
        records: What was decoded, one a temporal view.
    """

    item: int
    clips: Tensor
    records: tuple[SampleRecord, ...]


class ClipReader:
    """Decodes clips of items: the frames a sampler names, cut to the content area if asked.

    Args:
        sampler: Chooses the frames.
        split: For the records.
        crop_content: Cut frames to the endoscope's picture.
    """

    def __init__(self, sampler: FrameSampler, split: str, *, crop_content: bool) -> None:
        self.sampler = sampler
        self.split = split
        self.crop_content = crop_content
        self._boxes = ContentBoxes()

    def read(
        self,
        item: Item,
        *,
        epoch: int = 0,
        round: int | None = None,
        occurrence: int = 0,
        views: int = 1,
        position: int = 0,
    ) -> tuple[list[np.ndarray], list[SampleRecord]]:
        """Return the pixels uint8 [T, H, W, 3] and the record of each temporal view.

        Args:
            item: What to look at.
            epoch: From 0.
            round: The augmentation round, None for the original row.
            occurrence: How often the item came before in the epoch.
            views: Temporal views.
            position: The item's place in its split.

        Raises:
            VideoError: The file or a frame cannot be decoded.
        """
        # Workers share the cores among themselves; one decoding thread each.
        with Video(item.path, threads=1) as video:
            start, total = bounds(item, len(video))
            clock = video.clock.part(start, start + total) if self.sampler.timed else None
            wanted = [
                self.sampler.indices(
                    total,
                    item.id,
                    round=round,
                    epoch=epoch,
                    occurrence=occurrence,
                    view=view,
                    views=views,
                    clock=clock,
                    position=position,
                )
                for view in range(views)
            ]
            frames: Frames = video.frames([start + int(index) for view in wanted for index in view])
            box = self._boxes.of(item, video) if self.crop_content else None
        pixels = cut(frames.pixels, box)
        length = len(wanted[0])
        clips, records = [], []
        for view in range(views):
            part = slice(view * length, (view + 1) * length)
            clips.append(pixels[part])
            records.append(
                SampleRecord(
                    epoch=epoch + 1,
                    split=self.split,
                    item=item.id,
                    media=item.media,
                    mode=self.sampler.config.mode,
                    total=total,
                    refs=frames.refs[part],
                    round=round,
                    view=view,
                    occurrence=occurrence,
                    start=start,
                )
            )
        return clips, records


class TrainClips(Dataset[Any]):
    """Augmented training clips, addressed by :class:`SampleKey`; everything random follows from the key."""

    def __init__(self, items: Sequence[Item], reader: ClipReader, transform: TrainTransform, *, seed: int) -> None:
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
            clips, records = self.reader.read(
                item, epoch=key.epoch, round=key.round, occurrence=key.occurrence, position=key.item
            )
        except VideoError as error:
            return Failure(key.item, error)
        rng = generator("augment", self.seed, key.epoch, item.id, key.round or 0, key.occurrence)
        return Sample(key, self.transform(clips[0], rng), item.target, records[0])


class EvalViews(Dataset[Any]):
    """All views of each item, addressed by the item's position."""

    def __init__(self, items: Sequence[Item], reader: ClipReader, transform: EvalTransform, *, views: int) -> None:
        self.items = list(items)
        self.reader = reader
        self.transform = transform
        self.views = views

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Views | Failure:
        try:
            clips, records = self.reader.read(self.items[index], views=self.views, position=index)
        except CineloopError as error:
            return Failure(index, error)
        prepared = torch.cat([self.transform.views(pixels) for pixels in clips])
        return Views(index, prepared, tuple(records))


def join_samples(samples: Sequence[Sample | Failure]) -> dict[str, Any]:
    """Join training clips into a batch: ``input`` float32 [B, 3, T, H, W], ``target`` int64 [B], keys and records.

    Failures stand aside in ``failures``; a batch of nothing else has no input.
    """
    good, batch = sorted_out(samples, Sample)
    if good:
        batch["input"] = torch.stack([sample.clip for sample in good])
        batch["target"] = torch.tensor([sample.target for sample in good])
    return batch
