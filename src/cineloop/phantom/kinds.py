"""The kinds of phantoms: clips of a target, and whole procedures."""

from __future__ import annotations

from pathlib import Path

from cineloop.phantom.procedures.schema import ProcedureConfig
from cineloop.phantom.procedures.writer import write_procedures
from cineloop.phantom.schema import PhantomConfig
from cineloop.phantom.writer import write_clips
from cineloop.progress import Progress, silent

Config = PhantomConfig | ProcedureConfig
"""A description of either kind."""


def write(out: str | Path, config: Config, *, workers: int | None = None, progress: Progress = silent) -> Path:
    """Write a phantom; one that was cut short goes on, and a finished one is left as it is.

    The bytes of pixels and truth follow from ``config`` alone, whatever the number of processes.

    Args:
        out: A new or empty folder, or one that an interrupted call of the same description left.
        config: The description, of clips or of procedures.
        workers: Processes; None takes one a core.
        progress: Told about every patient.

    Returns:
        The folder.

    Raises:
        CohortError: Something else is there.
    """
    if isinstance(config, ProcedureConfig):
        return write_procedures(out, config, workers=workers, progress=progress)
    return write_clips(out, config, workers=workers, progress=progress)
