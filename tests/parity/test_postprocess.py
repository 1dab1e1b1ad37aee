"""Decisions and post-processing of colonoscopy frames against the published implementation's own output."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cineloop.timeline.decision import Thresholds, decide, signals_of
from cineloop.timeline.legalise import legalise, postprocess
from cineloop.timeline.median import median_filter, median_filter_rows
from support import shared


def group(name):
    cases = json.loads(shared("parity", "fixtures.json").read_text())["groups"][name]["cases"]
    return cases, np.load(shared("parity", f"{name}.npz"))


def test_labels_bit_for_bit():
    cases, arrays = group("csra_decision")
    assert len(cases) == 5
    for case in cases:
        probabilities = arrays[f"{case['id']}/probabilities"]
        labels = decide(probabilities, Thresholds(*case["thresholds"]), ties="upstream")
        np.testing.assert_array_equal(labels, arrays[f"{case['id']}/labels"], err_msg=case["id"])


def test_ties_are_the_only_difference_of_the_default():
    cases, arrays = group("csra_decision")
    differing = set()
    for case in cases:
        probabilities = arrays[f"{case['id']}/probabilities"]
        labels = decide(probabilities, Thresholds(*case["thresholds"]))
        expected = arrays[f"{case['id']}/labels"]
        differing |= set(np.flatnonzero((labels != expected).any(axis=1)).tolist())
        np.testing.assert_array_equal(signals_of(labels), signals_of(expected))
        assert (labels[:, 3:].sum(axis=1) <= 1).all()
    # Four equal logits in row 40; in rows 44 to 47 sigmoids of 40 that are all 1.
    assert 40 in differing
    assert differing <= {40, 44, 45, 46, 47}


def test_the_median_filter_bit_for_bit():
    cases, arrays = group("csra_median")
    assert len(cases) == 8
    for case in cases:
        got = median_filter(arrays["sequence"], case["kernel"])
        np.testing.assert_array_equal(got, arrays[f"{case['id']}/filtered"], err_msg=case["id"])


def test_the_chain_bit_for_bit():
    cases, arrays = group("csra_postprocess")
    assert len(cases) == 7
    signals = signals_of(arrays["labels7"])
    np.testing.assert_array_equal(signals, arrays["signal"])
    for case in cases:
        filtered = median_filter_rows(signals, case["kernels"])
        np.testing.assert_array_equal(filtered, arrays[f"{case['id']}/filtered"], err_msg=case["id"])
        before = filtered.copy()
        np.testing.assert_array_equal(legalise(filtered, signals), arrays[f"{case['id']}/result"], err_msg=case["id"])
        np.testing.assert_array_equal(filtered, before)
        result = postprocess(arrays["labels7"], case["kernels"])
        np.testing.assert_array_equal(result, arrays[f"{case['id']}/result"], err_msg=case["id"])


def test_the_shape_that_stays_impossible_is_counted_as_published():
    cases, arrays = group("csra_postprocess")
    for case in cases:
        result = postprocess(arrays["labels7"], case["kernels"])
        impossible = (result[:, 0] == 0) & (result[:, 1] == -1) & (result[:, 3] >= 0)
        assert impossible.sum() == case["checks"]["illegal_rows_0_-1_x_b"], case["id"]


@pytest.mark.parametrize("kernel", [1, 2])
def test_a_kernel_of_one_frame_is_the_identity_where_the_published_filter_fails(kernel):
    _, arrays = group("csra_median")
    same = np.array_equal(median_filter(arrays["sequence"], kernel), arrays["sequence"])
    assert same == (kernel == 1)
