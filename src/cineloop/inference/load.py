"""From a run, or a weights file alone, to a predictor."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from cineloop import plugins, runs
from cineloop.errors import ModelError, RunError, WeightsError
from cineloop.inference.bundle import decision_of, is_bundle, open_bundle
from cineloop.inference.exported import is_export, open_export
from cineloop.models.passport import Passport
from cineloop.models.weights import open_weights
from cineloop.tasks.task import TASKS, Predictor


@dataclass(frozen=True)
class Loaded:
    """A predictor and where it came from.

    Attributes:
        predictor: Ready for input.
        passport: Of its weights.
        run: The run, None for a weights file alone.
        path: The weights file.
        thresholds: What an export decides at, by class or question.
    """

    predictor: Predictor
    passport: Passport
    run: runs.Run | None
    path: Path
    thresholds: Mapping[str, float] = field(default_factory=dict)


def default_device() -> str:
    """Return ``cuda`` where there is a GPU, else ``cpu``."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def load(source: str | Path, *, device: str | None = None) -> Loaded:
    """Load a trained model.

    Args:
        source: The folder of a run, a ``.safetensors`` file that a run wrote, or the folder of a MONAI bundle or of an
            export.
        device: Where to run; None takes a GPU where there is one.

    Raises:
        RunError: There is no run, or its training has not finished.
        WeightsError: The weights are damaged, or say not what they are.
        PluginError: The model belongs to a plug-in that is not enabled, or is other code now.
    """
    path = Path(source)
    run: runs.Run | None = None
    if device is not None and device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("No CUDA device is here", where=device, mend="Name cpu; `cineloop doctor` says what is here.")
    if path.suffix == ".zip" and path.is_file():
        raise RunError("This is an archive", where=path, mend="Unpack it, and name the folder that is in it.")
    if is_bundle(path):
        bundled, tensors = open_bundle(path)
        loaded = _with_predictor(bundled, tensors, None, path, device)
        return dataclasses.replace(loaded, thresholds=decision_of(path, loaded.predictor.classes))
    if is_export(path):
        exported, graph = open_export(path)
        return Loaded(graph, exported, None, path, graph.thresholds)
    if path.suffix == ".ts":
        raise WeightsError(
            "TorchScript is a program, which is not run here",
            where=path,
            mend="Name the bundle's folder, whose models/model.pt holds the weights, or convert a state dict.",
        )
    if path.is_dir() or not path.suffix:
        run = runs.open_run(path)
        ledger = run.ledger()
        plugins.require(ledger.get("plugins", []), where=path)
        if not run.weights_file.exists():
            raise RunError(
                "This run's training has not finished, so it has no weights yet",
                where=path,
                mend=f"Continue it: cineloop train {path} --resume.",
            )
        path = run.weights_file
    checkpoint = open_weights(path)
    passport = checkpoint.passport
    if passport is None or passport.head is None:
        raise WeightsError(
            "This file does not say how to predict with it: it has no passport of a trained model"
            if passport is None
            else "These are a bare model's weights, without a trained head",
            where=path,
            mend="Name a run, or its weights.safetensors; for foreign weights, train with model.weights=FILE.",
        )
    if passport.plugin is not None:
        plugins.require([passport.plugin.model_dump()], where=path)
    return _with_predictor(passport, checkpoint.tensors, run, path, device)


def _with_predictor(
    passport: Passport, tensors: Mapping[str, Tensor], run: runs.Run | None, path: Path, device: str | None
) -> Loaded:
    assert passport.head is not None
    task = TASKS.get(passport.head.task, where=str(path))
    return Loaded(task.predictor(passport, tensors, device or default_device()), passport, run, path)
