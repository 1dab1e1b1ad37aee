from __future__ import annotations

import io
import json
import re

import pytest

from cineloop.cli import common
from cineloop.cli.bars import LineProgress, TerminalProgress, format_fields, format_rate, format_seconds
from cineloop.cli.failures import print_error
from cineloop.errors import VideoError


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lines(interval: float = 10.0) -> tuple[LineProgress, Clock, io.StringIO]:
    stream, clock = io.StringIO(), Clock()
    return LineProgress(stream, interval=interval, clock=clock), clock, stream


def test_lines_are_few_and_tell_count_rate_and_time_left():
    progress, clock, stream = lines()
    progress.start(100, "training")
    for _ in range(50):
        clock.now += 0.5
        progress.advance(loss=0.123456)
    progress.close()
    assert stream.getvalue().splitlines() == [
        "training: 100 to do",
        "training: 20/100, 2/s, 40 s left  loss=0.1235",
        "training: 40/100, 2/s, 30 s left  loss=0.1235",
        "training: 50/100, in 25 s, 2/s  loss=0.1235",
    ]


def test_a_stage_of_unknown_length_and_a_stage_that_follows():
    progress, clock, stream = lines()
    progress.start(None, "reading")
    clock.now += 20
    progress.advance(5, file="a.mp4")
    progress.start(1, "writing")
    progress.close()
    progress.close()
    assert stream.getvalue().splitlines() == [
        "reading",
        "reading: 5, 4 s each  file=a.mp4",
        "reading: 5, in 20 s, 4 s each  file=a.mp4",
        "writing: 1 to do",
        "writing: 0/1, in 0 s",
    ]


def test_numbers_are_short():
    assert format_fields({"loss": 0.000123456, "epoch": 3, "file": "a b"}) == "loss=0.0001235 epoch=3 file=a b"
    assert [format_seconds(value) for value in (0.2, 59.4, 59.6, 3599, 7384)] == [
        "0 s",
        "59 s",
        "1:00",
        "59:59",
        "2:03:04",
    ]
    assert [format_rate(value) for value in (1234.0, 1.0, 0.25)] == ["1.23e+03/s", "1/s", "4 s each"]


def test_the_bar_shows_label_count_and_fields(capsys):
    progress = TerminalProgress()
    progress.advance()
    progress.start(4, "[training]")
    progress.advance(3, loss=0.5)
    progress.close()
    progress.close()
    err = capsys.readouterr().err
    for words in ("[training]", "3/4", "loss=0.5"):
        assert words in err


def test_progress_suits_the_place(monkeypatch):
    assert isinstance(common.progress(), LineProgress)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert isinstance(common.progress(), TerminalProgress)


def test_wide_letters_take_two_columns(capsys):
    common.print_table(["指标", "n"], [["退镜时间", 1], ["ab", 2]])
    assert capsys.readouterr().out == "指标      n\n退镜时间  1\nab        2\n"


def test_a_table_is_aligned_and_never_cut(capsys):
    common.print_table(["name", "n"], [["a" * 200, 1], ["b", None]])
    assert capsys.readouterr().out.splitlines() == ["name" + " " * 198 + "n", "a" * 200 + "  1", "b" + " " * 201 + "-"]


def test_a_table_on_a_terminal_fits_it(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    common.print_table(["name", "[n]"], [["word " * 20, None]])
    out = without_colours(capsys.readouterr().out)
    assert max(map(len, out.splitlines())) <= 40
    assert "[n]" in out


def test_json_is_what_a_program_reads(capsys):
    common.print_json({"é": [1, None]})
    assert json.loads(capsys.readouterr().out) == {"é": [1, None]}
    with pytest.raises(ValueError):
        common.print_json(float("nan"))


def test_remarks_do_not_mix_with_results(capsys):
    common.say("result")
    common.note("remark")
    assert capsys.readouterr() == ("result\n", "remark\n")


def test_an_error_on_a_terminal_has_the_same_words(monkeypatch, capsys):
    error = VideoError("It ends [early]", where="a" * 200, mend="Copy it again.")
    print_error(error)
    plain = capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    print_error(error)
    coloured = capsys.readouterr().err
    assert coloured != plain
    assert without_colours(coloured) == plain
