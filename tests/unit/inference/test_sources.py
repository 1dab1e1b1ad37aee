import numpy as np
import pytest
from PIL import Image

from cineloop.errors import VideoError
from cineloop.inference.sources import collect
from tiny_cohort import write_video


def image(path, size=(8, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((size[1], size[0], 3), np.uint8)).save(path)
    return path


def ids(*sources, **options):
    return [item.id for item in collect(sources, **options)]


def test_images_of_one_size_are_one_recording(tmp_path):
    for number in range(3):
        image(tmp_path / "frames" / f"{number}.png")
    assert ids(tmp_path / "frames") == ["frames"]
    assert ids(tmp_path / "frames", stills=True) == ["0.png", "1.png", "2.png"]


def test_images_of_several_sizes_are_items(tmp_path):
    image(tmp_path / "a.png")
    image(tmp_path / "b.png", (9, 9))
    assert ids(tmp_path) == ["a.png", "b.png"]


def test_folders_are_searched_and_names_kept_apart(tmp_path):
    write_video(tmp_path / "one" / "x.mp4", 0, 1, frames=2)
    write_video(tmp_path / "two" / "deep" / "x.mp4", 0, 2, frames=2)
    (tmp_path / "one" / "notes.txt").write_text("not a video")
    (tmp_path / "one" / ".hidden.mp4").write_text("not a video")
    assert ids(tmp_path) == ["one/x.mp4", "two/deep/x.mp4"]
    assert ids(tmp_path / "one", tmp_path / "two") == ["one/x.mp4", "two/deep/x.mp4"]
    both = ids(tmp_path / "one" / "x.mp4", tmp_path / "two" / "deep" / "x.mp4")
    assert len(set(both)) == 2
    assert ids(tmp_path / "one" / "x.mp4", tmp_path / "one" / "x.mp4") == [str(tmp_path / "one" / "x.mp4")]


def test_dicom_without_a_suffix_is_found(tmp_path):
    (tmp_path / "IM0001").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 20)
    (tmp_path / "README").write_text("short")
    assert ids(tmp_path) == ["IM0001"]


def test_nothing_to_look_at_is_told(tmp_path):
    with pytest.raises(VideoError, match="no video"):
        collect([tmp_path])
    with pytest.raises(VideoError, match="does not exist"):
        collect([tmp_path / "absent"])
