"""What names, bytes and tables show: leaks, broken files, balance, shortcuts; and the gate before training."""

from __future__ import annotations

import dataclasses
import json

import polars as pl
import pytest

from cineloop.cohort.audit import LEAKS, audit, require_clean
from cineloop.cohort.audit.copies import Comparison, Copy
from cineloop.cohort.audit.verify import Match
from cineloop.errors import CohortError

PATIENT = {"regex": r"(P\d+)/"}


def clean_rows(patients=60):
    splits = ["train"] * (patients - 24) + ["val"] * 12 + ["test"] * 12
    return [(split, f"P{n}", f"c{n}", n % 2) for n, split in enumerate(splits)]


def kinds(found, severity=None):
    return {finding.kind for finding in found.of(severity=severity)}


def look_only(cohort, **options):
    return audit(cohort, compare_pictures=False, **options)


def test_a_clean_cohort(endofm, read):
    cohort = read(format="endofm", root=endofm(clean_rows()), patient=PATIENT)
    found = look_only(cohort)
    assert not found.errors
    assert kinds(found, "warning") == set()
    assert kinds(found) == {"procedures-unknown"}
    assert require_clean(cohort, found, None) is None
    # A reason that is not needed is not printed.
    assert require_clean(cohort, found, "because") is None
    assert (found.media, found.items, found.patients) == (60, 60, 60)


def test_a_patient_on_two_sides(endofm, read):
    rows = [*clean_rows(), ("test", "P0", "more", 1)]
    cohort = read(format="endofm", root=endofm(rows), patient=PATIENT)
    found = look_only(cohort)
    (leak,) = found.errors
    assert leak.kind == "patient-leak"
    assert leak.items == ("P0: test, train (2 items)",)
    with pytest.raises(CohortError, match="tested on") as error:
        require_clean(cohort, found, None)
    assert "P0: test, train" in error.value.what
    assert "data.allow_leakage" in error.value.mend
    with pytest.raises(CohortError):
        require_clean(cohort, found, "  ")
    assert require_clean(cohort, found, " one patient only ") == "one patient only"
    other = read(format="endofm", root=endofm(clean_rows(), root="other"), patient=PATIENT)
    with pytest.raises(CohortError, match="of another cohort"):
        require_clean(other, found, None)


def test_unknown_patients_are_shouted(endofm, read):
    found = look_only(read(format="endofm", root=endofm(clean_rows())))
    (finding,) = found.of("patients-unknown")
    assert finding.severity == "warning"
    assert "THE PATIENT OF 60 OF 60 FILES IS NOT KNOWN" in finding.message
    assert "THE PATIENT OF 60 OF 60" in found.text()
    assert "patients-unknown" not in kinds(look_only(read(format="endofm", root=endofm(clean_rows()), patient=PATIENT)))


@pytest.mark.parametrize("patients", [("", ""), ("P2", "P3"), ("", "P3")])
def test_a_procedure_on_two_sides_whoever_the_patient_is_said_to_be(layout, read, patients):
    names = {f"{n}.mp4": None for n in range(4)}
    text = f"path,label,split,procedure,patient\n0.mp4,0,train,E1,{patients[0]}\n1.mp4,1,test,E1,{patients[1]}\n"
    text += "2.mp4,0,train,E2,P4\n3.mp4,1,test,E3,P5\n"
    root = layout({**names, "cohort.csv": text})
    (leak,) = look_only(read(format="table", root=root)).errors
    assert leak.kind == "procedure-leak"
    assert leak.items == ("E1: test, train (2 items)",)
    if all(patients):
        within = {"column": "procedure", "within": "patient"}
        assert not look_only(read(format="table", root=root, procedure=within)).errors


def test_procedures_numbered_for_each_patient_are_no_leak(layout, read):
    rows = [(f"{p}-{e}.mp4", p % 2, "train" if p < 4 else "test", e, f"P{p}") for p in range(8) for e in (1, 2)]
    text = "path,label,split,exam,patient\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    cohort = read(format="table", root=layout({**{row[0]: None for row in rows}, "cohort.csv": text}))
    assert not look_only(cohort).errors
    assert cohort.media["procedure"].n_unique() == 16


def test_clips_of_one_video_on_two_sides(layout, read):
    text = "path,label,split,start,stop\na.mp4,0,train,0,10\na.mp4,1,test,20,30\nb.mp4,0,test,0,10\n"
    found = look_only(read(format="table", root=layout({"a.mp4": None, "b.mp4": None, "cohort.csv": text})))
    assert [(leak.kind, leak.items) for leak in found.errors] == [("video-leak", ("a.mp4: test, train (2 items)",))]


