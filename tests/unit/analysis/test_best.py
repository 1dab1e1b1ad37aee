"""Frames worth showing are sharp, differ from each other, and come from all of a phase."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cineloop.analysis.assemble import _readable
from cineloop.analysis.best import MOST, choose
from cineloop.analysis.found import Looks
from courses import course


def looks(sharpness, seed=0, signatures=None):
    count = len(sharpness)
    if signatures is None:
        signatures = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3)).astype(np.uint8)
    return Looks(10 * np.arange(count), np.asarray(sharpness, np.float64), signatures)


def phases_of(count, name="withdrawal"):
    return {10 * row: name for row in range(count)}


@given(st.integers(1, 200), st.integers(0, 9), st.integers(1, 6))
def test_frames_are_of_the_sharper_half_of_their_phase_and_in_order(count, seed, most):
    sharpness = np.random.default_rng(seed).permutation(count)
    found = choose(looks(sharpness, seed), phases_of(count), ["withdrawal"], most=most)
    frames = [frame for frame, _, _ in found]
    assert frames == sorted(set(frames))
    assert len(found) == min(most, count)
    best = set((10 * np.argsort(-sharpness)[: max(most, round(count / 2))]).tolist())
    assert set(frames) <= best
    assert 10 * int(np.argmax(sharpness)) in frames
    assert all(rank == pytest.approx(sharpness[frame // 10] / max(count - 1, 1)) for frame, _, rank in found)


@given(st.integers(0, 50))
def test_frames_come_from_all_of_a_phase(seed):
    """However alike the frames of a stretch are: each quarter has sharp ones, and so each has one that is shown."""
    rng = np.random.default_rng(seed)
    sharpness = np.tile([1.0, 0.0, 0.0, 0.0], 25) + rng.random(100) / 10
    signatures = rng.integers(0, 20, (100, 8, 8, 3)).astype(np.uint8)
    signatures[:25] = rng.integers(0, 256, (25, 8, 8, 3))
    found = choose(looks(sharpness, signatures=signatures), phases_of(100), ["withdrawal"])
    assert sorted(frame // 10 // 25 for frame, _, _ in found) == list(range(MOST))


def test_where_only_one_half_is_sharp_the_other_is_not_shown():
    sharpness = np.where(np.arange(100) < 50, 1.0, 0.0)
    found = choose(looks(sharpness), phases_of(100), ["withdrawal"])
    assert len(found) == MOST
    assert all(frame < 500 for frame, _, _ in found)


def test_frames_that_look_the_same_are_shown_once():
    same = np.zeros((40, 8, 8, 3), np.uint8)
    assert len(choose(looks(np.arange(40.0), signatures=same), phases_of(40), ["withdrawal"])) == 1


def test_what_may_not_be_shown_is_not_and_phases_keep_their_order():
    where = {**phases_of(20, "caecum"), **{10 * row: "insertion" for row in range(10, 30)}}
    found = choose(looks(np.arange(60.0)), where, ["insertion", "caecum"], most=2)
    assert [phase for _, phase, _ in found] == ["insertion"] * 2 + ["caecum"] * 2
    assert max(frame for frame, _, _ in found) < 300


def test_no_frame_that_is_unreadable_by_itself_is_good_enough():
    whole = course("i4", rate=1)
    raw = replace(whole, nonsense=np.array([0, 1, -1, 0], np.int8))
    assert _readable(whole, raw).tolist() == [True, False, False, True]
    assert _readable(replace(whole, nonsense=None), replace(raw, nonsense=None)).all()
