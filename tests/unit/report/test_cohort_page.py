"""The audit's page shows pairs side by side and says loudly what is wrong."""

from __future__ import annotations

import re

import pytest
from PIL import Image

from cineloop.cohort import Cohort
from cineloop.cohort.audit import audit
from cineloop.report.cohort_page import page
from moving_clips import clip, surface, write


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    first = clip(surface(0), 0, frames=20)
    write(root / "train/normal/P1 <b>.mp4", first)
    write(root / "test/normal/P2.mp4", first[:, :, ::-1], crf=30)
    write(root / "train/polyp/P3.mp4", clip(surface(1), 1, frames=20, size=(96, 160)))
    (root / "test/polyp").mkdir(parents=True)
    (root / "test/polyp/P4.mp4").write_text("no video")
    return Cohort.read(format="folder", root=root, on_error="skip", patient={"regex": r"(P\d)"})


@pytest.fixture(scope="module")
def found(cohort):
    return audit(cohort)


def test_pairs_are_shown_side_by_side(cohort, found):
    html = page(cohort, found).render()
    assert "This cohort leaks" in html
    assert re.search(
        "train/normal/P1 &lt;b&gt;.mp4 ~ test/normal/P2.mp4|test/normal/P2.mp4 ~ train/normal/P1 &lt;b", html
    )
    assert "mirrored, pictures agree to" in html
    # Two pictures of the pair, and one of each usable video of a class.
    assert len(re.findall(r"data:image/jpeg;base64,", html)) == 2 + 3
    assert "<script" not in html
    assert cohort.fingerprint in html


def test_an_accepted_leak_is_stamped_on_the_page(cohort, found):
    html = page(cohort, found, allow_leakage="one patient only; plumbing test").render()
    assert html.count("one patient only; plumbing test") >= 2
    assert "This cohort leaks" not in html


def test_findings_are_listed(cohort, found):
    html = page(cohort, found).render()
    assert "unreadable" in html
    assert "test/polyp/P4.mp4: " in html
    assert "few-patients" in html


def test_a_page_of_pictures_speaks_of_pictures(tmp_path):
    for number in range(2):
        for label in ("in", "out"):
            path = tmp_path / label / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            seed = 9 if label == "out" else number
            Image.fromarray(clip(surface(seed), seed, frames=1)[0]).save(path)
    cohort = Cohort.read(format="folder", root=tmp_path)
    html = page(cohort, audit(cohort)).render()
    assert "Pictures of each class." in html
    assert "4 (pictures)" in html
    assert "Both files." in html
    for word in ("duration", "fps", "Middle frames", "0.0 s"):
        assert word not in html


def test_a_split_without_a_class_is_said_at_the_top(cohort, found):
    (absent,) = found.of("class-absent")
    assert absent.message == "The split 'test' has no item of 'polyp'."
    head, _, _ = page(cohort, found).render().partition('id="s1"')
    assert "The split &#39;test&#39; has no item of" in head