def test_identical_bytes(endofm, read):
    rows = [*clean_rows(), ("test", "P90", "twin", 1), ("train", "P91", "twin", 0), ("train", "P92", "twin", 0)]
    cohort = read(format="endofm", root=endofm(rows, twin=b"one"), patient=PATIENT)
    found = look_only(cohort)
    error, warning = found.of("identical-bytes")
    assert {(pair.one, pair.other) for pair in error.pairs} == {
        ("P90/twin.mp4", "P91/twin.mp4"),
        ("P90/twin.mp4", "P92/twin.mp4"),
    }
    assert error.severity == "error"
    assert [(pair.one, pair.other) for pair in warning.pairs] == [("P91/twin.mp4", "P92/twin.mp4")]
    (conflict,) = found.of("label-conflict")
    assert len(conflict.pairs) == 2
    with pytest.raises(CohortError, match=r"identical-bytes: P90/twin.mp4 ~ P91/twin.mp4"):
        require_clean(cohort, found, None)


@pytest.fixture
def alike(monkeypatch):
    """Make the comparison of pictures find these pairs."""

    def inner(*pairs, broken=(), bare=()):
        match = Match(1.0, 3.0, 1.0, 0.98, 0.97, 5.0, 9.0, True, (1.25, 1.2))
        copies = tuple(Copy(one, other, False, match) for one, other in pairs)
        seen = []

        def compare(recordings, *, wanted, progress, workers):
            by_id = {recording.id: recording for recording in recordings}
            seen.extend(by_id)
            kept = tuple(copy for copy in copies if wanted(by_id[copy.one], by_id[copy.other]))
            return Comparison(kept, tuple(broken), tuple(bare), len(kept), len(kept))

        monkeypatch.setattr("cineloop.cohort.audit.run.compare", compare)
        return seen

    return inner


def test_near_duplicates_across_and_within(endofm, read, alike):
    cohort = read(format="endofm", root=endofm(clean_rows()), patient=PATIENT)
    across, within = ("P0/c0.mp4", "P59/c59.mp4"), ("P2/c2.mp4", "P4/c4.mp4")
    alike(across, within)
    found = audit(cohort)
    error, warning = found.of("near-duplicate")
    assert (error.severity, warning.severity) == ("error", "warning")
    assert error.pairs[0].how == "cropped to 80% x 83%, from 1.0 s on, pictures agree to 0.98"
    assert error.pairs[0].moments == (2.5, 1.5)
    assert [pair.one for pair in found.of("label-conflict")[0].pairs] == ["P0/c0.mp4"]
    with pytest.raises(CohortError, match="near-duplicate"):
        require_clean(cohort, found, None)
    assert len(audit(cohort, across_only=True).of("near-duplicate")) == 1


def test_reviewed_pairs_pass(endofm, read, alike):
    cohort = read(format="endofm", root=endofm(clean_rows()), patient=PATIENT)
    alike(("P0/c0.mp4", "P59/c59.mp4"), ("P2/c2.mp4", "P58/c58.mp4"))
    found = audit(cohort, reviewed_pairs=[("P59/c59.mp4", "P0/c0.mp4")])
    assert [pair.one for finding in found.leaks for pair in finding.pairs] == ["P2/c2.mp4"]
    assert [pair.one for pair in found.of("reviewed")[0].pairs] == ["P0/c0.mp4"]
    with pytest.raises(CohortError, match="names no file of the cohort: 'P59/c59'"):
        audit(cohort, reviewed_pairs=[("P59/c59", "P0/c0.mp4")])


def test_broken_files(endofm, read, alike):
    rows = [*clean_rows(), ("train", "P90", "broken", 0), ("train", "P91", "truncated", 1)]
    cohort = read(format="endofm", root=endofm(rows), patient=PATIENT, on_error="skip")
    seen = alike(broken=[("P0/c0.mp4", "frame 7 cannot be decoded")], bare=["P1/c1.mp4"])
    found = audit(cohort)
    assert [(finding.kind, finding.items) for finding in found.errors] == [
        ("undecodable", ("P0/c0.mp4: frame 7 cannot be decoded",)),
        ("unreadable", ("P90/broken.mp4: it is broken",)),
        ("truncated", ("P91/truncated.mp4: it is cut short",)),
    ]
    assert not found.leaks
    assert require_clean(cohort, found, None) is None
    assert found.of("featureless")[0].items == ("P1/c1.mp4",)
    assert "P90/broken.mp4" not in seen


def test_classes_and_splits(endofm, read):
    rows = [("train", f"P{n}", f"c{n}", 0) for n in range(30)] + [("train", "P30", "c", 1), ("test", "P31", "d", 0)]
    rows += [("train", "P32", "u", -1)]
    root = endofm(rows)
    found = look_only(read(format="endofm", root=root, patient=PATIENT, classes=["normal", "polyp"]))
    assert kinds(found, "warning") == {"imbalance", "class-absent", "few-patients"}
    assert "30 items of 'normal' and 1 of 'polyp'" in found.of("imbalance")[0].message
    assert found.of("class-absent")[0].message == "The split 'test' has no item of 'polyp'."
    assert "1 items have no label" in found.of("unlabelled")[0].message
    one = look_only(read(format="endofm", root=endofm([("train", "P1", "a", 0)], root="one"), patient=PATIENT))
    assert "one-class" in kinds(one, "warning")


