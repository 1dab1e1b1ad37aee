"""Frames of the user's own cohort, to calibrate a reduced precision on and to measure what it costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cineloop.cohort import Cohort, Item
from cineloop.errors import ExportError
from cineloop.exports.write import Guard
from cineloop.inference.engines import Pixels
from cineloop.inference.load import Loaded
from cineloop.progress import Progress, silent, stage
from cineloop.seeds import generator
from cineloop.tasks.clip_classification.predictor import ClipPredictor
from cineloop.tasks.frame_classification.data import FrameReader
from cineloop.tasks.frame_classification.predictor import FramePredictor


def _read(loaded: Loaded, items: Sequence[Item], progress: Progress) -> list[Pixels]:
    predictor = loaded.predictor
    found: list[Pixels] = []
    with stage(progress, len(items), "reading frames") as told:
        if isinstance(predictor, FramePredictor):
            frames = FrameReader("export", crop_content=False)
            for item in items:
                found.append(frames.read([item])[0][0])
                told.advance(1)
        else:
            assert isinstance(predictor, ClipPredictor)
            clips = predictor.reader("test")
            for item in items:
                found.append(np.ascontiguousarray(clips.read(item)[0][0]))
                told.advance(1)
    return found


def _some(loaded: Loaded, cohort: Cohort, split: str, count: int) -> list[Item]:
    items = loaded.predictor.labelled(cohort.items_of(split, labelled=True))
    chosen = generator("export frames", split).permutation(len(items))[:count]
    return [items[int(place)] for place in sorted(chosen)]


def guard_of(
    loaded: Loaded,
    cohort: Cohort,
    *,
    calibration: int = 200,
    validation: int = 300,
    agreement: float = 0.98,
    progress: Progress = silent,
) -> Guard:
    """Return frames of a cohort's training split to calibrate on, and of its validation split to judge by.

    Args:
        loaded: The model.
        cohort: What it was trained on.
        calibration: How many to calibrate on, at most.
        validation: How many to judge by, at most.
        agreement: The share of decisions that must stay the same.
        progress: Told about frames.

    Raises:
        ExportError: The cohort has no validation split.
        VideoError: A frame cannot be read.
    """
    if "val" not in cohort.split_names:
        raise ExportError(
            "The cohort has no validation split to judge a reduced precision by",
            where=cohort.root,
            mend="Export in fp32, or train with a validation split.",
        )
    judged = _some(loaded, cohort, "val", validation)
    return Guard(
        calibration=_read(loaded, _some(loaded, cohort, "train", calibration), progress),
        validation=_read(loaded, judged, progress),
        targets=[-1 if item.target is None else item.target for item in judged],
        least_agreement=agreement,
    )
