"""The three tables of a cohort: their columns, and fingerprints that do not depend on order, machine or time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from cineloop.errors import CohortError
from cineloop.files import fingerprint

#: One row a file. ``patient`` and ``procedure`` are never null: where unknown (``*_known`` false) each file is its own.
#: ``duration`` is in seconds, ``age`` in years, ``size`` in bytes; ``error`` says why a file cannot be used.
#: Further attributes follow as text columns.
MEDIA: Mapping[str, Any] = {
    "id": pl.String,
    "path": pl.String,
    "dataset": pl.String,
    "sha256": pl.String,
    "size": pl.Int64,
    "frames": pl.Int64,
    "fps": pl.Float64,
    "width": pl.Int64,
    "height": pl.Int64,
    "duration": pl.Float64,
    "codec": pl.String,
    "truncated": pl.Boolean,
    "error": pl.String,
    "patient": pl.String,
    "patient_known": pl.Boolean,
    "procedure": pl.String,
    "procedure_known": pl.Boolean,
    "site": pl.String,
    "scope": pl.String,
    "age": pl.Float64,
    "sex": pl.String,
}

#: One row a thing that a task sees: frames ``start`` (inclusive, null: the first) to ``stop`` (exclusive, null: the
#: end) of ``media``; ``label`` is a class name and ``target`` its number, both null when unlabelled.
ITEMS: Mapping[str, Any] = {
    "id": pl.String,
    "media": pl.String,
    "start": pl.Int64,
    "stop": pl.Int64,
    "label": pl.String,
    "target": pl.Int64,
}

#: One row an item; ``split`` is null where the cohort is not divided, ``fold`` where it has no folds.
SPLITS: Mapping[str, Any] = {"item": pl.String, "split": pl.String, "fold": pl.Int64}

# Facts about the recording and the person. What a decoder derives from the bytes is left out, so that another
# decoder does not make another cohort; paths and the dataset's name are left out since folders are renamed.
_MEDIA_IDENTITY = ("id", "sha256", "size", "patient", "patient_known", "procedure", "procedure_known")


def make(schema: Mapping[str, Any], columns: Mapping[str, Sequence[Any]], *, extra: Iterable[str] = ()) -> pl.DataFrame:
    """Build a table of exactly the columns of ``schema`` (plus ``extra`` text columns), sorted by its first."""
    full = {**schema, **dict.fromkeys(sorted(extra), pl.String)}
    return pl.DataFrame({name: columns[name] for name in full}, schema=full).sort(next(iter(full)))


def check(table: pl.DataFrame, schema: Mapping[str, Any], *, name: str, where: str) -> pl.DataFrame:
    """Return ``table`` sorted, after checking that it has the columns of ``schema``; further text columns may follow.

    Raises:
        CohortError: A column is missing or of another type, an unknown column is not text, or keys repeat.
    """
    key = next(iter(schema))
    for column, kind in schema.items():
        if column not in table.columns or table.schema[column] != kind:
            found = table.schema.get(column, "missing")
            raise CohortError(
                f"The table {name!r} of the saved cohort has another column {column!r}: {found}, expected {kind}",
                where=where,
                mend="Make the cohort again from its sources.",
            )
    if any(table.schema[column] != pl.String for column in table.columns if column not in schema):
        raise CohortError(f"The table {name!r} has a further column that is not text", where=where, mend="Remove it.")
    if table[key].n_unique() != table.height or table[key].null_count():
        raise CohortError(f"The table {name!r} repeats a {key}", where=where, mend="Make the cohort again.")
    return table.sort(key)


def attributes_of(media: pl.DataFrame) -> tuple[str, ...]:
    """Return the names of the attributes that the media table holds, sorted."""
    return tuple(sorted(["site", "scope", "age", "sex", *(name for name in media.columns if name not in MEDIA)]))


def table_fingerprint(table: pl.DataFrame, columns: Sequence[str]) -> str:
    """Return the SHA-256 of the named columns' values, whatever the order of rows and columns."""
    ordered = sorted(columns)
    rows = table.select(ordered).sort(ordered).rows()
    return fingerprint([ordered, [list(row) for row in rows]])


def media_fingerprint(media: pl.DataFrame) -> str:
    """Return the fingerprint of who and what was recorded: ids, bytes, patients, procedures, attributes."""
    return table_fingerprint(media, [*_MEDIA_IDENTITY, *attributes_of(media)])


def items_fingerprint(items: pl.DataFrame) -> str:
    """Return the fingerprint of the items and their targets."""
    return table_fingerprint(items, list(ITEMS))


def splits_fingerprint(splits: pl.DataFrame) -> str:
    """Return the fingerprint of the division."""
    return table_fingerprint(splits, list(SPLITS))
