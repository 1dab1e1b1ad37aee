"""A table of samples as a small JSON text for the page: columns of integers, a byte or two each."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from cineloop.report.packing import pack
from cineloop.report.program import script_data
from cineloop.report.sampling.samples import Integers, Samples
from cineloop.report.sampling.sheets import Sheet

STEADY = 0.001
"""Seconds by which a frame's time may leave its clip's steady clock before it is written out."""


def _deltas(values: Integers) -> Integers:
    return np.diff(values, prepend=0)


def _within_rows(values: Integers, offsets: Integers) -> Integers:
    """Return each value less the one before it in its row."""
    found = np.diff(values, prepend=0)
    first = offsets[:-1][np.diff(offsets) > 0]
    found[first] = values[first]
    return found


def _clock(samples: Samples) -> tuple[list[float | None], list[float], Integers, Integers]:
    """Return seconds a frame and first time of each clip, the rows that leave that clock, and their milliseconds."""
    step = np.array([np.nan if clip.step is None else clip.step for clip in samples.clips])
    at = np.array([clip.at for clip in samples.clips])
    of = np.repeat(samples.clip, samples.counts)
    told = at[of] + samples.indices * step[of] if len(samples.clips) else samples.seconds
    off = ~np.isnan(samples.seconds) & ~(np.abs(told - samples.seconds) <= STEADY)
    rows = np.unique(np.repeat(np.arange(len(samples)), samples.counts)[off])
    part = samples.take(np.isin(np.arange(len(samples)), rows))
    milliseconds = _within_rows(np.round(part.seconds * 1000).astype(np.int64), part.offsets)
    return [clip.step for clip in samples.clips], at.tolist(), rows, milliseconds


def blob(samples: Samples, *, notes: Sequence[tuple[str, str]] = (), sheets: Sequence[Sheet] = ()) -> str:
    """Return the page's data as JSON, safe inside a script element.

    Args:
        samples: The table.
        notes: A method's name and what it does, in words.
        sheets: Frames to show.
    """
    splits, clips = samples.splits, samples.clips
    labels = sorted({clip.label for clip in clips if clip.label is not None})
    place = {label: number for number, label in enumerate(labels)}
    step, at, timed_rows, milliseconds = _clock(samples)
    value = {
        "methods": list(samples.methods),
        "notes": dict(notes),
        "splits": list(splits),
        "labels": labels,
        "names": [clip.name for clip in clips],
        "label": pack(np.array([-1 if clip.label is None else place[clip.label] for clip in clips], np.int64)),
        "clipSplit": pack(np.array([splits.index(clip.split) for clip in clips], np.int64)),
        "total": pack(samples.totals),
        "start": pack(np.array([clip.start for clip in clips], np.int64)),
        "step": step,
        "at": at if any(at) else [],
        "method": pack(_deltas(samples.method)),
        "clip": pack(_deltas(samples.clip)),
        "round": pack(_deltas(samples.round)),
        "epoch": pack(_deltas(samples.epoch)),
        "view": pack(_deltas(samples.view)),
        "count": pack(_deltas(samples.counts)),
        "indices": pack(_within_rows(samples.indices, samples.offsets)),
        "timedRows": pack(_deltas(timed_rows)),
        "milliseconds": pack(milliseconds),
        "sheets": [
            {
                "clip": sheet.clip,
                "method": sheet.method,
                "row": sheet.row,
                "width": sheet.width,
                "height": sheet.height,
                "pictures": [base64.b64encode(data).decode("ascii") for data in sheet.pictures],
            }
            for sheet in sheets
        ],
    }
    return script_data(value)
