"""What a model of frames said about videos, as timelines, and in the published files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cineloop import files
from cineloop.cohort.item import Item
from cineloop.errors import CineloopError
from cineloop.evaluation.predictions import Predictions
from cineloop.inference.answer import Decision
from cineloop.inference.rows import Row
from cineloop.timeline import Timeline
from cineloop.timeline.decision import SIGNALS, Thresholds, signals_of
from cineloop.timeline.published import write_model_log, write_post_log
from cineloop.timeline.quality import LABELS, STATES, code_of
from cineloop.timeline.refilter import Filter, refiltered
from cineloop.timeline.storage import write_timeline
from cineloop.video import Video

_LOGS = ("_model_pred.json", "_post_label.json")
_PICTURES, _SUFFIX = "predictions.json", ".parquet"
_CODES = np.array([code_of(state) for state in STATES], dtype=np.int8)


def check_wanted(
    items: Sequence[Item],
    *,
    colonoscopy: bool,
    rate: float | None,
    timelines: Path | None,
    published: Path | None,
) -> None:
    """Refuse, before any work, what could not be written after it.

    Args:
        items: What is to be judged.
        colonoscopy: Whether the model gives the seven labels of a colonoscopy frame.
        rate: Frames a second that are looked at; None for all.
        timelines: The folder of timelines, if they are wanted.
        published: The folder of published files, if they are wanted.

    Raises:
        CineloopError: There is nothing to write a timeline of, a file is already there, or the published files cannot
            hold what is asked for.
    """
    names = sorted({item.media for item in items if item.start is not None})
    if timelines is not None:
        if not names:
            raise CineloopError(
                "There are no frames of videos to make timelines of",
                where="--timelines",
                mend="Name videos and a model of frames, or leave --timelines out.",
            )
        _check_free(_targets(names, timelines).values())
    if published is None:
        return
    if not colonoscopy:
        raise CineloopError(
            "The published files hold the seven labels of a colonoscopy frame; this model gives others",
            where="--published",
            mend="Leave --published out, and use --out.",
        )
    if names and rate is not None:
        raise CineloopError(
            "The published files have a row for every frame; --rate leaves some out",
            where="--rate",
            mend="Leave --rate out, or use --timelines in place of --published.",
        )
    pictures = [published / _PICTURES] if any(item.start is None for item in items) else []
    _check_free([*pictures, *(path for pair in _logs(names, published).values() for path in pair)])


def timelines_of(
    predictions: Predictions,
    rows: Sequence[Row],
    items: Sequence[Item],
    *,
    decision: Decision,
    how: Filter = "published",
) -> dict[str, Timeline]:
    """Return the timeline of each video, by the name of its medium; single pictures have none.

    Args:
        predictions: Of frames, in the order of ``rows``, with what was decided.
        rows: What the frames are.
        items: The frames, by id.
        decision: How classes and questions were decided; its thresholds stand in the timelines.
        how: How signals are filtered.

    Raises:
        VideoError: A video cannot be opened again.
    """
    known = {item.id: item for item in items}
    media: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if known[row.id].start is not None:
            media.setdefault(known[row.id].media, []).append(place)
    found = {}
    for name, unordered in media.items():
        places = sorted(unordered, key=lambda place: rows[place].frames[0])
        with Video(known[rows[places[0]].id].path, threads=1) as video:
            rate = float(video.info.fps) if video.info.fps else len(video) / video.info.duration_seconds
        timeline = Timeline(
            source=name,
            frames=np.array([rows[place].frames[0] for place in places]),
            seconds=np.array([rows[place].seconds[0] for place in places]),
            frame_rate=rate,
            **_said(predictions, places, decision),
        )
        found[name] = refiltered(timeline, how)
    return found


def _said(predictions: Predictions, places: Sequence[int], decision: Decision) -> dict[str, Any]:
    """Return the scores and signals of some frames, and what the signals were decided at."""
    decided = predictions.decide(decision.threshold)[places]
    if predictions.output_names == LABELS:
        signals = signals_of(_CODES[decided])
        return {
            "scores": {name: predictions.outputs[places, at] for at, name in enumerate(LABELS)},
            "signals": dict(zip(SIGNALS, signals, strict=True)),
            "thresholds": vars(Thresholds(**decision.questions)),
        }
    scores = {name: predictions.probabilities[places, at] for at, name in enumerate(predictions.classes)}
    positive = predictions.positive
    name = predictions.classes[positive] if positive is not None else "class"
    return {
        "scores": scores,
        "signals": {name: decided.astype(np.int8)},
        "thresholds": {} if decision.threshold is None else {name: decision.threshold},
    }


def _place(folder: Path, name: str, ending: str) -> Path:
    """Return where the file of a medium goes: below ``folder``, under the medium's own relative path."""
    inside = Path(*(part for part in Path(name).parts if part not in ("..", "/")))
    return folder / inside.with_name(inside.name + ending)


def _targets(names: Iterable[str], folder: Path) -> dict[str, Path]:
    return {name: _place(folder, str(Path(name).with_suffix("")), _SUFFIX) for name in names}


def _logs(names: Iterable[str], folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return where the model log and the post log of each video go."""
    model, post = _LOGS
    stems = {name: str(Path(name).with_suffix("")) for name in names}
    return {name: (_place(folder, stem, model), _place(folder, stem, post)) for name, stem in stems.items()}


def write_timelines(timelines: dict[str, Timeline], folder: Path) -> list[Path]:
    """Write each timeline as ``<video's path without suffix>.parquet`` below a folder."""
    targets = _targets(timelines, folder)
    for name, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_timeline(timelines[name], target)
    return list(targets.values())


def write_published(
    timelines: dict[str, Timeline], predictions: Predictions, rows: Sequence[Row], items: Sequence[Item], folder: Path
) -> list[Path]:
    """Write what the published colonoscopy quality control writes, under names that do not collide.

    ``predictions.json`` maps each picture to its seven labels, 0 or 1. Each video gets ``<path>_model_pred.json`` with
    probabilities and labels, and ``<path>_post_label.json`` with what the filters made of them.
    """
    known = {item.id: item for item in items}
    decided = predictions.decide(None)
    pictures = {
        row.id: _CODES[decided[place]].astype(int).tolist()
        for place, row in enumerate(rows)
        if known[row.id].start is None
    }
    logs = _logs(timelines, folder)
    single = [folder / _PICTURES] if pictures else []
    folder.mkdir(parents=True, exist_ok=True)
    if pictures:
        files.write_json(single[0], pictures)
    for name, (model, post) in logs.items():
        model.parent.mkdir(parents=True, exist_ok=True)
        write_model_log(timelines[name], model)
        write_post_log(timelines[name], post)
    return [*single, *(path for pair in logs.values() for path in pair)]


def _check_free(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.exists():
            raise CineloopError("A file is already there", where=path, mend="Give another folder, or remove it.")
