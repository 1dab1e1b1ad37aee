"""The patients of phantom procedures, and what their files are called."""

from __future__ import annotations

from cineloop.phantom.patient import SPLITS, Patient
from cineloop.phantom.procedures.schema import ProcedureConfig
from cineloop.phantom.schema import LOOKS
from cineloop.seeds import generator


def roster(config: ProcedureConfig) -> list[Patient]:
    """Return the patients in order of their numbers, which tell nothing of the split."""
    counts = zip(SPLITS, (config.train, config.val, config.test), strict=True)
    splits = [split for split, count in counts for _ in range(count)]
    order = generator("phantom", config.seed, "procedures").permutation(len(splits))
    return [Patient(number, splits[index], LOOKS[0], False, ()) for number, index in enumerate(order, start=1)]


def procedure_name(patient: Patient) -> str:
    """Return the identity of a patient's procedure: ``P0012_p1``."""
    return f"{patient.name}_p1"


def video_name(patient: Patient) -> str:
    """Return the path of a patient's video below the phantom: ``videos/P0012/P0012_p1.mp4``."""
    return f"videos/{patient.name}/{procedure_name(patient)}.mp4"
