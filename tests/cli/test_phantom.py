"""``cineloop phantom``: clips and procedures, with changes to a preset."""

from __future__ import annotations

import json

import pytest

from program import call

SMALL = ("--patients", "1,1,1", "--workers", "1", "height=64", "rates=[4]")


def test_procedures_are_written_and_gone_on_with(tmp_path):
    words = ("phantom", "out", "--preset", "procedures", *SMALL, "seconds=[20, 21]")
    done = call(*words, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["config"]["rates"] == [4]
    assert told["baselines"] == {}
    assert len(list((tmp_path / "out" / "videos").rglob("*.mp4"))) == 3
    again = call(*words, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    other = call(*words, "every=2", cwd=tmp_path)
    assert other.returncode == 2
    assert "another description" in other.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--preset", "procedures", "--look", "laryngoscopy"), "one look"),
        (("--preset", "procedures", "height=65"), "height"),
        (("--preset", "procedures", "seconds=[50, 30]"), "shortest"),
        (("--preset", "procedure"), "procedures"),
        (("heigth=64",), "height"),
        (("height",), "key=value"),
    ],
)
def test_mistakes_are_told(tmp_path, words, said):
    done = call("phantom", "out", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()
