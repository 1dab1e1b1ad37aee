from __future__ import annotations

import pytest

from cineloop.progress import Progress, silent, stage


class Recorder:
    def __init__(self) -> None:
        self.calls: list[object] = []

    def start(self, total: int | None, label: str) -> None:
        self.calls.append(("start", total, label))

    def advance(self, n: int = 1, **fields: float | str) -> None:
        self.calls.append(("advance", n, fields))

    def close(self) -> None:
        self.calls.append("close")


def work(progress: Progress) -> None:
    with stage(progress, 3, "reading") as told:
        told.advance(2, file="a")
        raise ValueError


def test_a_stage_is_closed_also_when_its_work_fails():
    recorder = Recorder()
    with pytest.raises(ValueError):
        work(recorder)
    assert recorder.calls == [("start", 3, "reading"), ("advance", 2, {"file": "a"}), "close"]


def test_silence(capsys):
    with stage(silent, None, "reading") as progress:
        progress.advance(loss=1.0)
    assert capsys.readouterr() == ("", "")
