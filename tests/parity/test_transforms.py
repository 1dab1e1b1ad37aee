"""Resizing, cropping and normalising against the published implementation's own tensors."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cineloop.video.spatial import SpatialConfig
from cineloop.video.transforms import EvalTransform
from support import shared

TOLERANCE = 2e-5


def clip(spec: dict, frames: np.ndarray) -> np.ndarray:
    t, y, x, c = np.ogrid[: spec["frames"], : spec["height"], : spec["width"], :3]
    return ((3 * x + 5 * y + 7 * t + 11 * c) % 256).astype(np.uint8)[frames]


def transform(case: dict) -> tuple[EvalTransform, bool]:
    size = case["crop_size"]
    if case["mode"] == "upstream":
        return EvalTransform(SpatialConfig(size=size, fit="left_or_top", antialias=False)), False
    if case["mode"] == "centre256":
        return EvalTransform(SpatialConfig(size=size, short_side=256, antialias=False)), False
    return EvalTransform(SpatialConfig(size=size, crops=3, antialias=False)), True


def test_published_tensors():
    group = json.loads(shared("parity", "fixtures.json").read_text())["groups"]["endofm_preprocess"]
    arrays = np.load(shared("parity", "endofm_preprocess.npz"))
    cases = [case for case in group["cases"] if "mode" in case]
    assert len(cases) == 14
    for case in cases:
        name = case["id"]
        pixels = clip(case["input"]["clip"], arrays[f"{name}/frame_indices"])
        apply, all_views = transform(case)
        got = apply.views(pixels)[case["spatial_crop_index"]] if all_views else apply(pixels)
        seen = {
            "full": got.numpy(),
            "stride16": got[:, :, ::16, ::16].numpy(),
            "row0": got[:, :, 0].numpy(),
            "collast": got[:, :, :, -1].numpy(),
        }
        for output in case["outputs"]:
            expected = arrays[f"{name}/{output}"]
            if output in seen:
                assert seen[output].shape == expected.shape, (name, output)
                np.testing.assert_allclose(seen[output], expected, rtol=0, atol=TOLERANCE, err_msg=f"{name} {output}")
            elif output == "sum":
                assert float(got.double().sum()) == pytest.approx(float(expected), abs=TOLERANCE * got.numel())
