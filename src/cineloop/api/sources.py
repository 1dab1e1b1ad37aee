"""What the calls of this package take, and how they make sure that it is what it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cineloop.cohort import Cohort
from cineloop.errors import RunError
from cineloop.runs import Run

RecipeSource = str | Path | Mapping[str, Any]
"""A file, the name of a shipped recipe, or plain data."""


def same_data(run: Run, cohort: Cohort) -> None:
    """Refuse data that is not what a run was trained on.

    Raises:
        RunError: It changed.
    """
    recorded = run.ledger()["cohort"]["fingerprint"]
    if recorded != cohort.fingerprint:
        raise RunError(
            "The data has changed since this run was begun: files, labels, patients or splits differ",
            where=cohort.root,
            mend="Restore the data; or judge the run on the new data as another cohort, with --data.",
        )
