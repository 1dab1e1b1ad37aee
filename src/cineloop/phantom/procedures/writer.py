"""Writing phantom procedures to disk: videos, the truth of their frames, and indices of frames.

```
OUT/
  videos/P0012/P0012_p1.mp4         H.264
  frames.csv                        path, frame, label, body, patient, procedure, split
  truth.parquet                     one row a frame of every video
  procedures.csv                    one row a procedure: who, how long, what was reached when, how clean
  UIHNJMuLv3Split/                  where asked for: the frames of frames.csv as stills, with their index
  inbody-tree/                      where asked for: likewise, as a tree of two classes with labels.csv
  phantom.json                      the description it was made from; written last
```
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from cineloop import files
from cineloop.phantom import folder
from cineloop.phantom.patient import Patient
from cineloop.phantom.procedures.film import Film, plan
from cineloop.phantom.procedures.roster import procedure_name, roster, video_name
from cineloop.phantom.procedures.schema import ProcedureConfig
from cineloop.phantom.procedures.stills import write_indices, write_still
from cineloop.phantom.procedures.tables import BODY, frame_table, index_table, listed, procedure_row
from cineloop.progress import Progress, silent
from cineloop.timeline.quality import STATES
from cineloop.video.writer import VideoWriter


def _write_patient(config: ProcedureConfig, patient: Patient, out: Path) -> None:
    """Write a patient's video, then the truth of its frames; whoever finds the truth finds the video."""
    film = Film(config, patient)
    script, optics = film.plan.script, film.plan.shared.optics
    wanted = set(listed(len(script), script.rate, config.every).tolist()) if config.stills else set()
    # A keyframe for every frame that is listed: training then decodes one picture a sample.
    keyint = max(1, round(config.every * script.rate))
    path, size = out / video_name(patient), (optics.width, optics.height)
    landmark, residue = (np.zeros(len(script), dtype=np.float32) for _ in range(2))
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, script.rate, size, crf=20, preset="veryfast", keyint=keyint, bframes=0) as writer:
        for chunk in film.chunks():
            place = slice(chunk.first, chunk.first + len(chunk.frames))
            landmark[place], residue[place] = chunk.landmark, chunk.residue
            for frame, pixels in enumerate(chunk.frames, start=chunk.first):
                writer.write(pixels)
                if frame in wanted:
                    body = BODY[int(script.scene[frame] >= 0)]
                    where = {"split": patient.split, "procedure": procedure_name(patient), "body": body}
                    write_still(out, config.stills, pixels, frame=frame, **where)
    with files.atomic_path(folder.part(out, patient.name)) as temporary:
        frame_table(patient, film.plan, landmark, residue).write_parquet(temporary)


def _work(task: tuple[ProcedureConfig, Patient, Path]) -> None:
    _write_patient(*task)


def _write_tables(config: ProcedureConfig, patients: list[Patient], out: Path) -> None:
    plans = [plan(config, patient) for patient in patients]
    truth = pl.concat([pl.read_parquet(folder.part(out, patient.name)) for patient in patients])
    with files.atomic_path(out / "truth.parquet") as temporary:
        truth.write_parquet(temporary)
    shown = truth.partition_by("procedure", as_dict=True)
    rows = pl.DataFrame(
        [
            procedure_row(patient, each, shown[(procedure_name(patient),)].sort("frame")["landmark"].to_numpy())
            for patient, each in zip(patients, plans, strict=True)
        ]
    )
    files.write_text(out / "procedures.csv", rows.write_csv())
    index = index_table(patients, truth, plans, config.every)
    files.write_text(out / "frames.csv", index.write_csv())
    write_indices(out, config.stills, index)


def write_procedures(
    out: str | Path, config: ProcedureConfig, *, workers: int | None = None, progress: Progress = silent
) -> Path:
    """Write phantom procedures; a call that was cut short goes on, and a finished phantom is left as it is.

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
        {"schema": 1, "labels": list(STATES), "config": config.model_dump(mode="json")},
        {patient.name: (config, patient, out) for patient in patients},
        _work,
        lambda: _write_tables(config, patients, out),
        workers=workers,
        progress=progress,
    )