def with_media(cohort, **columns):
    return dataclasses.replace(cohort, media=cohort.media.with_columns(**columns))


def test_odd_videos(endofm, read):
    cohort = read(format="endofm", root=endofm(clean_rows()), patient=PATIENT)
    first = pl.col("id") == "P0/c0.mp4"
    found = look_only(with_media(cohort, frames=pl.when(first).then(3).otherwise("frames")))
    assert found.of("very-short")[0].items == ("P0/c0.mp4: 3 frames, 4.00 s",)
    found = look_only(with_media(cohort, duration=pl.when(first).then(pl.lit(300.0)).otherwise("duration")))
    assert found.of("very-long")[0].items == ("P0/c0.mp4: 300 s",)
    found = look_only(with_media(cohort, fps=pl.when(first).then(pl.lit(30.0)).otherwise("fps")))
    assert found.of("mixed-frame-rates")[0].items == ("25.0: 59", "30.0: 1")
    found = look_only(with_media(cohort, path=pl.when(first).then(pl.lit("../x.mp4")).otherwise("path")))
    assert found.of("outside-root")[0].items == ("../x.mp4",)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"fps": pl.when("odd").then(pl.lit(30.0)).otherwise(pl.lit(25.0))}, "The frame rate tells '0'"),
        ({"codec": pl.when("odd").then(pl.lit("vp9")).otherwise(pl.lit("h264"))}, "The codec goes with the label"),
        ({"width": pl.when("odd").then(128).otherwise(64)}, "The resolution goes with the label"),
        (
            {"duration": pl.when("odd").then(pl.col("n") + 8).otherwise(pl.col("n") + 1).cast(float)},
            "The duration tells",
        ),
        ({"site": pl.when("odd").then(pl.lit("A")).otherwise(pl.lit("B"))}, "The site goes with the label"),
    ],
    ids=["fps", "codec", "resolution", "duration", "site"],
)
def test_shortcuts_are_told(endofm, read, columns, says):
    cohort = read(format="endofm", root=endofm(clean_rows()), patient=PATIENT)
    number = pl.col("id").str.extract(r"P(\d+)").cast(pl.Int64)
    media = cohort.media.with_columns(odd=number % 2 == 1, n=number % 10)
    changed = dataclasses.replace(cohort, media=media.with_columns(**columns).drop("odd", "n"))
    found = look_only(changed).of("shortcut")
    assert any(finding.message.startswith(says) for finding in found), [finding.message for finding in found]
    assert all(finding.severity == "warning" and finding.items for finding in found)
    # The same values, spread over the classes alike, are none.
    even = media.with_columns(odd=number % 4 >= 2).with_columns(**columns).drop("odd", "n")
    assert not look_only(dataclasses.replace(cohort, media=even)).of("shortcut")


def test_many_clips_of_one_patient_are_no_evidence(endofm, read):
    rows = [("train", f"P{n % 4}", f"c{n}", n % 4 // 2) for n in range(80)]
    cohort = read(format="endofm", root=endofm(rows), patient=PATIENT)
    fast = pl.col("patient").is_in(["P2", "P3"])
    changed = with_media(cohort, fps=pl.when(fast).then(pl.lit(30.0)).otherwise(pl.lit(25.0)))
    assert not look_only(changed).of("shortcut")


def test_text_and_json(endofm, read, alike):
    rows = [*clean_rows(), ("test", "P0", "more", 1)]
    cohort = read(format="endofm", root=endofm(rows), patient=PATIENT, on_error="skip")
    pairs = [(f"P{n}/c{n}.mp4", f"P{n + 1}/c{n + 1}.mp4") for n in range(0, 30, 2)]
    alike(*pairs)
    found = audit(cohort)
    text = found.text()
    assert "ERROR   patient-leak: Patients stand in several splits: 1 of 60" in text
    assert "... and 7 more" in text
    assert "1 error," in text
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert plain["clean"] is False
    assert plain["fingerprint"] == cohort.fingerprint
    assert plain["findings"][0]["kind"] == "patient-leak"
    assert len(plain["findings"][1]["pairs"]) == 15
    assert set(LEAKS) >= {finding.kind for finding in found.leaks}
    severities = [finding.severity for finding in found.findings]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)


def test_repeated_and_skipped_rows_are_told(layout, read):
    root = layout({"splits/train.txt": "a.mp4,0\na.mp4,0\nb.mp4,1\n", "videos/a.mp4": None, "videos/b.mp4": None})
    found = look_only(read(format="endofm", root=root))
    assert found.of("note")[0].message == "1 repeated row was read once."
