import pytest

from cineloop import runs
from cineloop.errors import RunError


def test_a_run_is_never_overwritten(tmp_path):
    runs.create(tmp_path / "run", {"a": 1})
    with pytest.raises(RunError, match="never overwritten"):
        runs.create(tmp_path / "run", {"a": 2})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        runs.check_free(tmp_path / "other")
    assert (tmp_path / "other" / "file").read_text() == "mine"


def test_the_ledger_keeps_what_it_had(tmp_path):
    run = runs.create(tmp_path / "run", {"a": 1}, seed=3)
    run.update_ledger(state="finished")
    ledger = run.ledger()
    assert (ledger["seed"], ledger["state"]) == (3, "finished")
    assert ledger["versions"]["python"]


def test_no_run_is_told(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(RunError):
            runs.open_run(path)


def test_one_writer_at_a_time(tmp_path):
    run = runs.create(tmp_path / "run", {})
    with runs.exclusive(run), pytest.raises(RunError, match="Another process"), runs.exclusive(run):
        pass
    with runs.exclusive(run):
        pass


def test_a_torn_last_line_is_dropped_and_a_torn_middle_is_told(tmp_path):
    path = tmp_path / "m.jsonl"
    runs.append_line(path, {"a": 1})
    with path.open("a") as stream:
        stream.write('{"a": ')
    assert runs.read_lines(path) == [{"a": 1}]
    with path.open("a") as stream:
        stream.write('\n{"a": 2}\n')
    with pytest.raises(RunError, match="Line 2"):
        runs.read_lines(path)
