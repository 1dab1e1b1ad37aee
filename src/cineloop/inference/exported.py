"""Exported graphs as predictors: the same rows as the model that they were made from."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cineloop.cohort.item import Item
from cineloop.errors import CineloopError, ExportError, RecipeError
from cineloop.evaluation.predictions import Predictions
from cineloop.inference.engines import Engine, Pixels, onnx_engine, openvino_engine
from cineloop.models.passport import Passport
from cineloop.progress import Progress, silent, stage
from cineloop.tasks.clip_classification.data import ClipReader
from cineloop.tasks.clip_classification.passport import read_input
from cineloop.tasks.clip_classification.predictor import ClipPredictor
from cineloop.tasks.frame_classification.data import FrameReader
from cineloop.tasks.frame_classification.labels import labels_of, softmax
from cineloop.tasks.frame_classification.passport import read_head
from cineloop.tasks.frame_classification.predictor import FramePredictor
from cineloop.tasks.frame_classification.scoring import predictions_of
from cineloop.tasks.scoring import Failure, Scores, as_predictions
from cineloop.video.records import SampleRecord, write_records

_AHEAD = 4
_THREADS = 2


@dataclass(frozen=True)
class Read:
    """The pixels of some items, not prepared.

    Attributes:
        items: Their positions, one a row; an item of several views has several rows.
        pixels: uint8 RGB [N, H, W, 3], or [N, T, H, W, 3] of clips.
        records: What was decoded.
    """

    items: tuple[int, ...]
    pixels: Pixels
    records: tuple[SampleRecord, ...]


Reading = Callable[[Sequence[int]], list[Read | Failure]]


def is_export(path: Path) -> bool:
    """Tell whether a folder holds an exported graph."""
    return (path / "contract.json").is_file()


def open_export(path: Path) -> tuple[Passport, GraphFrames | GraphClips]:
    """Return the passport and a predictor of an exported graph.

    Raises:
        ExportError: The folder holds no graph that can be run here.
    """
    try:
        contract = json.loads((path / "contract.json").read_text(encoding="utf-8"))
        passport = Passport.from_json(json.dumps(contract["passport"]), where=path / "contract.json")
        precision = contract["precision"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(
            f"The contract of the export cannot be read: {type(error).__name__}", where=path, mend="Export again."
        ) from None
    if (path / "model.onnx").is_file():
        name, engine = onnx_engine(path / "model.onnx")
    elif (path / "model.xml").is_file() and precision in ("fp32", "bf16", "int8"):
        name, engine = openvino_engine(path / "model.xml", precision)
    else:
        raise ExportError(
            "The folder holds no graph for ONNX Runtime or OpenVINO", where=path, mend="Export as onnx or openvino."
        )
    thresholds = contract["thresholds"]
    frames = passport.head is not None and passport.head.task == "frame-classification"
    made: GraphFrames | GraphClips
    made = GraphFrames(passport, engine, thresholds) if frames else GraphClips(passport, engine, thresholds)
    made.engine_name = name
    return passport, made


class GraphFrames(FramePredictor):
    """A graph of a frame classifier.

    Args:
        passport: Of the weights it was made from.
        engine: Runs it.
        thresholds: What it decides at.
    """

    engine_name = ""

    def __init__(self, passport: Passport, engine: Engine, thresholds: Mapping[str, float]) -> None:
        self.passport = passport
        self.head = read_head(passport)
        self.labels = labels_of(self.head.labels, passport.classes)
        self.engine = engine
        self.thresholds = dict(thresholds)

    def predict(
        self,
        items: Sequence[Item],
        *,
        split: str = "test",
        temporal_views: int | None = None,
        spatial_views: Literal[1, 3] | None = None,
        batch_size: int = 8,
        workers: int = 0,
        on_error: str = "raise",
        records: Path | None = None,
        identity_known: bool = True,
        progress: Progress = silent,
    ) -> tuple[Predictions, Scores]:
        """Return one row a frame; see :meth:`FramePredictor.predict`. ``workers`` are threads, two without it."""
        if (temporal_views or 1) > 1 or (spatial_views or 1) > 1:
            raise RecipeError("A frame has one view", where="views", mend="Leave the views out for a frame model.")
        local = threading.local()

        def read(positions: Sequence[int]) -> list[Read | Failure]:
            reader = local.__dict__.setdefault("reader", FrameReader(split, crop_content=False))
            pixels, found = reader.read([items[position] for position in positions])
            return [Read(tuple(positions), pixels, found)]

        groups = _groups(items, batch_size)
        scores = Scores()
        for one in _scored(self.engine, groups, read, batch_size, workers, on_error, scores, progress):
            read_rows, logits = one
            probabilities, outputs = self.labels.scores(logits)
            for row, position in enumerate(read_rows.items):
                scores.probabilities[position] = probabilities[row]
                if outputs is not None:
                    scores.outputs[position] = outputs[row]
        if records is not None:
            write_records(scores.records, records)
        return predictions_of(items, scores, self.labels, identity_known=identity_known), scores


class GraphClips(ClipPredictor):
    """A graph of a clip classifier; see :class:`GraphFrames`."""

    engine_name = ""

    def __init__(self, passport: Passport, engine: Engine, thresholds: Mapping[str, float]) -> None:
        self.passport = passport
        self.input = read_input(passport)
        self.engine = engine
        self.thresholds = dict(thresholds)

    def predict(
        self,
        items: Sequence[Item],
        *,
        split: str = "test",
        temporal_views: int | None = None,
        spatial_views: Literal[1, 3] | None = None,
        batch_size: int = 8,
        workers: int = 0,
        on_error: str = "raise",
        records: Path | None = None,
        identity_known: bool = True,
        progress: Progress = silent,
    ) -> tuple[Predictions, Scores]:
        """Return one row an item; see :meth:`ClipPredictor.predict`. ``workers`` are threads, two without it."""
        if (spatial_views or self.input.spatial_views) > 1:
            raise RecipeError(
                "An exported graph looks at the middle of a frame", where="spatial_views", mend="Use 1 spatial view."
            )
        views = temporal_views or self.input.temporal_views
        local = threading.local()

        def read(positions: Sequence[int]) -> list[Read | Failure]:
            reader: ClipReader = local.__dict__.setdefault("reader", self.reader(split))
            found: list[Read | Failure] = []
            for position in positions:
                clips, said = reader.read(items[position], views=views, position=position)
                found.append(Read((position,) * views, np.stack(clips), tuple(said)))
            return found

        scores = Scores()
        sums: dict[int, list[np.ndarray]] = {}
        groups = [[position] for position in range(len(items))]
        for rows, logits in _scored(self.engine, groups, read, batch_size, workers, on_error, scores, progress):
            for position, probabilities in zip(rows.items, softmax(logits), strict=True):
                sums.setdefault(position, []).append(probabilities)
        scores.probabilities = {position: np.mean(parts, axis=0) for position, parts in sums.items()}
        if records is not None:
            write_records(scores.records, records)
        return as_predictions(items, scores, self.classes, identity_known=identity_known), scores


def _groups(items: Sequence[Item], size: int) -> list[list[int]]:
    """Return positions of items, those of one file that follow each other together."""
    groups = []
    for _, run in groupby(range(len(items)), key=lambda position: items[position].path):
        positions = list(run)
        groups += [positions[first : first + size] for first in range(0, len(positions), size)]
    return groups


def _safely(read: Reading, positions: Sequence[int]) -> list[Read | Failure]:
    """Read some items; a bad one does not take its neighbours with it."""
    try:
        return read(positions)
    except CineloopError as error:
        if len(positions) == 1:
            return [Failure(positions[0], error)]
    return [found for position in positions for found in _safely(read, [position])]


def _ahead(groups: Iterable[Sequence[int]], read: Reading, threads: int) -> Iterator[list[Read | Failure]]:
    """Yield what groups hold, in order, some of them read ahead by other threads."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[list[Read | Failure]]] = deque()
        try:
            for group in groups:
                waiting.append(pool.submit(_safely, read, list(group)))
                if len(waiting) >= _AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _scored(
    engine: Engine,
    groups: Sequence[Sequence[int]],
    read: Reading,
    batch_size: int,
    workers: int,
    on_error: str,
    scores: Scores,
    progress: Progress,
) -> Iterator[tuple[Read, Any]]:
    """Yield what was read, several of one size at once, with logits float64 [N, L]."""
    held: list[Read] = []

    def flush() -> tuple[Read, Any]:
        joined = Read(
            tuple(item for one in held for item in one.items),
            np.concatenate([one.pixels for one in held]) if len(held) > 1 else held[0].pixels,
            tuple(record for one in held for record in one.records),
        )
        held.clear()
        scores.records.extend(joined.records)
        progress.advance(len(set(joined.items)))
        return joined, engine(joined.pixels)[2].astype(np.float64)

    with stage(progress, sum(map(len, groups)), "predict"):
        for found in _ahead(groups, read, workers or _THREADS):
            for one in found:
                if isinstance(one, Failure):
                    if on_error == "raise":
                        raise one.error
                    scores.failures.append(one)
                    progress.advance(1)
                    continue
                together = sum(len(other.items) for other in held) + len(one.items)
                if held and (held[0].pixels.shape[1:] != one.pixels.shape[1:] or together > batch_size):
                    yield flush()
                held.append(one)
        if held:
            yield flush()
