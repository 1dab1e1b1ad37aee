"""Real recordings and label tables, read in place."""

from __future__ import annotations

from collections import Counter

import pytest

from cineloop.cohort import FORMATS, Cohort, FormatRequest
from cineloop.cohort.audit import audit, require_clean
from cineloop.cohort.schema import Columns
from cineloop.errors import CohortError
from support import shared


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
    found = Cohort.read(
        format="folder", root=root, format_options={"layout": "class"}, on_error="skip", patient={"regex": "(.*)"}
    )
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
