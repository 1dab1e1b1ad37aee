"""Lists of images and labels, as MONAI bundles use them."""

from __future__ import annotations

import json

import pytest

from cineloop.cohort.source import detect
from cineloop.errors import CohortError

ROWS = [{"image": f"images/{number}.jpg", "label": number % 2} for number in range(6)]


@pytest.fixture
def write(layout):
    """Return a function that writes lists and the images they name; returns the root."""

    def inner(lists, root="data"):
        texts = {name: rows if isinstance(rows, str) else json.dumps(rows) for name, rows in lists.items()}
        images = [row["image"] for rows in lists.values() if isinstance(rows, list) for row in rows]
        return layout({**dict.fromkeys(images), **texts}, root=root)

    return inner


def test_a_list_a_split(write, read):
    root = write({"train_samples.json": ROWS[:3], "val_samples.json": ROWS[3:4], "test_samples.json": ROWS[4:]})
    assert detect(root) == "image-labels"
    cohort = read(format="image-labels", root=root, classes=["in_body", "out_of_body"])
    assert cohort.split_names == ("train", "val", "test")
    assert [item.label for item in cohort.items_of("train")] == ["in_body", "out_of_body", "in_body"]
    assert [item.id for item in cohort.items_of("test")] == ["images/4.jpg", "images/5.jpg"]


def test_a_folder_of_lists_beside_the_images(write, read):
    root = write({"label/train_samples.json": ROWS[:3], "label/test_samples.json": ROWS[3:], "label/notes.json": "{}"})
    cohort = read(format="image-labels", root=root, path="label")
    assert cohort.split_names == ("train", "test")
    (root / "label/validation_samples.json").write_text("[]")
    with pytest.raises(CohortError, match="list is empty"):
        read(format="image-labels", root=root, path="label")
    (root / "label/val_samples.json").write_text(json.dumps(ROWS[:1]))
    with pytest.raises(CohortError, match="'val' is listed twice"):
        read(format="image-labels", root=root, path="label")


def test_one_list_of_names(write, read):
    rows = [
        {"image": "a.png", "label": "polyp"},
        {"image": "b.png", "label": "normal"},
        {"image": "c.png", "label": None},
    ]
    cohort = read(
        format="image-labels", root=write({"all.json": [*rows, {"image": "d.png", "label": -1}]}), path="all.json"
    )
    assert cohort.classes == ("normal", "polyp")
    assert cohort.items["label"].to_list() == ["polyp", "normal", None, None]
    assert cohort.split_names == ()


def test_frames_of_videos(write, read):
    rows = [
        {"image": "v1.mp4", "label": 0, "frame": 4, "patient": "P1"},
        {"image": "v1.mp4", "label": 1, "frame": 5.0, "patient": "P1"},
        {"image": "v2.mp4", "label": 1, "frame": 99, "patient": "P2"},
        {"image": "s.png", "label": 0, "patient": ""},
    ]
    cohort = read(format="image-labels", root=write({"all.json": rows}), path="all.json")
    assert [(item.id, item.start, item.stop, item.patient) for item in cohort.items_of()] == [
        ("s.png", None, None, "s.png"),
        ("v1.mp4#4-5", 4, 5, "P1"),
        ("v1.mp4#5-6", 5, 6, "P1"),
        ("v2.mp4#99-100", 99, 100, "P2"),
    ]
    assert cohort.media.height == 3


def test_the_video_of_a_picture_is_its_procedure(write, read):
    rows = [{"image": f"{n}.png", "label": n % 2, "video": f"v{n // 4}"} for n in range(16)]
    root = write({"all.json": rows})
    cohort = read(format="image-labels", root=root, path="all.json", split={"test": 0.25, "val": 0.25})
    assert cohort.identity_known.procedure
    assert not cohort.identity_known.patient
    # No patient is named, and still no video is divided.
    assert len(set(cohort.rows.select("procedure", "split").rows())) == 4
    assert cohort.split_names == ("train", "val", "test")
    named = [{**row, "exam": f"e{n // 8}"} for n, row in enumerate(rows)]
    (root / "all.json").write_text(json.dumps(named))
    assert set(read(format="image-labels", root=root, path="all.json").media["procedure"]) == {"e0", "e1"}


