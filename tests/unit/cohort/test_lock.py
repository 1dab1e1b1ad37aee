"""The split lock shows every change, of itself and of the data."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cineloop.cohort.lock import check, differences, read_lock, write_lock
from cineloop.errors import CohortError

ROWS = [(split, f"P{n}", f"c{n}", n % 2) for n, split in enumerate(["train"] * 6 + ["val"] * 2 + ["test"] * 2)]
OPTIONS = {"format": "endofm", "patient": {"regex": r"(P\d)/"}}


@pytest.fixture
def locked(endofm, read, tmp_path):
    cohort = read(root=endofm(ROWS), **OPTIONS)
    path = tmp_path / "split.lock.json"
    write_lock(cohort, path)
    return cohort, path


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_shows(locked, data):
    _, path = locked
    original = path.read_bytes()
    at = data.draw(st.integers(0, len(original) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte != original[at]))
    path.write_bytes(original[:at] + bytes([value]) + original[at + 1 :])
    try:
        with pytest.raises(CohortError, match="changed after it was written"):
            read_lock(path)
    finally:
        path.write_bytes(original)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "not json", "[" * 100_000, '{"items": {"a": 1}}'])
def test_what_is_no_lock(tmp_path, content):
    (tmp_path / "x").write_text(content)
    with pytest.raises(CohortError, match="not a split lock"):
        read_lock(tmp_path / "x")
    with pytest.raises(CohortError, match="cannot be read"):
        read_lock(tmp_path / "y")


def test_line_ends_of_another_system_do_no_harm(locked):
    cohort, path = locked
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    check(cohort, read_lock(path))


def test_the_lock_gives_the_division_back(locked, endofm, read):
    cohort, path = locked
    root = endofm([("train", *row[1:]) for row in ROWS], root="undivided")
    again = read(root=root, lock=str(path), **OPTIONS)
    assert again.fingerprint == cohort.fingerprint
    check(again, read_lock(path))


@pytest.mark.parametrize(
    ("rows", "bytes_of", "options", "message"),
    [
        (ROWS[1:], {}, {}, "1 locked items are missing: P0/c0.mp4"),
        ([*ROWS, ("test", "P0", "new", 1)], {}, {}, "1 items are not in the lock: P0/new.mp4"),
        (ROWS, {"c3": b"re-encoded"}, {}, "1 files have other bytes: P3/c3.mp4"),
        ([("train", "P0", "c0", 1), *ROWS[1:]], {}, {}, "1 items have another label: P0/c0.mp4"),
        (ROWS, {}, {"patient": {"regex": r"(P)\d/"}}, "10 files have another patient"),
        (ROWS, {}, {"classes": ["normal", "polyp"]}, "the classes are normal, polyp, locked were 0, 1"),
    ],
)
def test_changed_data_shows(locked, endofm, read, rows, bytes_of, options, message):
    _, path = locked
    root = endofm(rows, root="changed", **bytes_of)
    with pytest.raises(CohortError, match="not what was locked") as error:
        read(root=root, lock=str(path), **{**OPTIONS, **options})
    assert message in str(error.value)
    assert differences(read(root=root, **{**OPTIONS, **options}), read_lock(path))


def test_a_moved_item_shows(locked, endofm, read):
    _, path = locked
    moved = read(root=endofm([("val", *ROWS[0][1:]), *ROWS[1:]], root="moved"), **OPTIONS)
    with pytest.raises(CohortError, match=r"1 items stand in another split than locked, among them 'P0/c0.mp4'"):
        check(moved, read_lock(path))


def test_a_lock_is_not_overwritten_by_another(locked, endofm, read, tmp_path):
    cohort, path = locked
    write_lock(cohort, path)
    other = read(root=endofm(ROWS[1:], root="other"), **OPTIONS)
    with pytest.raises(CohortError, match="Another split lock"):
        write_lock(other, path)
    undivided = read(root=endofm(ROWS, root="u"), **OPTIONS)
    undivided = undivided.with_splits(undivided.splits.with_columns(split=None).cast({"split": str}))
    with pytest.raises(CohortError, match="not divided"):
        write_lock(undivided, tmp_path / "other.json")
