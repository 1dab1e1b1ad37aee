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
from pathlib import Path
from typing import Any

import polars as pl

from cineloop import files
from cineloop.phantom import folder
from cineloop.phantom.patient import SPLITS, Patient, roster, traits
from cineloop.phantom.scene import film
from cineloop.phantom.schema import PhantomConfig
from cineloop.progress import Progress, silent
from cineloop.video.writer import VideoWriter

LABELS = ("normal", "lesion")


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
    with files.atomic_path(folder.part(out, patient.name)) as temporary:
        pl.DataFrame(rows, schema=schema).write_parquet(temporary)


def _work(task: tuple[PhantomConfig, Patient, Path]) -> None:
    _write_patient(*task)


def write_clips(
    out: str | Path, config: PhantomConfig, *, workers: int | None = None, progress: Progress = silent
) -> Path:
    """Write a phantom of clips; one that was cut short goes on, and a finished one is left as it is.

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
    patients = roster(config)
    return folder.fill(
        out,
        {"schema": 1, "labels": list(LABELS), "config": config.model_dump(mode="json")},
        {patient.name: (config, patient, out) for patient in patients},
        _work,
        lambda: _write_tables(out, config, patients),
        workers=workers,
        progress=progress,
    )


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
    parts = [pl.read_parquet(folder.part(out, patient.name)) for patient in patients]
    with files.atomic_path(out / "truth.parquet") as temporary:
        pl.concat(parts).write_parquet(temporary)
