"""Folder-per-class layouts."""

from __future__ import annotations

import os

import pytest

from cineloop.cohort.source import detect
from cineloop.errors import CohortError


def test_split_and_class_folders(layout, read):
    root = layout(
        [
            "train/referral/a.mp4",
            "train/non_referral/b.MP4",
            "val/referral/p1/c.avi",
            "test/non_referral/d.mkv",
            "test/non_referral/notes.txt",
            "test/non_referral/.hidden.mp4",
        ]
    )
    cohort = read(format="folder", root=root)
    assert cohort.classes == ("non_referral", "referral")
    assert {(item.id, item.label) for item in cohort.items_of()} == {
        ("train/referral/a.mp4", "referral"),
        ("train/non_referral/b.MP4", "non_referral"),
        ("val/referral/p1/c.avi", "referral"),
        ("test/non_referral/d.mkv", "non_referral"),
    }
    assert cohort.split_names == ("train", "val", "test")


def test_one_class_in_two_spellings(layout, read):
    root = layout(
        ["train/non_referral/a.mp4", "train/referral/b.mp4", "test/non-referral/c.mp4", "test/Referral/d.mp4"]
    )
    cohort = read(format="folder", root=root)
    assert len(cohort.classes) == 2
    assert cohort.items["target"].value_counts()["count"].to_list() == [2, 2]
    given = read(format="folder", root=root, classes=["Non-Referral", "Referral"])
    assert given.classes == ("Non-Referral", "Referral")
    assert set(given.items["label"]) == {"Non-Referral", "Referral"}


def test_classes_alone(layout, read):
    root = layout(["polyp/a.mp4", "normal/b.mp4"])
    cohort = read(format="folder", root=root)
    assert cohort.split_names == ()
    assert cohort.classes == ("normal", "polyp")
    with pytest.raises(CohortError, match="no split 'train'") as error:
        cohort.items_of("train")
    assert "data.split" in error.value.mend


def test_a_class_called_test_needs_to_be_told(layout, read):
    root = layout(["test/a.mp4", "train/b.mp4"])
    with pytest.raises(CohortError, match="split 'test' is empty"):
        read(format="folder", root=root)
    assert read(format="folder", root=root, format_options={"layout": "class"}).classes == ("test", "train")


def test_other_suffixes(layout, read):
    root = layout(["train/a/x.seq", "train/b/y.SEQ", "train/b/z.mp4"])
    assert read(format="folder", root=root, format_options={"suffixes": ["seq"]}).items.height == 2


def test_empty(layout, read):
    root = layout(["train/a/x.mp4", "val/a/readme.txt"])
    with pytest.raises(CohortError, match="split 'val' is empty"):
        read(format="folder", root=root)
    with pytest.raises(CohortError, match="No video"):
        read(format="folder", root=layout(["a/readme.txt"], root="other"))


def test_a_circle_of_links_ends(layout, read):
    root = layout(["train/a/x.mp4", "train/b/y.mp4"])
    (root / "train/a/again").symlink_to(root / "train", target_is_directory=True)
    assert read(format="folder", root=root).items.height == 2


def test_pictures_where_there_are_no_videos(layout, read):
    root = layout(
        ["train/polyp/P1/a.JPG", "train/normal/b.png", "test/polyp/c.tiff", "test/normal/d.bmp", "test/normal/x.txt"]
    )
    assert detect(root) == "folder"
    cohort = read(format="folder", root=root)
    assert {item.id: item.label for item in cohort.items_of()} == {
        "train/polyp/P1/a.JPG": "polyp",
        "train/normal/b.png": "normal",
        "test/polyp/c.tiff": "polyp",
        "test/normal/d.bmp": "normal",
    }
    assert cohort.notes == ()


def test_pictures_beside_videos_are_told_and_taken_when_asked(layout, read):
    root = layout(["polyp/a.mp4", "polyp/a.jpg", "normal/b.mp4", "normal/c.png"])
    cohort = read(format="folder", root=root)
    assert set(cohort.items["id"]) == {"polyp/a.mp4", "normal/b.mp4"}
    assert cohort.notes == (
        "2 pictures beside videos were passed over; data.format_options: {media: all} reads them too",
    )
    for media, ids in (
        ("videos", {"polyp/a.mp4", "normal/b.mp4"}),
        ("stills", {"polyp/a.jpg", "normal/c.png"}),
        ("all", {"polyp/a.mp4", "normal/b.mp4", "polyp/a.jpg", "normal/c.png"}),
    ):
        chosen = read(format="folder", root=root, format_options={"media": media})
        assert set(chosen.items["id"]) == ids
        assert chosen.notes == ()
    assert read(format="folder", root=root, format_options={"suffixes": ["png"], "media": "all"}).items.height == 1


def test_a_class_of_pictures_only_is_not_lost_beside_classes_of_videos(layout, read):
    root = layout(["train/Polyp/a.jpg", "train/normal/b.mp4", "train/normal/b.jpg", "test/polyp/c.png"])
    with pytest.raises(CohortError, match=r"videos \(1 in all\), and others pictures only: polyp \(2\)") as error:
        read(format="folder", root=root)
    assert "media: all" in error.value.mend
    options = {"layout": "split/class", "media": "all"}
    assert set(read(format="folder", root=root, format_options=options).classes) == {"Polyp", "normal"}
    # What is no class is not asked about.
    root = layout(["polyp/a.mp4", "normal/b.mp4", "thumbnails/a.jpg"], root="other")
    assert read(format="folder", root=root).classes == ("normal", "polyp")


@pytest.mark.parametrize(
    "files",
    [
        ["images/a.jpg", "masks/a.png"],
        ["images/a.jpg", "labels/a.txt", "train.txt"],
        ["polyp/a.jpg"],
        ["polyp/a.jpg", "normal/readme.txt"],
    ],
)
def test_pictures_alone_do_not_make_classes(layout, files):
    with pytest.raises(CohortError, match="No known layout"):
        detect(layout(files))


def test_pictures_in_class_folders_are_recognised(layout):
    assert detect(layout(["polyp/a.jpg", "normal/b.jpg", ".cache/x.jpg"])) == "folder"


def test_a_folder_that_cannot_be_read_is_told(layout, read, monkeypatch):
    root = layout(["train/a/x.mp4", "train/b/y.mp4"])

    def scandir(path):
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(CohortError, match="folder cannot be read: Permission denied") as error:
        read(format="folder", root=root)
    assert error.value.where.endswith("train/b")
