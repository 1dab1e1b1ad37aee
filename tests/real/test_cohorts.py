"""Real recordings and label tables, read in place."""

from __future__ import annotations

import csv
from collections import Counter

import pytest
from PIL import Image

from cineloop.cohort import FORMATS, Cohort, FormatRequest
from cineloop.cohort.audit import audit, require_clean
from cineloop.cohort.schema import Columns
from cineloop.errors import CohortError
from support import shared
from video_codes import coded_picture


@pytest.fixture
def laryngoscopy():
    return Cohort.read(
        format="table",
        root=shared("data", "laryngoscopy"),
        path="clips.json",
        columns={"path": "file", "label": "phase"},
        procedure={"column": "sequence"},
        split={"by": "procedure", "test": 0.25, "val": 0.25},
    )


def test_laryngoscopy_is_one_patient_and_says_so(laryngoscopy):
    assert laryngoscopy.classes == ("post-op", "pre-op")
    assert laryngoscopy.media["frames"].to_list() == [32, 34, 26, 66]
    assert laryngoscopy.media["fps"].to_list() == [5.0] * 4
    found = audit(laryngoscopy)
    # Neighbouring sequences of one patient look alike and are no copies.
    assert [finding.kind for finding in found.errors] == ["patient-leak"]
    with pytest.raises(CohortError, match="patient1: "):
        require_clean(laryngoscopy, found, None)
    assert require_clean(laryngoscopy, found, "one patient only; plumbing test") == "one patient only; plumbing test"


def test_other_recordings_have_no_copies_among_them():
    root = shared("data")
    options = {"layout": "class", "media": "videos"}
    found = Cohort.read(format="folder", root=root, format_options=options, on_error="skip", patient={"regex": "(.*)"})
    assert found.media.height >= 9
    assert not found.skipped
    assert not audit(found).of("near-duplicate")


def records(path, **columns):
    spec = FORMATS.get("table")
    return list(spec.read(FormatRequest(path.parent, path, Columns(**columns), spec.Config())))


def test_label_tables_without_pixels():
    folder = shared("data", "gi_labels")
    images = records(folder / "2_fold_split.csv", split="split-index")
    assert len(images) == 10_662
    assert len({record.label for record in images}) == 23
    assert Counter(record.split for record in images).keys() == {"0", "1"}
    videos = records(folder / "hyper-kvasir-video-metadata.csv")
    assert len(videos) == 373
    assert videos[0].columns["kilobytes"] == "279462"
    assert any(record.name == "Polypp 5.avi" for record in videos)


def test_the_published_table_of_pictures_needs_no_columns(tmp_path):
    """The names and classes are real; the pictures stand for those that may not be had here."""
    table = shared("data", "gi_labels") / "2_fold_split.csv"
    lines = table.read_text().splitlines()
    chosen = lines[1::400]
    (tmp_path / "2_fold_split.csv").write_text("\n".join([lines[0], *chosen]) + "\n")
    for number, line in enumerate(chosen):
        name, label, _ = line.split(";")
        path = tmp_path / "labeled-images" / label / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coded_picture(number)).save(path)
    cohort = Cohort.read(format="table", root=tmp_path, path="2_fold_split.csv", split={"fold": 1, "val": 0})
    assert cohort.items.height == len(chosen)
    assert {item.id: item.label for item in cohort.items_of()} == dict(line.split(";")[:2] for line in chosen)
    assert {item.id for item in cohort.items_of("test")} == {line.split(";")[0] for line in chosen if line[-1] == "1"}
    assert cohort.media["codec"].unique().to_list() == ["jpeg"]


def test_frames_of_the_laryngoscopy_clips():
    cohort = Cohort.read(
        format="table",
        root=shared("data", "laryngoscopy"),
        path="frames.csv",
        columns={"path": "clip", "frame": "frame_index_in_clip"},
        patient={"regex": r"clips/(patient\d+)_"},
        procedure={"regex": r"_(seq\d)"},
    )
    assert cohort.items.height == 158
    assert cohort.media.height == 4
    assert set(cohort.media["patient"]) == {"patient1"}
    items = cohort.items_of()
    assert all(item.stop == item.start + 1 for item in items)
    counts = Counter(item.media for item in items)
    assert counts == {item.media: item.frames for item in items}


def test_polyp_pictures_beside_their_masks():
    root = shared("data", "polyps")
    with pytest.raises(CohortError, match="Several files are called"):
        Cohort.read(format="table", root=root, path="manifest.csv")
    cohort = Cohort.read(
        format="table", root=root, path="manifest.csv", columns={"path": "file"}, format_options={"videos": "images"}
    )
    assert cohort.items.height == 100
    assert cohort.classes == ("polyp",)
    sizes = {media: (width, height) for media, width, height in cohort.media.select("id", "width", "height").rows()}
    rows = list(csv.DictReader((root / "manifest.csv").read_text().splitlines()))
    assert sizes == {row["file"]: (int(row["width"]), int(row["height"])) for row in rows}
