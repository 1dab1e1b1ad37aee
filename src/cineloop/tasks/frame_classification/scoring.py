"""Probabilities of frames: the one path that validation, evaluation and prediction share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from cineloop.cohort.item import Item
from cineloop.evaluation.predictions import Predictions
from cineloop.progress import Progress, silent, stage
from cineloop.tasks.frame_classification.data import EvalFrames, Looked, laid_out
from cineloop.tasks.frame_classification.labels import HALF, Labels, Thresholds
from cineloop.tasks.scoring import Failure, Positions, Scores, as_predictions, as_they_are
from cineloop.training.loading import data_loader


def score(
    module: nn.Module,
    data: EvalFrames,
    labels: Labels,
    *,
    to_device: Callable[[Tensor], Tensor],
    batch_size: int,
    workers: int,
    rank: int = 0,
    world: int = 1,
    on_error: str = "raise",
    progress: Progress = silent,
) -> Scores:
    """Run the module over a process's share of the frames.

    Args:
        module: Frames [N, 3, h, w] to logits [N, L], in evaluation mode.
        data: The frames.
        labels: What the logits mean.
        to_device: Moves a tensor to where the module is.
        batch_size: Frames in a forward pass.
        workers: Processes that decode.
        rank: This process's number; it takes every ``world``-th group of frames from there.
        world: The number of processes.
        on_error: ``raise`` or ``skip`` for a frame that cannot be read.
        progress: Told about each frame.

    Raises:
        VideoError: A frame cannot be read, under ``raise``.
    """
    groups = range(rank, len(data), world)
    # Several groups at a time where they are small: stills come one by one.
    loader = data_loader(
        data, Positions(groups, _at_once(data, batch_size)), as_they_are, workers=min(workers, len(groups))
    )
    result = Scores()
    total = sum(len(data.groups[group]) for group in groups)
    with stage(progress, total, "predict"), torch.inference_mode():
        for batch in batches(_found(loader, result, on_error, progress), batch_size):
            logits = module(to_device(laid_out(torch.cat([looked.frames for looked in batch]))))
            probabilities, outputs = labels.scores(logits.double().cpu().numpy())
            positions = [position for looked in batch for position in looked.items]
            for row, position in enumerate(positions):
                result.probabilities[position] = probabilities[row]
                if outputs is not None:
                    result.outputs[position] = outputs[row]
            result.records += [record for looked in batch for record in looked.records]
            progress.advance(len(positions))
    return result


def _at_once(data: EvalFrames, batch_size: int) -> int:
    mean = np.mean([len(group) for group in data.groups]) if data.groups else 1
    return max(1, round(batch_size / mean))


def _found(
    loader: Iterable[list[list[Looked | Failure]]], result: Scores, on_error: str, progress: Progress
) -> Iterator[Looked]:
    for groups in loader:
        for group in groups:
            for found in group:
                if isinstance(found, Looked):
                    yield found
                elif on_error == "raise":
                    raise found.error
                else:
                    result.failures.append(found)
                    progress.advance(1)


def batches(found: Iterable[Looked], size: int) -> Iterator[list[Looked]]:
    """Yield frames of ``size`` together, the last of them fewer; groups are cut where they do not fit."""
    held: list[Looked] = []
    count = 0
    for looked in found:
        while count + len(looked.items) >= size:
            room = size - count
            head = Looked(looked.items[:room], looked.frames[:room], looked.records[:room])
            looked = Looked(looked.items[room:], looked.frames[room:], looked.records[room:])
            yield [*held, head]
            held, count = [], 0
        if looked.items:
            held.append(looked)
            count += len(looked.items)
    if held:
        yield held


def predictions_of(
    items: Sequence[Item], scores: Scores, labels: Labels, *, identity_known: bool, thresholds: Thresholds = HALF
) -> Predictions:
    """Return the scored frames as predictions, decided at thresholds, in the order of the items.

    Raises:
        CohortError: No frame could be read.
    """
    judged = [
        dataclasses.replace(item, target=None) if (item.target or 0) >= len(labels.classes) else item for item in items
    ]
    plain = as_predictions(judged, scores, labels.classes, identity_known=identity_known)
    if not scores.outputs:
        return plain
    outputs = np.stack([scores.outputs[position] for position in range(len(items)) if position in scores.outputs])
    return labels.judged(dataclasses.replace(plain, outputs=outputs, output_names=labels.outputs), thresholds)
