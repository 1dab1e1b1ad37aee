"""The folder of a phantom: written patient by patient, gone on with where it was cut short, never written over."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from cineloop import files
from cineloop.errors import CohortError
from cineloop.progress import Progress, silent, stage

Task = TypeVar("Task")

MANIFEST = "phantom.json"
_BEGUN, _PARTS = ".phantom.begun.json", ".truth"


def part(out: Path, name: str) -> Path:
    """Return where the truth of a patient stands while a phantom is being written; whoever finds it finds the rest."""
    return out / _PARTS / f"{name}.parquet"


def _finished(out: Path, plain: Mapping[str, Any]) -> bool:
    """Return whether a finished phantom of this description is there already.

    Raises:
        CohortError: Something else is there.
    """
    manifest, begun = out / MANIFEST, out / _BEGUN
    for path in (manifest, begun):
        if path.exists():
            if json.loads(path.read_text(encoding="utf-8"))["config"] != plain:
                raise CohortError(
                    "A phantom of another description is there",
                    where=out,
                    mend="Write to another folder, or remove that one yourself.",
                )
            return path == manifest
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CohortError("The folder is not empty", where=out, mend="Write to another folder.")
    return False


def fill(
    out: Path,
    manifest: Mapping[str, Any],
    tasks: Mapping[str, Task],
    work: Callable[[Task], None],
    close: Callable[[], None],
    *,
    workers: int | None = None,
    progress: Progress = silent,
) -> Path:
    """Write a phantom; one that was cut short goes on, and a finished one is left as it is.

    Args:
        out: A new or empty folder, or one that an interrupted call of the same description left.
        manifest: What the folder is described by; its ``config`` is what another phantom is told by.
        tasks: By the name of the patient.
        work: Writes a patient, and last of all the :func:`part` of that name. With several processes it is called in
            others, so it stands at the top of a module.
        close: Writes what stands over all patients, once all parts are there.
        workers: Processes; None takes one a core.
        progress: Told about every patient.

    Returns:
        The folder.

    Raises:
        CohortError: Something else is there.
    """
    if _finished(out, manifest["config"]):
        return out
    out.mkdir(parents=True, exist_ok=True)
    files.write_json(out / _BEGUN, {"config": manifest["config"]})
    (out / _PARTS).mkdir(exist_ok=True)
    missing = [task for name, task in tasks.items() if not part(out, name).exists()]
    count = min(workers or os.cpu_count() or 1, max(1, len(missing)))
    with stage(progress, len(missing), "writing patients") as told:
        if count == 1:
            for task in missing:
                work(task)
                told.advance()
        else:
            # A fresh interpreter: encoders and Polars do not survive a fork.
            with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
                for _ in pool.map(work, missing, chunksize=4):
                    told.advance()
    close()
    files.write_json(out / MANIFEST, manifest)
    for path in (out / _PARTS).iterdir():
        path.unlink()
    (out / _PARTS).rmdir()
    (out / _BEGUN).unlink()
    return out
