"""A table of the user's."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cineloop.errors import CineloopError


def read_given(path: Path, *, row: str, error: type[CineloopError] = CineloopError) -> pl.DataFrame:
    """Read a CSV, whose cells stay text, or a Parquet file.

    Args:
        path: The file.
        row: What a row of it is, for whoever gave one without rows.
        error: What is raised.

    Raises:
        CineloopError: It cannot be read, or has no row.
    """
    if not path.is_file():
        raise error("There is no such file", where=path, mend="Check the path.")
    try:
        rows = pl.read_parquet(path) if path.suffix.lower() == ".parquet" else pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError) as unread:
        reason = str(unread).strip().splitlines()[0]
        raise error(
            f"The table cannot be read: {reason}", where=path, mend="Give a CSV (UTF-8) or Parquet file."
        ) from None
    if not rows.height:
        raise error("The table has no row", where=path, mend=f"Give a table with a row a {row}.")
    return rows
