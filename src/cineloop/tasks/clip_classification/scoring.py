"""Class probabilities of clips: the one path that validation, evaluation and prediction share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from cineloop.progress import Progress, silent, stage
from cineloop.tasks.clip_classification.data import EvalViews, Views
from cineloop.tasks.scoring import Failure, Positions, Scores, as_they_are
from cineloop.training.loading import data_loader


def score(
    module: nn.Module,
    data: EvalViews,
    *,
    to_device: Callable[[Tensor], Tensor],
    batch_size: int,
    workers: int,
    rank: int = 0,
    world: int = 1,
    on_error: str = "raise",
    progress: Progress = silent,
    label: str = "predict",
) -> Scores:
    """Run the module over a process's share of the items.

    Args:
        module: Clips [N, 3, T, H, W] to logits [N, K], in evaluation mode.
        data: The views of the items.
        to_device: Moves a tensor to where the module is.
        batch_size: Clips in a forward pass; all views of an item go together.
        workers: Processes that decode.
        rank: This process's number; it takes every ``world``-th item from there.
        world: The number of processes.
        on_error: ``raise`` or ``skip`` for an item that cannot be read.
        progress: Told about each item.
        label: The stage's name.

    Raises:
        VideoError: An item cannot be read, under ``raise``.
    """
    positions = range(rank, len(data), world)
    loader = data_loader(
        data,
        Positions(positions, max(1, batch_size // data.views)),
        as_they_are,
        workers=min(workers, len(positions)),
    )
    result = Scores()
    with stage(progress, len(positions), label), torch.inference_mode():
        for samples in loader:
            good = [sample for sample in samples if isinstance(sample, Views)]
            failed = [sample for sample in samples if isinstance(sample, Failure)]
            if failed and on_error == "raise":
                raise failed[0].error
            result.failures += failed
            if good:
                logits = module(to_device(torch.cat([sample.clips for sample in good])))
                probabilities = torch.softmax(logits.double(), dim=1).cpu()
                shares = torch.split(probabilities, [len(sample.clips) for sample in good])
                for sample, share in zip(good, shares, strict=True):
                    result.probabilities[sample.item] = share.mean(0).numpy()
                    result.records += sample.records
            progress.advance(len(samples))
    return result
