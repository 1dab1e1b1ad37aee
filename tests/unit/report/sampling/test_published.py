"""CSV files of the published tools: what is written is read again, and all three layouts are read."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cineloop.errors import SamplingError
from cineloop.report.sampling import Clip, Sample, Samples, read_csv, write_csv
from cineloop.report.sampling.published import FileName, parse_name
from cineloop.video.sampling import MODES

NAMES = st.text("abcäß ,\"'/\\\n[]-_.0", min_size=1, max_size=12).filter(lambda text: text == text.strip())


@st.composite
def tables(draw):
    rows = []
    for split in draw(st.lists(st.sampled_from(["train", "val", "test"]), min_size=1, max_size=3, unique=True)):
        for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
            total = draw(st.integers(1, 100_000))
            clip = Clip(name, split, total, draw(st.sampled_from([None, "normal", "a b"])))
            for method in ("random_window", "uniform"):
                for round in (None, *range(1, draw(st.integers(1, 3)))):
                    frames = draw(st.lists(st.integers(0, total - 1), min_size=1, max_size=30))
                    rows.append(Sample(clip, method, tuple(frames), round if split == "train" else None))
    unique = {(row.clip, row.method, row.round): row for row in rows}
    return Samples.of(unique.values())


def plain(samples, *, labels):
    rows = [samples.row(number) for number in range(len(samples))]
    return {
        (row.clip.split, row.clip.name, row.clip.total, row.method, row.round, row.indices)
        + ((row.clip.label,) if labels else ())
        for row in rows
    }


@settings(max_examples=40, deadline=None)
@given(tables(), st.sampled_from(["active", "helper"]))
def test_what_is_written_is_read_again(tmp_path_factory, samples, layout):
    folder = tmp_path_factory.mktemp("csv")
    files = write_csv(samples, folder, "ucf101", layout=layout)
    assert len(files) == 2 * len(samples.splits)
    assert plain(read_csv(files), labels=layout == "helper") == plain(samples, labels=layout == "helper")


@given(
    st.from_regex(r"[a-z0-9-]{1,6}(_[a-z0-9-]{1,6}){0,2}", fullmatch=True),
    st.sampled_from([*MODES, "recipe"]),
    st.sampled_from(["train", "val", "test"]),
    st.none() | st.integers(1, 99),
)
def test_a_name_is_taken_apart_as_it_was_made(tmp_path_factory, dataset, method, split, step):
    name = FileName(dataset, method, split, step)
    # A data set that ends like the longer name of a method cannot be told from it.
    if not dataset.endswith(("upstream", "random")) and not any(
        f"_{one}_" in f"_{dataset}_" for one in [*MODES, "recipe"]
    ):
        assert parse_name(tmp_path_factory.getbasetemp() / str(name)) == name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("sampling_indices_ucf101_random_window_train_augstep16.csv", ("ucf101", "random_window", "train", 16)),
        ("sampling_indices_my_data_random_val.csv", ("my_data", "random", "val", None)),
        ("sampling_indices_x_upstream_random_window_test.csv", ("x", "upstream_random_window", "test", None)),
        ("sampling_indices_ucf101_random_fold_3.csv", ("ucf101", "random", "fold_3", None)),
        ("sampling_indices_ucf101_dense_train.csv", ("ucf101", "dense", "train", None)),
    ],
)
def test_names_with_underscores(tmp_path, name, parts):
    assert parse_name(tmp_path / name) == FileName(*parts)


LAYOUTS = {
    "active": "video_path,total_frames,sampling_method,indices\n/d/a.mp4,90,random_window,[ 0 36 72]\n",
    "active with rounds, as pandas writes it": (
        "video_path,total_frames,sampling_method,indices,aug_round\n"
        '/d/a.mp4,90,random_window,"[ 0 36\n 72]",\n/d/a.mp4,90,random_window,[ 1 37 73],1.0\n'
    ),
    "helper": 'video_filename,total_frames,sampled_indices,aug_round,label\na.mp4,90,"0,36,72",original,1\n',
    "sampler": 'video_filename,total_frames,sampled_frames,aug_round,label\na.mp4,90,"0,36,72",aug_3,1\n',
    "generated": "video_filename,total_frames,sampled_indices\na.mp4,90,0,36,72\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read(tmp_path, layout):
    path = tmp_path / "sampling_indices_ucf101_random_window_train.csv"
    path.write_text(LAYOUTS[layout])
    found = read_csv([path])
    row = found.row(0)
    assert row.indices == (0, 36, 72)
    assert (row.clip.total, row.method, row.clip.split) == (90, "random_window", "train")
    assert row.clip.label == ("1" if layout in ("helper", "sampler") else None)
    assert row.round == (3 if layout == "sampler" else None)
    if "rounds" in layout:
        assert (found.row(1).round, found.row(1).indices) == (1, (1, 37, 73))


def test_the_active_layout_is_the_published_one(tmp_path):
    clip = Clip("d/a.mp4", "train", 90)
    long = tuple(range(0, 90, 3))
    made = Samples.of([Sample(clip, "random", long), Sample(clip, "random", (1, 2), round=5)], round_step=4)
    (path,) = write_csv(made, tmp_path, "ucf101")
    assert path.name == "sampling_indices_ucf101_random_train_augstep4.csv"
    head, original, augmented = csv.reader(path.open(newline=""))
    assert head == ["video_path", "total_frames", "sampling_method", "indices", "aug_round"]
    assert original[:3] == ["d/a.mp4", "90", "random"]
    assert original[3].startswith("[ 0  3  6")
    assert "\n" in original[3]
    assert original[4] == ""
    assert augmented[3:] == ["[1 2]", "5"]


def test_a_run_writes_its_last_epoch(tmp_path):
    clip = Clip("a", "train", 90)
    made = Samples.of([Sample(clip, "random", (epoch, 50), epoch=epoch) for epoch in (1, 2, 3)])
    (path,) = write_csv(made, tmp_path, "ucf101")
    assert read_csv([path]).row(0).indices == (3, 50)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("video_path,total_frames\na,9\n", "line 1"),
        ("", "line 1"),
        ("video_path,total_frames,indices\na,9\n", "line 2"),
        ("video_path,total_frames,indices\na,9,[0 9]\n", "not among the 9"),
        ("video_path,total_frames,indices\na,9,[]\n", "at least one"),
        ("video_path,total_frames,indices\na,9,[0 x]\n", "'x'"),
        ("video_path,total_frames,indices\na,many,[0]\n", "total_frames"),
        ("video_path,total_frames,indices\na,9,[0 ... 5]\n", "cut short"),
        ("video_path,total_frames,indices,aug_round\na,9,[0],aug_0\n", "begin at 1"),
        ('video_path,total_frames,indices\na,9,"[0\n', "line"),
        ("video_path,total_frames,indices\na,9,[0]\nb,9,[1.5]\n", "line 3"),
    ],
)
def test_a_malformed_file_is_named_with_its_line(tmp_path, text, words):
    path = tmp_path / "sampling_indices_ucf101_random_train.csv"
    path.write_text(text)
    with pytest.raises(SamplingError) as caught:
        read_csv([path])
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.mend


@pytest.mark.parametrize("name", ["samples.csv", "sampling_indices_random.csv"])
def test_a_file_of_another_name_is_refused(tmp_path, name):
    (tmp_path / name).write_text(LAYOUTS["active"])
    with pytest.raises(SamplingError, match="does not say data set"):
        read_csv([tmp_path / name])
