"""Data loaders with this product's settings: reproducible, quiet, one compute thread a worker."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from cineloop.training.samples import BatchPlan

# How many workers are too many is the user's to say.
warnings.filterwarnings("ignore", message="This DataLoader will create")


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)


def data_loader(
    dataset: Dataset[Any],
    batches: BatchPlan | Sampler[list[int]],
    collate: Callable[[Sequence[Any]], Any],
    *,
    workers: int,
    persistent: bool = False,
    pin_memory: bool = False,
) -> DataLoader[Any]:
    """Return a loader of ``batches`` (lists of keys that ``dataset`` understands).

    Args:
        dataset: Map-style.
        batches: Which keys make which batch.
        collate: Joins samples.
        workers: Processes; 0 loads in this one.
        persistent: Keep the processes from one iteration to the next.
        pin_memory: For faster copies to a GPU.
    """
    options: dict[str, Any] = {}
    if workers:
        options = {"persistent_workers": persistent, "prefetch_factor": 2, "worker_init_fn": _one_thread}
    return DataLoader(
        dataset,
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=collate,
        pin_memory=pin_memory,
        # The loader draws a seed for its workers; nothing of ours depends on it, nor may it touch the global one.
        generator=torch.Generator().manual_seed(0),
        **options,
    )
