"""From items to frames: exactly the one that is named, several of a file at once, a bad one by itself."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cineloop.cohort.item import Item
from cineloop.errors import VideoError
from cineloop.tasks.frame_classification.data import (
    EvalFrames,
    FrameReader,
    Looked,
    TrainFrames,
    one_frame_each,
)
from cineloop.tasks.frame_classification.labels import Exclusive
from cineloop.tasks.frame_classification.scoring import batches, score
from cineloop.training.samples import SampleKey
from cineloop.video.frame_input import FrameInput
from cineloop.video.frame_transform import FrameTransform
from video_codes import read_code, write_coded_video

PREPARE = FrameInput(size=(48, 48))


def item(path, name=None, start=None, frames=1, target=0):
    name = name or Path(path).name
    stop = start + 1 if start is not None else None
    return Item(name, Path(path).name, Path(path), "P", "P", "a", target, start, stop, frames)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_coded_video(tmp_path_factory.mktemp("coded") / "v.mp4", frames=50, bframes=2, keyint=12)


def test_a_frame_inside_a_video_is_that_frame(video):
    reader = FrameReader("test", crop_content=False)
    items = [item(video, f"v#{index}", start=index, frames=50) for index in (31, 4, 5, 49)]
    pixels, records = reader.read(items)
    assert [read_code(frame) for frame in pixels] == [31, 4, 5, 49]
    assert [record.refs[0].index for record in records] == [31, 4, 5, 49]
    assert [record.item for record in records] == ["v#31", "v#4", "v#5", "v#49"]


@pytest.mark.parametrize(("stride", "expected"), [(None, range(50)), (1.0, [0, 25]), (0.5, [0, 12, 25, 37])])
def test_a_video_with_one_label_stands_for_a_frame_every_so_often(video, stride, expected):
    found = one_frame_each([item(video, frames=50)], stride)
    assert [one.start for one in found] == list(expected)
    assert all(one.stop == one.start + 1 and one.label == "a" for one in found)
    assert len({one.id for one in found}) == len(found)


def test_a_part_of_a_video_stays_within_itself(video):
    part = dataclasses.replace(item(video, frames=50), start=10, stop=40)
    assert [one.start for one in one_frame_each([part], 0.5)] == [10, 22, 35]
    assert [one.start for one in one_frame_each([part], None)] == list(range(10, 40))


def test_stills_and_single_frames_are_themselves(video, tmp_path):
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    items = [item(tmp_path / "a.png"), item(video, "v#7", start=7, frames=50)]
    assert one_frame_each(items, 1.0) == items
    unknown = dataclasses.replace(items[0], frames=None)
    assert one_frame_each([unknown], 1.0) == [unknown]


def test_frames_of_one_file_are_read_together_and_no_more_than_so_many(video):
    items = [item(video, f"v#{index}", start=index, frames=50) for index in range(50)]
    data = EvalFrames(items, FrameReader("test", crop_content=False), PREPARE, most=16)
    assert [len(group) for group in data.groups] == [16, 16, 16, 2]
    assert list(itertools.chain(*data.groups)) == list(range(50))


def test_a_bad_picture_does_not_take_its_neighbours_with_it(tmp_path):
    paths = []
    for number in range(4):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(np.full((30, 40, 3), 50 * number, np.uint8)).save(paths[-1])
    paths[2].write_bytes(paths[2].read_bytes()[:60])
    items = [item(path) for path in paths]
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(2)).eval()
    data = EvalFrames(items, FrameReader("test", crop_content=False), PREPARE)
    options = {"to_device": lambda x: x, "batch_size": 3, "workers": 0}
    found = score(network, data, Exclusive(("a", "b")), on_error="skip", **options)
    assert sorted(found.probabilities) == [0, 1, 3]
    assert [failure.item for failure in found.failures] == [2]
    with pytest.raises(VideoError):
        score(network, data, Exclusive(("a", "b")), on_error="raise", **options)


def test_workers_change_nothing(video):
    items = [item(video, f"v#{index}", start=index, frames=50) for index in range(0, 50, 3)]
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48 * 48 * 3, 2)).eval()
    answers = []
    for workers in (0, 2):
        data = EvalFrames(items, FrameReader("test", crop_content=False), PREPARE, most=4)
        found = score(network, data, Exclusive(("a", "b")), to_device=lambda x: x, batch_size=5, workers=workers)
        answers.append(np.stack([found.probabilities[place] for place in range(len(items))]))
    np.testing.assert_array_equal(*answers)


@given(st.lists(st.integers(1, 7), max_size=12), st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_batches_are_full_but_for_the_last_and_lose_nothing(sizes, size):
    looked, first = [], 0
    for count in sizes:
        items = tuple(range(first, first + count))
        looked.append(Looked(items, torch.tensor(items), tuple(items)))
        first += count
    found = [[place for one in batch for place in one.items] for batch in batches(looked, size)]
    assert list(itertools.chain(*found)) == list(range(first))
    assert all(len(batch) == size for batch in found[:-1])
    for batch in batches(looked, size):
        for one in batch:
            assert one.items == tuple(one.frames.tolist()) == one.records


def test_an_augmented_frame_is_a_function_of_its_key(video):
    items = [item(video, "v#3", start=3, frames=50)]
    data = [TrainFrames(items, FrameReader("train", crop_content=False), FrameTransform(PREPARE), seed=1) for _ in "ab"]
    keys = [SampleKey(0, 0), SampleKey(1, 0), SampleKey(0, 0, None, 1)]
    frames = [[one[key].frame for key in keys] for one in data]
    assert all(torch.equal(*pair) for pair in zip(*frames, strict=True))
    assert not torch.equal(frames[0][0], frames[0][1])
    assert not torch.equal(frames[0][0], frames[0][2])
    assert data[0][keys[0]].record.refs[0].index == 3


def test_a_reader_crosses_to_another_process_without_its_open_file(video):
    import pickle

    reader = FrameReader("test", crop_content=False)
    items = [item(video, "v#3", start=3, frames=50)]
    reader.read(items)
    again = pickle.loads(pickle.dumps(reader))
    assert read_code(again.read(items)[0][0]) == 3


def test_one_picture_is_decoded_for_one_frame(video):
    reader = FrameReader("train", crop_content=False)
    one = item(video, "v#0", start=0, frames=50)
    reader.read([one])
    assert reader.video(one).decoded_frames == 1


def test_large_videos_are_closed_for_the_memory_of_their_decoders(tmp_path, monkeypatch):
    paths = [write_coded_video(tmp_path / f"{number}.mp4", 6) for number in range(4)]
    items = [item(path, f"{path.name}#0", 0) for path in paths]
    reader = FrameReader("train", crop_content=False)
    pixels, _ = reader.read(items[:1])
    # Of the pictures alone: 17 of one and a half bytes a pixel. Those of the file opened last are not known before.
    module = "cineloop.tasks.frame_classification.data"
    monkeypatch.setattr(f"{module}._EACH", 0)
    monkeypatch.setattr(f"{module}._MEMORY", 17 * pixels.shape[1] * pixels.shape[2] * 3 // 2)
    for one in items:
        reader.read([one])
        assert len(reader._open) <= 2
    assert list(reader._open) == paths[-2:]
    assert list(reader._areas) == paths[-2:]


def test_videos_stay_open_within_bounds_and_give_the_same_frames(tmp_path):
    paths = [write_coded_video(tmp_path / f"{number}.mp4", 6) for number in range(5)]
    items = [item(path, f"{path.name}#{start}", start) for start in (0, 3, 5) for path in paths]
    kept, fresh = (FrameReader("train", crop_content=False, most=most) for most in (3, 1))
    for one in items:
        (pixels, records), (again, others) = kept.read([one]), fresh.read([one])
        np.testing.assert_array_equal(pixels, again)
        assert records == others
        assert len(kept._open) <= 3
        assert len(fresh._open) == 1
    assert list(kept._open) == paths[-3:]
