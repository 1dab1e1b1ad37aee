"""``predict`` and ``features``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from cineloop.inference import features as featuring
from cineloop.inference import measured
from cineloop.inference.answer import Context, Decision, Prediction
from cineloop.inference.features import Features
from cineloop.inference.load import Loaded, load
from cineloop.inference.rows import check_target, rows_of
from cineloop.inference.sources import collect
from cineloop.inference.timelines import check_wanted, timelines_of, write_published, write_timelines
from cineloop.progress import Progress, silent
from cineloop.timeline.refilter import Filter


def predict(
    model: str | Path | Loaded,
    sources: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    temporal_views: int | None = None,
    spatial_views: Literal[1, 3] | None = None,
    workers: int = 0,
    device: str | None = None,
    on_error: str = "raise",
    threshold: float | None = None,
    stills: bool = False,
    rate: float | None = None,
    timelines: str | Path | None = None,
    filtering: Filter = "published",
    published: str | Path | None = None,
    progress: Progress = silent,
) -> Prediction:
    """Predict videos, images, DICOM files and folders of them.

    A model of clips gives a row a video; a model of frames gives a row a frame, of every frame or of ``rate`` a second.

    Args:
        model: A run, a weights file that a run wrote, or what :func:`load` gave.
        sources: Files and folders.
        out: A ``.csv``, ``.parquet`` or ``.json`` file for the rows.
        temporal_views: Clips a video, averaged; None means what the model's recipe says.
        spatial_views: Crops a clip, 1 or 3, averaged; None likewise.
        workers: Processes that decode.
        device: Where to run; None takes a GPU where there is one.
        on_error: ``raise`` or ``skip`` for a source that cannot be read.
        threshold: Of a binary problem, on the positive class; of colonoscopy labels, of outside, nonsense and
            ileocecal alike. None takes what its evaluation chose on validation, or its recipe fixed, else 0.5.
        stills: Take every image of a folder as an item of its own, not as a frame of one recording.
        rate: Of a model of frames: how many frames of a second of video; None takes every frame.
        timelines: Of a model of frames: a folder for a timeline of each video.
        filtering: How the signals of timelines are filtered: ``published``, ``causal`` or ``none``.
        published: Of colonoscopy labels: a folder for the files that the published tool writes.
        progress: Told about items.

    Raises:
        VideoError: A source does not exist or cannot be read.
        RecipeError: The model judges videos as a whole, and a rate is given.
        RunError: There is no finished run.
        WeightsError: The weights are damaged.
    """
    if out is not None:
        check_target(Path(out))
    loaded = model if isinstance(model, Loaded) else load(model, device=device)
    items = loaded.predictor.spread(collect(sources, stills=stills), rate)
    if timelines is not None or published is not None:
        check_wanted(
            items,
            colonoscopy=bool(loaded.predictor.asks),
            rate=rate,
            timelines=Path(timelines) if timelines is not None else None,
            published=Path(published) if published is not None else None,
        )
    predictions, scores = loaded.predictor.predict(
        items,
        temporal_views=temporal_views,
        spatial_views=spatial_views,
        workers=workers,
        on_error=on_error,
        progress=progress,
    )
    predictions = predictions.with_positive(loaded.predictor.positive)
    thresholds = measured.chosen_thresholds(loaded)
    if threshold is not None:
        thresholds = dict.fromkeys(loaded.predictor.asks, threshold)
    predictions = loaded.predictor.decided(predictions, thresholds)
    decision = Decision.of(predictions.classes, threshold, measured.chosen_threshold(loaded), questions=thresholds)
    rows = tuple(rows_of(predictions, scores.looked_at(), threshold=decision.threshold))
    failed = tuple((items[failure.item].id, failure.error.what) for failure in scores.failures)
    columns = predictions.output_names or predictions.classes
    result = Prediction(columns, rows, failed, Context.of(loaded, decision))
    if timelines is not None or published is not None:
        found = timelines_of(predictions, rows, items, decision=decision, how=filtering)
        if timelines is not None:
            write_timelines(found, Path(timelines))
        if published is not None:
            write_published(found, predictions, rows, items, Path(published))
    if out is not None:
        result.write(Path(out))
    return result


def features(
    model: str | Path,
    sources: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    tokens: str | Path | None = None,
    attention: str | Path | None = None,
    views: int | None = None,
    architecture: str | None = None,
    config: Mapping[str, Any] | None = None,
    workers: int = 0,
    device: str | None = None,
    on_error: str = "raise",
    stills: bool = False,
    progress: Progress = silent,
) -> Features:
    """Give the features of videos, images, DICOM files and folders of them.

    Args:
        model: A run, a weights file with a passport, or with ``architecture`` a checkpoint in any accepted form.
        sources: Files and folders.
        out: A ``.parquet`` or ``.npz`` file for the features.
        tokens: A folder for all tokens of each item, one ``.npz`` an item.
        attention: A folder for videos of where the class token looked, one an item.
        views: Clips of each video; None means as many as the model was evaluated with.
        architecture: The model of a checkpoint that does not say it.
        config: Options of that model that differ from its defaults.
        workers: Processes that decode.
        device: Where to run; None takes a GPU where there is one.
        on_error: ``raise`` or ``skip`` for a source that cannot be read.
        stills: Take every image of a folder as an item of its own.
        progress: Told about items.

    Raises:
        WeightsError: The weights do not fit.
        ModelError: The model reads no clips, or gives no tokens or attention.
        VideoError: A source does not exist or cannot be read.
    """
    if out is not None:
        featuring.check_target(Path(out))
    items = collect(sources, stills=stills)
    encoder = featuring.open_encoder(model, model=architecture, config=config, device=device)
    encoded, failed = [], []
    for one in encoder.encode(
        items,
        views=views,
        tokens=tokens is not None,
        attention=attention is not None,
        workers=workers,
        on_error=on_error,
        progress=progress,
    ):
        if isinstance(one, tuple):
            failed.append((one[0].id, one[1].what))
            continue
        if tokens is not None:
            featuring.write_tokens(one, featuring.place_of(one.item.id, Path(tokens), ".npz"))
        if attention is not None:
            place = featuring.place_of(one.item.id, Path(attention), ".attention.mp4")
            featuring.write_attention(one, encoder.classes, place)
        # Pictures and tokens are large and written by now.
        encoded.append(dataclasses.replace(one, tokens=None, attention=None, pictures=None))
    found = featuring.stack(encoded, failed)
    if out is not None:
        found.write(Path(out))
    return found
