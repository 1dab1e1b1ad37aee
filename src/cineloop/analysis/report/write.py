"""Writing a report: both files, or an error."""

from __future__ import annotations

from pathlib import Path

from cineloop.analysis.report.page import page
from cineloop.analysis.report.record import NAME, plain
from cineloop.analysis.result import Analysis
from cineloop.files import write_json

PAGE = "report.html"


def write_report(analysis: Analysis, folder: Path) -> tuple[Path, Path]:
    """Write ``report.json`` and ``report.html`` into a folder, each atomically, over what is there.

    Returns:
        Their paths.
    """
    values = plain(analysis)
    html = page(analysis).write(folder / PAGE)
    write_json(folder / NAME, values, indent=1)
    return folder / NAME, html
