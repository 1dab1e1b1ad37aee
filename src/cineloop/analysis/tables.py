"""An analysis as tables: windows, segments and events, each a Parquet file; times are seconds of the procedure."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from cineloop import files
from cineloop.analysis.result import Analysis, Place

_PLACE = {"frame": pl.Int64, "part": pl.Int32, "part_frame": pl.Int64, "part_seconds": pl.Float64}


def windows_table(analysis: Analysis) -> pl.DataFrame | None:
    """Return a row a clip: ``start``, ``stop``, ``p_<class>`` and ``decided``; empty cells where one was not judged."""
    windows = analysis.windows
    if windows is None:
        return None
    classes = list(windows.probabilities)
    columns: dict[str, Any] = {"start": windows.start, "stop": windows.stop}
    columns |= {f"p_{name}": pl.Series(row).fill_nan(None) for name, row in windows.probabilities.items()}
    columns["decided"] = [classes[place] if place >= 0 else None for place in windows.decided.tolist()]
    return pl.DataFrame(columns, schema_overrides={"decided": pl.String})


def segments_table(analysis: Analysis) -> pl.DataFrame:
    """Return a row a segment: ``signal``, ``value``, ``start``, ``stop``, ``seconds``, and where its first frame is."""
    rows = [
        {
            "signal": one.name,
            "value": one.value,
            "start": one.start.seconds,
            "stop": one.stop,
            "seconds": one.duration,
            **_placed(one.start),
        }
        for one in analysis.stretches
    ]
    text = {"signal": pl.String, "value": pl.String}
    return pl.DataFrame(rows, schema={**text, **dict.fromkeys(("start", "stop", "seconds"), pl.Float64), **_PLACE})


def events_table(analysis: Analysis) -> pl.DataFrame:
    """Return a row an event: ``event``, ``seconds``, ``known_at``, ``detail``, and where its frame is."""
    rows = [
        {
            "event": one.name,
            "seconds": one.place.seconds,
            "known_at": one.known_at,
            "detail": one.detail,
            **_placed(one.place),
        }
        for one in analysis.events
    ]
    kinds = {"event": pl.String, "seconds": pl.Float64, "known_at": pl.Float64, "detail": pl.String}
    return pl.DataFrame(rows, schema={**kinds, **_PLACE})


def _placed(place: Place) -> dict[str, Any]:
    return {name: value for name, value in asdict(place).items() if name != "seconds"}


def write_tables(analysis: Analysis, folder: Path) -> list[Path]:
    """Write ``timeline`` (.parquet and .json), ``segments``, ``events`` and ``windows`` (.parquet), atomically."""
    written = [analysis.timeline.write(folder / f"timeline.{suffix}") for suffix in ("parquet", "json")]
    tables = {
        "segments": segments_table(analysis),
        "events": events_table(analysis),
        "windows": windows_table(analysis),
    }
    for name, table in tables.items():
        if table is not None:
            path = folder / f"{name}.parquet"
            with files.atomic_path(path) as temporary:
                table.write_parquet(temporary)
            written.append(path)
    return written
