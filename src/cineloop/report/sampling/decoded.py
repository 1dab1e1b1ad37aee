"""Between the records of what was decoded and tables of samples."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import polars as pl

from cineloop.cohort import Cohort, Item
from cineloop.errors import SamplingError
from cineloop.identity import pseudonym
from cineloop.report.sampling.samples import Clip, Integers, Samples, split_order
from cineloop.video.frame import FrameRef
from cineloop.video.records import SampleRecord
from cineloop.video.sampling import MODES


def from_records(
    records: pl.DataFrame, *, cohort: Cohort | None = None, salt: str | None = None, round_step: int | None = None
) -> tuple[Samples, tuple[Item | None, ...]]:
    """Return records as a table, and the item of each of its clips.

    Args:
        records: What :func:`cineloop.video.records.read_records` gives. Only training counts epochs.
        cohort: Gives class names and items; without it, or for what it does not hold, they are not known.
        salt: The secret behind the records' pseudonyms.
        round_step: The distance of augmentation rounds; by default what the records show.

    Returns:
        The table and, for each clip [C], its item or None.
    """
    items: dict[str, Item] = {}
    if cohort is not None:
        items = {item.id if salt is None else pseudonym(item.id, salt): item for item in cohort.items_of()}
    rows = records.with_row_index("row").filter(pl.col("indices").list.len() > 0)
    key = ["split", "item", "total", "start"]
    spans = _spans(rows, key)
    clips: list[Clip] = []
    for split, name, total, start, low, high, begin, end in spans.iter_rows():
        step = (end - begin) / (high - low) if high > low else None
        item = items.get(name)
        at = begin - (low - start) * step if step is not None else 0.0
        label = item.label if item is not None else None
        clips.append(Clip(name, split, total, label, start, None if step is None else round(step, 9), round(at, 9)))
    order = sorted(range(len(clips)), key=lambda one: (split_order(clips[one].split), clips[one].name, one))
    clips = [clips[one] for one in order]
    place = {(clip.split, clip.name, clip.total, clip.start): number for number, clip in enumerate(clips)}
    used = set(rows["mode"].unique().to_list())
    methods = [*(mode for mode in MODES if mode in used), *sorted(used - set(MODES))]
    numbered = rows.with_columns(
        pl.Series("clip", [place[found] for found in rows.select(key).iter_rows()], pl.Int64),
        pl.col("mode").replace_strict({name: number for number, name in enumerate(methods)}, return_dtype=pl.Int64),
        pl.col("round").fill_null(0),
        pl.when(pl.col("split") == "train").then(pl.col("epoch")).otherwise(0).alias("epoch"),
    ).sort("mode", "clip", "epoch", "occurrence", "round", "view", "row")
    counts = numbered["indices"].list.len().cast(pl.Int64).to_numpy()
    column = {name: numbered[name].cast(pl.Int64).to_numpy() for name in ("clip", "round", "epoch", "view")}
    flat = numbered["indices"].explode().to_numpy().astype(np.int64)
    begins = np.array([clip.start for clip in clips], np.int64)
    indices = flat - begins[np.repeat(column["clip"], counts)] if clips else flat
    seconds = numbered["seconds"].explode().to_numpy().astype(np.float64)
    samples = Samples(
        clips=tuple(clips),
        methods=tuple(methods),
        clip=column["clip"],
        method=numbered["mode"].to_numpy(),
        round=column["round"],
        epoch=column["epoch"],
        view=column["view"],
        occurrence=numbered["occurrence"].cast(pl.Int64).to_numpy(),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        indices=indices,
        seconds=seconds,
        round_step=round_step or _round_step(column["round"]),
    )
    return samples, tuple(items.get(clip.name) for clip in samples.clips)


def _spans(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return each clip's lowest and highest sampled frame with their times."""
    frames = rows.select(*key, "indices", "seconds").explode("indices", "seconds")
    return (
        frames.group_by(key, maintain_order=True)
        .agg(
            low=pl.col("indices").min(),
            high=pl.col("indices").max(),
            begin=pl.col("seconds").min(),
            end=pl.col("seconds").max(),
        )
        .sort(key)
    )


def _round_step(rounds: Integers) -> int | None:
    """Return the distance of the rounds that there are, 1 where only the first is; None for none."""
    found = np.unique(rounds[rounds > 0])
    if not len(found):
        return None
    return int(np.gcd.reduce(np.diff(found))) if len(found) > 1 else 1


def to_records(samples: Samples) -> list[SampleRecord]:
    """Return a table as records, one a row: what would be decoded, for tools that read a run's records.

    Raises:
        SamplingError: A frame's time is not known.
    """
    records = []
    for number in range(len(samples)):
        row = samples.row(number)
        clip = row.clip
        base = Fraction(1, 1_000_000)
        if row.seconds is None:
            raise SamplingError(
                "Frame times are not known, and records hold them",
                where=clip.name,
                mend="Write CSV files, which hold none, or name the data.",
            )
        records.append(
            SampleRecord(
                epoch=max(1, row.epoch),
                split=clip.split,
                item=clip.name,
                media=clip.name,
                mode=row.method,
                total=clip.total,
                refs=tuple(
                    FrameRef(clip.start + index, round(second / base), base)
                    for index, second in zip(row.indices, row.seconds, strict=True)
                ),
                round=row.round,
                view=row.view,
                occurrence=row.occurrence,
                start=clip.start,
            )
        )
    return records
