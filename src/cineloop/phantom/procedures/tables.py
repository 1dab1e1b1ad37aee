"""The truth of phantom procedures as tables: of every frame, of every procedure, and of the frames that are listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cineloop.phantom.patient import Patient
from cineloop.phantom.procedures.anatomy import SEGMENTS
from cineloop.phantom.procedures.film import VISIBLE, Plan, states
from cineloop.phantom.procedures.roster import procedure_name, video_name
from cineloop.phantom.procedures.script import PHASES
from cineloop.phantom.procedures.trouble import TROUBLES
from cineloop.phantom.wall import Field

BODY = ("in_body", "out_of_body")
"""The two classes of the column ``body``."""

_AWAY = 1.0
"""Seconds out of view after which the landmark is lost, and what is seen of it later a glimpse."""

_FRAME = {
    "procedure": pl.String,
    "frame": pl.Int32,
    "seconds": pl.Float64,
    "phase": pl.String,
    "state": pl.String,
    "segment": pl.String,
    "depth": pl.Float64,
    "landmark": pl.Float64,
    "residue": pl.Float64,
    "trouble": pl.String,
}


def frame_table(patient: Patient, plan: Plan, landmark: Field, residue: Field) -> pl.DataFrame:
    """Return the truth of a procedure's T frames.

    Args:
        patient: Whose it is.
        plan: The procedure.
        landmark: ``[T]`` share of the picture that the ileocecal landmark covers.
        residue: ``[T]`` share of the picture that residue covers.

    Returns:
        A row a frame: ``procedure``, ``frame``, ``seconds``, ``phase``, ``state`` (a name of
        :data:`cineloop.timeline.quality.STATES`), ``segment`` and ``depth`` (units from the anus; null outside),
        ``landmark``, ``residue``, ``trouble`` (what stands before the lens, if only a little).
    """
    script = plan.script
    inside = script.scene < 0
    frames = len(script)
    columns: dict[str, Any] = {
        "procedure": [procedure_name(patient)] * frames,
        "frame": np.arange(frames),
        "seconds": np.arange(frames) / script.rate,
        "phase": [PHASES[phase] for phase in script.phase],
        "state": states(plan, landmark, residue),
        "segment": [
            SEGMENTS[plan.anatomy.segment(float(depth))] if within else None
            for depth, within in zip(script.depth, inside, strict=True)
        ],
        "depth": [float(depth) if within else None for depth, within in zip(script.depth, inside, strict=True)],
        "landmark": landmark.astype(np.float64),
        "residue": residue.astype(np.float64),
        "trouble": [TROUBLES[kind] for kind in plan.course.kind],
    }
    return pl.DataFrame(columns, schema=_FRAME)


def landmark_lost(plan: Plan, landmark: Field) -> int | None:
    """Return the frame from which on the landmark is out of view after the scope has begun to leave the caecum.

    The scope moves back for a while before the caecum is out of its sight. The landmark is in view where it covers
    ``VISIBLE`` of the picture, whether or not blur or fluid hides it; out of view for ``_AWAY`` seconds or less it is
    not lost. None where the caecum is not reached.
    """
    withdrawal = plan.script.withdrawal()
    if withdrawal is None:
        return None
    lost = withdrawal[0]
    for frame in lost + np.flatnonzero(landmark[lost:] >= VISIBLE):
        if frame - lost > _AWAY * plan.script.rate:
            break
        lost = int(frame) + 1
    return lost


def procedure_row(patient: Patient, plan: Plan, landmark: Field) -> dict[str, Any]:
    """Return what is true of a procedure as a whole; None where a thing did not happen.

    Args:
        patient: Whose it is.
        plan: The procedure, of T frames.
        landmark: ``[T]`` share of the picture that the landmark covers.
    """
    script = plan.script
    withdrawal, lost = script.withdrawal(), landmark_lost(plan, landmark)
    arrival = np.flatnonzero(script.phase == PHASES.index("caecum"))
    outside = script.scene >= 0
    scores = dict(zip(SEGMENTS, plan.anatomy.scores, strict=True))
    return {
        "procedure": procedure_name(patient),
        "patient": patient.name,
        "split": patient.split,
        "path": video_name(patient),
        "seconds": len(script) / script.rate,
        "rate": script.rate,
        "starts_inside": not bool(outside[0]),
        "ends_inside": not bool(outside[-1]),
        "caecum_reached": script.reached,
        "caecum_seconds": float(arrival[0]) / script.rate if len(arrival) else None,
        "withdrawal_start": withdrawal[0] / script.rate if withdrawal else None,
        "landmark_lost": lost / script.rate if lost is not None else None,
        "withdrawal_end": withdrawal[1] / script.rate if withdrawal else None,
        **{f"bbps_{segment}": scores[segment] for segment in reversed(SEGMENTS)},
        "age": plan.shared.age,
        "sex": plan.shared.sex,
        "scope": plan.shared.scope,
    }


def listed(frames: int, rate: int, every: float) -> NDArray[np.int64]:
    """Return the numbers of the frames of a video that the index lists: one every ``every`` seconds from the first."""
    places = np.round(np.arange(0, frames / rate, every) * rate).astype(np.int64)
    return np.unique(places[places < frames])


def index_table(patients: Sequence[Patient], truth: pl.DataFrame, plans: Sequence[Plan], every: float) -> pl.DataFrame:
    """Return the frames that are listed, a row each: ``path``, ``frame``, ``label``, ``body`` and who it is.

    Args:
        patients: All of them.
        truth: The truth of all frames.
        plans: The procedure of each patient.
        every: Seconds between two frames of a video.
    """
    who = pl.DataFrame(
        {
            "procedure": [procedure_name(patient) for patient in patients],
            "path": [video_name(patient) for patient in patients],
            "patient": [patient.name for patient in patients],
            "split": [patient.split for patient in patients],
            "frame": [listed(len(plan.script), plan.script.rate, every).tolist() for plan in plans],
        },
        schema_overrides={"frame": pl.List(pl.Int32)},
    ).explode("frame")
    found = who.join(truth, on=["procedure", "frame"], how="left", maintain_order="left")
    body = pl.when(pl.col("state") == "outside").then(pl.lit(BODY[1])).otherwise(pl.lit(BODY[0]))
    return found.select(
        "path", "frame", pl.col("state").alias("label"), body.alias("body"), "patient", "procedure", "split"
    )
