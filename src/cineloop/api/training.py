"""``train`` and ``plan``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cineloop import plugins, runs
from cineloop.api.sources import RecipeSource, same_data
from cineloop.cohort import Cohort
from cineloop.errors import CineloopError, RunError
from cineloop.inference import judge
from cineloop.inference.load import load
from cineloop.inference.sampling import of_run
from cineloop.progress import Progress, silent
from cineloop.report.sampling import page as sampling_page
from cineloop.runs import Run
from cineloop.tasks.cohort import Prepared, describe_cohort, prepare
from cineloop.tasks.recipe import Recipe, anchored, differences, load_recipe
from cineloop.tasks.stages import first_stage, trained_on, unknown_corpus
from cineloop.tasks.task import TASKS, DryRun
from cineloop.training import train as training
from cineloop.training.figures import write_figures


@dataclass(frozen=True)
class Plan:
    """What a recipe would do.

    Attributes:
        recipe: Resolved.
        prepared: The data found.
        weights: The table of keys of the first weights, None when they are random.
        dry_run: Parameters, shapes, first loss.
    """

    recipe: Recipe
    prepared: Prepared
    weights: str | None
    dry_run: DryRun


def _read(recipe: RecipeSource, overrides: Iterable[str]) -> tuple[Recipe, Path | None]:
    """Return the recipe, and the run's folder when a run was named in place of a recipe."""
    if not isinstance(recipe, Mapping) and runs.is_run(Path(recipe)):
        run = runs.open_run(Path(recipe))
        runs.refuse_packed(run)
        plugins.require(run.ledger().get("plugins", []), where=run.path)
        return load_recipe(run.recipe_file, overrides), run.path
    return load_recipe(recipe, overrides), None


def plan(recipe: RecipeSource, overrides: Iterable[str] = (), *, progress: Progress = silent) -> Plan:
    """Find out what a recipe would do, without training or writing anything.

    Raises:
        CineloopError: Whatever training would refuse before its first step.
    """
    resolved, _ = _read(recipe, overrides)
    prepared = prepare(resolved, training=True, progress=progress)
    learner = TASKS.get(resolved.task).learner(resolved, prepared.cohort)
    return Plan(resolved, prepared, learner.weights_report(), learner.dry_run())


def train(
    recipe: RecipeSource,
    overrides: Iterable[str] = (),
    *,
    out: str | Path | None = None,
    resume: bool = False,
    warn: Callable[[str], None] | None = None,
    progress: Progress = silent,
) -> Run:
    """Run a recipe: train a model, keep the best weights, and evaluate them.

    Args:
        recipe: A file, the name of a shipped recipe, plain data, or with ``resume`` the folder of a run.
        overrides: ``key=value`` texts laid over the recipe; values are YAML.
        out: The run folder; by default ``runs/<recipe's name>``.
        resume: Go on where the run was interrupted; one that is not there is begun.
        warn: Told, before the first step, what a reader of the figures must know; the run records it too.
        progress: Told about files, steps and items.

    Returns:
        The run.

    Raises:
        RecipeError: The recipe is not valid.
        CohortError: The data is not usable, or leaks.
        WeightsError: The first weights do not fit.
        RunError: The run folder is taken.
        TrainingError: The loss is not finite.
    """
    resolved, standing = _read(recipe, overrides)
    resolved = anchored(resolved)
    if standing is not None and not resume:
        runs.check_free(standing)
    if out is None:
        named = "run" if isinstance(recipe, Mapping) else Path(str(recipe)).stem
        out = standing or Path("runs") / named
    out = Path(out)
    if training.is_main_process():
        _check_target(out, resolved, resume=resume)
    finished = runs.is_run(out) and runs.Run(out).ledger().get("state") == "finished"
    if finished and runs.Run(out).ledger().get("evaluated") == list(resolved.evaluate.after_training):
        return runs.Run(out)
    prepared = prepare(resolved, training=not finished, progress=progress)
    cohort = prepared.cohort
    if runs.is_run(out):
        same_data(runs.Run(out), cohort)
    if finished:
        _draw(runs.Run(out), resolved, prepared)
        _judge(runs.Run(out), resolved, prepared, progress)
        _show_samples(runs.Run(out), cohort)
        return runs.Run(out)
    task_learner = TASKS.get(resolved.task).learner(resolved, cohort)
    task_learner.leak = prepared.watermark
    if warn is not None:
        for warning in prepared.warnings:
            warn(warning)
    first = first_stage(resolved.first_weights())

    def ledger() -> dict[str, Any]:
        return {
            "task": resolved.task,
            "seed": resolved.train.seed,
            "plugins": plugins.as_records(),
            "cohort": describe_cohort(prepared),
            "first_weights": task_learner.weights_report(),
            "first_stage_sha256": sorted(trained_on(first)) if first is not None else [],
            "first_stage_unknown": unknown_corpus(resolved.first_weights()),
        }

    run, result = training.execute(
        task_learner.learner,
        resolved.train,
        resolved.plain(),
        out=out,
        resume=resume,
        ledger=ledger,
        progress=progress,
        warn=warn,
    )
    if result is not None:
        _draw(run, resolved, prepared)
        _judge(run, resolved, prepared, progress)
        _show_samples(run, cohort)
    return run


def _judge(run: Run, recipe: Recipe, prepared: Prepared, progress: Progress) -> None:
    """Judge the splits that the recipe wants judged as soon as training has ended."""
    for split in recipe.evaluate.after_training:
        if split in prepared.cohort.split_names:
            judge.judge(load(run.path), recipe, prepared, split=split, out=None, progress=progress)
    run.update_ledger(evaluated=list(recipe.evaluate.after_training))


def _draw(run: Run, recipe: Recipe, prepared: Prepared) -> None:
    """Write the figures of the training."""
    classes = sorted(prepared.cohort.classes, key=lambda name: name == recipe.evaluate.positive)
    _by_the_way(run, "figures", lambda: write_figures(run, recipe.train, classes, watermark=prepared.watermark))


def _show_samples(run: Run, cohort: Cohort) -> None:
    """Write the page of what was decoded."""

    def write() -> None:
        looked = of_run(run, cohort)
        sampling_page(looked.samples, looked.origin).write(run.sampling_page)

    _by_the_way(run, "sampling_page", write)


def _by_the_way(run: Run, name: str, write: Callable[[], object]) -> None:
    """Write what is made from the run's files; a run without it is finished all the same, and its ledger says so."""
    try:
        write()
    except (CineloopError, OSError) as error:
        run.update_ledger(**{name: f"not written: {error}"})
        return
    if name in run.ledger():
        run.update_ledger(**{name: None})


def _check_target(out: Path, recipe: Recipe, *, resume: bool) -> None:
    """Check, before any work, that ``out`` can take this recipe's run.

    Raises:
        RunError: Something is there and ``resume`` was not asked, or it is a run of another recipe.
    """
    if not (resume and runs.is_run(out)):
        runs.check_free(out)
        return
    changed = differences(load_recipe(runs.Run(out).recipe_file).plain(), recipe.plain())
    if changed:
        raise RunError(
            f"The run there was begun with another recipe; it differs in {', '.join(changed[:5])}",
            where=out,
            mend=f"Resume it as it is: cineloop train {out} --resume. Or give another --out.",
        )
