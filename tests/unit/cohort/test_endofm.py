"""The endofm layout in all the ways in which people write it."""

from __future__ import annotations

import pytest

from cineloop.errors import CohortError


def labels(cohort):
    return dict(cohort.items.select("id", "label").rows())


@pytest.mark.parametrize("suffix", [".txt", ".csv"])
@pytest.mark.parametrize(
    "text",
    [
        "a.mp4,0\nsub/b.mp4,1\n",
        "a.mp4,0\nsub/b.mp4,1",
        "\ufeffa.mp4,0\r\n\r\nsub/b.mp4,1\r\n",
        "\n  a.mp4 , 0 \n\n sub/b.mp4 ,1\n\n",
        '"a.mp4","0"\n"sub/b.mp4", 1\n',
        "path,label\na.mp4,0\nsub/b.mp4,1\n",
        "Video Name,Patient,Class\na.mp4,p,0\nsub/b.mp4,q,1\n",
        "./a.mp4,0\nsub\\b.mp4,1\n",
        "videos/a.mp4,0\nvideos/sub/b.mp4,1\n",
    ],
    ids=["plain", "no-last-newline", "bom-crlf-blank", "spaces", "quoted", "header", "wide", "windows", "rooted"],
)
def test_accepts_what_people_write(layout, read, text, suffix):
    root = layout({f"splits/train{suffix}": text, "videos/a.mp4": None, "videos/sub/b.mp4": None})
    cohort = read(format="endofm", root=root)
    assert sorted(labels(cohort).values()) == ["0", "1"]
    assert sorted((root / path).resolve() for path in cohort.media["path"]) == [
        (root / "videos/a.mp4").resolve(),
        (root / "videos/sub/b.mp4").resolve(),
    ]
    assert cohort.split_names == ("train",)


def test_names_with_commas_quotes_colons_and_spaces(layout, read):
    names = ["a,b.mp4", 'say "aah".mp4', "case 3 (left).mp4", "ünïcode.mp4"]
    text = '"a,b.mp4",0\n"say ""aah"".mp4",1\ncase 3 (left).mp4,0\nünïcode.mp4,1\n'
    root = layout({"splits/train.txt": text, **{f"videos/{name}": None for name in names}}, root="bagls-split:v0")
    assert labels(read(format="endofm", root=root)) == dict(zip(names, "0101", strict=True))


def test_an_unquoted_comma_is_a_name_when_such_a_file_exists(layout, read):
    root = layout({"splits/train.txt": "a,b.mp4,1\nc.mp4,0\n", "videos/a,b.mp4": None, "videos/c.mp4": None})
    assert labels(read(format="endofm", root=root)) == {"a,b.mp4": "1", "c.mp4": "0"}


def test_class_names_and_numbers(layout, read):
    files = ["videos/a.mp4", "videos/b.mp4", "videos/c.mp4"]
    named = layout({"splits/train.txt": "a.mp4,Polyp\nb.mp4,normal\nc.mp4,-1\n", **dict.fromkeys(files)}, "named")
    cohort = read(format="endofm", root=named)
    assert cohort.classes == ("Polyp", "normal")
    assert dict(cohort.items.select("id", "target").rows()) == {"a.mp4": 0, "b.mp4": 1, "c.mp4": None}
    both = layout({"splits/train.txt": "a.mp4,polyp\nb.mp4,0\nc.mp4,-1\n", **dict.fromkeys(files)}, "both")
    cohort = read(format="endofm", root=both, classes=["normal", "Polyp"])
    assert dict(cohort.items.select("id", "target").rows()) == {"a.mp4": 1, "b.mp4": 0, "c.mp4": None}
    with pytest.raises(CohortError, match="mixture of names and numbers"):
        read(format="endofm", root=both)


def test_gaps_between_numbers_are_classes_without_items(layout, read):
    root = layout({"splits/train.txt": "a.mp4,0\nb.mp4,2\n", "videos/a.mp4": None, "videos/b.mp4": None})
    assert read(format="endofm", root=root).classes == ("0", "1", "2")


def test_split_names_have_many_spellings(layout, read):
    lists = {"splits/Training.txt": "a.mp4,0", "splits/validation.csv": "b.mp4,1", "splits/TEST.txt": "c.mp4,0"}
    root = layout({**lists, "splits/notes.txt": "x", **{f"videos/{name}.mp4": None for name in "abc"}})
    assert read(format="endofm", root=root).split_names == ("train", "val", "test")


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("a.mp4,0\nb.mp4,2\n", "Unknown label '2' of 'b.mp4'", "train.txt:2"),
        ("a.mp4,0\n\nb.mp4,poylp\n", "Unknown label 'poylp'", "train.txt:3"),
        ("a.mp4,0\nb.mp4,-2\n", "Unknown label '-2'", "train.txt:2"),
        ("a.mp4,0\nb.mp4\n", "no label", "train.txt:2"),
        ("a.mp4,0\nb.mp4,\n", "empty path or label", "train.txt:2"),
        ("a.mp4,0\nb.mp4,1,7\n", "3 fields", "train.txt:2"),
        ('a.mp4,0\n\'b.mp4" ,1\n"b.mp4,1\n', "not delimited text", "train.txt:3"),
        ("", "split 'train' is empty", "train.txt"),
        ("path,label\n", "split 'train' is empty", "train.txt"),
    ],
    ids=["number", "name", "negative", "bare", "blank", "fields", "quote", "empty", "header-only"],
)
def test_says_what_is_wrong_and_where(layout, read, text, message, place):
    root = layout({"splits/train.txt": text, "videos/a.mp4": None, "videos/b.mp4": None})
    with pytest.raises(CohortError, match=message) as error:
        read(format="endofm", root=root, classes=["normal", "polyp"])
    assert place in error.value.where
    assert error.value.mend


