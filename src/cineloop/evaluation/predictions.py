"""Predictions: what a model said about each item, beside what is true and whose item it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from cineloop.errors import EvaluationError
from cineloop.files import atomic_path
from cineloop.identity import pseudonym

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Attribute: TypeAlias = str | float | None

UNKNOWN = -1
"""The target of an item whose true class is not known."""

_SUM_TOLERANCE = 1e-4  # a softmax in bfloat16 that was widened afterwards is still within it
_PROBABILITY = "p_"
_ATTRIBUTE = "attribute_"
_OUTPUT = "output_"


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """One row an item: class probabilities, the true class, and the patient.

    Attributes:
        ids: A unique name per item, [N].
        clusters: The patient of each item, [N]: what a bootstrap resamples.
        targets: The true class of each item as an index into ``classes``, int64 [N]; -1 where unknown.
        probabilities: float64 [N, K] in [0, 1]; each row sums to 1.
        classes: The K class names, in the order of the columns.
        paths: Where each item was read from, [N], or empty.
        attributes: What else is known of each item (site, scope, age), as name → [N], for subgroups.
        outputs: What the network itself says, float64 [N, L], where that is more than the probabilities; empty [N, 0].
        output_names: The L names of ``outputs``.
        decision: The class that a rule of the task's own decides for, int64 [N]; None decides by probability.
        identity_known: False when patients are unknown and each item (or medium) was counted as its own patient.

    Raises:
        EvaluationError: Lengths or shapes disagree, an id repeats, a target is out of range, or a probability is not
            finite, is outside [0, 1] or does not sum to 1.
    """

    ids: tuple[str, ...]
    clusters: tuple[str, ...]
    targets: IntArray
    probabilities: FloatArray
    classes: tuple[str, ...]
    paths: tuple[str, ...] = ()
    attributes: Mapping[str, Sequence[Attribute]] = field(default_factory=dict)
    outputs: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    output_names: tuple[str, ...] = ()
    decision: IntArray | None = None
    identity_known: bool = True

    def __post_init__(self) -> None:
        def settle(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        settle("ids", tuple(self.ids))
        settle("clusters", tuple(self.clusters))
        settle("classes", tuple(self.classes))
        settle("paths", tuple(self.paths))
        settle("attributes", {name: tuple(values) for name, values in self.attributes.items()})
        settle("targets", _integers(self.targets))
        settle("probabilities", _floats(self.probabilities))
        settle("output_names", tuple(self.output_names))
        settle("outputs", _floats(self.outputs if self.output_names else np.zeros((len(self.ids), 0))))
        if self.decision is not None:
            settle("decision", _integers(self.decision))
        self._check_shapes()
        self._check_values()

    def _check_shapes(self) -> None:
        count = len(self.ids)
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise EvaluationError(
                f"Predictions need at least two distinct classes, found {list(self.classes)}",
                mend="Give each class of the model its own name.",
            )
        if self.probabilities.shape != (count, len(self.classes)):
            raise EvaluationError(
                f"The probabilities have shape {list(self.probabilities.shape)}; "
                f"{count} items of {len(self.classes)} classes need [{count}, {len(self.classes)}]",
                mend="Give one row an item and one column a class.",
            )
        columns: dict[str, int] = {"clusters": len(self.clusters), "targets": len(self.targets)}
        columns |= {"paths": len(self.paths)} if self.paths else {}
        columns |= {"outputs": len(self.outputs)}
        columns |= {"decisions": len(self.decision)} if self.decision is not None else {}
        columns |= {f"attribute {name!r}": len(values) for name, values in self.attributes.items()}
        for name, length in columns.items():
            if length != count:
                raise EvaluationError(
                    f"There are {count} items and {length} {name}", mend="Give one value an item, in the same order."
                )
        if len(set(self.ids)) != count:
            seen: set[str] = set()
            twice = next(name for name in self.ids if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            raise EvaluationError(
                "An item is predicted twice", where=twice, mend="Average the views of an item into one row first."
            )

    def _check_values(self) -> None:
        finite = np.asarray(np.isfinite(self.probabilities).all(axis=1), dtype=np.bool_)
        if not finite.all():
            raise EvaluationError(
                f"The probabilities of {int((~finite).sum())} of {len(self)} items are not finite",
                where=_some(self.ids, ~finite),
                mend="Check the weights and the input: NaN in either comes out here.",
            )
        inside = ((self.probabilities >= 0) & (self.probabilities <= 1)).all(axis=1)
        proper = np.asarray(inside & (np.abs(self.probabilities.sum(axis=1) - 1) <= _SUM_TOLERANCE), dtype=np.bool_)
        if not proper.all():
            raise EvaluationError(
                "The probabilities of an item are not in [0, 1] with a sum of 1",
                where=_some(self.ids, ~proper),
                mend="Apply a softmax to the logits before evaluating them.",
            )
        known = (self.targets >= UNKNOWN) & (self.targets < len(self.classes))
        if not known.all():
            raise EvaluationError(
                f"A target is not a class index from 0 to {len(self.classes) - 1}, nor -1 for unknown",
                where=_some(self.ids, ~known),
                mend="Map the labels to the model's classes.",
            )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def cluster_index(self) -> IntArray:
        """The patient of each item as an index from 0, int64 [N], numbered by first appearance.

        The numbers do not depend on the names, so salted and plain names give the same bootstrap.
        """
        number = {name: index for index, name in enumerate(dict.fromkeys(self.clusters))}
        return _integers([number[name] for name in self.clusters])

    @cached_property
    def n_clusters(self) -> int:
        """How many patients there are."""
        return len(set(self.clusters))

    @property
    def positive(self) -> int | None:
        """The index of the positive class of a binary problem, which is the last; None for more classes."""
        return 1 if len(self.classes) == 2 else None

    def select(self, rows: IntArray | BoolArray | Sequence[int]) -> Predictions:
        """Return the given rows (indices or a mask of length N), in that order."""
        index = np.arange(len(self))[np.asarray(rows, dtype=None if len(rows) else np.int64)]
        return replace(
            self,
            ids=tuple(self.ids[i] for i in index),
            clusters=tuple(self.clusters[i] for i in index),
            targets=self.targets[index],
            probabilities=self.probabilities[index],
            paths=tuple(self.paths[i] for i in index) if self.paths else (),
            attributes={name: tuple(values[i] for i in index) for name, values in self.attributes.items()},
            outputs=self.outputs[index],
            decision=self.decision[index] if self.decision is not None else None,
        )

    def known(self) -> Predictions:
        """Return the items whose true class is known."""
        mask = self.targets != UNKNOWN
        return self if mask.all() else self.select(mask)

    def with_positive(self, name: str | None) -> Predictions:
        """Return a binary problem with the class called ``name`` last, hence positive; None changes nothing.

        Raises:
            EvaluationError: There is no such class, or there are more than two.
        """
        if name is None or (len(self.classes) == 2 and self.classes[1] == name):
            return self
        if name not in self.classes or len(self.classes) != 2:
            raise EvaluationError(
                f"{name!r} cannot be the positive class of {list(self.classes)}",
                where="evaluate.positive",
                mend="Name one of two classes; with more, each class is evaluated against the rest.",
            )
        return replace(
            self,
            classes=self.classes[::-1],
            probabilities=self.probabilities[:, ::-1],
            targets=np.where(self.targets == UNKNOWN, UNKNOWN, 1 - self.targets),
            decision=1 - self.decision if self.decision is not None else None,
        )

    def decide(self, threshold: float | None = None) -> IntArray:
        """Return the class decided for each item, int64 [N]: by ``decision`` where there is one.

        Args:
            threshold: Of a binary problem: the positive class is decided where its probability is at least this.
                None stands for 0.5. More than two classes ignore it: the most probable is decided, of equal ones
                the first.
        """
        if self.decision is not None:
            return self.decision
        if len(self.classes) == 2:
            return (self.probabilities[:, 1] >= (0.5 if threshold is None else threshold)).astype(np.int64)
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    def salted(self, salt: str) -> Predictions:
        """Return the same predictions with pseudonyms for items and patients, and without paths.

        Args:
            salt: A secret; with the same one a name gets the same pseudonym.
        """
        patients = {name: pseudonym(name, salt) for name in set(self.clusters)}
        return replace(
            self,
            ids=tuple(pseudonym(name, salt) for name in self.ids),
            clusters=tuple(patients[name] for name in self.clusters),
            paths=(),
        )

    def to_table(self, *, threshold: float | None = None) -> pl.DataFrame:
        """Return one row an item.

        Columns: ``id``, ``path`` (where known), ``patient``, ``patient_known``, ``target`` (index, null where
        unknown), ``label``, ``predicted``, ``p_<class>`` for each class, ``output_<name>`` for each output,
        ``attribute_<name>`` for each attribute.

        Args:
            threshold: See :meth:`decide`.
        """
        known = self.targets != UNKNOWN
        columns: dict[str, pl.Series] = {"id": pl.Series(self.ids, dtype=pl.String)}
        if self.paths:
            columns["path"] = pl.Series(self.paths, dtype=pl.String)
        columns["patient"] = pl.Series(self.clusters, dtype=pl.String)
        columns["patient_known"] = pl.Series([self.identity_known] * len(self), dtype=pl.Boolean)
        columns["target"] = pl.Series(
            [int(target) if here else None for target, here in zip(self.targets, known, strict=True)], dtype=pl.Int64
        )
        columns["label"] = pl.Series(
            [self.classes[target] if here else None for target, here in zip(self.targets, known, strict=True)],
            dtype=pl.String,
        )
        columns["predicted"] = pl.Series([self.classes[index] for index in self.decide(threshold)], dtype=pl.String)
        for index, name in enumerate(self.classes):
            columns[_PROBABILITY + name] = pl.Series(self.probabilities[:, index])
        for index, name in enumerate(self.output_names):
            columns[_OUTPUT + name] = pl.Series(self.outputs[:, index])
        for name, values in self.attributes.items():
            text = any(isinstance(value, str) for value in values)
            columns[_ATTRIBUTE + name] = (
                pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)
                if text
                else pl.Series(values, dtype=pl.Float64, strict=False)
            )
        return pl.DataFrame(columns)

    def write(self, path: Path, *, threshold: float | None = None, salt: str | None = None) -> None:
        """Write :meth:`to_table` to a ``.parquet`` or ``.csv`` file, atomically; with a salt under pseudonyms."""
        table = (self if salt is None else self.salted(salt)).to_table(threshold=threshold)
        with atomic_path(path) as temporary:
            if path.suffix == ".csv":
                table.write_csv(temporary)
            else:
                table.write_parquet(temporary)

    @classmethod
    def from_table(cls, table: pl.DataFrame, *, where: str | Path | None = None) -> Predictions:
        """Read what :meth:`to_table` returns.

        Raises:
            EvaluationError: A column is missing, or the values are no predictions.
        """
        missing = [name for name in ("id", "patient", "patient_known", "target") if name not in table.columns]
        outputs = tuple(name.removeprefix(_OUTPUT) for name in table.columns if name.startswith(_OUTPUT))
        classes = tuple(name.removeprefix(_PROBABILITY) for name in table.columns if name.startswith(_PROBABILITY))
        if missing or not classes:
            raise EvaluationError(
                f"This is not a table of predictions: it has no column {', '.join(missing) or 'p_<class>'}",
                where=where,
                mend="Give the predictions.parquet of an evaluation folder.",
            )
        return cls(
            ids=tuple(table["id"]),
            clusters=tuple(table["patient"]),
            targets=table["target"].fill_null(UNKNOWN).to_numpy(),
            probabilities=table.select([_PROBABILITY + name for name in classes]).to_numpy(),
            classes=classes,
            paths=tuple(table["path"]) if "path" in table.columns else (),
            attributes={
                name.removeprefix(_ATTRIBUTE): tuple(table[name])
                for name in table.columns
                if name.startswith(_ATTRIBUTE)
            },
            outputs=table.select([_OUTPUT + name for name in outputs]).to_numpy() if outputs else np.zeros((0, 0)),
            output_names=outputs,
            # Where the network says more than probabilities of classes, a rule of the task's own decided.
            decision=np.array([classes.index(name) for name in table["predicted"]], np.int64) if outputs else None,
            identity_known=bool(table["patient_known"].all()),
        )

    @classmethod
    def read(cls, path: Path) -> Predictions:
        """Read a ``predictions.parquet``.

        Raises:
            EvaluationError: The file is missing, is not Parquet, or holds no predictions.
        """
        try:
            table = pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise EvaluationError(
                f"The predictions cannot be read: {error}",
                where=path,
                mend="Give the predictions.parquet of an evaluation folder.",
            ) from None
        return cls.from_table(table, where=path)


def _floats(values: npt.ArrayLike) -> FloatArray:
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise EvaluationError(f"The probabilities are not numbers but {array.dtype}", mend="Give an array of floats.")
    result = np.array(array, dtype=np.float64, order="C")
    result.setflags(write=False)
    return result


def _integers(values: npt.ArrayLike) -> IntArray:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise EvaluationError(f"The targets are not class indices but {array.dtype}", mend="Give an array of integers.")
    result = np.array(array, dtype=np.int64, order="C")
    result.setflags(write=False)
    return result


def _some(ids: Iterable[str], mask: BoolArray) -> str:
    named = [name for name, wrong in zip(ids, mask, strict=True) if wrong]
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
