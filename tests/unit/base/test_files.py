import os
import subprocess
import sys

import pytest

from cineloop import files, identity
from cineloop.seeds import stable_seed


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"old": 1})

    def half():
        with files.atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert path.read_text() == '{\n  "old": 1\n}\n'
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_json_refuses_what_json_has_not(tmp_path):
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "a.json", float("nan"))
    assert not list(tmp_path.iterdir())


def test_files_follow_the_umask(tmp_path):
    files.write_text(tmp_path / "a", "x")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~umask


def test_fingerprint_does_not_depend_on_order():
    assert files.fingerprint({"a": 1, "b": [1, 2]}) == files.fingerprint({"b": [1, 2], "a": 1})
    assert files.fingerprint([1, 2]) != files.fingerprint([2, 1])


def test_seeds_are_the_same_in_every_process():
    code = "from cineloop.seeds import stable_seed; print(stable_seed('a', 1, 'b'))"
    seeds = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": salt}, capture_output=True, text=True
        ).stdout.strip()
        for salt in ("1", "2")
    }
    assert seeds == {str(stable_seed("a", 1, "b"))}
    assert len({stable_seed("a", 1), stable_seed("a", "1"), stable_seed("a1"), stable_seed(1, "a")}) == 4


def test_the_salt_is_made_once_and_kept_private(tmp_path, monkeypatch):
    monkeypatch.setenv("CINELOOP_CACHE", str(tmp_path / "cache"))
    salt = identity.identity_salt()
    assert len(salt) == 64
    assert identity.identity_salt() == salt
    assert (tmp_path / "cache" / "identity.salt").stat().st_mode & 0o077 == 0
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["identity.salt"]
