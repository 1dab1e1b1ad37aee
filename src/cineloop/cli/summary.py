"""``cineloop summary``: the indicators of a unit, of many procedures together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cineloop.cli.common import JsonOption, note, print_json, print_table, say

if TYPE_CHECKING:
    from cineloop.analysis.summary import Group, Summary


def command(
    tables: Annotated[
        list[Path],
        typer.Argument(
            metavar="TABLE...",
            help="CSV or Parquet tables with a row a procedure; report.json files, or folders of analyses; or both.",
        ),
    ],
    by: Annotated[
        str | None, typer.Option("--by", metavar="COLUMN", help="Also for each value of a column: endoscopist, site.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write it as .csv, .json or .html, a page to read.")] = None,
    guideline: Annotated[
        str,
        typer.Option(
            "--guideline",
            metavar="PRESET",
            help="Whose values to show beside: asge-acg-2024, aga, esge-2017, usmstf-2025, a .yaml file, or none.",
        ),
    ] = "asge-acg-2024",
    json: JsonOption = False,
) -> None:
    """Sum up procedures: how often the caecum is reached, preparation, withdrawal times, what is detected.

    Shares have Wilson's 95% intervals. What is not known of a procedure is counted and shown, and is never a no. Of a
    procedure in a table and in a report, what the table tells counts.
    """
    from cineloop.analysis.summary import summarise
    from cineloop.analysis.summary.write import check_out, plain, write_summary

    if out is not None:
        check_out(out)
    summary = summarise(tables, by=by, guideline=None if guideline == "none" else guideline)
    if out is not None:
        write_summary(summary, out)
    if json:
        print_json(plain(summary))
        return
    _print(summary)
    if out is not None:
        note(f"written: {out}")


def _print(summary: Summary) -> None:
    from cineloop.report.html import count

    for group in (summary.whole, *summary.groups):
        name = group.name if group is summary.whole else f"{summary.by} {group.name}"
        say(f"{name}: {count(group.procedures, 'procedure')}")
        _print_group(group)
        say()
    for text in summary.notes:
        note(f"note: {text}")
    for remark in dict.fromkeys(str(remark) for rate in summary.whole.rates for remark in rate.remarks):
        note(f"note: {remark}")


def _print_group(group: Group) -> None:
    from cineloop.analysis.summary.text import count_of, interval_of, value_text

    rows = []
    for rate in group.rates:
        sides = [
            f"{one.side} {value_text(one.value, rate.definition.unit)}{'' if one.verified else ' (unverified)'}"
            for one in rate.references
        ]
        value = value_text(rate.value, rate.definition.unit)
        counted = count_of(rate) if rate.n or rate.missing else ""
        reason = "" if rate.reason is None else f"not determinable, because {rate.reason}"
        rows.append([rate.definition.title, value, interval_of(rate), counted, ", ".join(sides), reason])
    print_table(["indicator", "value", "95% interval", "procedures", "guideline", ""], rows)
