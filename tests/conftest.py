"""Fixtures that several folders share."""

from __future__ import annotations

import pytest

from tiny_cohort import write_cohort


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    """Keep caches and secrets of the tests apart from the user's."""
    monkeypatch.setenv("CINELOOP_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def tiny_cohort(tmp_path_factory):
    """Return the folder of a small cohort of real videos, written once; tests do not change it."""
    return write_cohort(tmp_path_factory.mktemp("tiny"))
