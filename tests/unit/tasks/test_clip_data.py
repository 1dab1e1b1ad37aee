"""What is recorded is what was decoded, for every sampler and any number of workers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cineloop.cohort.item import Item
from cineloop.errors import CohortError, VideoError
from cineloop.tasks.clip_classification.data import ClipReader, EvalViews, TrainClips, bounds, join_samples
from cineloop.tasks.scoring import Failure, as_they_are
from cineloop.training.loading import data_loader
from cineloop.training.samples import BatchPlan, Entry, epoch_order
from cineloop.video import Video
from cineloop.video.sampling import MODES, FrameSampler, RoundsConfig, SamplingConfig
from cineloop.video.spatial import SpatialConfig
from cineloop.video.transforms import EvalTransform, TrainTransform
from video_codes import read_code, write_coded_video

SPATIAL = SpatialConfig(size=96, fit="stretch")


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coded")
    lengths = [30, 5, 47, 12]
    found = []
    for index, length in enumerate(lengths):
        path = write_coded_video(folder / f"v{index}.mp4", frames=length, bframes=2, keyint=12)
        found.append(item(path, f"v{index}", target=index % 2))
    path = folder / "v0.mp4"
    return [*found, item(path, "part", target=0, start=10, stop=22)]


def item(path, name, target=0, start=None, stop=None):
    return Item(name, name, path, name, name, str(target), target, start, stop, None)


def pixels(clip):
    """Undo the normalisation: float32 [3, T, H, W] to uint8 [T, H, W, 3]."""
    mean, std = (torch.tensor(v).view(3, 1, 1, 1) for v in (SPATIAL.mean, SPATIAL.std))
    return ((clip * std + mean) * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 3, 0).numpy()


def codes(clip):
    return [read_code(frame) for frame in pixels(clip)]


def clock_of(item):
    video = Video(item.path)
    return video.clock.part(item.start or 0, item.stop or len(video))


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("mode", sorted(MODES))
def test_training_records_the_frames_it_shows(items, mode, workers):
    config = SamplingConfig(mode=mode, frames=8, redraw="epoch", rounds=RoundsConfig(step=2))
    sampler = FrameSampler(config)
    data = TrainClips(items, ClipReader(sampler, "train", crop_content=False), _PlainTransform(), seed=1)
    lengths = [30, 5, 47, 12, 12]
    entries = [Entry(i) for i in range(len(items))]
    entries += [Entry(i, r) for i, length in enumerate(lengths) for r in sampler.rounds(length)]
    seen = []
    for epoch in range(2):
        plan = BatchPlan(4)
        plan.begin(epoch_order(entries, seed=0, epoch=epoch))
        for batch in data_loader(data, plan, join_samples, workers=workers):
            for clip, record in zip(batch["input"], batch["records"], strict=True):
                assert codes(clip) == [ref.index for ref in record.refs]
                seen.append((record.epoch, record.item, record.round, tuple(codes(clip))))
                if record.item == "part":
                    assert all(10 <= ref.index < 22 for ref in record.refs)
    assert len(seen) == 2 * len(entries)
    expected = {
        (e + 1, items[entry.item].id, entry.round): tuple(
            (items[entry.item].start or 0) + i
            for i in sampler.indices(
                lengths[entry.item],
                items[entry.item].id,
                round=entry.round,
                epoch=e,
                clock=clock_of(items[entry.item]),
                position=entry.item,
            )
        )
        for e in range(2)
        for entry in entries
    }
    assert {row[:3]: row[3] for row in seen} == expected


class _PlainTransform(TrainTransform):
    """Training's path from pixels to a clip without anything random in it, so that codes stay readable."""

    def __call__(self, frames, rng, *, box=None):
        return EvalTransform(SPATIAL)(frames)


@pytest.mark.parametrize("mode", sorted(MODES))
def test_views_record_the_frames_they_show(items, mode):
    sampler = FrameSampler(SamplingConfig(mode=mode, frames=6))
    data = EvalViews(items, ClipReader(sampler, "test", crop_content=False), EvalTransform(SPATIAL), views=3)
    for (views,) in data_loader(data, _one_by_one(len(items)), as_they_are, workers=2):
        assert views.clips.shape[0] == 3
        for clip, record in zip(views.clips, views.records, strict=True):
            assert codes(clip) == [ref.index for ref in record.refs]


def _one_by_one(count):
    return [[index] for index in range(count)]


def test_augmentation_is_a_function_of_the_key(items):
    reader = ClipReader(FrameSampler(SamplingConfig(frames=4)), "train", crop_content=False)
    data = TrainClips(items, reader, TrainTransform(SpatialConfig(size=32)), seed=1)
    other = TrainClips(items, reader, TrainTransform(SpatialConfig(size=32)), seed=2)
    keys = epoch_order([Entry(0), Entry(0, 1)], seed=0, epoch=0) + epoch_order([Entry(0)], seed=0, epoch=1)
    clips = [data[key].clip for key in keys]
    assert all(torch.equal(data[key].clip, clip) for key, clip in zip(keys, clips, strict=True))
    assert not any(torch.equal(a, b) for i, a in enumerate(clips) for b in clips[:i])
    assert not torch.equal(other[keys[0]].clip, clips[0])


def test_a_file_that_cannot_be_decoded_comes_back_as_a_failure(items, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(items[0].path.read_bytes()[:500])
    reader = ClipReader(FrameSampler(SamplingConfig(frames=4)), "train", crop_content=False)
    data = TrainClips([item(broken, "broken"), items[0]], reader, TrainTransform(SpatialConfig(size=32)), seed=1)
    plan = BatchPlan(2)
    plan.begin(epoch_order([Entry(0), Entry(1)], seed=0, epoch=0))
    (batch,) = data_loader(data, plan, join_samples, workers=1)
    (failure,) = batch["failures"]
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, VideoError)
    assert str(broken) in str(failure.error)
    assert len(batch["input"]) == 1


def test_a_clip_outside_of_its_file_is_told(items):
    assert bounds(items[4], 30) == (10, 12)
    with pytest.raises(CohortError, match="do not lie"):
        bounds(items[4], 15)


def test_content_crop_cuts_the_black_border(tmp_path):
    from cineloop.video.writer import VideoWriter

    picture = np.zeros((120, 200, 3), np.uint8)
    picture[10:110, 60:160] = np.random.default_rng(0).integers(90, 220, (100, 100, 3))
    path = tmp_path / "bordered.mp4"
    with VideoWriter(path, fps=10, size=(200, 120)) as writer:
        for _ in range(8):
            writer.write(picture)
    clips, _ = ClipReader(FrameSampler(SamplingConfig(frames=2)), "test", crop_content=True).read(item(path, "b"))
    height, width = clips[0].shape[1:3]
    assert 92 <= height <= 108
    assert 92 <= width <= 108
    assert clips[0][:, 8:-8, 8:-8].mean() > 100
