"""Real recordings: every frame is reachable, equal to sequential decoding, and its content area is sound."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cineloop.video import Video, detect_content, find_content
from support import shared

FILES = [
    ("laryngoscopy/clips/patient1_seq1.mp4", 32, 5),
    ("laryngoscopy/clips/patient1_seq4.mp4", 66, 5),
    ("decoder/nasa_13013.mp4", 325, 25),
    ("out_of_body/sksurgery_left_laparoscope_bench.ogv", 10, 10),
    ("echo/examples_ybr_color.dcm", 30, 30),
]


@pytest.mark.parametrize(("name", "frames", "fps"), FILES)
def test_random_access_equals_streaming(name, frames, fps):
    video = Video(shared("data", *name.split("/")), threads=1)
    assert len(video) == frames
    assert float(video.info.fps) == pytest.approx(fps, rel=1e-4)
    streamed = {frame.ref.index: frame.pixels for frame in video.stream(size=(96, 64))}
    assert sorted(streamed) == list(range(frames))
    wanted = np.random.default_rng(0).permutation(frames)[:10]
    chosen = Video(video.path, threads=1).frames(wanted, size=(96, 64))
    for pixels, ref in zip(chosen.pixels, chosen.refs, strict=True):
        np.testing.assert_array_equal(pixels, streamed[ref.index])


def test_clips_show_the_images_they_were_made_of():
    video = Video(shared("data", "laryngoscopy", "clips", "patient1_seq1.mp4"))
    original = np.asarray(
        Image.open(shared("data", "laryngoscopy", "images", "patient1", "seq1", "0001.png")).convert("RGB")
    )
    assert np.abs(video.frames([0]).pixels[0].astype(int) - original).mean() < 8


@pytest.mark.parametrize("name", [name for name, _, _ in FILES])
def test_pictures_without_a_border_stay_whole(name):
    assert detect_content(Video(shared("data", *name.split("/")), threads=1)).shape == "full"


def test_colonoscopes_show_octagons_and_circles():
    shapes = []
    for path in sorted(shared("data", "polyps", "images").iterdir())[:20]:
        video = Video(path)
        area = detect_content(video)
        shapes.append(area.shape)
        pixels = video.frames([0]).pixels[0]
        outside = pixels[~area.mask()].max(axis=1)
        assert (outside > 60).mean() < 0.06, path.name
        assert area.mask().mean() > 0.6
    assert set(shapes) <= {"octagon", "circle"}


def test_a_polyp_mask_lies_within_the_content():
    for path in sorted(shared("data", "polyps", "masks").iterdir())[:10]:
        polyp = np.asarray(Image.open(path).convert("L")) > 128
        area = detect_content(Video(shared("data", "polyps", "images", path.name)))
        assert (polyp & area.mask()).sum() > 0.98 * polyp.sum()


def test_a_still_is_enough():
    pixels = Video(shared("data", "polyps", "images", "cju13fwthn9mq0835gacxgy01.jpg")).frames([0]).pixels
    assert find_content(pixels).shape == "octagon"
