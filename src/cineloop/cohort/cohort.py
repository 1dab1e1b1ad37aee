"""The cohort: media, items and splits, and what identifies them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from cineloop.cohort import tables
from cineloop.cohort.item import Identity, Item
from cineloop.cohort.tables import ITEMS, MEDIA, SPLITS
from cineloop.errors import CohortError
from cineloop.files import fingerprint, write_json
from cineloop.progress import Progress, silent
from cineloop.schema import validate

if TYPE_CHECKING:
    from cineloop.cohort.schema import DataSection

_SCHEMA = 1
_ORDER = {"train": 0, "val": 1, "test": 2}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is left out, and why."""

    media: str
    reason: str


@dataclass(frozen=True, slots=True)
class Count:
    """How much of one label a split holds.

    Attributes:
        split: The split; None where the cohort is not divided.
        label: The class name; None for unlabelled items.
        items: Items.
        media: Different files among them.
        patients: Different patients among them.
    """

    split: str | None
    label: str | None
    items: int
    media: int
    patients: int


@dataclass(frozen=True, eq=False)
class Cohort:
    """Recordings, what a task sees of them, and how they are divided.

    The tables have the columns of :data:`cineloop.cohort.tables.MEDIA`, ``ITEMS`` and ``SPLITS``, sorted by their
    first column. A Polars frame must not cross into a forked process; data workers take :meth:`items_of`.

    Attributes:
        name: What the cohort is called in reports.
        root: The folder that the paths of ``media`` are relative to.
        classes: Class names in the order of their numbers.
        media: One row a file.
        items: One row an item.
        splits: One row an item.
        notes: What was done or noticed while reading, in sentences.
    """

    name: str
    root: Path
    classes: tuple[str, ...]
    media: pl.DataFrame
    items: pl.DataFrame
    splits: pl.DataFrame
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def read(cls, data: DataSection | None = None, /, *, progress: Progress = silent, **keywords: Any) -> Cohort:
        """Read a cohort from its layout, in place.

        Args:
            data: The ``data`` section of a recipe.
            progress: Told of every file looked at.
            **keywords: The section's keys, in place of ``data``: ``Cohort.read(format="endofm", root="data/x")``.

        Raises:
            RecipeError: A key is unknown or its value is wrong.
            CohortError: The data does not form a cohort: missing files, unknown labels, empty splits.
        """
        from cineloop.cohort.build import build
        from cineloop.cohort.schema import DataSection

        if data is not None and keywords:
            raise TypeError("give a DataSection or keywords, not both")
        return build(data or validate(DataSection, keywords, where="Cohort.read"), progress=progress)

    @classmethod
    def load(cls, folder: Path | str) -> Cohort:
        """Load what :meth:`save` wrote.

        Raises:
            CohortError: The folder holds no saved cohort, or one that was changed by hand.
        """
        folder = Path(folder)
        try:
            head = json.loads((folder / "cohort.json").read_text(encoding="utf-8"))
            frames = {name: pl.read_parquet(folder / f"{name}.parquet") for name in ("media", "items", "splits")}
            known = head["schema"], head["fingerprint"]
            root = Path(head["root"])
            cohort = cls(
                name=str(head["name"]),
                root=root if root.is_absolute() else (folder / root).resolve(),
                classes=tuple(str(name) for name in head["classes"]),
                media=tables.check(frames["media"], MEDIA, name="media", where=str(folder)),
                items=tables.check(frames["items"], ITEMS, name="items", where=str(folder)),
                splits=tables.check(frames["splits"], SPLITS, name="splits", where=str(folder)),
                notes=tuple(str(note) for note in head["notes"]),
            )
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
            raise CohortError(
                f"There is no saved cohort here: {error}",
                where=folder,
                mend="Name a folder that `cineloop cohort convert` wrote.",
            ) from None
        if known != (_SCHEMA, cohort.fingerprint):
            raise CohortError(
                "The saved cohort was changed after it was written, or another version wrote it",
                where=folder,
                mend="Convert its sources again.",
            )
        return cohort

    def save(self, folder: Path | str) -> None:
        """Write the tables as Parquet and the rest as ``cohort.json``; the recordings stay where they are."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        from cineloop.cohort.identity import relative
        from cineloop.files import atomic_path

        for name, table in (("media", self.media), ("items", self.items), ("splits", self.splits)):
            with atomic_path(folder / f"{name}.parquet") as temporary:
                table.write_parquet(temporary)
        write_json(
            folder / "cohort.json",
            {
                "schema": _SCHEMA,
                "name": self.name,
                "root": relative(self.root.resolve(), folder.resolve()),
                "classes": list(self.classes),
                "notes": list(self.notes),
                "fingerprint": self.fingerprint,
            },
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of classes, media, items and splits; row order, paths of this machine and times do not count."""
        return fingerprint([list(self.classes), *self.table_fingerprints])

    @cached_property
    def table_fingerprints(self) -> tuple[str, str, str]:
        """The fingerprints of ``media``, ``items`` and ``splits``."""
        return (
            tables.media_fingerprint(self.media),
            tables.items_fingerprint(self.items),
            tables.splits_fingerprint(self.splits),
        )

    @cached_property
    def identity_known(self) -> Identity:
        """Whether every patient and every procedure is known."""
        return Identity(bool(self.media["patient_known"].all()), bool(self.media["procedure_known"].all()))

    @cached_property
    def split_names(self) -> tuple[str, ...]:
        """The splits: train, val, test, then others by name; empty where the cohort is not divided."""
        names = self.splits["split"].drop_nulls().unique().to_list()
        return tuple(sorted(names, key=lambda name: (_ORDER.get(name, len(_ORDER)), name)))

    @cached_property
    def skipped(self) -> tuple[Skipped, ...]:
        """The files that cannot be used; their items are left out of :meth:`items_of`."""
        bad = self.media.filter(pl.col("error").is_not_null())
        return tuple(Skipped(media, error) for media, error in bad.select("id", "error").rows())

    @cached_property
    def rows(self) -> pl.DataFrame:
        """Items with their media and split side by side: the columns of ITEMS, then MEDIA's and ``split``, ``fold``."""
        return (
            self.items.join(self.splits.rename({"item": "id"}), on="id", how="left", maintain_order="left")
            .rename({"id": "item"})
            .join(self.media.rename({"id": "media"}), on="media", how="left", maintain_order="left")
            .rename({"item": "id"})
        )

    def items_of(self, split: str | None = None, *, labelled: bool = False) -> list[Item]:
        """Return the items of a split, in order of their ids; files that cannot be used are left out.

        Args:
            split: The split; None for every item.
            labelled: Leave out items without a label.

        Raises:
            CohortError: There is no such split, or nothing is left in it.
        """
        rows = self.rows.filter(pl.col("error").is_null())
        if split is not None:
            if split not in self.split_names:
                known = f"Its splits: {', '.join(self.split_names)}." if self.split_names else "It is not divided."
                raise CohortError(
                    f"The cohort {self.name!r} has no split {split!r}",
                    where=self.root,
                    mend=f"{known} Divide the patients with data.split, e.g. {{test: 0.2, val: 0.2}}.",
                )
            rows = rows.filter(pl.col("split") == split)
        if labelled:
            rows = rows.filter(pl.col("target").is_not_null())
        if rows.is_empty():
            raise CohortError(
                f"The split {split!r} is empty" if split is not None else "The cohort has no usable item",
                where=self.root,
                mend=f"{len(self.skipped)} files were left out as unreadable." if self.skipped else "Add items to it.",
            )
        names = tables.attributes_of(self.media)
        return [
            Item(
                id=row["id"],
                media=row["media"],
                path=self.root / row["path"],
                patient=row["patient"],
                procedure=row["procedure"],
                label=row["label"],
                target=row["target"],
                start=row["start"],
                stop=row["stop"],
                frames=row["frames"],
                attributes=tuple((name, _text(row[name])) for name in names if row[name] is not None),
            )
            for row in rows.iter_rows(named=True)
        ]

    def counts(self) -> list[Count]:
        """Count items, files and patients by split and label; files that cannot be used are left out."""
        found = (
            self.rows.filter(pl.col("error").is_null())
            .group_by("split", "target", "label")
            .agg(pl.len(), pl.col("media").n_unique(), pl.col("patient").n_unique())
        )
        rows = sorted(
            found.rows(named=True),
            key=lambda row: (
                self.split_names.index(row["split"]) if row["split"] is not None else -1,
                len(self.classes) if row["target"] is None else row["target"],
            ),
        )
        return [Count(row["split"], row["label"], row["len"], row["media"], row["patient"]) for row in rows]

    def lacking(self) -> dict[str, list[str]]:
        """Return the classes of which a split has no usable item, by split; a split that lacks none is left out."""
        held = {(count.split, count.label) for count in self.counts()}
        found = {split: [name for name in self.classes if (split, name) not in held] for split in self.split_names}
        return {split: names for split, names in found.items() if names}

    def with_splits(self, splits: pl.DataFrame, *notes: str) -> Cohort:
        """Return the same cohort divided otherwise.

        Args:
            splits: The columns of :data:`cineloop.cohort.tables.SPLITS`; one row for each item.
            *notes: What was done, in sentences.
        """
        checked = tables.check(splits, SPLITS, name="splits", where=str(self.root))
        if checked["item"].to_list() != self.items["id"].to_list():
            raise CohortError(
                "The division does not cover the items of the cohort", where=self.root, mend="Give every item one row."
            )
        return dataclasses.replace(self, splits=checked, notes=(*self.notes, *notes))


def split_table(items: Sequence[str], splits: Sequence[str | None], folds: Sequence[int | None]) -> pl.DataFrame:
    """Build the table of splits."""
    return tables.make(SPLITS, {"item": items, "split": splits, "fold": folds})


def _text(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else value
