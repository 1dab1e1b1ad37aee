"""Where a run's curves go: ``metrics.jsonl`` always, ``metrics.csv`` from it, and trackers that a recipe asks for."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from cineloop import files, runs
from cineloop.errors import RecipeError
from cineloop.training.schema import LogSection

Value = float | int | str | list[list[int]] | None


class Sink(Protocol):
    """A tracker beside the run's own files."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Record numbers at an optimiser step."""

    def close(self) -> None:
        """Flush and let go."""


class TensorBoardSink:
    """Event files under ``tensorboard/`` of the run."""

    def __init__(self, run: runs.Run, first_step: int) -> None:
        # TensorFlow is not needed, and its search for one floods the log where it is half-installed.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(run.path / "tensorboard"), purge_step=first_step or None)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Record numbers at an optimiser step."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush and let go."""
        self._writer.close()


class MlflowSink:
    """An MLflow tracking server or folder, named by ``train.log.mlflow``."""

    def __init__(self, uri: str, run: runs.Run, recipe: Mapping[str, Any]) -> None:
        try:
            import mlflow
        except ImportError:
            raise RecipeError(
                "MLflow is not installed", where="train.log.mlflow", mend="pip install 'cineloop[mlflow]'."
            ) from None
        mlflow.set_tracking_uri(uri)
        self._client = mlflow.MlflowClient()
        experiment = mlflow.set_experiment("cineloop")
        self._id = self._client.create_run(experiment.experiment_id, run_name=run.name).info.run_id
        self._client.log_dict(self._id, dict(recipe), "recipe.yaml")

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Record numbers at an optimiser step."""
        for name, value in values.items():
            self._client.log_metric(self._id, name.replace("/", "."), value, step=step)

    def close(self) -> None:
        """Flush and let go."""
        self._client.set_terminated(self._id)


class WandbSink:
    """Weights & Biases, in the project named by ``train.log.wandb``."""

    def __init__(self, project: str, run: runs.Run, recipe: Mapping[str, Any]) -> None:
        try:
            import wandb
        except ImportError:
            raise RecipeError(
                "Weights & Biases is not installed", where="train.log.wandb", mend="pip install 'cineloop[wandb]'."
            ) from None
        self._run = wandb.init(project=project, name=run.name, dir=str(run.path), config=dict(recipe), resume="allow")

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Record numbers at an optimiser step."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """Flush and let go."""
        self._run.finish()


def open_sinks(config: LogSection, run: runs.Run, recipe: Mapping[str, Any], first_step: int) -> list[Sink]:
    """Open the trackers that a recipe asks for.

    Raises:
        RecipeError: A tracker is not installed.
    """
    sinks: list[Sink] = []
    if config.tensorboard:
        sinks.append(TensorBoardSink(run, first_step))
    if config.mlflow is not None:
        sinks.append(MlflowSink(config.mlflow, run, recipe))
    if config.wandb is not None:
        sinks.append(WandbSink(config.wandb, run, recipe))
    return sinks


def write_csv(run: runs.Run) -> None:
    """Write ``metrics.csv``: the epoch records of ``metrics.jsonl``, one row an epoch."""
    records = [record for record in runs.read_lines(run.metrics_file) if record.get("kind") == "epoch"]
    flat = [key for record in records for key, value in record.items() if not isinstance(value, list)]
    columns = [key for key in dict.fromkeys(flat) if key != "kind"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    files.write_text(run.path / "metrics.csv", text.getvalue())


class RunLog:
    """Writes a run's records, on the main process only.

    Args:
        run: The run.
        sinks: Trackers beside its own files.
        keep_bytes: The length to cut ``metrics.jsonl`` to: what lies beyond belongs to steps that a resume repeats.
    """

    def __init__(self, run: runs.Run, sinks: list[Sink], keep_bytes: int) -> None:
        self._run = run
        self._sinks = sinks
        run.metrics_file.touch()
        os.truncate(run.metrics_file, min(keep_bytes, run.metrics_file.stat().st_size))

    def record(self, kind: str, step: int, values: Mapping[str, Value]) -> None:
        """Append a record and pass its numbers on."""
        runs.append_line(self._run.metrics_file, {"kind": kind, "step": step, **values})
        numbers = {
            f"{kind}/{name}": float(value)
            for name, value in values.items()
            if isinstance(value, int | float) and not isinstance(value, bool) and name != "epoch"
        }
        for sink in self._sinks:
            sink.write(step, numbers)
        if kind == "epoch":
            write_csv(self._run)

    def say(self, text: str) -> None:
        """Append a dated line to ``train.log``."""
        with self._run.log_file.open("a", encoding="utf-8") as stream:
            stream.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def bytes_written(self) -> int:
        """Return the present length of ``metrics.jsonl``."""
        return self._run.metrics_file.stat().st_size

    def close(self) -> None:
        """Close the trackers."""
        for sink in self._sinks:
            sink.close()


def sample_parts(folder: Path) -> list[tuple[int, Path]]:
    """Return the parts of the sample records with the optimiser step each ends at, in order."""
    parts = []
    for path in folder.glob("*.parquet"):
        step = path.stem.partition("-step")[2].partition("-")[0]
        if step.isdigit():
            parts.append((int(step), path))
    return sorted(parts)
