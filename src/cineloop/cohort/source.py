"""From a folder to the ``data`` section that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cineloop.cohort.format import FORMATS
from cineloop.errors import CohortError

TABLES = {".csv", ".tsv", ".parquet"}
"""How the names of tables end, which are data and no recipes."""


def detect(folder: Path) -> str:
    """Return the name of the layout that a folder has.

    Raises:
        CohortError: It has none that is known.
    """
    if not folder.is_dir():
        raise CohortError("The folder does not exist", where=folder, mend="Check the path.")
    # An index, a table or lists beside class folders say more than the folders do.
    found = [spec.name for spec in FORMATS if spec.detect is not None and spec.detect(folder)]
    for name in ("endofm", "uihnj", "image-labels", "table", "inbody-tree", *found):
        if name in found:
            return name
    tables = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in TABLES)
    if tables:
        raise CohortError(
            f"No known layout was found in this folder, but tables: {', '.join(tables)}",
            where=folder,
            mend=f"If one lists the items: --format table --path {tables[0]}, or a YAML file with `format: table`, "
            f"`root: {folder}` and `path: {tables[0]}` in its data section; docs/data-formats.md shows the columns.",
        )
    raise CohortError(
        "No known layout was found in this folder",
        where=folder,
        mend=f"Name the layout with --format ({', '.join(FORMATS.names())}); docs/data-formats.md shows each.",
    )


def completed(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return a ``data`` section with the layout of its root, where it names none and the root shows it."""
    root = section.get("root")
    if "format" in section or not isinstance(root, str | Path) or not Path(root).is_dir():
        return dict(section)
    return {"format": detect(Path(root)), **section}


def section_of(folder: Path) -> dict[str, Any]:
    """Return the ``data`` section, as plain data, that reads a folder of a known layout."""
    return {"format": detect(folder), "root": str(folder)}
