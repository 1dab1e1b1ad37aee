"""Trees of frames from inside and outside of the body: what a folder means, and which frames are of one video."""

from __future__ import annotations

import pytest

from cineloop.cohort.source import detect
from cineloop.errors import CohortError, RecipeError


def labels(cohort):
    return {item.id: item.label for item in cohort.items_of()}


def videos(cohort):
    return dict(cohort.media.select("id", "procedure").rows())


def test_folders_by_any_spelling_at_any_depth(layout, read):
    root = layout(
        [
            "inbody/v1_1.jpg",
            "Out of Body/v1_2.PNG",
            "data/v2/in-body/0001.bmp",
            "data/v2/OUTBODY/deep/0002.tif",
            "data/v3/outside/inside/0003.jpg",
            "data/v3/in_body/clip.mp4",
            "data/v3/in_body/notes.txt",
            "data/v3/in_body/.hidden.jpg",
            "data/.cache/thumb.jpg",
        ]
    )
    cohort = read(format="inbody-tree", root=root)
    assert cohort.classes == ("in_body", "out_of_body")
    assert labels(cohort) == {
        "inbody/v1_1.jpg": "in_body",
        "Out of Body/v1_2.PNG": "out_of_body",
        "data/v2/in-body/0001.bmp": "in_body",
        "data/v2/OUTBODY/deep/0002.tif": "out_of_body",
        # The deepest folder decides.
        "data/v3/outside/inside/0003.jpg": "in_body",
        "data/v3/in_body/clip.mp4": "in_body",
    }
    assert cohort.split_names == ()


def test_numbers_are_the_published_ones_whatever_is_there(layout, read):
    cohort = read(format="inbody-tree", root=layout(["outbody/a_1.jpg", "outbody/b_1.jpg"]))
    assert cohort.classes == ("in_body", "out_of_body")
    assert set(cohort.items["target"]) == {1}


@pytest.mark.parametrize(
    "odd", ["background/x.jpg", "x.jpg", "data/x.jpg", "not_inbody/x.png", "inbody_outbody/x.png", "bodies/x.mp4"]
)
def test_an_unknown_folder_is_never_in_body(layout, read, odd):
    root = layout(["v1/inbody/1.jpg", "v2/outbody/2.jpg", odd])
    with pytest.raises(CohortError, match="in no folder that is known to be in or out of the body") as error:
        read(format="inbody-tree", root=root)
    assert f"{odd.rpartition('/')[0] or '.'} (1)" in error.value.what
    if "/" in odd:
        folder = odd.rpartition("/")[0]
        cohort = read(format="inbody-tree", root=root, format_options={"ignore": [folder]})
        assert cohort.items.height == 2
        assert "1 files in ignored folders were passed over" in cohort.notes
        named = {"classes": {"out_of_body": ["outbody", folder]}}
        assert labels(read(format="inbody-tree", root=root, format_options=named))[odd] == "out_of_body"


def test_many_unknown_folders_are_counted(layout, read):
    root = layout([f"odd{folder}/{number}.jpg" for folder in range(9) for number in range(3)])
    with pytest.raises(CohortError, match=r"27 pictures .*odd0 \(3\), .*odd4 \(3\), and 4 more"):
        read(format="inbody-tree", root=root)


def test_patterns_for_names(layout, read):
    root = layout(["p1_in/1.jpg", "p1_outbody/2.jpg", "p2_outbody/3.jpg"])
    options = {"classes": {"in_body": ["*in"], "out_of_body": ["*outbody"]}}
    cohort = read(format="inbody-tree", root=root, format_options=options)
    assert sorted(labels(cohort).values()) == ["in_body", "out_of_body", "out_of_body"]


