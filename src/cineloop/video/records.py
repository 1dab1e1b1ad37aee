"""What was really decoded: one record a sample, kept as Parquet beside a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cineloop.errors import VideoError
from cineloop.files import atomic_path
from cineloop.identity import pseudonym
from cineloop.video.frame import FrameRef

if TYPE_CHECKING:
    import polars as pl


_MARK = "cineloop.records"
_OTHER = "Name a run's samples/ folder, or one of the .parquet files in it."


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """The frames that one sample was made from. Made where they are decoded, from the names the decoder gave them.

    Attributes:
        epoch: The epoch, from 1.
        split: ``train``, ``val``, ``test`` or another name of a split.
        item: The item's id.
        media: The id of the media file.
        mode: The sampling mode.
        total: Frames in the video.
        refs: The decoded frames, in the order in which the model sees them.
        round: The augmentation round, or None for the original row.
        view: The temporal view, from 0.
        occurrence: How often this (item, round) came before in the epoch.
        start: The item's first frame in the file: 0 but for clips.
    """

    epoch: int
    split: str
    item: str
    media: str
    mode: str
    total: int
    refs: tuple[FrameRef, ...]
    round: int | None = None
    view: int = 0
    occurrence: int = 0
    start: int = 0


def _schema() -> dict[str, pl.DataType | type[pl.DataType]]:
    import polars as pl

    return {
        "epoch": pl.Int32,
        "split": pl.String,
        "item": pl.String,
        "media": pl.String,
        "round": pl.Int32,
        "occurrence": pl.Int32,
        "view": pl.Int32,
        "mode": pl.String,
        "start": pl.Int64,
        "total": pl.Int64,
        "indices": pl.List(pl.Int64),
        "pts": pl.List(pl.Int64),
        "time_base": pl.String,
        "seconds": pl.List(pl.Float64),
    }


def write_records(
    records: Iterable[SampleRecord], path: Path, *, salt: str | None = None, planned: bool = False
) -> None:
    """Write records to a Parquet file, atomically, one row a record in their order.

    The columns are those of :class:`SampleRecord`, with ``refs`` as three lists: ``indices`` (0-based presentation
    indices), ``pts`` (in the units of ``time_base``, a text such as ``1/90000``) and ``seconds``.
    With a salt, items and media stand under pseudonyms. Records that are ``planned`` and not decoded are marked so.
    """
    import polars as pl

    rows = list(records)
    if salt is not None:
        rows = [replace(row, item=pseudonym(row.item, salt), media=pseudonym(row.media, salt)) for row in rows]
    frame = pl.DataFrame(
        {
            "epoch": [row.epoch for row in rows],
            "split": [row.split for row in rows],
            "item": [row.item for row in rows],
            "media": [row.media for row in rows],
            "round": [row.round for row in rows],
            "occurrence": [row.occurrence for row in rows],
            "view": [row.view for row in rows],
            "mode": [row.mode for row in rows],
            "start": [row.start for row in rows],
            "total": [row.total for row in rows],
            "indices": [[ref.index for ref in row.refs] for row in rows],
            "pts": [[ref.pts for ref in row.refs] for row in rows],
            "time_base": [str(row.refs[0].time_base) if row.refs else None for row in rows],
            "seconds": [[ref.seconds for ref in row.refs] for row in rows],
        },
        schema=_schema(),
    )
    with atomic_path(path) as temporary:
        frame.write_parquet(temporary, metadata={_MARK: "planned"} if planned else None)


def are_planned(path: Path) -> bool:
    """Return whether a file of records, or any of a folder's, is marked as planned and not decoded."""
    import polars as pl

    files = path.glob("*.parquet") if path.is_dir() else [path]
    return any(_MARK in pl.read_parquet_metadata(file) for file in files)


def read_records(path: Path) -> pl.DataFrame:
    """Read records back: one file, or all of a folder's in the order of their names.

    Raises:
        VideoError: There is no such file, or the folder holds none, or one is not a file of records.
    """
    import polars as pl

    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise VideoError("There are no sample records here", where=path, mend=_OTHER)
    frames = []
    for file in files:
        try:
            frame = pl.read_parquet(file)
        except pl.exceptions.PolarsError as error:
            raise VideoError(f"This is not a Parquet file: {error}", where=file, mend=_OTHER) from None
        if set(_schema()) - set(frame.columns) == {"start"}:
            # A run of before there was the column.
            frame = frame.with_columns(start=pl.lit(0, pl.Int64)).select(*_schema())
        if frame.schema != _schema():
            raise VideoError("This Parquet file holds no sample records", where=file, mend=_OTHER)
        frames.append(frame)
    return pl.concat(frames)
