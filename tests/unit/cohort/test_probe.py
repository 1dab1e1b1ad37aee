"""Looking at files: once, in parallel, and never at what would wait for ever."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cineloop.cohort.cache import Cache
from cineloop.cohort.probe import Probe, probe
from cineloop.files import sha256_file
from cineloop.video import VideoWriter


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CINELOOP_CACHE", str(tmp_path / "cache"))


class Looker:
    """Counts how often it is asked to look."""

    def __init__(self, **found):
        self.seen = []
        self.found = found
        self.lock = threading.Lock()

    def __call__(self, path):
        with self.lock:
            self.seen.append(path.name)
        return Probe(frames=7, **self.found)


def test_a_file_is_looked_at_once_until_it_changes(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"one")
    look = Looker()
    first = probe([path], look=look)
    assert first == probe([path], look=look) == [Probe(sha256=sha256_file(path), size=3, frames=7)]
    assert look.seen == ["a.mp4"]
    os.utime(path, ns=(1, 1))
    probe([path], look=look)
    path.write_bytes(b"three")
    assert probe([path], look=look)[0].size == 5
    assert len(look.seen) == 3


def test_a_failure_is_not_remembered(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"one")
    look = Looker(error="not today")
    assert probe([tmp_path / "a.mp4"], look=look)[0].error == "not today"
    probe([tmp_path / "a.mp4"], look=look)
    assert len(look.seen) == 2


def test_order_is_kept(tmp_path):
    paths = []
    for number in range(40):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(bytes(number))
        paths.append(path)
    assert [found.size for found in probe(paths, look=Looker(), workers=7)] == list(range(40))


def test_pipes_folders_and_missing_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    folder = tmp_path / "frames"
    folder.mkdir()
    (folder / "0.png").write_bytes(b"a")
    found = probe([tmp_path / "pipe.mp4", tmp_path / "gone.mp4", folder], look=Looker())
    assert "neither a file nor a folder" in found[0].error
    assert "cannot be opened" in found[1].error
    assert found[2].frames == 7
    (folder / "0.png").write_bytes(b"b")
    assert probe([folder], look=Looker())[0].sha256 != found[2].sha256


def test_real_videos(tmp_path, textured):
    path = tmp_path / "a.mp4"
    with VideoWriter(path, 12.5, (64, 48)) as writer:
        for frame in textured[:10]:
            writer.write(frame)
    short = tmp_path / "short.mp4"
    short.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    whole, cut, none = probe([path, short, text])
    assert (whole.frames, whole.fps, whole.width, whole.height, whole.codec) == (10, 12.5, 64, 48, "h264")
    assert whole.duration == pytest.approx(0.8)
    assert whole.error is None
    assert cut.truncated
    assert cut.error
    assert none.error
    assert not none.truncated


def test_a_damaged_or_unwritable_cache_costs_nothing_but_time(tmp_path, monkeypatch):
    cache = Cache("test")
    cache.put("ab" + "c" * 62, b"payload")
    assert cache.get("ab" + "c" * 62) == b"payload"
    (entry,) = (tmp_path / "cache/test/ab").iterdir()
    entry.write_bytes(entry.read_bytes()[:-1])
    assert cache.get("ab" + "c" * 62) is None
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CINELOOP_CACHE", str(tmp_path / "file"))
    blocked = Cache("test")
    blocked.put("ab" + "c" * 62, b"payload")
    assert blocked.get("ab" + "c" * 62) is None


def test_many_writers_of_one_entry(tmp_path):
    cache = Cache("test")
    key = "0" * 64
    payloads = [bytes([number]) * 50_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for round_number in range(10):
            list(pool.map(lambda payload: cache.put(key, payload), payloads))
            assert cache.get(key) in payloads, round_number
    assert [path.name for path in (tmp_path / "cache/test/00").iterdir()] == ["0" * 62]


def test_the_small_files_of_a_folder_share_an_entry(tmp_path):
    paths = [tmp_path / "data" / f"{number}.jpg" for number in range(70)]
    paths[0].parent.mkdir()
    for path in paths:
        path.write_bytes(path.name.encode())
    first = probe(paths[:60], look=Looker())
    assert len([entry for entry in (tmp_path / "cache").rglob("*") if entry.is_file()]) == 1
    paths[3].write_bytes(b"another")
    look = Looker()
    again = probe(paths, look=look)
    assert sorted(look.seen) == sorted([paths[3].name, *(path.name for path in paths[60:])])
    assert [one == other for one, other in zip(first, again, strict=False)] == [n != 3 for n in range(60)]
    look = Looker()
    assert probe(paths[::-1], look=look) == again[::-1]
    assert look.seen == []


def test_a_large_file_has_an_entry_of_its_own(tmp_path):
    path = tmp_path / "data" / "a.mp4"
    path.parent.mkdir()
    path.write_bytes(bytes(2 << 20))
    (tmp_path / "data" / "b.mp4").write_bytes(b"small")
    probe([path, tmp_path / "data" / "b.mp4"], look=Looker())
    assert len([entry for entry in (tmp_path / "cache").rglob("*") if entry.is_file()]) == 2
    look = Looker()
    assert probe([path], look=look)[0].frames == 7
    assert look.seen == []


def test_what_was_found_before_an_interruption_is_kept(tmp_path):
    paths = [tmp_path / f"{number}.jpg" for number in range(10)]
    for path in paths:
        path.write_bytes(b"x")

    def interrupted(path):
        if path.name == "7.jpg":
            raise KeyboardInterrupt
        return Probe(frames=7)

    with pytest.raises(KeyboardInterrupt):
        probe(paths, look=interrupted, workers=1)
    look = Looker()
    probe(paths, look=look, workers=1)
    assert look.seen[0] == "7.jpg"
