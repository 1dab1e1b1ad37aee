"""Rows of delimited text, JSON and Parquet as text by column, with the line each stands in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cineloop.cohort.texts import parse_json, read_json, read_text
from cineloop.errors import CohortError


@dataclass(frozen=True, slots=True)
class Row:
    """A row of plain fields.

    Attributes:
        fields: The fields, without surrounding white space.
        line: The line it begins in, from 1.
    """

    fields: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Attributes:
        path: The file it was read from.
        columns: Column names, in order.
        rows: One field a column; an absent value is an empty text.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def values(self, column: str) -> list[str]:
        """Return a column."""
        position = self.columns.index(column)
        return [row.fields[position] for row in self.rows]


def read_rows(path: Path, *, delimiter: str = ",") -> Iterator[Row]:
    """Give the rows of a delimited text file; blank lines are passed over, quoted fields may hold the delimiter.

    Raises:
        CohortError: The file cannot be read, or is not delimited text.
    """
    reader = csv.reader(
        io.StringIO(read_text(path), newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    line = 1
    try:
        for fields in reader:
            stripped = tuple(field.strip() for field in fields)
            if any(stripped):
                yield Row(stripped, line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise CohortError(
            f"This is not delimited text: {error}",
            where=f"{path}:{line}",
            mend="Put quotes around a name that holds a comma, and double a quote inside it.",
        ) from None


def read_table(path: Path) -> Table:
    """Read a table with named columns: CSV, TSV (``,`` ``;`` tab or ``|``), JSON (a list of objects), Parquet.

    Raises:
        CohortError: The file cannot be read, has no rows, or two columns of one name.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        columns, rows = _parquet(path)
    elif suffix in (".json", ".jsonl", ".ndjson"):
        columns, rows = _json(path)
    else:
        columns, rows = _delimited(path)
    if len(set(columns)) != len(columns) or not all(columns):
        twice = sorted({name for name in columns if columns.count(name) > 1 or not name})
        raise CohortError(
            f"The table's columns need different names: {', '.join(map(repr, twice))}",
            where=path,
            mend="Name every column, each once, in the first line.",
        )
    if not rows:
        raise CohortError("The table has no rows", where=path, mend="Name a table with a header and at least one row.")
    return Table(path, columns, rows)


def _delimited(path: Path) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    first = next((line for line in read_text(path).splitlines() if line.strip()), "")
    # The delimiter that the header holds most of; a header seldom has one inside a name.
    delimiter = max(",;\t|", key=first.count)
    rows = read_rows(path, delimiter=delimiter)
    header = next(rows, Row((), 1)).fields
    body = tuple(rows)
    for row in body:
        if len(row.fields) != len(header):
            raise CohortError(
                f"The row has {len(row.fields)} fields, the header {len(header)}",
                where=f"{path}:{row.line}",
                mend="Put quotes around a name that holds the delimiter.",
            )
    return header, body


def _json(path: Path) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    if path.suffix.lower() == ".json":
        records = read_json(path)
    else:
        lines = enumerate(read_text(path).splitlines(), start=1)
        records = [parse_json(text, path, line) for line, text in lines if text.strip()]
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise CohortError("The table is not a list of objects", where=path, mend="Write one object a row.")
    columns = tuple(dict.fromkeys(str(key) for record in records for key in record))
    rows = tuple(
        Row(tuple(plain(record.get(column)) for column in columns), number)
        for number, record in enumerate(records, start=1)
    )
    return columns, rows


def _parquet(path: Path) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except OSError as error:
        raise CohortError(f"The file cannot be read: {error}", where=path, mend="Check the path.") from None
    except pl.exceptions.PolarsError as error:
        raise CohortError(f"This is not a Parquet table: {error}", where=path, mend="Write it again.") from None
    rows = tuple(Row(tuple(plain(value) for value in row), number) for number, row in enumerate(frame.rows(), start=1))
    return tuple(frame.columns), rows


def plain(value: Any) -> str:
    """Return a value of a table as text; None is an empty one."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        # A column of whole numbers with gaps becomes floating point in many tools.
        return str(int(value))
    return str(value).strip()


def find_column(columns: Sequence[str], wanted: str | None, common: Sequence[str], *, where: Path) -> str | None:
    """Return the column to use: the one asked for, else the first common name present (case does not count).

    Raises:
        CohortError: The column asked for is not there.
    """
    if wanted is not None:
        if wanted in columns:
            return wanted
        from cineloop.schema import did_you_mean

        raise CohortError(f"The table has no column {wanted!r}", where=where, mend=f"{did_you_mean(wanted, columns)}")
    folded = {column.strip().casefold().replace("-", "_").replace(" ", "_"): column for column in reversed(columns)}
    return next((folded[name] for name in common if name in folded), None)
