from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given

from cineloop.errors import EvaluationError
from cineloop.evaluation.predictions import Predictions
from cineloop.identity import pseudonym
from made_predictions import binary, made, predictions


def built(**changes):
    plain = {
        "ids": ["a", "b"],
        "clusters": ["p", "q"],
        "targets": np.array([0, 1]),
        "probabilities": np.array([[0.9, 0.1], [0.2, 0.8]]),
        "classes": ("no", "yes"),
    }
    return Predictions(**(plain | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"probabilities": np.array([[np.nan, 0.1], [0.2, 0.8]])}, "not finite"),
        ({"probabilities": np.array([[0.5, 0.1], [0.2, 0.8]])}, "sum of 1"),
        ({"probabilities": np.array([[1.5, -0.5], [0.2, 0.8]])}, "sum of 1"),
        ({"probabilities": np.array([[0.9, 0.1]])}, "shape"),
        ({"probabilities": np.array([["0.9", "0.1"], ["0.2", "0.8"]])}, "not numbers"),
        ({"ids": ["a", "a"]}, "twice"),
        ({"targets": np.array([0, 2])}, "not a class index"),
        ({"targets": np.array([0, -2])}, "not a class index"),
        ({"targets": np.array([0.0, 1.0])}, "not class indices"),
        ({"targets": np.array([0])}, "targets"),
        ({"clusters": ["p"]}, "clusters"),
        ({"paths": ["x"]}, "paths"),
        ({"attributes": {"site": ["x"]}}, "'site'"),
        ({"classes": ("no", "no")}, "distinct"),
    ],
)
def test_what_is_no_prediction_is_refused_with_a_remedy(changes, said):
    with pytest.raises(EvaluationError, match=said) as raised:
        built(**changes)
    assert raised.value.mend


def test_an_error_names_the_items():
    with pytest.raises(EvaluationError) as raised:
        built(probabilities=np.array([[0.9, 0.1], [np.inf, 0.8]]))
    assert raised.value.where == "b"


def test_arrays_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        made().probabilities[0, 0] = 1.0


def test_patients_are_numbered_by_first_appearance():
    assert built(
        ids=["a", "b", "c"], clusters=["z", "a", "z"], targets=np.array([0, 1, 1]), probabilities=np.eye(2)[[0, 1, 1]]
    ).cluster_index.tolist() == [0, 1, 0]


def test_the_positive_class_comes_last():
    turned = built(targets=np.array([0, -1])).with_positive("no")
    assert turned.classes == ("yes", "no")
    assert turned.targets.tolist() == [1, -1]
    assert turned.probabilities[0].tolist() == [0.1, 0.9]
    with pytest.raises(EvaluationError, match="maybe"):
        built().with_positive("maybe")
    with pytest.raises(EvaluationError, match="cannot be the positive"):
        made(classes=("a", "b", "c")).with_positive("a")


def test_a_probability_at_the_threshold_is_positive():
    assert binary([0.5, 0.7, 0.2], [0, 1, 1]).decide(0.7).tolist() == [0, 1, 0]
    assert binary([0.5, 0.7, 0.2], [0, 1, 1]).decide().tolist() == [1, 1, 0]


@given(predictions())
def test_selection_keeps_rows_together(some):
    mask = some.targets == 0
    chosen = some.select(mask)
    assert chosen.ids == tuple(name for name, here in zip(some.ids, mask, strict=True) if here)
    assert (chosen.probabilities == some.probabilities[mask]).all()
    assert (some.select(np.arange(len(some))[::-1]).targets == some.targets[::-1]).all()
    assert len(some.select([])) == 0


def test_a_file_gives_back_what_was_written(tmp_path):
    some = made(
        patients=5,
        paths=[f"/videos/{i}.mp4" for i in range(15)],
        attributes={"site": ["x", None, "y"] * 5, "age": [1.5, None, 3.0] * 5},
        identity_known=False,
    )
    some.write(tmp_path / "plain.parquet", threshold=0.3)
    back = Predictions.read(tmp_path / "plain.parquet")
    assert (back.ids, back.clusters, back.paths, back.classes) == (some.ids, some.clusters, some.paths, some.classes)
    assert (back.probabilities == some.probabilities).all()
    assert (back.targets == some.targets).all()
    assert back.attributes == some.attributes
    assert not back.identity_known
    table = pl.read_parquet(tmp_path / "plain.parquet")
    assert table["predicted"].to_list() == ["lesion" if p >= 0.3 else "normal" for p in some.probabilities[:, 1]]


def test_unknown_targets_are_null_in_the_file(tmp_path):
    built(targets=np.array([-1, 1])).write(tmp_path / "p.parquet")
    assert pl.read_parquet(tmp_path / "p.parquet")["label"].to_list() == [None, "yes"]
    assert Predictions.read(tmp_path / "p.parquet").targets.tolist() == [-1, 1]


def test_salted_patients_stay_apart_and_cannot_be_read(tmp_path):
    some = made(patients=7, per_patient=2)
    some.write(tmp_path / "salted.parquet", salt="secret")
    back = Predictions.read(tmp_path / "salted.parquet")
    assert (back.cluster_index == some.cluster_index).all()
    assert not set(back.clusters) & set(some.clusters)
    assert not set(back.ids) & set(some.ids)
    assert len(set(back.ids)) == len(some.ids)
    assert not back.paths
    assert pseudonym("p1", "secret") != pseudonym("p1", "other")


def test_a_file_without_predictions_says_what_it_lacks(tmp_path):
    pl.DataFrame({"id": ["a"]}).write_parquet(tmp_path / "odd.parquet")
    with pytest.raises(EvaluationError, match="patient"):
        Predictions.read(tmp_path / "odd.parquet")
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(EvaluationError, match="cannot be read"):
        Predictions.read(tmp_path / "text.parquet")
    with pytest.raises(EvaluationError, match="cannot be read"):
        Predictions.read(tmp_path / "absent.parquet")
