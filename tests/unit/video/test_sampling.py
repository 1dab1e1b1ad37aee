from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cineloop.errors import EmptyVideoError, RecipeError
from cineloop.schema import validate
from cineloop.video.sampling import MODES, FrameSampler, RoundsConfig, SamplingConfig
from cineloop.video.sampling_modes import borders, moved_within_chunks

totals = st.integers(1, 600)
wanted = st.integers(1, 40)
rounds = st.none() | st.integers(1, 40)
modes = st.sampled_from(sorted(name for name, mode in MODES.items() if not mode.timed and "upstream" not in name))
names = st.text(min_size=1, max_size=12)


def sampler(mode: str, frames: int = 8, **options) -> FrameSampler:
    return FrameSampler(SamplingConfig(mode=mode, frames=frames, **options))


@given(modes, totals, wanted, rounds, names)
def test_every_mode_gives_sorted_frames_of_the_video(mode, total, frames, round, name):
    chosen = sampler(mode, frames).indices(total, name, round=round)
    assert chosen.dtype == np.int64
    assert chosen.shape == (frames,)
    assert (np.diff(chosen) >= 0).all()
    assert chosen[0] >= 0
    assert chosen[-1] < total


@given(modes, totals, wanted, rounds, names)
def test_frames_do_not_repeat_where_there_are_enough(mode, total, frames, round, name):
    if total >= frames:
        assert len(set(sampler(mode, frames).indices(total, name, round=round))) == frames


@given(totals, wanted)
def test_uniform_reaches_from_the_first_frame_to_the_last_at_equal_distances(total, frames):
    chosen = sampler("uniform", frames).indices(total, "a")
    if frames == 1:
        assert chosen[0] == total // 2
    elif total >= frames:
        assert chosen[0] == 0
        # The published floating-point distance can fall one frame short.
        assert chosen[-1] in (total - 1, total - 2)
        assert np.ptp(np.diff(chosen)) <= 1
    else:
        assert np.ptp(np.unique(chosen, return_counts=True)[1]) <= 1
        assert set(chosen) == set(range(total))


@given(totals, wanted, st.integers(1, 40), st.integers(0, 2**32))
def test_a_uniform_round_moves_each_frame_within_its_chunk_and_differs_where_it_can(total, frames, round, seed):
    if total < frames or frames == 1:
        return
    edges = borders(total, frames)
    moved = moved_within_chunks(edges, round, np.random.default_rng(seed))
    assert moved[-1] == edges[-1]
    for left, right, frame in zip(edges, edges[1:], moved, strict=False):
        if left + round < right:
            assert frame == left + round
        elif right - left > 1:
            assert left < frame < right
        else:
            assert frame == left


@given(totals, wanted, rounds, names)
def test_random_window_takes_one_frame_of_each_window(total, frames, round, name):
    chosen = sampler("random_window", frames).indices(total, name, round=round)
    for i, frame in enumerate(chosen):
        assert int(i * total / frames) - 1 <= frame <= (i + 1) * total / frames


@given(totals, wanted, st.integers(1, 10), names)
def test_a_random_round_is_never_the_original(total, frames, round, name):
    chooser = sampler("random", frames)
    if total not in (1, frames):
        assert not np.array_equal(chooser.indices(total, name), chooser.indices(total, name, round=round))


def test_draws_cover_all_frames():
    for mode in ("random", "random_window"):
        seen = np.concatenate([sampler(mode, seed=seed).indices(50, "a") for seed in range(300)])
        assert set(seen) == set(range(50))
        counts = np.bincount(seen)
        assert counts.min() > 0.3 * counts.mean()


def test_a_draw_depends_on_video_round_and_seed():
    chooser = sampler("random", 16)
    one = chooser.indices(500, "a.mp4")
    assert np.array_equal(one, chooser.indices(500, "a.mp4"))
    for other in (
        chooser.indices(500, "b.mp4"),
        chooser.indices(500, "a.mp4", round=1),
        sampler("random", 16, seed=43).indices(500, "a.mp4"),
    ):
        assert not np.array_equal(one, other)


@pytest.mark.parametrize("mode", ["random", "random_window"])
@pytest.mark.parametrize("other", [{"epoch": 1}, {"occurrence": 1}])
def test_draws_are_new_in_each_epoch_and_occurrence_only_when_asked_for(mode, other):
    for redraw, same in (("never", True), ("epoch", False)):
        chooser = sampler(mode, 16, redraw=redraw)
        assert np.array_equal(chooser.indices(500, "a"), chooser.indices(500, "a", **other)) is same


