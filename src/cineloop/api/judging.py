"""``evaluate``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from cineloop import runs
from cineloop.api.sources import RecipeSource, same_data
from cineloop.errors import EvaluationError, RunError
from cineloop.inference import judge
from cineloop.inference.judge import Judgement
from cineloop.inference.load import load
from cineloop.inference.mistakes import check_new
from cineloop.inference.pool import pool as pool_runs
from cineloop.progress import Progress, silent
from cineloop.tasks.cohort import prepare
from cineloop.tasks.recipe import Recipe, load_recipe


def evaluate(
    run: str | Path,
    *,
    split: str = "test",
    data: RecipeSource | None = None,
    against: str | Path | None = None,
    pool: Sequence[str | Path] = (),
    overrides: Iterable[str] = (),
    out: str | Path | None = None,
    mistakes: str | Path | None = None,
    device: str | None = None,
    progress: Progress = silent,
) -> Judgement:
    """Judge a run: figures with patient-clustered intervals, tables, subgroups, an HTML report.

    Args:
        run: The folder of a run.
        split: Which split.
        data: Another cohort for external validation: a recipe or a mapping with a ``data`` section, a folder of
            data, or one that ``cineloop cohort convert`` saved. None means the run's own data, which a packed run
            lacks.
        against: Another run, compared on the same items.
        pool: Further runs, evaluated before, to judge together with this one: folds or seeds (needs ``out``).
        overrides: ``evaluate.key=value`` texts laid over the run's recipe.
        out: Where to write; by default ``evaluation/<cohort>/<split>`` in the run.
        mistakes: A new folder for every misclassified frame of a model of frames, under the cohort's own names.
        device: Where to run; None takes a GPU where there is one.
        progress: Told about items.

    Raises:
        RunError: The run is not finished, or its data has changed.
        CohortError: The cohort has no such split, or its classes are not the model's.
        EvaluationError: No label is known.
    """
    if pool:
        return _pooled([run, *pool], split, overrides, out, other=data if data is not None else against)
    if mistakes is not None:
        check_new(Path(mistakes))
    loaded = load(run, device=device)
    if loaded.run is None:
        raise RunError("Evaluation needs a run, not weights alone", where=run, mend="Name the run's folder.")
    if data is None:
        runs.refuse_packed(loaded.run)
    resolved = load_recipe(loaded.run.recipe_file, overrides)
    if loaded.run.packed:
        _refuse_new_rule(loaded.run, resolved)
    # What costs little to refuse comes before the audit of the run's own data.
    other = load(against, device=device) if against is not None else None
    external = judge.read_external(data, loaded.predictor.classes, progress=progress) if data is not None else None
    prepared = None
    if not loaded.run.packed:
        prepared = prepare(resolved, progress=progress)
        same_data(loaded.run, prepared.cohort)
    return judge.judge(
        loaded,
        resolved,
        prepared,
        split=split,
        external=external,
        against=other,
        out=Path(out) if out is not None else None,
        mistakes=Path(mistakes) if mistakes is not None else None,
        progress=progress,
    )


def _refuse_new_rule(run: runs.Run, recipe: Recipe) -> None:
    """Refuse to choose a packed run's threshold anew, for which its validation items would be needed.

    Raises:
        EvaluationError: The recipe asks for it.
    """
    rule = recipe.evaluate.threshold
    if rule.rule != "fixed" and rule != load_recipe(run.recipe_file, ()).evaluate.threshold:
        raise EvaluationError(
            "A packed run has no validation items to choose a threshold on",
            where="evaluate.threshold",
            mend="Leave it as it was packed, or fix it: 'evaluate.threshold={rule: fixed, at: 0.4}'.",
        )


def _pooled(
    paths: Sequence[str | Path], split: str, overrides: Iterable[str], out: str | Path | None, *, other: object
) -> Judgement:
    if other is not None:
        raise EvaluationError(
            "Pooled runs are judged on their own cohort, by themselves",
            where="pool",
            mend="Leave out the other cohort and the other run.",
        )
    if out is None:
        raise EvaluationError(
            "A pooled evaluation belongs to no single run", where="pool", mend="Say where to write it, with --out."
        )
    together = [runs.open_run(path) for path in paths]
    for run in together:
        runs.refuse_packed(run)
    return pool_runs(together, load_recipe(together[0].recipe_file, overrides), split=split, out=Path(out))
