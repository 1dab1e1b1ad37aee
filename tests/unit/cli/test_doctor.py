from __future__ import annotations

import json

import pytest

from cineloop import files
from cineloop.cli import doctor
from cineloop.cli.main import main


@pytest.fixture(scope="module")
def here():
    return doctor.examine()


def states(checks, name):
    return [check.state for check in checks if check.name == name]


def test_everything_needed_works_where_the_tests_run(here):
    assert [check for check in here if check.state == "problem"] == []
    assert {check.group for check in here} == {"system", "libraries", "torch", "video", "disk", "extras"}
    assert all(check.remark for check in here if check.state == "note")


def test_text_and_json_tell_the_same(here, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "examine", lambda: here)
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["healthy"] is True
    assert len(told["checks"]) == len(here)
    for check in told["checks"]:
        assert check["value"] in text
        assert check["remark"] in text or check["state"] == "ok"
    assert "Everything needed works." in text


def test_a_problem_is_told_with_its_remedy_and_exit_code_1(monkeypatch, capsys):
    broken = doctor.Check("video", "decoders", "problem", "h264 only", "Install av again.")
    monkeypatch.setattr(doctor, "examine", lambda: [broken])
    assert main(["doctor"]) == 1
    assert "Does not work:\n  decoders: h264 only. Install av again." in capsys.readouterr().out
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["healthy"] is False


def test_a_missing_library_is_a_problem(monkeypatch):
    monkeypatch.setattr(doctor, "_LIBRARIES", ("numpy", "no-such-distribution"))
    assert [check.state for check in doctor.check_libraries()] == ["ok", "problem"]


def test_a_library_that_does_not_import_is_a_problem(monkeypatch):
    monkeypatch.setattr(doctor, "_import", lambda name: "ImportError: libtorch.so")
    for part in (doctor.check_torch, doctor.check_video):
        (check,) = part()
        assert check.state == "problem"
        assert "libtorch.so" in check.value
    monkeypatch.undo()
    assert doctor._import("no_such_module").startswith("ModuleNotFoundError")


def test_a_missing_codec_is_a_problem_only_where_it_is_needed(monkeypatch):
    monkeypatch.setattr(doctor, "_DECODERS", ("h264", "no_such_codec"))
    assert states(doctor.check_video(), "decoders") == ["note"]
    monkeypatch.setattr(doctor, "_NEEDED", {"no_such_codec"})
    assert states(doctor.check_video(), "decoders") == ["problem"]


def test_little_space_and_folders_that_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setenv("CINELOOP_CACHE", str(tmp_path / "not" / "yet"))
    monkeypatch.setattr(files, "free_bytes", lambda path: 10 * doctor.GIB)
    assert states(doctor.check_disk(), "cache") == ["ok"]
    monkeypatch.setattr(files, "free_bytes", lambda path: 10**6)
    assert states(doctor.check_disk(), "cache") == ["note"]
    assert "note" in states(doctor.check_system(), "shared memory")
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    assert states(doctor.check_disk(), "cache") == ["problem"]
    assert states(doctor.check_disk(), "this folder") == ["note"]
    assert not (tmp_path / "not").exists()


def test_extras_are_read_from_the_package_itself(monkeypatch):
    found = {check.name: check for check in doctor.check_extras()}
    assert {"mlflow", "wandb", "plug-ins"} <= set(found)
    assert "dev" not in found
    monkeypatch.setattr(doctor, "_installed", lambda name: "1.2")
    assert {check.state for check in doctor.check_extras()} == {"ok"}