def test_draws_are_the_same_in_a_process_with_another_hash_seed():
    program = (
        "from cineloop.video.sampling import *\n"
        "for mode in MODES:\n"
        "    s = FrameSampler(SamplingConfig(mode=mode, frames=5))\n"
        "    print(*s.indices(90, 'clip é.mp4', round=17), *s.indices(90, 'clip é.mp4'))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONUTF8": "1"}
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    here = []
    for mode in MODES:
        s = sampler(mode, 5)
        here.append([*s.indices(90, "clip é.mp4", round=17), *s.indices(90, "clip é.mp4")])
    assert [[int(word) for word in line.split()] for line in out.stdout.splitlines()] == here


def test_these_draws_never_change():
    # Runs made with an earlier version must resume and reproduce with this one.
    assert sampler("random", 6).indices(300, "videos/a.mp4").tolist() == [32, 58, 64, 164, 168, 213]
    assert sampler("random_window", 6).indices(300, "videos/a.mp4").tolist() == [5, 86, 127, 160, 228, 259]
    assert sampler("uniform", 6).indices(40, "videos/a.mp4", round=9).tolist() == [6, 12, 19, 28, 36, 39]


@pytest.mark.parametrize("mode", sorted(MODES))
def test_the_first_view_is_the_only_view(mode):
    chooser = sampler(mode)
    assert np.array_equal(chooser.indices(300, "a", view=0, views=4), chooser.indices(300, "a"))


@given(modes, totals, wanted, st.integers(2, 5))
def test_views_are_frames_of_the_video(mode, total, frames, views):
    for view in range(views):
        chosen = sampler(mode, frames).indices(total, "a", view=view, views=views)
        assert (np.diff(chosen) >= 0).all()
        assert chosen[0] >= 0
        assert chosen[-1] < total


def test_uniform_views_look_a_part_of_the_distance_later():
    chooser = sampler("uniform", 5)
    views = [chooser.indices(401, "a", view=view, views=4) for view in range(4)]
    assert views[0].tolist() == [0, 100, 200, 300, 400]
    assert views[1].tolist() == [25, 125, 225, 325, 400]
    assert views[3].tolist() == [75, 175, 275, 375, 400]
    single = [sampler("uniform", 1).indices(100, "a", view=view, views=4)[0] for view in range(4)]
    assert single == [50, 75, 0, 25]


def test_views_of_a_draw_are_other_draws():
    chooser = sampler("random", 16)
    first, second = (chooser.indices(500, "a", view=view, views=2) for view in range(2))
    assert not np.array_equal(first, second)


def test_rounds_are_stepped_and_capped():
    assert sampler("uniform").rounds(300) == ()
    assert sampler("uniform", rounds=RoundsConfig()).rounds(57) == (1, 2, 3, 4, 5, 6, 7)
    assert sampler("uniform", rounds=RoundsConfig(step=16)).rounds(300) == (1, 17, 33)
    assert sampler("uniform", rounds=RoundsConfig(step=3, cap=5)).rounds(300) == (1, 4)
    assert sampler("random", rounds=RoundsConfig(step=4)).rounds(10**6) == (1, 5, 9)


@given(modes, totals, wanted, st.integers(1, 20), st.none() | st.integers(1, 20))
def test_there_is_always_a_first_round(mode, total, frames, step, cap):
    got = sampler(mode, frames, rounds=RoundsConfig(step=step, cap=cap)).rounds(total)
    assert got[0] == 1
    assert set(np.diff(got)) <= {step}


def test_a_video_without_frames_is_an_error_that_names_it():
    with pytest.raises(EmptyVideoError) as caught:
        sampler("uniform").indices(0, "videos/a.mp4")
    assert caught.value.where == "videos/a.mp4"


@pytest.mark.parametrize("wrong", [{"round": 0}, {"round": 1, "view": 1, "views": 2}, {"view": 2, "views": 2}])
def test_impossible_rounds_and_views_are_refused(wrong):
    with pytest.raises(ValueError):
        sampler("uniform").indices(10, "a", **wrong)


def test_an_unknown_mode_names_the_nearest():
    with pytest.raises(RecipeError, match="Did you mean 'random_window'"):
        validate(SamplingConfig, {"mode": "random-window"}, where="recipe")
