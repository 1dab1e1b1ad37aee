"""Who is who: finding patient, procedure and attributes of a record in a column, its path, or a mapping file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from cineloop.cohort.format import Record
from cineloop.cohort.rows import find_column, read_table
from cineloop.cohort.schema import Source
from cineloop.errors import CohortError

#: Columns that are taken for a property when the recipe names no source; case, spaces and hyphens do not count.
COMMON = {
    "patient": ("patient", "patient_id", "patientid", "subject", "subject_id"),
    "procedure": ("procedure", "procedure_id", "examination", "examination_id", "exam", "exam_id"),
    "dataset": ("dataset",),
    "site": ("site", "centre", "center", "hospital"),
    "scope": ("scope", "endoscope", "scope_model"),
    "age": ("age", "patient_age", "age_years"),
    "sex": ("sex", "gender", "patient_sex"),
}
_MAPPING_KEYS = ("path", "video_path", "file_path", "file", "filename", "file_name", "video", "video_filename", "stem")

Resolver = Callable[[Record], str | None]


def resolver(name: str, source: Source | None, records: Sequence[Record], *, root: Path) -> Resolver | None:
    """Return a function from a record to the value of the property ``name``, or None when nothing tells it.

    A blank cell gives None (unknown). A pattern that does not match, a column that a row lacks, and a file that a
    mapping does not list are errors, since they are more likely a slip than an unknown person.

    Raises:
        CohortError: The column or mapping does not exist or cannot be read; from the function: see above.
    """
    if source is None:
        return _common_column(name, records)
    if source.column is not None:
        return _column(name, source.column, records)
    if source.regex is not None:
        return _pattern(name, source.regex, root)
    return _mapping(name, source, root)


def _common_column(name: str, records: Sequence[Record]) -> Resolver | None:
    present = dict.fromkeys(column for record in records for column in record.columns)
    column = find_column(list(present), None, COMMON.get(name, (name,)), where=Path())
    if column is None:
        return None
    return lambda record: record.columns.get(column) or None


def _column(name: str, column: str, records: Sequence[Record]) -> Resolver:
    if records and not any(column in record.columns for record in records):
        known = list(dict.fromkeys(column for record in records for column in record.columns))
        find_column(known, column, (), where=records[0].source or records[0].path)

    def value(record: Record) -> str | None:
        if column not in record.columns:
            raise CohortError(f"The row has no column {column!r} for the {name}", where=record.place, mend="Add it.")
        return record.columns[column] or None

    return value


def _pattern(name: str, regex: str, root: Path) -> Resolver:
    pattern = re.compile(regex)
    group: str | int = name if name in pattern.groupindex else 1

    def value(record: Record) -> str | None:
        found = pattern.search(record.name) or pattern.search(relative(record.path, root))
        if found is None or not found[group]:
            raise CohortError(
                f"The pattern of the {name} does not match the path {record.name!r}: {regex}",
                where=record.place,
                mend=f"Correct data.{name}.regex so that it matches every path, or use a mapping file.",
            )
        return found[group]

    return value


def _mapping(name: str, source: Source, root: Path) -> Resolver:
    file = source.mapping
    assert file is not None
    if not file.is_file() and not file.is_absolute() and (root / file).is_file():
        file = root / file
    table = read_table(file)
    key = find_column(table.columns, source.key, _MAPPING_KEYS, where=file)
    column = find_column(table.columns, source.value, COMMON.get(name, (name,)), where=file)
    if key is None or column is None:
        missing = "paths" if key is None else f"the {name}"
        raise CohortError(
            f"The mapping has no column of {missing}",
            where=file,
            mend=f"Name it: {{mapping: {file.name}, {'key' if key is None else 'value'}: COLUMN}}; "
            f"columns: {', '.join(table.columns)}.",
        )
    exact, by_name, by_stem = _index(file, table.values(key), table.values(column))

    def value(record: Record) -> str | None:
        rel = relative(record.path, root)
        for text, index in (
            (record.name, exact),
            (rel, exact),
            (PurePosixPath(rel).name, by_name),
            (PurePosixPath(rel).stem, by_stem),
        ):
            if text in index:
                found = index[text]
                if found is None:
                    raise CohortError(
                        f"The mapping of the {name} gives several values for {text!r}",
                        where=file,
                        mend="Write whole relative paths in the mapping; file names alone repeat.",
                    )
                return found or None
        raise CohortError(
            f"The mapping of the {name} does not list {record.name!r}",
            where=file,
            mend="Add the row; leave its value blank when it is unknown.",
        )

    return value


_Index = Mapping[str, str | None]


def _index(file: Path, keys: Sequence[str], values: Sequence[str]) -> tuple[_Index, _Index, _Index]:
    """Index a mapping by path, file name and stem; None stands where a name means several values."""
    exact: dict[str, str | None] = {}
    by_name: dict[str, str | None] = {}
    by_stem: dict[str, str | None] = {}
    for key, value in zip(keys, values, strict=True):
        path = key.replace("\\", "/").removeprefix("./")
        if exact.setdefault(path, value) != value:
            raise CohortError(
                f"The mapping gives two values for {key!r}: {exact[path]!r} and {value!r}",
                where=file,
                mend="Leave one row for each file.",
            )
        for index, text in ((by_name, PurePosixPath(path).name), (by_stem, PurePosixPath(path).stem)):
            if index.setdefault(text, value) != value:
                index[text] = None
    # A key without suffix is a stem already; its own "stem" would cut at a dot inside the name.
    for key, value in zip(keys, values, strict=True):
        by_stem.setdefault(key, value)
    return exact, by_name, by_stem


def relative(path: Path, root: Path) -> str:
    """Return ``path`` relative to ``root`` with forward slashes, climbing out where it must."""
    text, base = os.path.normpath(path), os.path.join(os.path.normpath(root), "")  # noqa: PTH118
    if text.startswith(base):
        # The usual case, tens of thousands of times; the general one asks the system where it stands.
        return text[len(base) :].replace(os.sep, "/")
    try:
        return Path(os.path.relpath(path, root)).as_posix()
    except ValueError:
        # Two drives of one machine have no relative path.
        return path.as_posix()
