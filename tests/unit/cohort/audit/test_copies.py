"""Copies are found and look-alikes are not, on clips whose origin is known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cineloop.cohort.audit.copies import Recording, compare
from cineloop.cohort.probe import probe
from cineloop.files import sha256_file
from moving_clips import COPIES, FPS, clip, scaled, surface, write


def recordings(paths):
    return [
        Recording(path.stem, path, found.sha256, found.frames, found.duration)
        for path, found in zip(paths, probe(paths), strict=True)
    ]


def pairs(found):
    return {frozenset((copy.one, copy.other)) for copy in found.copies}


@pytest.fixture(scope="module")
def originals():
    return [clip(surface(seed), seed) for seed in range(3)]


@pytest.fixture(scope="module")
def files(originals, tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    return [write(folder / f"original{number}.mp4", pictures) for number, pictures in enumerate(originals)]


@pytest.mark.parametrize("change", COPIES)
def test_a_copy_is_found_and_nothing_else(tmp_path, originals, files, change):
    which = list(COPIES).index(change) % 3
    changed, options = COPIES[change](originals[which])
    copied = write(tmp_path / "copy.mp4", changed, **options)
    (copy,) = compare(recordings([*files, copied])).copies
    assert {copy.one, copy.other} == {f"original{which}", "copy"}
    assert copy.mirrored == (change in ("mirrored", "all at once"))
    if change in ("trimmed", "all at once"):
        begin = {"trimmed": 11, "all at once": 9}[change] / FPS
        assert copy.match.offset == pytest.approx(begin, abs=0.6 / FPS)


def test_neighbouring_clips_of_one_procedure_are_no_copies(tmp_path):
    paths = []
    for seed, speed in ((5, 1.0), (6, 0.3)):
        whole = clip(surface(seed), seed, frames=60, speed=speed)
        for part in range(2):
            paths.append(write(tmp_path / f"p{seed}_{part}.mp4", whole[30 * part : 30 * part + 30]))
    found = compare(recordings(paths))
    # They do look alike: their features match, and only the pictures tell them apart.
    assert found.judged > 0
    assert not found.copies


def test_the_same_place_seen_again_and_still_cameras_are_no_copies(tmp_path):
    wall = surface(8)
    paths = [write(tmp_path / f"visit{seed}.mp4", clip(wall, seed)) for seed in (80, 81)]
    # A camera on a stand: one background, different things going on before it.
    scene = clip(surface(9), 9, frames=1)[0]
    for number in range(2):
        rng = np.random.default_rng(number)
        pictures = np.repeat(scene[None], 36, axis=0)
        for frame, picture in enumerate(pictures):
            x, y = 20 + 3 * frame * (1 - number) + 60 * number, 30 + 2 * frame * number
            picture[y : y + 24, x : x + 24] = rng.integers(0, 255, (24, 24, 3)) // 4 + 150
        paths.append(write(tmp_path / f"stand{number}.mp4", pictures))
    assert not compare(recordings(paths)).copies


def test_black_and_flat_videos_match_nothing(tmp_path):
    rng = np.random.default_rng(0)
    paths = []
    for number, level in enumerate((0, 0, 90, 91)):
        pictures = np.clip(level + rng.normal(0, 2, (20, 128, 160, 3)), 0, 255).astype(np.uint8)
        paths.append(write(tmp_path / f"flat{number}.mp4", pictures))
    found = compare(recordings(paths))
    assert not found.copies
    assert set(found.bare) == {f"flat{number}" for number in range(4)}


def test_still_pictures_match_their_copies_only(tmp_path):
    paths = []
    for seed in range(3):
        still = np.repeat(clip(surface(seed), seed, frames=1), 15, axis=0)
        paths.append(write(tmp_path / f"still{seed}.mp4", still))
        if seed == 0:
            paths.append(write(tmp_path / "copy.mp4", scaled(still[:9], 128, 96)))
    assert pairs(compare(recordings(paths))) == {frozenset(("still0", "copy"))}


def test_overlapping_cuts_of_one_recording_are_copies(tmp_path):
    whole = clip(surface(11), 11, frames=70)
    paths = [write(tmp_path / "first.mp4", whole[:45]), write(tmp_path / "second.mp4", whole[25:], crf=28)]
    (copy,) = compare(recordings(paths)).copies
    assert copy.match.overlap == pytest.approx(20 / FPS, abs=0.1)
    one, other = copy.moments
    assert one - other == pytest.approx((25 if copy.one == "first" else -25) / FPS, abs=0.1)


def test_what_is_known_is_not_computed_again(tmp_path, originals, monkeypatch):
    paths = [write(tmp_path / "a.mp4", originals[0]), write(tmp_path / "b.mp4", originals[0], crf=30)]
    first = compare(recordings(paths))
    for name in ("fingerprint", "verify"):
        monkeypatch.setattr(f"cineloop.cohort.audit.copies.{name}", None)
    # Other places and names, the same bytes.
    moved = [path.rename(tmp_path / f"moved_{path.name}") for path in paths]
    again = compare(recordings(moved))
    assert [copy.match for copy in again.copies] == [copy.match for copy in first.copies]
    assert pairs(again) == {frozenset(("moved_a", "moved_b"))}


def test_equal_bytes_are_not_compared_but_their_copies_count_for_each(tmp_path, originals):
    paths = [write(tmp_path / "a.mp4", originals[0]), write(tmp_path / "c.mp4", originals[0], crf=30)]
    for name, twin in (("b", paths[0]), ("d", paths[1])):
        paths.append(tmp_path / f"{name}.mp4")
        paths[-1].write_bytes(twin.read_bytes())
    found = compare(recordings(paths))
    assert pairs(found) == {frozenset((one, other)) for one in "ab" for other in "cd"}
    assert found.judged == 1


def test_only_wanted_pairs_are_judged(tmp_path, originals):
    paths = [write(tmp_path / "a.mp4", originals[0]), write(tmp_path / "b.mp4", originals[0], crf=30)]
    found = compare(recordings(paths), wanted=lambda one, other: False)
    assert found.candidates == 0
    assert not found.copies


def test_frames_that_cannot_be_decoded_are_told(tmp_path, originals):
    path = write(tmp_path / "a.mp4", originals[0], keyint=100)
    (whole,) = recordings([path])
    data = bytearray(path.read_bytes())
    data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
    path.write_bytes(bytes(data))
    found = compare([Recording("a", path, "0" * 64, whole.frames, whole.duration)])
    assert [media for media, _ in found.broken] == ["a"]


def stills(folder, pictures, series, quality=90):
    """Write pictures as JPEG files; return them as recordings of one series."""
    folder.mkdir()
    found = []
    for number, picture in enumerate(pictures):
        path = folder / f"{folder.name}_{number}.jpg"
        Image.fromarray(picture).save(path, quality=quality)
        found.append(Recording(path.stem, path, sha256_file(path), 1, 0.04, series))
    return found


def test_a_copied_still_is_found_and_pictures_of_one_procedure_are_not_compared(tmp_path):
    scenes = [clip(surface(seed), seed, frames=6) for seed in range(20, 24)]
    known = [one for n, scene in enumerate(scenes) for one in stills(tmp_path / f"e{n}", scene, f"e{n}")]
    copied = scaled(scenes[1][3:4], 120, 96)
    known += stills(tmp_path / "copy", [copied[0]], "e3", quality=50)
    twin = tmp_path / "twin.jpg"
    twin.write_bytes(known[12].path.read_bytes())
    known.append(Recording("twin", twin, known[12].sha256, 1, 0.04, "e0"))
    found = compare(known)
    assert frozenset(("e1_3", "copy_0")) in pairs(found)
    # Frames next to a copied one are nearly it; none is set against its own procedure.
    families = {recording.id: recording.series for recording in known}
    assert all(families[copy.one] != families[copy.other] for copy in found.copies)
    assert {families[name] for pair in pairs(found) for name in pair} == {"e0", "e1", "e2", "e3"}
    alone = compare([Recording(each.id, each.path, each.sha256, 1, 0.04) for each in known])
    assert alone.candidates > found.candidates
    assert frozenset(("e0_0", "e0_1")) in pairs(alone)


def test_a_single_picture_is_comparable_by_its_own_features(tmp_path):
    scene = clip(surface(30), 30, frames=1)
    rng = np.random.default_rng(0)
    flat = np.clip(90 + rng.normal(0, 2, (128, 160, 3)), 0, 255).astype(np.uint8)
    found = compare(stills(tmp_path / "a", [scene[0], flat], None))
    assert found.bare == ("a_1",)


def test_copies_of_which_only_parts_are_items_are_found(tmp_path):
    from tiny_cohort import write_video

    write_video(tmp_path / "a.mp4", 0, seed=0)
    (tmp_path / "b.mp4").write_bytes((tmp_path / "a.mp4").read_bytes())
    rows = ["path,start,stop,label,split", "a.mp4,0,4,x,train", "b.mp4,0,4,y,test", "b.mp4,4,8,x,test"]
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    from cineloop.cohort import Cohort
    from cineloop.cohort.audit import audit
    from cineloop.cohort.schema import DataSection
    from cineloop.schema import validate

    data = validate(DataSection, {"format": "table", "root": str(tmp_path)}, where="test")
    (found,) = [one for one in audit(Cohort.read(data)).findings if one.kind.startswith("identical")]
    assert [(pair.one, pair.other) for pair in found.pairs] == [("a.mp4", "b.mp4")]
