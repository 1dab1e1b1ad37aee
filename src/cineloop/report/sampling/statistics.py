"""What samples look at and what they miss, as figures; docs/sampling.md gives each definition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cineloop.report.sampling.samples import Floats, Integers, Samples


@dataclass(frozen=True, eq=False)
class Measures:
    """One value a row; with N frames in the video and n of them sampled, repeats counted.

    Attributes:
        span: (last - first + 1) / N: the share of the video between the first and the last sampled frame.
        windows: The share of n equal windows of the video that hold a sampled frame.
        gap: The longest run of frames that are not sampled, before the first and after the last ones included, / N.
        gap_seconds: The same in seconds; NaN where the clip's clock is not known.
        variation: The coefficient of variation (standard deviation / mean) of the distances of neighbouring sampled
            frames; NaN for fewer than two frames or where all are the same.
        repeats: Sampled frames that were sampled before in the row.
    """

    span: Floats
    windows: Floats
    gap: Floats
    gap_seconds: Floats
    variation: Floats
    repeats: Integers


def measure(samples: Samples) -> Measures:
    """Return the measures of every row, each [R]."""
    n_rows = len(samples)
    span, windows, gap, variation = (np.full(n_rows, np.nan) for _ in range(4))
    repeats = np.zeros(n_rows, np.int64)
    counts = samples.counts
    totals = samples.totals[samples.clip] if n_rows else np.zeros(0, np.int64)
    for count in np.unique(counts[counts > 0]).tolist():
        rows = np.flatnonzero(counts == count)
        frames = np.sort(samples.indices[samples.offsets[rows][:, None] + np.arange(count)], axis=1)
        total = totals[rows]
        first, last = frames[:, 0], frames[:, -1]
        steps = np.diff(frames, axis=1)
        span[rows] = (last - first + 1) / total
        windows[rows] = (1 + (np.diff(frames * count // total[:, None], axis=1) > 0).sum(axis=1)) / count
        inner = np.maximum(steps.max(axis=1) - 1, 0) if count > 1 else np.zeros(len(rows), np.int64)
        gap[rows] = np.maximum(np.maximum(first, total - 1 - last), inner) / total
        repeats[rows] = (steps == 0).sum(axis=1)
        if count > 1:
            mean = steps.mean(axis=1)
            variation[rows] = np.where(mean > 0, steps.std(axis=1) / np.where(mean > 0, mean, 1), np.nan)
    step = np.array([np.nan if clip.step is None else clip.step for clip in samples.clips])
    seconds = gap * totals * step[samples.clip] if n_rows else gap
    return Measures(span, windows, gap, seconds, variation, repeats)


@dataclass(frozen=True, slots=True)
class Summary:
    """The measures of one method in one split. None where nothing is known.

    Attributes:
        method: Its name.
        split: The split.
        rows: Rows, augmentation rounds and epochs included.
        videos: Different videos.
        frames: Frames of a row, the mean.
        span: See :class:`Measures`; the mean.
        windows: The mean.
        gap: The median.
        gap_seconds: The median.
        gap_seconds_max: The longest.
        variation: The median.
        repeated: The share of rows with a repeated frame.
        distinct: The share of a video's frames that its rows show together; the mean over videos.
    """

    method: str
    split: str
    rows: int
    videos: int
    frames: float
    span: float | None
    windows: float | None
    gap: float | None
    gap_seconds: float | None
    gap_seconds_max: float | None
    variation: float | None
    repeated: float
    distinct: float


def distinct(samples: Samples) -> tuple[Integers, Integers, Integers]:
    """Return method, clip and number of different frames of every method and clip that has rows."""
    of_row = samples.method * len(samples.clips) + samples.clip
    width = int(samples.totals.max(initial=1))
    seen = np.unique(np.repeat(of_row, samples.counts) * width + samples.indices) // width
    pair, count = np.unique(seen, return_counts=True)
    return pair // max(1, len(samples.clips)), pair % max(1, len(samples.clips)), count.astype(np.int64)


def summarise(samples: Samples) -> tuple[Summary, ...]:
    """Return one summary for each method and split that has rows, in order."""
    measures = measure(samples)
    splits = samples.splits
    of_clip = np.array([splits.index(clip.split) for clip in samples.clips], np.int64)
    of_row = of_clip[samples.clip] if len(samples) else np.zeros(0, np.int64)
    seen_method, seen_clip, seen = distinct(samples)
    found = []
    for method, method_name in enumerate(samples.methods):
        for split, split_name in enumerate(splits):
            rows = (samples.method == method) & (of_row == split)
            if not rows.any():
                continue
            here = (seen_method == method) & (of_clip[seen_clip] == split)
            found.append(
                Summary(
                    method=method_name,
                    split=split_name,
                    rows=int(rows.sum()),
                    videos=len(np.unique(samples.clip[rows])),
                    frames=float(samples.counts[rows].mean()),
                    span=_mean(measures.span[rows]),
                    windows=_mean(measures.windows[rows]),
                    gap=_quantile(measures.gap[rows], 0.5),
                    gap_seconds=_quantile(measures.gap_seconds[rows], 0.5),
                    gap_seconds_max=_quantile(measures.gap_seconds[rows], 1.0),
                    variation=_quantile(measures.variation[rows], 0.5),
                    repeated=float((measures.repeats[rows] > 0).mean()),
                    distinct=float((seen[here] / samples.totals[seen_clip[here]]).mean()) if here.any() else 0.0,
                )
            )
    return tuple(found)


def _known(values: npt.NDArray[np.float64]) -> Floats:
    return values[~np.isnan(values)]


def _mean(values: Floats) -> float | None:
    known = _known(values)
    return float(known.mean()) if len(known) else None


def _quantile(values: Floats, share: float) -> float | None:
    known = _known(values)
    return float(np.quantile(known, share)) if len(known) else None
