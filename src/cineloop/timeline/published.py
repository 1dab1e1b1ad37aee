"""The two JSON logs of the published colonoscopy quality control, written and read.

The *model log* is ``{"logit": [[7 probabilities], ...], "label": [[7 of 0 or 1], ...]}``; what it calls logits are
probabilities. The *post log* is ``[[outside, nonsense, ileocecal, bbps], ...]`` after post-processing. Both have a row
for every frame of a video and neither a name nor a time, so that reading one needs the video.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cineloop.errors import TimelineError
from cineloop.files import write_json
from cineloop.timeline.decision import SIGNALS, signals_of
from cineloop.timeline.quality import LABELS
from cineloop.timeline.timeline import Timeline
from cineloop.video.info import ASSUMED_FPS

if TYPE_CHECKING:
    from cineloop.video import Video


def write_model_log(timeline: Timeline, path: Path) -> Path:
    """Write the probabilities and the raw labels, with an indent of 2 as published, atomically.

    Labels are made from the signals; where the published decision sets several scores of one frame, one is written.

    Raises:
        TimelineError: The timeline lacks one of the seven scores or four signals, or a frame.
    """
    _check(timeline, "scores", LABELS, path)
    _check(timeline, "signals", SIGNALS, path)
    outside, nonsense, ileocecal, score = (timeline.signals[name] for name in SIGNALS)
    labels = np.column_stack([outside == 1, nonsense == 1, ileocecal == 1, *(score == value for value in range(4))])
    scores = np.array([shortest(timeline.scores[name]) for name in LABELS]).T
    write_json(path, {"logit": scores.tolist(), "label": labels.astype(int).tolist()})
    return path


def write_post_log(timeline: Timeline, path: Path) -> Path:
    """Write the filtered signals, atomically.

    Raises:
        TimelineError: The timeline lacks one of the four filtered signals, or a frame.
    """
    _check(timeline, "filtered", SIGNALS, path)
    write_json(path, np.column_stack([timeline.filtered[name] for name in SIGNALS]).tolist(), indent=None)
    return path


def _check(timeline: Timeline, kind: str, names: tuple[str, ...], path: Path) -> None:
    missing = [name for name in names if name not in getattr(timeline, kind)]
    if missing:
        raise TimelineError(
            f"The published log needs {kind} that the timeline does not have: {', '.join(missing)}",
            where=path,
            mend="Write the timeline as it is, as .parquet, .csv or .json.",
        )
    if not timeline.seen.all():
        raise TimelineError(
            "The published log has no place for a frame that could not be decoded",
            where=path,
            mend="Write the timeline as it is, as .parquet, .csv or .json.",
        )
    if not np.array_equal(timeline.frames, np.arange(len(timeline))):
        raise TimelineError(
            "The published log has a row for every frame, and the timeline does not",
            where=path,
            mend="Look at every frame, or write the timeline as it is, as .parquet, .csv or .json.",
        )


def is_log(content: Any) -> bool:
    """Return whether what a JSON file holds looks like one of the published logs."""
    return isinstance(content, list) or (isinstance(content, dict) and {"logit", "label"} <= set(content))


def read_log(content: Any, path: Path, video: Video | None) -> Timeline:
    """Read a published log.

    Args:
        content: What the file holds.
        path: The file, for messages.
        video: The recording. Rows beyond its last frame get times at its rate.

    Returns:
        Of a model log scores and raw signals, of a post log filtered signals alone.

    Raises:
        TimelineError: The rows are not those of a log, or no video was given.
    """
    if video is None:
        raise TimelineError(
            "This log of the published quality control has no times",
            where=path,
            mend="Name the video that it is about.",
        )
    try:
        if isinstance(content, list):
            rows = _rows(content, len(SIGNALS))
            timeline = _timed(video, filtered=dict(zip(SIGNALS, rows.T, strict=True)), count=len(rows))
        else:
            scores, labels = _rows(content["logit"], len(LABELS)), _rows(content["label"], len(LABELS))
            timeline = _timed(
                video,
                scores=dict(zip(LABELS, scores.T, strict=True)),
                signals=dict(zip(SIGNALS, signals_of(labels), strict=True)),
                count=len(scores),
            )
    except ValueError as error:
        raise TimelineError(
            f"This is no log of the published quality control: {error}",
            where=path,
            mend='A model log is {"logit": [[7 numbers], ...], "label": [[7 of 0 or 1], ...]}, a post log '
            "[[4 whole numbers], ...].",
        ) from None
    return timeline


def _rows(content: Any, width: int) -> npt.NDArray[Any]:
    try:
        rows = np.array(content)
    except ValueError:
        rows = np.zeros(0)
    if rows.ndim != 2 or rows.shape[1] != width or rows.dtype.kind not in "if":
        raise ValueError(f"its rows are not {width} numbers each")
    return rows


def _timed(video: Video, *, count: int, **kinds: Any) -> Timeline:
    clock, rate = video.clock, float(video.info.fps or ASSUMED_FPS)
    known = clock.pts[:count].astype(np.float64) * float(clock.time_base)
    beyond = clock.end * float(clock.time_base) + np.arange(count - len(known)) / rate
    return Timeline(
        source=video.path.name,
        frames=np.arange(count),
        seconds=np.concatenate([known, beyond]),
        frame_rate=rate,
        **kinds,
    )


def shortest(row: npt.NDArray[np.float32]) -> list[float]:
    """Return float32 values as the numbers with the fewest digits that are read back as the same float32."""
    return pl.Series(row).cast(pl.String).cast(pl.Float64).to_list()
