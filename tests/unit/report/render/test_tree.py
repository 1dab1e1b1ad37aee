"""Folders of timelines and of videos."""

from __future__ import annotations

import pytest

from cineloop.errors import TimelineError
from cineloop.report.render.tree import Pair, match


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    return root


def test_partners_have_the_same_path_but_for_the_suffix(tmp_path):
    timelines = touch(tmp_path / "t", "a.parquet", "p1/b.csv", "p2/b.json", "notes.txt", ".old/a.csv", "c.csv")
    videos = touch(tmp_path / "v", "a.MP4", "p1/b.avi", "p1/x.dcm", "b.mp4", ".c.mp4")
    found = match(timelines, videos)
    assert found.pairs == (
        Pair("a", timelines / "a.parquet", videos / "a.MP4"),
        Pair("p1/b", timelines / "p1/b.csv", videos / "p1/b.avi"),
    )
    assert found.timelines == ("c", "p2/b")
    assert found.videos == ("b", "p1/x")
    assert found.pairs[1].below(tmp_path / "out", ".mp4") == tmp_path / "out/p1/b.mp4"


def test_names_with_dots_keep_them(tmp_path):
    found = match(touch(tmp_path / "t", "v.1.csv", "v.2.csv"), touch(tmp_path / "v", "v.1.mp4", "v.2.mp4"))
    assert [pair.name for pair in found.pairs] == ["v.1", "v.2"]
    assert found.pairs[0].below(tmp_path, ".mp4").name == "v.1.mp4"


def test_folders_without_anything_in_common_are_refused(tmp_path):
    timelines = touch(tmp_path / "t", *(f"{number}.csv" for number in range(8)))
    with pytest.raises(TimelineError, match=r"timelines 0, 1, 2, 3, 4 and 3 more; videos none") as error:
        match(timelines, touch(tmp_path / "v", "0.txt"))
    assert "visit1/a.mp4" in error.value.mend


def test_one_name_twice_is_refused(tmp_path):
    videos = touch(tmp_path / "v", "a.mp4")
    with pytest.raises(TimelineError, match=r"'a': a.csv and a.parquet"):
        match(touch(tmp_path / "t", "a.csv", "a.parquet"), videos)
