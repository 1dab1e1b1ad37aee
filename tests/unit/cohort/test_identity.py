"""Patients, procedures and attributes from columns, paths and mapping files."""

from __future__ import annotations

import pytest

from cineloop.errors import CohortError, RecipeError


def patients(cohort):
    return dict(cohort.media.select("id", "patient").rows())


ROWS = [("train", "P1", "a", 0), ("train", "P2", "b", 1), ("test", "P3", "c", 0)]


def test_without_a_source_each_video_is_a_patient_and_that_is_known(endofm, read):
    cohort = read(format="endofm", root=endofm(ROWS))
    assert patients(cohort) == {name: name for name in ("P1/a.mp4", "P2/b.mp4", "P3/c.mp4")}
    assert not cohort.identity_known.patient
    assert not cohort.identity_known.procedure


@pytest.mark.parametrize(
    "regex", [r"^(P\d)/", r"(?P<patient>P\d)/(?P<procedure>\w)", r"(?P<procedure>P\d/)?(?P<patient>P\d)"]
)
def test_a_regular_expression(endofm, read, regex):
    cohort = read(format="endofm", root=endofm(ROWS), patient={"regex": regex})
    assert patients(cohort) == {"P1/a.mp4": "P1", "P2/b.mp4": "P2", "P3/c.mp4": "P3"}
    assert cohort.identity_known.patient


def test_the_expression_also_sees_the_path_below_the_root(endofm, read):
    cohort = read(format="endofm", root=endofm(ROWS), patient={"regex": r"^videos/(P\d)"})
    assert set(patients(cohort).values()) == {"P1", "P2", "P3"}


def test_an_expression_that_does_not_match_is_an_error(endofm, read):
    with pytest.raises(CohortError, match=r"does not match the path 'P3/c.mp4'") as error:
        read(format="endofm", root=endofm(ROWS), patient={"regex": r"P([12])/"})
    assert "test.txt:1" in error.value.where


def test_a_column_and_a_blank_in_it(layout, read):
    text = "path,label,who,exam\na.mp4,0,P1,1\nb.mp4,1,P2,1\nc.mp4,0,,2\n"
    root = layout({"cohort.csv": text, "a.mp4": None, "b.mp4": None, "c.mp4": None})
    cohort = read(format="table", root=root, patient={"column": "who"}, procedure={"column": "exam"})
    # Procedures are numbered within a patient, so the number alone is no name.
    assert cohort.media.select("patient", "patient_known", "procedure").rows() == [
        ("P1", True, "P1/1"),
        ("P2", True, "P2/1"),
        # Whose patient is not known is told apart by the procedure.
        ("2", False, "2"),
    ]
    assert not cohort.identity_known.patient
    assert cohort.identity_known.procedure
    with pytest.raises(CohortError, match="no column 'whom'") as error:
        read(format="table", root=root, patient={"column": "whom"})
    assert "'who'" in error.value.mend


def test_two_patients_of_one_file(layout, read):
    text = "path,label,patient,start,stop\na.mp4,0,P1,0,10\na.mp4,1,P2,20,30\n"
    with pytest.raises(CohortError, match="two values of patient: 'P1' and 'P2'") as error:
        read(format="table", root=layout({"cohort.csv": text, "a.mp4": None}))
    assert "cohort.csv:3" in error.value.where


@pytest.mark.parametrize(
    "keys",
    [
        ["P1/a.mp4", "P2/b.mp4", "P3/c.mp4"],
        ["videos/P1/a.mp4", "./videos/P2/b.mp4", "videos\\P3\\c.mp4"],
        ["a.mp4", "b.mp4", "c.mp4"],
        ["a", "b", "c"],
    ],
    ids=["listed", "rooted", "names", "stems"],
)
def test_a_mapping(endofm, read, tmp_path, keys):
    mapping = tmp_path / "who.csv"
    mapping.write_text("file,patient\n" + "".join(f"{key},X{number}\n" for number, key in enumerate(keys)))
    cohort = read(format="endofm", root=endofm(ROWS), patient={"mapping": str(mapping)})
    assert list(patients(cohort).values()) == ["X0", "X1", "X2"]


def test_mappings_that_do_not_do(endofm, read, tmp_path):
    root = endofm([*ROWS, ("train", "P4", "a", 1)])
    mapping = tmp_path / "who.csv"

    def attempt(text, **more):
        mapping.write_text(text)
        read(format="endofm", root=root, patient={"mapping": str(mapping), **more})

    with pytest.raises(CohortError, match=r"does not list 'P1/a.mp4'"):
        attempt("file,patient\nb,X\n")
    with pytest.raises(CohortError, match=r"several values for 'a.mp4'"):
        attempt("file,patient\nP7/a.mp4,X\nP8/a.mp4,Y\nb,Z\nc,Z\n")
    with pytest.raises(CohortError, match="two values for 'a'"):
        attempt("file,patient\na,X\na,Y\n")
    with pytest.raises(CohortError, match="no column of paths"):
        attempt("thing,patient\na,X\n")
    with pytest.raises(CohortError, match="no column of the patient"):
        attempt("file,person\na,X\n")
    mapping.unlink()
    with pytest.raises(CohortError, match="cannot be read"):
        read(format="endofm", root=root, patient={"mapping": str(mapping)})


def test_a_mapping_beside_the_data(endofm, read):
    root = endofm(ROWS)
    (root / "who.csv").write_text("file,person\na,X\nb,Y\nc,\n")
    cohort = read(format="endofm", root=root, patient={"mapping": "who.csv", "value": "person"})
    assert list(patients(cohort).values()) == ["X", "Y", "P3/c.mp4"]


def test_attributes(layout, read):
    text = "path,label,patient,age,sex,grade\na.mp4,0,P1,063Y,F,2\nb.mp4,1,P2,70.5,,3\n"
    root = layout({"cohort.csv": text, "a.mp4": None, "b.mp4": None})
    cohort = read(format="table", root=root, attributes={"grade": {"column": "grade"}, "site": {"regex": r"(\w)\."}})
    assert [item.attributes for item in cohort.items_of()] == [
        (("age", "63"), ("grade", "2"), ("sex", "F"), ("site", "a")),
        (("age", "70.5"), ("grade", "3"), ("site", "b")),
    ]
    (root / "cohort.csv").write_text("path,label,age\na.mp4,0,old\n")
    with pytest.raises(CohortError, match="Not an age"):
        read(format="table", root=root)


@pytest.mark.parametrize(
    ("patient", "message"),
    [
        ({}, "exactly one of column, regex and mapping"),
        ({"column": "a", "regex": "(b)"}, "exactly one"),
        ({"regex": "("}, "not a regular expression"),
        ({"regex": "P.*"}, "needs a group"),
        ({"column": "a", "key": "b"}, "belong to a mapping"),
        ({"colum": "a"}, "unknown key 'patient.colum'"),
    ],
)
def test_sources_that_cannot_be(read, patient, message):
    with pytest.raises(RecipeError, match=message):
        read(format="endofm", root="x", patient=patient)