def test_missing_files_are_listed_once_with_their_lines(layout, read):
    rows = "".join(f"gone{number}.mp4,0\n" for number in range(9))
    root = layout({"splits/train.txt": "a.mp4,1\n" + rows, "videos/a.mp4": None})
    with pytest.raises(CohortError, match="9 of 10 files do not exist") as error:
        read(format="endofm", root=root)
    assert "train.txt:2: gone0.mp4" in error.value.where
    assert "and 4 more" in error.value.where
    cohort = read(format="endofm", root=root, on_error="skip")
    assert [item.id for item in cohort.items_of("train")] == ["a.mp4"]
    assert len(cohort.skipped) == 9


def test_one_file_in_two_splits_is_refused(layout, read):
    root = layout({"splits/train.txt": "a.mp4,0\n", "splits/test.txt": "./a.mp4,0\n", "videos/a.mp4": None})
    with pytest.raises(CohortError, match="two splits: train and test") as error:
        read(format="endofm", root=root)
    assert "train.txt:1" in error.value.where
    assert "test.txt:1" in error.value.where


def test_repeated_rows_are_read_once_and_contradictions_refused(layout, read):
    root = layout({"splits/train.txt": "a.mp4,0\na.mp4,0\nb.mp4,1\n", "videos/a.mp4": None, "videos/b.mp4": None})
    cohort = read(format="endofm", root=root)
    assert cohort.items.height == 2
    assert cohort.notes == ("1 repeated row was read once",)
    (root / "splits/train.txt").write_text("a.mp4,0\nb.mp4,1\nvideos/a.mp4,1\n")
    with pytest.raises(CohortError, match="two labels: '0' and '1'"):
        read(format="endofm", root=root)


def test_two_lists_of_one_split_need_a_choice(layout, read):
    root = layout({"splits/train.txt": "a.mp4,0", "splits/train.csv": "a.mp4,1", "videos/a.mp4": None})
    with pytest.raises(CohortError, match="listed twice"):
        read(format="endofm", root=root)
    assert labels(read(format="endofm", root=root, format_options={"suffix": ".csv"})) == {"a.mp4": "1"}


def test_not_a_layout(layout, read, tmp_path):
    with pytest.raises(CohortError, match="does not exist"):
        read(format="endofm", root=tmp_path / "nowhere")
    with pytest.raises(CohortError, match="no folder of split lists"):
        read(format="endofm", root=layout(["videos/a.mp4"]))
    with pytest.raises(CohortError, match="No split list"):
        read(format="endofm", root=layout({"splits/all.txt": "a.mp4,0"}, root="other"))
    with pytest.raises(CohortError, match="not UTF-8"):
        read(format="endofm", root=layout({"splits/train.txt": b"\xff\xfe\x00a"}, root="utf16"))


def test_paths_out_of_the_root_and_links(layout, read, tmp_path):
    layout(["clip.mp4"], root="elsewhere")
    root = layout({"splits/train.txt": "../../elsewhere/clip.mp4,0\nlink.mp4,1\nhere.mp4,0\n", "videos/here.mp4": None})
    (root / "videos/link.mp4").symlink_to(root / "videos/here.mp4")
    cohort = read(format="endofm", root=root)
    paths = dict(cohort.media.select("id", "path").rows())
    assert paths["../../elsewhere/clip.mp4"] == "../elsewhere/clip.mp4"
    # Two names of one file are two media with the same bytes; the audit says so.
    assert cohort.media.filter(cohort.media["id"] != "../../elsewhere/clip.mp4")["sha256"].n_unique() == 1


def test_a_root_that_is_a_link(layout, read, tmp_path):
    layout({"splits/train.txt": "a.mp4,0\n../../b.mp4,1\n", "videos/a.mp4": None}, root="far/away/data")
    layout(["b.mp4"], root="far/away")
    (tmp_path / "link").symlink_to(tmp_path / "far/away/data", target_is_directory=True)
    cohort = read(format="endofm", root=tmp_path / "link")
    assert dict(cohort.media.select("id", "path").rows()) == {"a.mp4": "videos/a.mp4", "../../b.mp4": "../b.mp4"}
    assert all(item.path.is_file() for item in cohort.items_of())


@pytest.mark.parametrize(
    "name", ["/dev/zero", "http://example.org/a.mp4", "concat:a.mp4|b.mp4", "$HOME/a.mp4", "x" * 5000]
)
def test_hostile_names_are_plain_paths(layout, read, name):
    root = layout({"splits/train.txt": f"a.mp4,0\n{name},1\n", "videos/a.mp4": None})
    with pytest.raises(CohortError, match="1 of 2 files"):
        read(format="endofm", root=root)
