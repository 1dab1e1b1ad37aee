"""The run folder: what one execution of a recipe leaves, and who may write to it.

```
runs/<name>/
  recipe.yaml            resolved: running it again gives the same run
  run.json               versions, commit, host, devices, seeds, cohort fingerprint, plug-ins, times, state
  metrics.jsonl          one record a step or epoch
  train.log              what was printed
  figures/               curves, and confusion matrices of the validations
  samples/               exactly which frames were decoded
  sampling.html          the same as a page
  checkpoints/           last.pt (everything a resume needs), best.safetensors
  weights.safetensors    the selected weights with their passport
  evaluation/<cohort>/<split>/
```
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from cineloop import files
from cineloop._version import __version__
from cineloop.errors import RunError
from cineloop.schema import dump_yaml

State = Literal["started", "finished", "failed"]
LEDGER_SCHEMA = 1
_LIBRARIES = ("torch", "torchvision", "lightning-fabric", "av", "numpy", "polars", "pydantic", "safetensors")


def now() -> str:
    """Return the present time as ISO 8601, UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def library_versions() -> dict[str, str]:
    """Return the versions of what the figures depend on."""
    versions = {"python": platform.python_version(), "cineloop": __version__}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def source_commit() -> str | None:
    """Return the commit of the source tree this package runs from, with ``+changes`` if it is dirty, else None."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        commit = subprocess.run(  # noqa: S603 - a fixed command on our own folder
            ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+changes"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit.stdout.strip() or None


@dataclass(frozen=True)
class Run:
    """A run folder and the names inside it."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.path.name

    @property
    def recipe_file(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.yaml"

    @property
    def ledger_file(self) -> Path:
        """Versions, seeds, fingerprints, times."""
        return self.path / "run.json"

    @property
    def metrics_file(self) -> Path:
        """One JSON record a line."""
        return self.path / "metrics.jsonl"

    @property
    def log_file(self) -> Path:
        """What was printed."""
        return self.path / "train.log"

    @property
    def weights_file(self) -> Path:
        """The selected weights with their passport."""
        return self.path / "weights.safetensors"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def last_checkpoint(self) -> Path:
        """Everything a resume needs."""
        return self.checkpoints / "last.pt"

    @property
    def best_weights(self) -> Path:
        """The best weights so far."""
        return self.checkpoints / "best.safetensors"

    def weights_by(self, metric: str) -> Path:
        """Weights of the epoch in which a further metric was largest."""
        return self.checkpoints / f"best-{metric.replace(':', '-').replace('/', '-')}.safetensors"

    def weights_of_epoch(self, epoch: int) -> Path:
        """Weights kept after an epoch, counted from 1."""
        return self.checkpoints / f"epoch-{epoch:04d}.safetensors"

    @property
    def best_validation(self) -> Path:
        """What the best weights so far say of the validation items."""
        return self.checkpoints / "best_validation.parquet"

    @property
    def figures(self) -> Path:
        """The folder of the training's figures."""
        return self.path / "figures"

    @property
    def samples(self) -> Path:
        """The folder that records which frames were decoded."""
        return self.path / "samples"

    @property
    def sampling_page(self) -> Path:
        """The page that shows which frames were decoded."""
        return self.path / "sampling.html"

    def evaluation(self, cohort: str, split: str) -> Path:
        """The folder of one evaluation."""
        return self.path / "evaluation" / cohort / split

    def ledger(self) -> dict[str, Any]:
        """Read ``run.json``.

        Raises:
            RunError: It is missing or not JSON.
        """
        try:
            data = json.loads(self.ledger_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f"The run's ledger cannot be read: {error}",
                where=self.ledger_file,
                mend="Name the folder that `cineloop train` made.",
            ) from None
        if not isinstance(data, dict):
            raise RunError("The run's ledger is not a mapping", where=self.ledger_file, mend="Train again.")
        return data

    def update_ledger(self, **changes: Any) -> None:
        """Write ``run.json`` again, atomically, with ``changes`` laid over it."""
        ledger = self.ledger() if self.ledger_file.exists() else {}
        files.write_json(self.ledger_file, {**ledger, **changes})

    @property
    def state(self) -> State:
        """How far the run got."""
        state: State = self.ledger()["state"]
        return state

    @property
    def packed(self) -> bool:
        """Whether it was packed to be shared, so that its cohort is not there."""
        return bool(self.ledger().get("packed"))


def is_run(path: str | Path) -> bool:
    """Return whether ``path`` is a run folder."""
    return (Path(path) / "run.json").is_file()


def refuse_packed(run: Run) -> None:
    """Refuse a run that was packed to be shared, where the cohort that it was trained on is needed.

    Raises:
        RunError: It was.
    """
    if run.packed:
        raise RunError(
            "This run was packed to be shared, without the cohort that it was trained on",
            where=run.path,
            mend="Use predict, analyze, export or features with it, or evaluate it on a cohort of your own: "
            f"cineloop evaluate {run.path} --data FOLDER.",
        )


def check_free(path: Path) -> None:
    """Check that ``path`` may become a new run folder: absent or empty.

    Raises:
        RunError: Something is there already.
    """
    if is_run(path):
        raise RunError(
            "A run is already there, and is never overwritten",
            where=path,
            mend="Give another --out, continue it with --resume, or remove the folder yourself.",
        )
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunError(
            "The output folder is not empty",
            where=path,
            mend="Give another --out, or an empty folder.",
        )


def create(path: Path, recipe: dict[str, Any], **ledger: Any) -> Run:
    """Make a new run folder with its resolved recipe and ledger.

    Args:
        path: The folder; absent or empty.
        recipe: The resolved recipe as plain data.
        **ledger: What else ``run.json`` shall hold, as plain data.

    Raises:
        RunError: Something is there already, or the folder cannot be made.
    """
    check_free(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"The run folder cannot be made: {error.strerror}", where=path, mend="Choose another --out."
        ) from None
    run = Run(path)
    files.write_text(run.recipe_file, dump_yaml(recipe))
    files.write_json(
        run.ledger_file,
        {
            "schema": LEDGER_SCHEMA,
            "state": "started",
            "started": now(),
            "versions": library_versions(),
            "commit": source_commit(),
            "host": {"platform": platform.platform(), "cores": os.cpu_count()},
            **ledger,
        },
    )
    return run


def open_run(path: str | Path) -> Run:
    """Return the run in ``path``.

    Raises:
        RunError: There is none.
    """
    path = Path(path)
    if not is_run(path):
        raise RunError(
            "There is no run here" if path.exists() else "This folder does not exist",
            where=path,
            mend="Name the folder that `cineloop train` made (it holds run.json).",
        )
    return Run(path)


@contextmanager
def exclusive(run: Run) -> Iterator[None]:
    """Hold the run for one writer; the lock goes with the process, however it ends.

    Raises:
        RunError: Another process is writing to this run.
    """
    lock_file = run.path / ".lock"
    try:
        import fcntl
    except ImportError:  # Windows has no flock; there the caller is trusted.
        yield
        return
    with lock_file.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(
                "Another process is working in this run",
                where=run.path,
                mend="Wait for it to end, or stop it, then --resume.",
            ) from None
        yield


def append_line(path: Path, record: dict[str, Any]) -> None:
    """Append one JSON record to a ``.jsonl`` file; a torn last line is dropped by :func:`read_lines`."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a ``.jsonl`` file, without a last line that an interruption cut short."""
    if not path.exists():
        return []
    records: list[dict[str, Any]] = []
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            records.append(json.loads(line))
        except ValueError:
            if number == len(lines):
                break
            raise RunError(f"Line {number} is not JSON", where=path, mend="Restore the file, or train again.") from None
    return records


class Stopwatch:
    """Wall-clock seconds since it was made, for ledgers and logs."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def seconds(self) -> float:
        """Return the seconds so far."""
        return time.perf_counter() - self._start
