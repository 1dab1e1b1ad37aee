"""Procedures from a user's tables and from the reports of analyses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from cineloop.analysis.given_table import read_given
from cineloop.analysis.report.record import NAME as REPORT
from cineloop.analysis.report.record import Report, read_report
from cineloop.analysis.summary.columns import meaning_of, read_cell
from cineloop.analysis.summary.procedure import Procedure
from cineloop.analysis.words import Said
from cineloop.errors import CineloopError
from cineloop.files import fingerprint, sha256_file

TABLES = (".csv", ".parquet")

_CUT = "at_least_ends_inside"
_FIELDS = frozenset(one.name for one in fields(Procedure))
_REPORTED = frozenset({"caecum_reached", "withdrawal_seconds", "bbps_right", "bbps_transverse", "bbps_left"})


@dataclass(frozen=True)
class Source:
    """Where procedures come from.

    Attributes:
        name: Of the table, or of the folder of reports, without where it lies.
        procedures: How many it has.
        sha256: Of a table's bytes, or over those of the reports in order of their hashes.
    """

    name: str
    procedures: int
    sha256: str


@dataclass(frozen=True)
class Procedures:
    """All procedures of some sources.

    Attributes:
        rows: One each.
        told: The fields of a procedure that some source tells.
        columns: Titles of the tables' other columns.
        notes: What a reader must know of how sources were put together.
        sources: Where they come from.
    """

    rows: tuple[Procedure, ...]
    told: frozenset[str]
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


def read_procedures(sources: Sequence[Path]) -> Procedures:
    """Read the procedures of tables and reports; of a procedure in both, what the table tells counts.

    Args:
        sources: CSV or Parquet tables with a row a procedure, ``report.json`` files, or folders in which some lie.

    Raises:
        CineloopError: A source cannot be read, a procedure stands twice, or tables and reports have no names in common.
    """
    tables = [read_table(path) for path in sources if path.suffix.lower() in TABLES]
    folders = {source: list(_reports_in(source)) for source in sources if source.suffix.lower() not in TABLES}
    paths = [path for found in folders.values() for path in found]
    read = [read_report(path) for path in paths]
    reports = [procedure_of(report) for report in read]
    notes = _repeated(read)
    listed = [row for table in tables for row in table.rows]
    columns = tuple(dict.fromkeys(title for table in tables for title in table.columns))
    told = frozenset(_REPORTED if reports else ()).union(*(table.told for table in tables))
    _check_names(listed, "A table")
    _check_names(reports, "A report", paths)
    origins = tuple(
        [table.sources[0] for table in tables]
        + [Source(source.resolve().name, len(found), _hash(found)) for source, found in folders.items()]
    )
    if not (listed and reports):
        return Procedures((*listed, *reports), told, columns, notes, origins)
    merged = _merged(listed, reports, told, columns)
    return replace(merged, notes=(*merged.notes, *notes), sources=origins)


def _repeated(reports: Sequence[Report]) -> tuple[str, ...]:
    """Return a note where several reports are of one recording."""
    many = Counter(tuple(part.sha256 for part in report.parts) for report in reports)
    again = [count for count in many.values() if count > 1]
    return (str(Said("same_recording", {"reports": sum(again), "recordings": len(again)})),) if again else ()


def _hash(paths: Sequence[Path]) -> str:
    """Return the SHA-256 of a file, or over those of several, in order."""
    sums = sorted(sha256_file(path) for path in paths)
    return sums[0] if len(sums) == 1 else fingerprint(sums)


def _merged(
    listed: Sequence[Procedure], reports: Sequence[Procedure], told: frozenset[str], columns: tuple[str, ...]
) -> Procedures:
    by_name = {report.name: report for report in reports}
    names = {row.name for row in listed}
    both = names & by_name.keys()
    if not both:
        raise CineloopError(
            "No procedure of the tables has the name of one that was analysed",
            where=f"{min(names) or 'no names'} in a table, {min(by_name)} in a report",
            mend="Give the table a column `procedure` with the names of the reports (`procedure` in report.json): "
            "pseudonyms, unless analyses are made with --name or --plain.",
        )
    rows = [row.completed(by_name[row.name]) if row.name in both else row for row in listed]
    rows += [report for report in reports if report.name not in both]
    notes = [f"Procedures in a table and in a report: {len(both)}; what the table tells of them counts."]
    for count, where in ((len(listed) - len(both), "a table"), (len(reports) - len(both), "a report")):
        if count:
            notes.append(f"Procedures in {where} alone: {count}.")
    if len(both) < min(len(listed), len(reports)):
        notes.append(
            "If some of those alone are the same procedures, they count twice: names must be equal, and reports have "
            "pseudonyms unless they were made with --name or --plain."
        )
    return Procedures(tuple(rows), told, columns, tuple(notes))


def _check_names(rows: Iterable[Procedure], what: str, sources: Sequence[Path] = ()) -> None:
    seen: dict[str, int] = {}
    for number, row in enumerate(rows):
        if row.name and row.name in seen:
            places = [sources[one] for one in (seen[row.name], number)] if sources else []
            raise CineloopError(
                f"{what} has the procedure {row.name!r} twice",
                where=" and ".join(map(str, places)) or "sources",
                mend="Leave one out if they are the same. What is called alike has one pseudonym: analyse one "
                "of different procedures again with --name.",
            )
        seen[row.name] = number


def read_table(path: Path) -> Procedures:
    """Read a table with a row a procedure; ``columns.NAMES`` tells the titles that are known.

    Raises:
        CineloopError: It cannot be read, has no row, or a cell cannot be understood.
    """
    table = read_given(path, row="procedure")
    meaning = meaning_of(table.columns, path)
    others = tuple(title for title in table.columns if title not in meaning.values() or title == meaning.get("name"))
    rows = []
    for number, cells in enumerate(table.iter_rows(named=True), start=1):
        values = {
            thing: read_cell(thing, _text(cells[title]), title=title, row=number, where=path)
            for thing, title in meaning.items()
        }
        rows.append(_procedure(values, {title: _text(cells[title]) for title in others}))
    told = {"withdrawal_seconds" if thing.startswith("withdrawal_") else thing for thing in meaning}
    origin = Source(path.name, len(rows), sha256_file(path))
    return Procedures(tuple(rows), frozenset(told) - {"name"}, others, sources=(origin,))


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return str(int(cell))
    return "" if cell is None else str(cell)


def _procedure(values: Mapping[str, Any], others: Mapping[str, str]) -> Procedure:
    times = [values[thing] for thing in values if thing.startswith("withdrawal_")]
    plain = {thing: value for thing, value in values.items() if thing in _FIELDS}
    return Procedure(
        **{
            **plain,
            "name": plain.get("name") or "",
            "withdrawal_seconds": times[0] if times else None,
            "others": others,
        }
    )


def _reports_in(source: Path) -> Iterator[Path]:
    """Yield the reports that a file or folder names."""
    if source.is_dir():
        found = sorted(source.rglob(REPORT))
        if not found:
            raise CineloopError(
                f"No {REPORT} lies in this folder", where=source, mend="Name the folder of an analysis, or above some."
            )
        yield from found
    elif source.suffix.lower() == ".json":
        yield source
    else:
        raise CineloopError(
            "This is neither a table nor a report",
            where=source,
            mend=f"Give .csv or .parquet tables, {REPORT} files, or folders of analyses.",
        )


def procedure_of(report: Report) -> Procedure:
    """Return what the report of an analysis says of a procedure; a value that it could not determine is not known."""
    found = {one.definition.name: one for one in report.indicators}
    values: dict[str, Any] = {name: found[name].value for name in _REPORTED & found.keys()}
    if values.get("caecum_reached") is not None:
        values["caecum_reached"] = bool(values["caecum_reached"])
    cut = "withdrawal_seconds" in found and any(one.key == _CUT for one in found["withdrawal_seconds"].remarks)
    return Procedure(name=report.procedure, withdrawal_cut=cut, **values)
