"""Cohorts of still pictures, with every kind that recorders and tools write, and those that cannot be read."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cineloop.cohort import Cohort
from cineloop.cohort.audit import audit
from cineloop.cohort.build import build
from cineloop.cohort.probe import Probe
from cineloop.cohort.schema import DataSection
from cineloop.errors import CohortError
from cineloop.schema import validate
from cineloop.video import Video
from moving_clips import clip, surface
from video_codes import coded_picture, read_code


def save(path, picture, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(path, **options)
    return path


@pytest.fixture
def stills(tmp_path):
    """Return a folder of two classes with pictures of every kind, each showing a number of its own."""
    root = tmp_path / "stills"
    colour = [Image.fromarray(coded_picture(number)) for number in range(9)]
    exif = Image.Exif()
    exif[0x0112] = 6
    save(root / "a/plain.jpg", colour[0], quality=95)
    save(root / "a/grey.png", colour[1].convert("L"))
    save(root / "a/deep.png", np.asarray(colour[2].convert("L")).astype(np.uint16) * 257)
    save(root / "a/alpha.png", colour[3].convert("RGBA"))
    save(root / "a/palette.png", colour[4].quantize(64))
    save(root / "b/cmyk.jpg", colour[5].convert("CMYK"), quality=95)
    save(root / "b/turned.jpg", colour[6].transpose(Image.Transpose.ROTATE_90), exif=exif, quality=95)
    save(root / "b/progressive.jpg", colour[7], progressive=True, quality=95)
    save(root / "b/big.tif", colour[8])
    return root


def spoil(root):
    """Add pictures that cannot be read."""
    data = (root / "a/plain.jpg").read_bytes()
    (root / "a/cut.jpg").write_bytes(data[: len(data) // 2])
    (root / "b/empty.jpg").write_bytes(b"")
    (root / "b/text.png").write_text("not a picture")
    data = (root / "a/grey.png").read_bytes()
    (root / "b/cut.png").write_bytes(data[: len(data) // 2])
    save(root / "b/float.tif", np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8))


def test_every_kind_is_read_upright_in_eight_bits(stills):
    cohort = Cohort.read(format="folder", root=stills)
    assert cohort.media.select("frames", "width", "height").unique().rows() == [(1, 160, 120)]
    shown = {}
    for item in cohort.items_of():
        pixels = Video(item.path, threads=1).frames([0]).pixels[0]
        assert (pixels.shape, pixels.dtype) == ((120, 160, 3), np.uint8)
        shown[item.id] = read_code(pixels)
    assert shown == {
        "a/plain.jpg": 0,
        "a/grey.png": 1,
        "a/deep.png": 2,
        "a/alpha.png": 3,
        "a/palette.png": 4,
        "b/cmyk.jpg": 5,
        "b/turned.jpg": 6,
        "b/progressive.jpg": 7,
        "b/big.tif": 8,
    }


def test_pictures_that_cannot_be_read_are_listed_or_left_out(stills):
    spoil(stills)
    with pytest.raises(CohortError, match="5 of 14 files cannot be read") as error:
        Cohort.read(format="folder", root=stills)
    for name in ("a/cut.jpg", "b/empty.jpg", "b/text.png", "b/cut.png", "b/float.tif"):
        assert name in error.value.where
    assert "b/text.png (This is no image that can be read)" in error.value.where
    assert "on_error: skip" in error.value.mend
    cohort = Cohort.read(format="folder", root=stills, on_error="skip")
    assert len(cohort.items_of()) == 9
    assert {skipped.media for skipped in cohort.skipped} == {
        *("a/cut.jpg", "b/empty.jpg", "b/text.png", "b/cut.png", "b/float.tif")
    }
    found = audit(cohort)
    assert {finding.kind for finding in found.errors} == {"truncated", "unreadable"}


@pytest.fixture(scope="module")
def procedures(tmp_path_factory):
    """Return a folder of stills of six procedures in three splits: one copied across, one copied and compressed."""
    root = tmp_path_factory.mktemp("procedures")
    rows = ["path,label,split,patient,procedure"]
    for number, split in enumerate(["train", "train", "train", "val", "test", "test"]):
        for frame, picture in enumerate(clip(surface(60 + number), 60 + number, frames=5)):
            name = f"P{number}/{frame}.jpg"
            save(root / name, picture, quality=92)
            rows.append(f"{name},{'ab'[frame % 2]},{split},P{number},P{number}-1")
    (root / "P4/copy.jpg").write_bytes((root / "P0/2.jpg").read_bytes())
    with Image.open(root / "P1/3.jpg") as picture:
        save(root / "P5/small.jpg", picture.resize((120, 96)), quality=50)
    rows += ["P4/copy.jpg,a,test,P4,P4-1", "P5/small.jpg,b,test,P5,P5-1"]
    (root / "cohort.csv").write_text("\n".join(rows) + "\n")
    return root


def test_an_audit_finds_copied_pictures_and_does_not_call_frames_of_a_procedure_copies(procedures):
    found = audit(Cohort.read(format="table", root=procedures))
    (identical,) = found.of("identical-bytes")
    assert [(pair.one, pair.other) for pair in identical.pairs] == [("P0/2.jpg", "P4/copy.jpg")]
    (near,) = found.of("near-duplicate")
    assert near.severity == "error"
    pairs = {frozenset((pair.one, pair.other)) for pair in near.pairs}
    assert frozenset(("P1/3.jpg", "P5/small.jpg")) in pairs
    # Frames next to a copied one may be taken for it; two frames of one procedure are not looked at.
    assert all(one[:2] != other[:2] for one, other in map(sorted, pairs))
    assert {"very-short", "featureless", "mixed-frame-rates"} & {finding.kind for finding in found.findings} == set()


def test_frames_of_an_unknown_procedure_are_set_against_each_other(procedures):
    cohort = Cohort.read(format="folder", root=procedures, procedure={"regex": "(.*)"})
    (near,) = audit(cohort).of("near-duplicate")
    pairs = {frozenset((pair.one, pair.other)) for pair in near.pairs}
    assert any(one[:2] == other[:2] for one, other in map(sorted, pairs))


def test_an_audit_of_pictures_shows_what_pictures_have(procedures):
    found = audit(Cohort.read(format="table", root=procedures), compare_pictures=False)
    assert [spread.name for spread in found.spreads] == ["width", "height", "size"]
    assert (found.stills, found.videos) == (found.media, 0)
    assert "32 files (pictures)" in found.text()
    assert not found.of("mixed-kinds")


@pytest.fixture
def mixed(layout):
    """Return a function that reads a cohort of pictures and videos by their names and classes."""

    def inner(*files, seconds=4.0):
        text = "path,label\n" + "".join(f"{name},{label}\n" for name, label in files)
        root = layout({**{name: None for name, _ in files}, "cohort.csv": text})

        def look(path):
            if path.suffix == ".jpg":
                return Probe(frames=1, fps=25.0, width=64, height=48, duration=0.04, codec="mjpeg")
            frames = round(25 * seconds)
            return Probe(frames=frames, fps=25.0, width=64, height=48, duration=seconds, codec="h264")

        data = validate(DataSection, {"format": "table", "root": root}, where="test")
        return audit(build(data, look=look), compare_pictures=False)

    return inner


def test_pictures_beside_videos_are_counted_and_lend_videos_no_figures(mixed):
    found = mixed(*((f"{n}.{kind}", n % 2) for n in range(4) for kind in ("mp4", "mp4" if n else "jpg")))
    (kinds,) = found.of("mixed-kinds")
    assert kinds.message == "Of 5 items 1 are pictures and 4 are of videos."
    assert kinds.items == ("0: 1 pictures, 2 of videos", "1: 0 pictures, 2 of videos")
    assert "5 files (1 picture and 4 videos)" in found.text()
    spreads = {spread.name: (spread.lowest, spread.highest) for spread in found.spreads}
    assert spreads["duration"] == (4.0, 4.0)
    assert spreads["frames"] == (100, 100)
    assert not found.of("shortcut", "very-long", "mixed-codecs")


def test_one_class_of_pictures_and_another_of_videos_are_a_shortcut(mixed):
    files = [("0.jpg", "polyp"), ("1.jpg", "polyp"), ("2.mp4", "normal"), ("3.mp4", "ulcer"), ("4.jpg", "ulcer")]
    (shortcut,) = mixed(*files).of("shortcut")
    assert shortcut.severity == "warning"
    assert shortcut.message.startswith("Of 'polyp' there are pictures only, and of 'normal' videos only")
    assert not mixed(*files[:2], *files[3:]).of("shortcut")


def test_the_size_of_pictures_is_told_as_a_size_and_not_as_bits_a_second(layout):
    files = {f"{label}/{n}.jpg": b"%d" % n * (50 if label == "b" else 5) for n in range(10, 30) for label in "ab"}
    one = Probe(frames=1, fps=25.0, width=64, height=48, duration=0.04, codec="mjpeg")
    data = validate(DataSection, {"format": "folder", "root": layout(files)}, where="test")
    (shortcut,) = audit(build(data, look=lambda path: one), compare_pictures=False).of("shortcut")
    assert shortcut.message.startswith("The size of a picture's file tells")


def test_short_videos_are_still_told(layout, read):
    rows = "path,label\n" + "".join(f"{n}.{kind},{n % 2}\n" for n in range(3) for kind in ("mp4", "jpg"))
    files = {f"{n}.{kind}": None for n in range(3) for kind in ("mp4", "jpg")}
    root = layout({**files, "cohort.csv": rows})
    data = validate(DataSection, {"format": "table", "root": root}, where="test")
    one = Probe(frames=1, fps=25.0, width=64, height=48, duration=0.04, codec="h264")
    (short,) = audit(build(data, look=lambda path: one), compare_pictures=False).of("very-short")
    assert [item.partition(":")[0] for item in short.items] == ["0.mp4", "1.mp4", "2.mp4"]