def test_further_keys_are_columns(write, read):
    rows = [
        {"image": "a.png", "label": 0, "site": "Malmö", "score": 1.5, "boxes": [[1, 2]]},
        {"image": "b.png", "label": 1, "who": "P7"},
    ]
    root = write({"all.json": rows})
    cohort = read(
        format="image-labels",
        root=root,
        path="all.json",
        patient={"column": "who"},
        attributes={"boxes": {"column": "boxes"}},
    )
    assert cohort.media.select("patient", "site", "boxes").rows() == [
        ("a.png", "Malmö", "[[1, 2]]"),
        ("P7", None, None),
    ]


def test_splits_in_the_rows(write, read):
    rows = [
        {**row, "split": name}
        for row, name in zip(ROWS, ["train", "training", "validation", "test", "3", "3"], strict=True)
    ]
    cohort = read(format="image-labels", root=write({"all.json": rows}), path="all.json")
    assert cohort.split_names == ("train", "val", "test", "3")
    root = write({"train_samples.json": [{**ROWS[0], "split": "test"}]}, root="other")
    with pytest.raises(CohortError, match="split 'test', the file's name that it is of 'train'"):
        read(format="image-labels", root=root)


def test_images_in_another_folder(write, read, layout):
    root = layout({"data/0.jpg": None, "list.json": json.dumps([{"image": "0.jpg", "label": "x"}])})
    with pytest.raises(CohortError, match="do not exist"):
        read(format="image-labels", root=root, path="list.json")
    options = {"images": "data"}
    assert read(format="image-labels", root=root, path="list.json", format_options=options).items.height == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"label": 0}, "no key 'image'"),
        ({"image": 3, "label": 0}, "no path under 'image'"),
        ({"image": "", "label": 0}, "no path under 'image'"),
        ({"image": "images/0.jpg"}, "no key 'label'"),
        ({"image": "images/0.jpg", "label": True}, "neither a name nor a number"),
        ({"image": "images/0.jpg", "label": [0, 1]}, "neither a name nor a number"),
        ({"image": "notes.txt", "label": 0}, "neither an image nor a video that is known: .txt"),
        ({"image": "images/0.jpg", "label": 0, "frame": -1}, "'frame' is not a whole number"),
        ({"image": "images/0.jpg", "label": 0, "frame": "4"}, "'frame' is not a whole number"),
        ({"image": "images/0.jpg", "label": 0, "frame": True}, "'frame' is not a whole number"),
        ("images/0.jpg", "Row 2 is a text"),
        (None, "Row 2 is null"),
    ],
)
def test_rows_that_cannot_be(layout, read, row, message):
    root = layout({"images/0.jpg": None, "all.json": json.dumps([ROWS[0], row])})
    with pytest.raises(CohortError, match=message) as error:
        read(format="image-labels", root=root, path="all.json")
    assert error.value.where.endswith("all.json:2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"training": []}', "no list but an object"),
        ("3", "no list but a number"),
        ("[]", "list is empty"),
        ('[{"image": "a.png", "label": 0, "label": 1}]', "'label' stands twice"),
        ('[{"image": ', "not JSON"),
    ],
)
def test_files_that_are_no_lists(layout, read, text, message):
    with pytest.raises(CohortError, match=message):
        read(format="image-labels", root=layout({"all.json": text}), path="all.json")


def test_no_list(layout, read):
    with pytest.raises(CohortError, match="No list was found"):
        read(format="image-labels", root=layout(["a.png", "samples.json"]))


def test_a_label_outside_of_the_classes(write, read):
    root = write({"train_samples.json": [*ROWS[:2], {"image": "x.png", "label": 2}]})
    with pytest.raises(CohortError, match="Unknown label '2'") as error:
        read(format="image-labels", root=root, classes=["in_body", "out_of_body"])
    assert error.value.where.endswith("train_samples.json:3")
