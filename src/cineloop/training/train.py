"""One execution of a recipe: from a learner to a run folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cineloop import files, runs
from cineloop.errors import CineloopError
from cineloop.progress import Progress, silent
from cineloop.training.learner import Learner
from cineloop.training.logs import RunLog, open_sinks
from cineloop.training.loop import FitResult, Loop
from cineloop.training.precision import EMULATED, is_emulated
from cineloop.training.runtime import Runtime
from cineloop.training.schema import TrainSection


def is_main_process() -> bool:
    """Return whether this process was not started by another rank's launcher."""
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0


def execute(
    learner: Learner,
    config: TrainSection,
    recipe: Mapping[str, Any],
    *,
    out: Path,
    resume: bool,
    ledger: Callable[[], Mapping[str, Any]],
    progress: Progress = silent,
    warn: Callable[[str], None] | None = None,
) -> tuple[runs.Run, FitResult | None]:
    """Train a learner into the run folder ``out``, or go on with what stands there.

    Args:
        learner: The model and its data.
        config: The recipe's ``train`` section.
        recipe: The resolved recipe as plain data.
        out: The run folder; absent or empty, or with ``resume`` a run of this recipe.
        resume: Go on where the run was interrupted; a run that is not there is begun.
        ledger: Gives what ``run.json`` shall hold besides versions and times.
        progress: Told about steps.
        warn: Told when the arithmetic asked for is emulated here.

    Returns:
        The run, and how training ended; None for processes that only helped.

    Raises:
        RunError: The folder is taken, or holds a run of another recipe.
        TrainingError: The loss is not finite.
    """
    kept = runs.Run(out).ledger().get("precision") if runs.is_run(out) else None
    runtime = Runtime(config, precision=kept)
    if warn is not None and runtime.is_main and is_emulated(runtime.precision, runtime.device.type):
        warn(EMULATED)
    runtime.launch()
    going_on = runs.is_run(out)
    runtime.barrier()
    if runtime.is_main:
        if going_on:
            runs.open_run(out).update_ledger(state="started", resumed=runs.now())
        else:
            begun = {**ledger(), "precision": runtime.precision}
            runs.create(out, dict(recipe), recipe_sha256=files.fingerprint(dict(recipe)), **begun)
    runtime.barrier()
    run = runs.Run(out)
    # What the run was begun with: a later version may resolve the same recipe to more keys.
    fingerprint = str(run.ledger()["recipe_sha256"])

    def open_log(keep_bytes: int, first_step: int) -> RunLog:
        return RunLog(run, open_sinks(config.log, run, recipe, first_step), keep_bytes)

    if not runtime.is_main:
        Loop(learner, config, run, runtime, open_log=open_log, recipe=fingerprint).fit(resume=resume)
        return run, None
    with runs.exclusive(run):
        try:
            loop = Loop(learner, config, run, runtime, open_log=open_log, recipe=fingerprint, listener=progress)
            result = loop.fit(resume=resume)
        except CineloopError as error:
            run.update_ledger(state="failed", error=error.what)
            raise
        run.update_ledger(
            state="finished",
            finished=runs.now(),
            training={
                "epochs": result.epochs,
                "steps": result.steps,
                "best": result.best,
                "best_epoch": result.best_epoch,
                "metric": config.select.compared,
                "stopped_early": result.stopped_early,
                "seconds": round(result.seconds, 3),
                "devices": runtime.world,
                "device": str(runtime.device),
                "weights_sha256": files.sha256_file(run.weights_file),
            },
        )
    return run, result
