"""Writing a phantom to disk in the ``endofm`` layout, with its truth beside it.

```
OUT/
  splits/{train,val,test}.txt       P0012/P0012_c1.mp4,1
  videos/P0012/P0012_c1.mp4         H.264
  patients.csv                      patient, split, look, label, age, sex, scope
  truth.parquet                     one row a frame: what of the target is seen
  phantom.json                      the description it was made from; written last
```
"""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from cineloop import files
from cineloop.errors import CohortError
from cineloop.phantom.patient import SPLITS, Patient, roster, traits
from cineloop.phantom.scene import film
from cineloop.phantom.schema import PhantomConfig
from cineloop.progress import Progress, silent, stage
from cineloop.video.writer import VideoWriter

LABELS = ("normal", "lesion")
_PARTS = ".truth"


def clip_name(patient: Patient, number: int) -> str:
    """Return a clip's path below ``videos/``: ``P0012/P0012_c1.mp4``."""
    return f"{patient.name}/{patient.name}_c{number + 1}.mp4"


def _write_patient(config: PhantomConfig, patient: Patient, out: Path) -> None:
    """Write a patient's videos, then the truth of their frames; whoever finds the truth finds the videos."""
    rows: list[dict[str, Any]] = []
    for number in range(len(patient.phases)):
        clip = film(config, patient, number)
        path = out / "videos" / clip_name(patient, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        height, width = clip.frames.shape[1:3]
        with VideoWriter(path, clip.rate, (width, height), crf=20, preset="veryfast") as writer:
            for frame in clip.frames:
                writer.write(frame)
        rows += [
            {
                "video": clip_name(patient, number),
                "frame": index,
                "visible": bool(clip.truth.visible[index]),
                "share": float(clip.truth.share[index]),
            }
            for index in range(len(clip.frames))
        ]
    schema = {"video": pl.String, "frame": pl.Int32, "visible": pl.Boolean, "share": pl.Float64}
    with files.atomic_path(out / _PARTS / f"{patient.name}.parquet") as temporary:
        pl.DataFrame(rows, schema=schema).write_parquet(temporary)


def _work(task: tuple[PhantomConfig, Patient, Path]) -> None:
    _write_patient(*task)


def _check_target(out: Path, plain: dict[str, Any]) -> bool:
    """Return whether a finished phantom of this description is there already.

    Raises:
        CohortError: Something else is there.
    """
    manifest, begun = out / "phantom.json", out / ".phantom.begun.json"
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


def write(out: str | Path, config: PhantomConfig, *, workers: int | None = None, progress: Progress = silent) -> Path:
    """Write a phantom; one that was cut short goes on, and a finished one is left as it is.

    The bytes of pixels and truth follow from ``config`` alone, whatever the number of processes.

    Args:
        out: A new or empty folder, or one that an interrupted call of the same description left.
        config: The description.
        workers: Processes; None takes one a core.
        progress: Told about every patient.

    Returns:
        The folder.

    Raises:
        CohortError: Something else is there.
    """
    out = Path(out)
    plain = config.model_dump(mode="json")
    if _check_target(out, plain):
        return out
    out.mkdir(parents=True, exist_ok=True)
    files.write_json(out / ".phantom.begun.json", {"config": plain})
    (out / _PARTS).mkdir(exist_ok=True)
    patients = roster(config)
    missing = [patient for patient in patients if not (out / _PARTS / f"{patient.name}.parquet").exists()]
    count = min(workers or os.cpu_count() or 1, max(1, len(missing)))
    with stage(progress, len(missing), "writing patients") as told:
        tasks = [(config, patient, out) for patient in missing]
        if count == 1:
            for task in tasks:
                _work(task)
                told.advance()
        else:
            # A fresh interpreter: encoders and Polars do not survive a fork.
            with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
                for _ in pool.map(_work, tasks, chunksize=4):
                    told.advance()
    _write_tables(out, config, patients)
    files.write_json(out / "phantom.json", {"schema": 1, "labels": list(LABELS), "config": plain})
    for path in (out / _PARTS).iterdir():
        path.unlink()
    (out / _PARTS).rmdir()
    (out / ".phantom.begun.json").unlink()
    return out


def _write_tables(out: Path, config: PhantomConfig, patients: list[Patient]) -> None:
    for split in SPLITS:
        lines = [
            f"{clip_name(patient, number)},{int(patient.lesion)}"
            for patient in patients
            if patient.split == split
            for number in range(len(patient.phases))
        ]
        files.write_text(out / "splits" / f"{split}.txt", "\n".join(lines) + "\n")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["patient", "split", "look", "label", "age", "sex", "scope"])
    for patient in patients:
        shared = traits(config, patient)
        writer.writerow(
            [patient.name, patient.split, patient.look, LABELS[patient.lesion], shared.age, shared.sex, shared.scope]
        )
    files.write_text(out / "patients.csv", text.getvalue())
    parts = [pl.read_parquet(out / _PARTS / f"{patient.name}.parquet") for patient in patients]
    with files.atomic_path(out / "truth.parquet") as temporary:
        pl.concat(parts).write_parquet(temporary)
