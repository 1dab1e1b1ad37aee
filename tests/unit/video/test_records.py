from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest

from cineloop.errors import VideoError
from cineloop.video.frame import FrameRef
from cineloop.video.records import SampleRecord, read_records, write_records


def record(item: str = "a", **fields) -> SampleRecord:
    refs = tuple(FrameRef(index, 1000 + 3000 * index, Fraction(1, 90000)) for index in (4, 9, 9))
    values = {"epoch": 3, "split": "train", "item": item, "media": "m", "mode": "random", "total": 10, "refs": refs}
    return SampleRecord(**{**values, **fields})


def test_what_was_written_is_read_back(tmp_path):
    file = tmp_path / "samples" / "part.parquet"
    write_records([record(), record("b", round=2, view=1, occurrence=4)], file)
    rows = read_records(file).to_dicts()
    assert rows[0] == {
        "epoch": 3,
        "split": "train",
        "item": "a",
        "media": "m",
        "round": None,
        "occurrence": 0,
        "view": 0,
        "mode": "random",
        "start": 0,
        "total": 10,
        "indices": [4, 9, 9],
        "pts": [13000, 28000, 28000],
        "time_base": "1/90000",
        "seconds": [13000 / 90000, 28000 / 90000, 28000 / 90000],
    }
    assert (rows[1]["item"], rows[1]["round"], rows[1]["view"], rows[1]["occurrence"]) == ("b", 2, 1, 4)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    for name, item in (("2", "later"), ("1", "sooner")):
        write_records([record(item)], tmp_path / f"{name}.parquet")
    assert read_records(tmp_path)["item"].to_list() == ["sooner", "later"]


def test_records_of_before_there_were_starts_are_read(tmp_path):
    write_records([record()], tmp_path / "old.parquet")
    pl.read_parquet(tmp_path / "old.parquet").drop("start").write_parquet(tmp_path / "old.parquet")
    write_records([record("b", start=4)], tmp_path / "young.parquet")
    assert read_records(tmp_path)["start"].to_list() == [0, 4]


def test_no_records_still_make_a_table(tmp_path):
    write_records([], tmp_path / "none.parquet")
    assert read_records(tmp_path / "none.parquet").height == 0


def test_what_is_no_record_file_is_refused(tmp_path):
    with pytest.raises(VideoError, match="no sample records here"):
        read_records(tmp_path)
    with pytest.raises(VideoError, match="no sample records here"):
        read_records(tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(VideoError, match="not a Parquet file"):
        read_records(tmp_path / "text.parquet")
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "text.parquet")
    with pytest.raises(VideoError, match="holds no sample records"):
        read_records(tmp_path)
