"""Fixtures that several folders share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

import offline.sitecustomize as offline
from tiny_cohort import write_cohort

# Every run draws the same examples, however slow the machine; HYPOTHESIS_PROFILE=explore draws others, and more.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    """Keep caches and secrets of the tests apart from the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINELOOP_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(autouse=True)
def _nothing_leaves_this_machine():
    yield
    reached, offline.attempts[:] = list(offline.attempts), []
    assert not reached


@pytest.fixture(scope="session")
def tiny_cohort(tmp_path_factory):
    """Return the folder of a small cohort of real videos, written once; tests do not change it."""
    return write_cohort(tmp_path_factory.mktemp("tiny"))
