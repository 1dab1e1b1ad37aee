"""A table that says of frames of procedures whether they show the inside of a body."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cineloop.analysis.given_table import read_given
from cineloop.cohort.formats.inbody import Names, folded
from cineloop.errors import PrivacyError, VideoError
from cineloop.timeline.quality import LABELS, STATES
from cineloop.video.recording import TICK, Recording

VIDEO = ("path", "video", "file")
TIME = ("seconds", "frame")
OUTSIDE = ("outside", "body", "label")

_YES, _NO = frozenset(("1", "1.0", "true", "yes")), frozenset(("0", "0.0", "false", "no"))
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class LabelledRecording:
    """The labels of one procedure; K rows.

    Attributes:
        name: Of the procedure.
        patient: Who it is of, where the table says so.
        paths: Its files, in the order in which the table names them.
        part: Which file each row is of, int64 [K].
        at: The frame of the file, counted from 0, or seconds from its first frame's appearance, float64 [K].
        by_frame: Whether ``at`` counts frames.
        outside: Whether the frame is out of the body, bool [K].
    """

    name: str
    patient: str | None
    paths: tuple[Path, ...]
    part: npt.NDArray[np.int64]
    at: npt.NDArray[np.float64]
    by_frame: bool
    outside: npt.NDArray[np.bool_]

    def on_clock(self, recording: Recording) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Return when the rows are shown on the procedure's clock, in order, and their labels, [K] each.

        Raises:
            VideoError: A row names a frame or a time that its file does not have.
        """
        seconds = np.empty(len(self.at))
        for part in recording.parts:
            own = self.part == part.number
            start, stop = (tick * float(TICK) for tick in (part.start, part.stop))
            end = part.frames if self.by_frame else stop - start
            if own.any() and self.at[own].max() >= end:
                has, unit = (f"{part.frames}", "frame") if self.by_frame else (f"{end:.1f} s", "second")
                raise VideoError(
                    f"The table names {unit} {self.at[own].max():g}, counted from 0; the file has {has}",
                    where=part.path,
                    mend="Remove rows after the end of the file, or check which file they are of.",
                )
            if self.by_frame:
                seconds[own] = recording.seconds_of(part.first + self.at[own].astype(np.int64))
            else:
                seconds[own] = start + self.at[own]
        order = np.argsort(seconds, kind="stable")
        return seconds[order], self.outside[order]


def read_labelled(table: Path) -> tuple[tuple[LabelledRecording, ...], tuple[str, ...]]:
    """Read labelled procedures, and what of the table was not used.

    The table is CSV or Parquet. It has a column ``path`` (or ``video``, ``file``), relative to the table's folder;
    ``frame`` or ``seconds``, within the file; and ``outside`` (yes or no), ``body`` or ``label`` (names such as those
    of an in-body tree, or the states of a colonoscopy frame). It may have ``procedure`` (several files of one name are
    its parts, in order), ``patient`` and ``split``, of which ``test`` alone is then used, as models have learned from
    the rest.

    Raises:
        PrivacyError: It cannot be read, or a column or a label is not understood.
    """
    rows = read_given(table, row="labelled frame", error=PrivacyError).with_columns(pl.all().cast(pl.String))
    video, time, outside = (_column(rows, names, table) for names in (VIDEO, TIME, OUTSIDE))
    notes = []
    if "split" in rows.columns and (rows["split"] == "test").any():
        kept = rows.filter(pl.col("split") == "test")
        if kept.height < rows.height:
            notes.append(f"{kept.height} of {rows.height} rows are of the split test, and only these are used.")
        rows = kept
    rows = rows.with_columns(
        _name=rows["procedure"] if "procedure" in rows.columns else rows[video],
        _at=_numbers(rows[time], table),
        _outside=_decided(rows[outside], table),
    )
    found = []
    for (name,), own in rows.group_by("_name", maintain_order=True):
        files = own[video].unique(maintain_order=True).to_list()
        patients = own["patient"].drop_nulls().unique(maintain_order=True).to_list() if "patient" in own.columns else []
        if len(patients) > 1:
            raise PrivacyError(
                f"The procedure {name} is of the patients {patients[0]} and {patients[1]}",
                where=table,
                mend="Name one patient for all rows of a procedure.",
            )
        found.append(
            LabelledRecording(
                name=str(name),
                patient=patients[0] if patients else None,
                paths=tuple(table.parent / file for file in files),
                part=np.array([files.index(file) for file in own[video]], dtype=np.int64),
                at=own["_at"].to_numpy(),
                by_frame=time == "frame",
                outside=own["_outside"].to_numpy(),
            )
        )
    return tuple(found), tuple(notes)


def _column(rows: pl.DataFrame, names: Sequence[str], table: Path) -> str:
    for name in names:
        if name in rows.columns:
            missing = rows[name].null_count()
            if missing:
                raise PrivacyError(
                    f"{missing} rows have nothing in the column {name!r}", where=table, mend="Fill or remove them."
                )
            return name
    raise PrivacyError(
        f"No column {' or '.join(map(repr, names))}; there are {', '.join(rows.columns)}",
        where=table,
        mend=f"Name the column {names[0]!r}.",
    )


def _numbers(column: pl.Series, table: Path) -> pl.Series:
    numbers = column.cast(pl.Float64, strict=False)
    wrong = column.filter(numbers.is_null() | ~numbers.is_finite() | (numbers < 0))
    if len(wrong):
        raise PrivacyError(
            f"{wrong[0]!r} in the column {column.name!r} is no {'frame' if column.name == 'frame' else 'time'}",
            where=table,
            mend="Count frames, or seconds, from 0.",
        )
    return numbers


def _decided(column: pl.Series, table: Path) -> pl.Series:
    """Return whether labels say that a frame is out of the body.

    Nothing is guessed: a label that is mistyped and taken for the inside would hide a miss.
    """
    names = Names()
    out = {*map(folded, (*names.out_of_body, "out")), *_YES}
    inside = {*map(folded, (*names.in_body, "in")), *_NO}
    if column.name != "outside":
        states = {folded(name) for name in (*STATES, *LABELS)} - {"outside"}
        out, inside = out - _YES, (inside | states) - _NO
    labels = column.map_elements(folded, return_dtype=pl.String)
    unknown = _few(column.filter(~labels.is_in(sorted(out | inside))).unique().sort())
    if unknown:
        raise PrivacyError(
            f"The column {column.name!r} says {unknown}: is that in or out of the body?",
            where=table,
            mend="Name the column 'outside', and write 1 for out of the body and 0 for inside.",
        )
    return labels.is_in(sorted(out))


def _few(values: Iterable[Any]) -> str:
    texts = [repr(value) for value in values]
    return ", ".join(texts[:_SHOWN]) + (f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else "")
