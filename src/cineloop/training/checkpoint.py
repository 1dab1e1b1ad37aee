"""The state that a resume needs, on disk: one file, old or new, never half."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from cineloop import files
from cineloop.errors import RunError

SCHEMA = 2


@dataclass
class Progress:
    """Where training stands.

    Attributes:
        epoch: The epoch in work, from 0.
        batch: Batches of that epoch already done.
        step: Optimiser steps done.
        loss_sum: The sum of the losses of this epoch's steps.
        loss_steps: How many that are.
        best: What the kept epoch was selected by, None before the first.
        best_metrics: Its validation metrics.
        best_epoch: Which one it is, from 1.
        stale: Validations since the last gain.
        best_by: The largest value so far of each further metric whose best weights are kept.
        metrics_bytes: The length of ``metrics.jsonl``; what lies beyond was written after this state.
        seconds: Seconds of training before this process began.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    loss_steps: int = 0
    best: float | None = None
    best_metrics: dict[str, float | None] = field(default_factory=dict)
    best_epoch: int | None = None
    stale: int = 0
    best_by: dict[str, float] = field(default_factory=dict)
    metrics_bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Checkpoint:
    """All state of a training: plain tensors and numbers, loadable without running code."""

    progress: Progress
    module: dict[str, Any]
    optimizer: dict[str, Any]
    precision: dict[str, Any]
    average: dict[str, Any] | None
    recipe: str

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically."""
        with files.atomic_path(path) as temporary:
            torch.save({"schema": SCHEMA, **asdict_shallow(self)}, temporary)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint onto the CPU.

        Raises:
            RunError: The file is missing, damaged, or of another version.
        """
        if not path.exists():
            raise RunError(
                "This run has no checkpoint to continue from",
                where=path,
                mend="Remove the run folder and train again.",
            )
        try:
            data = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
            raise RunError(
                f"The checkpoint cannot be read: {type(error).__name__}",
                where=path,
                mend="Restore the file from a backup, or train again.",
            ) from None
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise RunError(
                "The checkpoint is of another version of Cineloop", where=path, mend="Resume with that version."
            )
        return cls(
            progress=Progress(**data["progress"]),
            module=data["module"],
            optimizer=data["optimizer"],
            precision=data["precision"],
            average=data["average"],
            recipe=data["recipe"],
        )


def asdict_shallow(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the fields as a mapping without copying tensors."""
    return {**vars(checkpoint), "progress": asdict(checkpoint.progress)}
