"""Timelines as files: Parquet and CSV tables of a row a frame, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt
import polars as pl

from cineloop.errors import TimelineError
from cineloop.files import atomic_path
from cineloop.timeline.published import is_log, read_log, shortest
from cineloop.timeline.timeline import COLUMNS, FILTERED, SCORE, THRESHOLD, Timeline

if TYPE_CHECKING:
    from cineloop.video import Video

SUFFIXES = (".parquet", ".csv", ".json")
_KIND = "cineloop timeline"
_FIELDS = ("source", "frame_rate", "frames", "seconds", "scores", "signals", "filtered")
_PIECE = 4096
"""Values of a row that are written as one text."""
_GIVE = "Give a timeline: a .parquet, .csv or .json file with the columns frame and seconds."


def check_suffix(path: Path) -> str:
    """Return the suffix of a timeline's file, lower case.

    Raises:
        TimelineError: It is none of those that timelines are written with.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise TimelineError(
            f"A timeline is no {path.suffix or 'file without a suffix'}",
            where=path,
            mend=f"Use one of {', '.join(SUFFIXES)}.",
        )
    return suffix


def to_table(timeline: Timeline) -> pl.DataFrame:
    """Return a timeline as a table, a row a frame; :meth:`Timeline.write` tells the columns."""
    named: list[tuple[str, npt.NDArray[Any]]] = [("frame", timeline.frames), ("seconds", timeline.seconds)]
    named += [(SCORE + name, row) for name, row in timeline.scores.items()]
    named += list(timeline.signals.items())
    named += [(FILTERED + name, row) for name, row in timeline.filtered.items()]
    return pl.DataFrame([pl.Series(name, row) for name, row in named]).with_columns(
        source=pl.lit(timeline.source),
        frame_rate=pl.lit(timeline.frame_rate, pl.Float64),
        **{THRESHOLD + name: pl.lit(value, pl.Float64) for name, value in timeline.thresholds.items()},
    )


def from_table(table: pl.DataFrame, *, where: Path) -> Timeline:
    """Read what :func:`to_table` returns, or any table with the columns ``frame`` and ``seconds``.

    Raises:
        TimelineError: A column is missing, another one is no signal, or the values form no timeline.
    """
    missing = [name for name in ("frame", "seconds") if name not in table.columns]
    if missing:
        raise TimelineError(f"This is no timeline: it has no column {' and '.join(missing)}", where=where, mend=_GIVE)
    if not table.height:
        raise TimelineError("This timeline has no row", where=where, mend=_GIVE)
    scores, signals, filtered = {}, {}, {}
    thresholds: dict[str, float] = {}
    for name in table.columns:
        if name.startswith(THRESHOLD) and SCORE + name.removeprefix(THRESHOLD) in table.columns:
            value = _constant(table, name, pl.Float64, where)
            thresholds |= {} if value is None else {name.removeprefix(THRESHOLD): value}
        elif name.startswith(SCORE):
            scores[name.removeprefix(SCORE)] = _column(table, name, pl.Float32, where)
        elif name.startswith(FILTERED):
            filtered[name.removeprefix(FILTERED)] = _column(table, name, pl.Int8, where)
        elif name not in COLUMNS:
            signals[name] = _column(table, name, pl.Int8, where)
    frames, seconds = _column(table, "frame", pl.Int64, where), _column(table, "seconds", pl.Float64, where)
    return _made(
        {
            "source": _constant(table, "source", pl.String, where) or where.stem,
            "frame_rate": _constant(table, "frame_rate", pl.Float64, where) or _rate_of(frames, seconds, where),
            "frames": frames,
            "seconds": seconds,
            "scores": scores,
            "signals": signals,
            "filtered": filtered,
            "thresholds": thresholds,
        },
        where,
    )


def _column(table: pl.DataFrame, name: str, kind: type[pl.DataType], where: Path) -> npt.NDArray[Any]:
    try:
        column = table[name].cast(kind)
        if kind.is_integer() and table.schema[name].is_float() and (table[name] != column).any():
            raise pl.exceptions.InvalidOperationError
    except pl.exceptions.PolarsError:
        wanted = "a probability" if name.startswith(SCORE) else "a number"
        wanted = "a whole number" if kind in (pl.Int8, pl.Int64) else wanted
        raise TimelineError(
            f"The column {name!r} holds something that is not {wanted}",
            where=where,
            mend="Columns beside frame, seconds, source and frame_rate are signals: numbers from -1 on, or p_<name>.",
        ) from None
    if name.startswith(SCORE):
        column = column.fill_null(float("nan"))
    if column.null_count():
        raise TimelineError(
            f"The column {name!r} has {column.null_count()} empty cells",
            where=where,
            mend="Write -1 where a signal does not apply, and leave out frames that were not looked at.",
        )
    return column.to_numpy()


def _constant(table: pl.DataFrame, name: str, kind: type[pl.DataType], where: Path) -> Any:
    """Return the one value of a column, None where there is no such column."""
    if name not in table.columns:
        return None
    found = table[name].unique()
    if len(found) > 1:
        raise TimelineError(
            f"The column {name!r} has {len(found)} different values",
            where=where,
            mend="Give one timeline for each recording.",
        )
    try:
        return found.cast(kind)[0]
    except pl.exceptions.PolarsError:
        raise TimelineError(f"The column {name!r} holds no number: {found[0]!r}", where=where, mend=_GIVE) from None


