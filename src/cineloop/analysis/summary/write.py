"""The summary of a unit as a table, as JSON, or as a page."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cineloop._version import __version__
from cineloop.analysis.summary import Group, Summary
from cineloop.analysis.summary.page import page
from cineloop.analysis.summary.rates import Rate
from cineloop.errors import CineloopError
from cineloop.files import write_json, write_text

SUFFIXES = (".csv", ".json", ".html")

_COLUMNS = (
    "group",
    "procedures",
    "indicator",
    "unit",
    "value",
    "low",
    "high",
    "n",
    "hits",
    "missing",
    "reason",
    "remarks",
    "references",
)


def check_out(path: Path) -> None:
    """Refuse, before any work, a file that could not be written.

    Raises:
        CineloopError: The suffix is none of a table, JSON or a page, or the file is there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise CineloopError(
            f"A summary is no {path.suffix or 'file without a suffix'}",
            where=path,
            mend=f"Use one of {', '.join(SUFFIXES)}.",
        )
    if path.exists():
        raise CineloopError("A file is already there", where=path, mend="Give another name, or remove it.")


def write_summary(summary: Summary, path: Path) -> None:
    """Write a summary atomically, as what its suffix says.

    Raises:
        CineloopError: As of :func:`check_out`.
    """
    check_out(path)
    suffix = path.suffix.lower()
    if suffix == ".html":
        page(summary).write(path)
    elif suffix == ".json":
        write_json(path, plain(summary))
    else:
        write_text(path, _csv(summary))


def plain(summary: Summary) -> dict[str, Any]:
    """Return a summary as plain data."""
    return {
        "schema": 1,
        "software": {"cineloop": __version__},
        "made": summary.made,
        "sources": [asdict(source) for source in summary.sources],
        "by": summary.by,
        "guideline": summary.guideline,
        "notes": list(summary.notes),
        "whole": _plain_group(summary.whole),
        "groups": [_plain_group(group) for group in summary.groups],
    }


def _plain_group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "procedures": group.procedures,
        "indicators": [_plain_rate(rate) for rate in group.rates],
    }


def _plain_rate(rate: Rate) -> dict[str, Any]:
    return {
        "name": rate.definition.name,
        "title": rate.definition.title,
        "unit": rate.definition.unit,
        "value": _rounded(rate.value),
        "low": _rounded(rate.low),
        "high": _rounded(rate.high),
        "n": rate.n,
        "hits": rate.hits,
        "missing": rate.missing,
        "reason": None if rate.reason is None else str(rate.reason),
        "remarks": [str(remark) for remark in rate.remarks],
        "references": [dict(vars(reference)) for reference in rate.references],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.12g}")


def _csv(summary: Summary) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for group in (summary.whole, *summary.groups):
        for rate in group.rates:
            row = {**_plain_rate(rate), "group": group.name, "procedures": group.procedures}
            row |= {"indicator": row["name"], "remarks": " ".join(row["remarks"])}
            row["references"] = "; ".join(f"{one.side} {one.text}" for one in rate.references)
            writer.writerow(["" if row[name] is None else row[name] for name in _COLUMNS])
    return stream.getvalue()