def test_options_that_cannot_be(layout, read):
    root = layout(["inbody/1.jpg"])
    for options, message in (
        ({"classes": {"in_body": ["in body"], "out_of_body": ["In-Body"]}}, "names both classes"),
        ({"video": "clip"}, "video"),
        ({"video": {"regex": "("}}, "not a regular expression"),
        ({"video": {"regex": "v.*"}}, "needs a group"),
    ):
        with pytest.raises(RecipeError, match=message):
            read(format="inbody-tree", root=root, format_options=options)
    for folder in ("gone", "../other", "/tmp", "."):
        with pytest.raises(CohortError, match="not in the root"):
            read(format="inbody-tree", root=root, format_options={"ignore": [folder]})


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # Folders below, above, or both; the class folders between them do not count.
        (["inbody/v1/1.jpg", "outbody/v1/2.jpg", "outbody/v2/3.jpg"], ["v1", "v1", "v2"]),
        (["v1/inbody/1.jpg", "v1/outbody/2.jpg", "v2/inbody/1.jpg"], ["v1", "v1", "v2"]),
        (["A/inbody/v1/1.jpg", "A/outbody/v1/2.jpg", "B/inbody/v1/1.jpg"], ["A/v1", "A/v1", "B/v1"]),
        # A folder that holds everything tells nothing; then the names do.
        (["data/inbody/p1_0001.jpg", "data/outbody/p1_0002.jpg", "data/outbody/p2-77.jpg"], ["p1", "p1", "p2"]),
        (
            ["inbody/proc3_000123.jpg", "outbody/proc3 000124.jpg", "inbody/proc4.000001.jpg"],
            ["proc3", "proc3", "proc4"],
        ),
        # Names that are all number: the folder, if there is one, else nothing.
        (["v1/inbody/0001.jpg", "v1/outbody/0002.jpg"], ["v1", "v1"]),
        (["inbody/0001.jpg", "outbody/last.jpg"], ["inbody/0001.jpg", "outbody/last.jpg"]),
        # A video is one by itself, whatever number ends its name.
        (["inbody/video1.mp4", "outbody/video2.mp4"], ["inbody/video1.mp4", "outbody/video2.mp4"]),
        (["v1/inbody/1.mp4", "v1/outbody/2.mp4", "v2/inbody/x_1.jpg"], ["v1", "v1", "v2"]),
    ],
)
def test_the_video_of_a_frame(layout, read, files, expected):
    cohort = read(format="inbody-tree", root=layout(files))
    assert [videos(cohort)[file] for file in files] == expected
    assert cohort.identity_known.procedure
    assert not cohort.identity_known.patient
    (note,) = cohort.notes
    assert note.startswith(f"{len(files)} files were grouped into {len(set(expected))} videos: ")


def test_the_note_says_how(layout, read):
    cohort = read(
        format="inbody-tree", root=layout(["inbody/v1/1.jpg", "inbody/v1/2.jpg", "outbody/p_1.jpg", "outbody/7.jpg"])
    )
    assert cohort.notes == (
        "4 files were grouped into 3 videos: 2 by their folders; 1 by their names without the number at the end; "
        "1 each by itself",
    )


FILES = ["v1/inbody/a_1.jpg", "v1/outbody/a_2.jpg", "v2/inbody/a_3.jpg"]


@pytest.mark.parametrize(
    ("video", "expected"),
    [
        ("folder", ["v1", "v1", "v2"]),
        ("name", ["a", "a", "a"]),
        ("file", FILES),
        ({"regex": r"_(\d)"}, ["1", "2", "3"]),
        ({"regex": r"(v)(?P<video>\d)"}, ["1", "1", "2"]),
    ],
)
def test_what_tells_the_video_can_be_said(layout, read, video, expected):
    cohort = read(format="inbody-tree", root=layout(FILES), format_options={"video": video})
    assert [videos(cohort)[file] for file in FILES] == expected


def test_a_way_that_does_not_tell_is_an_error(layout, read):
    root = layout(["inbody/1.jpg"])
    with pytest.raises(CohortError, match="No folder tells the video"):
        read(format="inbody-tree", root=root, format_options={"video": "folder"})
    with pytest.raises(CohortError, match="pattern of the video does not match"):
        read(format="inbody-tree", root=root, format_options={"video": {"regex": "(x)"}})


def test_a_recipe_s_own_words_come_first(layout, read):
    root = layout(["inbody/v1/P7_1.jpg", "outbody/v2/P7_2.jpg"])
    cohort = read(format="inbody-tree", root=root, patient={"regex": r"(P\d)"}, procedure={"regex": r"(P\d)_"})
    assert set(cohort.media.select("patient", "procedure").rows()) == {("P7", "P7")}


def test_a_division_never_parts_a_video(layout, read):
    frames = [f"{'in' if n % 3 else 'out'}body/proc{n % 20}_{n:04d}.jpg" for n in range(600)]
    cohort = read(format="inbody-tree", root=layout(frames), split={"test": 0.2, "val": 0.2})
    assert cohort.media["procedure"].n_unique() == 20
    assert len(set(cohort.rows.select("procedure", "split").rows())) == 20
    shares = cohort.rows["split"].value_counts(normalize=True)
    assert dict(shares.rows()) == pytest.approx({"train": 0.6, "val": 0.2, "test": 0.2}, abs=0.06)
    for split in cohort.split_names:
        assert {item.label for item in cohort.items_of(split)} == {"in_body", "out_of_body"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["inbody/1.jpg", "outbody/2.jpg"], "inbody-tree"),
        (["v1/in_body/1.jpg", "v1/out_of_body/2.jpg"], "inbody-tree"),
        (["inbody/1.mp4", "outbody/2.mp4"], "folder"),
        (["train/inbody/1.jpg", "test/outbody/2.jpg"], "folder"),
        (["inside/1.jpg", "outside/2.jpg"], "folder"),
    ],
)
def test_the_layout_is_recognised_where_it_is_plain(layout, files, expected):
    assert detect(layout(files)) == expected


def test_nothing_in_it(layout, read):
    with pytest.raises(CohortError, match="No picture or video"):
        read(format="inbody-tree", root=layout(["inbody/notes.txt"]))