def _rate_of(frames: npt.NDArray[Any], seconds: npt.NDArray[Any], where: Path) -> float:
    """Return the frame rate that times show."""
    steps = np.diff(frames) / np.diff(seconds) if len(frames) > 1 and (np.diff(seconds) > 0).all() else np.zeros(0)
    if not len(steps):
        raise TimelineError(
            "The frame rate is not known: there is no column frame_rate, and the times do not tell it",
            where=where,
            mend="Add a column frame_rate.",
        )
    return float(np.median(steps))


def _made(fields: Mapping[str, Any], where: Path) -> Timeline:
    try:
        return Timeline(**fields)
    except ValueError as error:
        raise TimelineError(f"This is no timeline: {error}", where=where, mend=_GIVE) from None


def write_timeline(timeline: Timeline, path: Path) -> Path:
    """Write a timeline atomically; see :meth:`Timeline.write`."""
    suffix = check_suffix(path)
    if suffix == ".json":
        with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(_json({"kind": _KIND, **_content(timeline)}))
            stream.write("\n")
        return path
    table = to_table(timeline)
    with atomic_path(path) as temporary:
        if suffix == ".csv":
            # An empty cell is what spreadsheets take for a number that is not known.
            table.fill_nan(None).write_csv(temporary)
        else:
            table.write_parquet(temporary)
    return path


def _content(timeline: Timeline) -> dict[str, Any]:
    return {
        "source": timeline.source,
        "frame_rate": timeline.frame_rate,
        "frames": timeline.frames,
        "seconds": timeline.seconds,
        "scores": timeline.scores,
        "signals": timeline.signals,
        "filtered": timeline.filtered,
        **({"thresholds": timeline.thresholds} if timeline.thresholds else {}),
    }


def _json(value: Any) -> Iterator[str]:
    """Yield JSON piece by piece: the rows of hours as one text, and as Python's numbers, are many times their size."""
    if isinstance(value, Mapping):
        yield "{"
        for number, (name, inner) in enumerate(value.items()):
            yield f"{', ' if number else ''}{json.dumps(name, ensure_ascii=False)}: "
            yield from _json(inner)
        yield "}"
    elif isinstance(value, np.ndarray):
        yield "["
        for start in range(0, len(value), _PIECE):
            yield f"{', ' if start else ''}{json.dumps(_plain(value[start : start + _PIECE]), allow_nan=False)[1:-1]}"
        yield "]"
    else:
        yield json.dumps(value, ensure_ascii=False, allow_nan=False)


def _plain(row: npt.NDArray[Any]) -> list[Any]:
    if row.dtype != np.float32:
        return list(row.tolist())
    return [None if one != one else one for one in shortest(row)]


def read_timeline(path: Path, *, video: Video | None = None) -> Timeline:
    """Read a timeline; see :meth:`Timeline.read`."""
    suffix = check_suffix(path)
    if not path.is_file():
        raise TimelineError("There is no such file", where=path, mend=_GIVE)
    if suffix == ".json":
        return _from_json(path, video)
    try:
        # As text, so that a value that does not fit is told with its column.
        table = pl.read_csv(path, infer_schema=False) if suffix == ".csv" else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        kind = "CSV" if suffix == ".csv" else "Parquet"
        reason = str(error).strip().splitlines()[0]
        raise TimelineError(f"This is not a {kind} file: {reason}", where=path, mend=_GIVE) from None
    return from_table(table, where=path)


def _from_json(path: Path, video: Video | None) -> Timeline:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise TimelineError(f"This is not a JSON file: {error}", where=path, mend=_GIVE) from None
    if is_log(content):
        return read_log(content, path, video)
    if not isinstance(content, dict) or content.get("kind") != _KIND:
        raise TimelineError("This JSON file holds no timeline", where=path, mend=_GIVE)
    missing = [name for name in _FIELDS if name not in content]
    if missing:
        raise TimelineError(f"The timeline lacks {', '.join(missing)}", where=path, mend="Write it anew.")
    fields = {name: content[name] for name in _FIELDS}
    # Timelines written before thresholds were kept have none.
    fields["thresholds"] = content.get("thresholds", {})
    try:
        for name in ("frames", "seconds"):
            fields[name] = np.array(fields[name])
        for kind in ("scores", "signals", "filtered"):
            fields[kind] = {name: np.array(row) for name, row in fields[kind].items()}
        for name, row in fields["scores"].items():
            if row.dtype == object:  # null stands where a score is not known
                fields["scores"][name] = row.astype(np.float64)
    except (ValueError, AttributeError, TypeError) as error:
        _not_a_timeline(path, error)
    if not isinstance(fields["thresholds"], dict) or not all(
        isinstance(value, (int, float)) for value in fields["thresholds"].values()
    ):
        _not_a_timeline(path, "thresholds are numbers by name")
    if not isinstance(fields["source"], str) or isinstance(fields["frame_rate"], (str, list, dict, type(None))):
        _not_a_timeline(path, "source is a text and frame_rate a number")
    return _made(fields, path)


def _not_a_timeline(path: Path, reason: object) -> NoReturn:
    raise TimelineError(f"This is no timeline: {reason}", where=path, mend=_GIVE) from None
