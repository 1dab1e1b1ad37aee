"""Several data sets as one, and classes of equal size."""

from __future__ import annotations

from collections import Counter

import pytest

from cineloop.cohort.merge import balance, merge, write_table
from cineloop.errors import CohortError
from cineloop.schema import dump_yaml, parse_yaml

PATIENT = {"regex": r"(P\d+)/"}


@pytest.fixture
def duke(endofm, read):
    rows = [("train", f"P{n}", f"d{n}", n % 3 == 0) for n in range(12)]
    rows += [("test", f"P{20 + n}", f"d{20 + n}", n % 2) for n in range(4)]
    rows = [(split, patient, clip, int(label)) for split, patient, clip, label in rows]
    return read(
        format="endofm", root=endofm(rows, root="x/duke"), patient=PATIENT, classes=["non_referral", "referral"]
    )


@pytest.fixture
def bagls(layout, read):
    names = [f"train/healthy/P{n}/a.avi" for n in range(3)] + [f"train/pathologic/P{n}/b.avi" for n in range(5, 14)]
    names += ["test/healthy/P30/a.avi", "test/pathologic/P31/a.avi", "test/unsure/P32/a.avi"]
    root = layout(names, root="y/bagls-split:v0")
    return read(format="folder", root=root, name="bagls", patient=PATIENT)


LABELS = {"bagls": {"healthy": "non-referral", "pathologic": "Referral", "unsure": None}}


def test_merged(duke, bagls):
    cohort = merge([duke, bagls], name="both", labels=LABELS)
    assert cohort.classes == ("non_referral", "referral")
    assert cohort.items.height == 16 + 14
    assert {item.label for item in cohort.items_of()} == {"non_referral", "referral"}
    assert all(item.path.is_file() for item in cohort.items_of())
    assert {item.patient.partition("/")[0] for item in cohort.items_of()} == {"duke", "bagls"}
    # Both have a P5, who are two people.
    assert len({item.patient for item in cohort.items_of() if item.patient.endswith("/P5")}) == 2
    assert cohort.split_names == ("train", "test")
    assert set(cohort.media["dataset"]) == {"duke", "bagls"}
    same = merge([duke, bagls], name="both", labels=LABELS, same_patients=True)
    assert same.media["patient"].n_unique() < cohort.media["patient"].n_unique()
    # The order of the parts decides the order of classes only.
    assert merge([bagls, duke], name="b", labels=LABELS, classes=cohort.classes).fingerprint == cohort.fingerprint


def test_what_cannot_be_merged(duke, bagls, endofm, read):
    with pytest.raises(CohortError, match="different names"):
        merge([duke, duke], name="x")
    with pytest.raises(CohortError, match="has no class 'helthy'"):
        merge([duke, bagls], name="x", labels={"bagls": {"helthy": "referral"}})
    with pytest.raises(CohortError, match="No cohort is called 'bagl'"):
        merge([duke, bagls], name="x", labels={"bagl": {}})
    with pytest.raises(CohortError, match="'healthy' is not among"):
        merge([duke, bagls], name="x", classes=["non_referral", "referral"])
    undivided = read(format="folder", root=duke.root, name="z", format_options={"layout": "class"})
    with pytest.raises(CohortError, match="'duke' is divided into splits and 'z' is not"):
        merge([duke, undivided], name="x")


def test_unknown_patients_stay_unknown(duke, bagls, read):
    anonymous = read(format="folder", root=bagls.root, name="bagls", format_options={})
    cohort = merge([duke, anonymous], name="x", labels=LABELS, same_patients=True)
    assert not cohort.identity_known.patient
    assert cohort.media["patient_known"].sum() == 16


@pytest.mark.parametrize("by_dataset", [False, True])
def test_balanced(duke, bagls, by_dataset):
    merged = merge([duke, bagls], name="both", labels=LABELS)
    cohort = balance(merged, seed=1, by_dataset=by_dataset)
    counts = Counter(cohort.rows.select(*(["split", "dataset"] if by_dataset else ["split"]), "label").iter_rows())
    sizes = {}
    for (*place, _), size in counts.items():
        sizes.setdefault(tuple(place), set()).add(size)
    assert all(len(found) == 1 for found in sizes.values())
    assert counts == Counter(
        balance(merged, seed=1, by_dataset=by_dataset)
        .rows.select(*(["split", "dataset"] if by_dataset else ["split"]), "label")
        .iter_rows()
    )
    assert set(cohort.media["id"]) == set(cohort.items["media"])
    assert "left out" in cohort.notes[-1]


def test_balancing_keeps_as_many_patients_as_it_can(endofm, read):
    # One patient with 20 normal clips, nine with one each, ten with a polyp: all nine must stay.
    rows = [("train", "P1", f"n{n}", 0) for n in range(20)]
    rows += [("train", f"P{n}", f"s{n}", 0) for n in range(2, 11)] + [
        ("train", f"P{n}", f"p{n}", 1) for n in range(11, 21)
    ]
    root = endofm(rows)
    whole = read(format="endofm", root=root, patient=PATIENT)
    for seed in range(5):
        normal = [item.patient for item in balance(whole, seed=seed).items_of() if item.label == "0"]
        assert sorted(normal) == sorted(f"P{n}" for n in range(1, 11))
    cohort = balance(whole)
    shuffled = read(format="endofm", root=endofm(rows[::-1], root="again"), patient=PATIENT)
    assert balance(shuffled).fingerprint == cohort.fingerprint
    assert balance(shuffled, seed=2).fingerprint != cohort.fingerprint
    with pytest.raises(CohortError, match="no item of 'polyp'"):
        balance(read(format="endofm", root=root, patient=PATIENT, classes=["normal", "other", "polyp"]))


def test_a_written_table_reads_back(duke, bagls, read, tmp_path):
    cohort = balance(merge([duke, bagls], name="both", labels=LABELS))
    section = write_table(cohort, tmp_path / "out")
    plain = parse_yaml(dump_yaml(section.model_dump(mode="json", exclude_defaults=True)), where="x")
    again = read(**plain)
    assert again.fingerprint == cohort.fingerprint
    assert again.classes == cohort.classes
    assert again.media.select("id", "dataset", "patient", "procedure").equals(
        cohort.media.select("id", "dataset", "patient", "procedure")
    )
    assert write_table(cohort, tmp_path / "out") == section
    with pytest.raises(CohortError, match="Another table"):
        write_table(duke, tmp_path / "out")


def test_a_table_keeps_clips_unknown_people_and_attributes(layout, read, tmp_path):
    text = "path,label,patient,exam,start,stop,age,grade\n"
    text += '"a, b.mp4",1,P1,3,0,10,70,2\n"a, b.mp4",0,P1,3,20,30,70,2\nc.mp4,-1,,,,,,\n'
    root = layout({"a, b.mp4": None, "c.mp4": None, "cohort.csv": text})
    options = {"procedure": {"column": "exam"}, "attributes": {"grade": {"column": "grade"}}}
    cohort = read(format="table", root=root, classes=["no", "yes"], **options)
    again = read(**write_table(cohort, tmp_path / "out").model_dump(mode="json", exclude_defaults=True))
    assert again.fingerprint == cohort.fingerprint
    assert again.items_of()[0].attributes == cohort.items_of()[0].attributes
