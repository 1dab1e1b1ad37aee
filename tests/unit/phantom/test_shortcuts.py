"""Shortcuts on frames: they find what lies open, and nothing where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from cineloop import phantom
from cineloop.errors import CohortError
from cineloop.video.writer import VideoWriter

STATES = ("outside", "nonsense", "bbps0", "bbps1", "bbps2", "bbps3", "ileocecal bbps0", "ileocecal bbps3")


@pytest.fixture(scope="module")
def open_book(tmp_path_factory):
    """Videos whose frames outside are light, and that say nothing else."""
    root = tmp_path_factory.mktemp("open")
    rng = np.random.default_rng(0)
    rows = ["path,frame,label,body,patient,procedure,split"]
    for patient in range(12):
        name = f"P{patient:03}"
        order = rng.permutation(24)
        with VideoWriter(root / f"{name}.mp4", 4, (64, 48)) as writer:
            for place, kind in enumerate(order):
                state = STATES[kind % len(STATES)]
                level = 170 if state == "outside" else 80
                writer.write((level + rng.normal(0, 20, (48, 64, 3))).clip(0, 255).astype(np.uint8))
                rows.append(f"{name}.mp4,{place},{state},,{name},{name}_p1,{'train' if patient < 6 else 'test'}")
    (root / "frames.csv").write_text("\n".join(rows) + "\n")
    return root


def test_shortcuts_find_what_lies_open(open_book):
    found = {(one.question, one.name): one for one in phantom.run_frame_baselines(open_book)}
    names = {"majority", "colour histogram", "pixels and edges", "place in the video", "file and format"}
    assert {name for _, name in found} == names
    assert len(found) == 4 * 5
    for name in ("colour histogram", "pixels and edges"):
        assert found["outside", name].value > 0.99
    for name in ("majority", "place in the video", "file and format"):
        assert found["outside", name].value < 0.75
    assert found["nonsense", "colour histogram"].value < 0.75
    bbps = found["bbps", "majority"]
    assert (bbps.metric, bbps.value) == ("quadratic_kappa", 0.0)
    one = found["outside", "colour histogram"]
    assert one.low <= one.value <= one.high
    assert (one.train, one.test) == (144, 144)


def test_a_folder_without_frames_is_told(tmp_path, open_book):
    with pytest.raises(CohortError, match="no phantom procedures"):
        phantom.run_frame_baselines(tmp_path)
    lines = (open_book / "frames.csv").read_text().splitlines()
    kept = [line for line in lines if "outside" not in line or line.endswith("train")]
    (tmp_path / "frames.csv").write_text("\n".join(kept) + "\n")
    for path in open_book.glob("*.mp4"):
        (tmp_path / path.name).symlink_to(path)
    with pytest.raises(CohortError, match="outside"):
        phantom.run_frame_baselines(tmp_path)
