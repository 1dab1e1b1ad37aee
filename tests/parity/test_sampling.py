"""Frame sampling against the published implementations' own output."""

from __future__ import annotations

import json
import random
from fractions import Fraction

import numpy as np
import pytest

from cineloop.video.sampling import MODES, ClipConfig, FrameSampler, SamplingConfig
from cineloop.video.sampling_modes import Request, borders, clip, moved_within_chunks
from cineloop.video.source import Clock
from support import shared


@pytest.fixture(scope="module")
def cases():
    group = json.loads(shared("parity", "fixtures.json").read_text())["groups"]["sampling"]
    rows = np.load(shared("parity", "sampling.npz"))["indices"]
    return [(case, rows[case["row"], : case["F"]] if "row" in case else None) for case in group["cases"]]


def select(case):
    rng = np.random.default_rng(0)
    return MODES[case["method"]].select(Request(case["N"], case["F"], case["round"]), rng)


def deterministic(cases, *variants):
    return [(case, rows) for case, rows in cases if case.get("variant") in variants and case["deterministic"]]


def test_enough_frames_bit_for_bit(cases):
    compared = 0
    for case, expected in deterministic(cases, "4b_helper", "4b_mixin", "4b_generate_csv"):
        if case["N"] >= case["F"]:
            assert select(case).tolist() == expected.tolist(), case
            compared += 1
    assert compared >= 140


def test_short_videos_bit_for_bit(cases):
    compared = 0
    for case, expected in deterministic(cases, "4b_generate_csv", "4b_helper", "4b_mixin"):
        # The published tools disagree on short videos: uniform and the original of random_window follow generate_csv.
        ours = case["variant"] == "4b_generate_csv" or (case["method"] == "random_window" and case["round"] is not None)
        if case["N"] < case["F"] and ours:
            assert select(case).tolist() == expected.tolist(), case
            compared += 1
    assert compared >= 27


def test_borders_and_moves_of_short_videos_bit_for_bit(cases):
    compared = 0
    for case, expected in deterministic(cases, "4b_helper", "4b_mixin"):
        if case["N"] < case["F"] and case["method"] == "uniform":
            edges = borders(case["N"], case["F"])
            rng = np.random.default_rng(0)
            got = edges if case["round"] is None else moved_within_chunks(edges, case["round"], rng)
            assert got.tolist() == expected.tolist(), case
            compared += 1
    assert compared == 30


def test_the_third_variant_of_uniform_rounds_differs_only_where_a_chunk_is_too_short(cases):
    for case, expected in deterministic(cases, "4b_frame_sampler_uniform"):
        if case["N"] < case["F"] or case["F"] == 1:
            continue
        edges = borders(case["N"], case["F"])
        got = select(case)
        fits = np.append(edges[:-1] + (case["round"] or 0) < edges[1:], True)
        assert got[fits].tolist() == expected[fits].tolist(), case


def test_numbers_of_rounds(cases):
    counted = [case for case, _ in cases if "max_rounds_4b" in case]
    assert len(counted) == 12
    for case in counted:
        got = {name: MODES[name].max_rounds(case["N"], case["F"]) for name in case["max_rounds_4b"]}
        assert got == case["max_rounds_4b"], case


def test_draws_obey_the_same_bounds_as_the_published_ones(cases):
    for case, expected in cases:
        if case.get("variant") in ("4b_helper", "4b_generate_csv") and not case["deterministic"]:
            if case["method"] == "random_window" and case["N"] >= case["F"]:
                edges = (np.arange(case["F"] + 1) * (case["N"] / case["F"])).astype(int)
                for rows in (expected, select(case)):
                    assert (rows >= edges[:-1]).all()
                    assert (rows < np.maximum(edges[1:], edges[:-1] + 1)).all()
            elif case["method"] == "random" and case["N"] >= case["F"]:
                assert len(set(select(case).tolist())) == len(set(expected.tolist())) == case["F"]


def test_what_the_published_classifier_writes_down_bit_for_bit(cases):
    compared = 0
    for case, expected in cases:
        if case.get("variant") != "4a":
            continue
        config = SamplingConfig(mode=f"upstream_{case['method']}", frames=case["F"], seed=case["seed"])
        got = FrameSampler(config).indices(case["N"], "any", round=case["round"], position=case["video_index"])
        assert got.tolist() == expected.tolist(), case
        compared += 1
    assert compared == 240


def test_numbers_of_published_rounds(cases):
    for case, _ in cases:
        if "max_rounds_4a" in case:
            assert MODES["upstream_uniform"].max_rounds(case["N"], case["F"]) == case["max_rounds_4a"], case


class Start:
    """A generator that draws what the published code drew."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def uniform(self, low, high):
        return self.random.uniform(low, high)


def test_the_decoders_clip_bit_for_bit():
    group = json.loads(shared("parity", "fixtures.json").read_text())["groups"]["endofm_preprocess"]
    arrays = np.load(shared("parity", "endofm_preprocess.npz"))
    compared = 0
    for case in group["cases"]:
        given = case["input"]
        # Without a duration the published decoder takes another path, for files that nobody has.
        if "target_fps" not in case or given["duration"] is None:
            continue
        total, drawn = given["frames"], case["clip_idx"] < 0
        asked = Request(
            total,
            case["num_frames"],
            shift=0.0 if drawn else case["clip_idx"] / case["num_clips"],
            clock=Clock(np.arange(total) * given["ticks_per_frame"], Fraction(given["time_base"]), given["duration"]),
            clip=ClipConfig(
                stride=case["sampling_rate"], fps=case["target_fps"], start="random" if drawn else "spread"
            ),
        )
        rng = Start(int(case["rng"].split("seed(")[1].split(")")[0])) if drawn else None
        assert clip(asked, rng).tolist() == arrays[f"{case['id']}/frame_indices"].tolist(), case
        compared += 1
    assert compared >= 40
