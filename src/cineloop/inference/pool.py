"""Several runs as one result: the folds of a cross-validation, or seeds on the same items."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from cineloop.errors import EvaluationError
from cineloop.evaluation.evaluation import evaluate
from cineloop.evaluation.pooling import ensemble, pool_folds
from cineloop.evaluation.predictions import Predictions
from cineloop.inference.judge import Judgement
from cineloop.runs import Run
from cineloop.tasks.recipe import Recipe


def evaluated(run: Run, split: str) -> Predictions:
    """Return what a run predicted for a split of its own cohort.

    Raises:
        EvaluationError: The run was not evaluated on the split.
    """
    path = run.evaluation(run.ledger()["cohort"]["name"], split) / "predictions.parquet"
    if not path.is_file():
        raise EvaluationError(
            f"The run has not been evaluated on {split!r}",
            where=run.path,
            mend=f"cineloop evaluate {run.path} --split {split}",
        )
    return Predictions.read(path)


def relation(members: Sequence[Predictions]) -> Literal["seeds", "folds"]:
    """Return whether models predicted the same items (seeds) or each its own (folds).

    Raises:
        EvaluationError: Some items are shared and some are not.
    """
    items = [set(member.ids) for member in members]
    if all(each == items[0] for each in items):
        return "seeds"
    for (one, ours), (other, theirs) in itertools.combinations(enumerate(items), 2):
        shared = ours & theirs
        if shared:
            raise EvaluationError(
                f"Runs {one} and {other} share {len(shared)} of their items: neither folds nor one test split",
                mend="Pool runs that were all tested on the same items, or each on a fold of its own.",
            )
    return "folds"


def pool(runs: Sequence[Run], recipe: Recipe, *, split: str, out: Path) -> Judgement:
    """Judge several runs together, from the predictions in their evaluation folders, and write the evaluation.

    Folds are joined: every item is judged by the one model that has not seen its patient. There is no common
    validation split, so decisions are made at the untuned threshold. Of seeds, probabilities are averaged, on
    validation too, where the threshold is chosen. Either way the page shows each figure's spread over the models.

    Args:
        runs: Finished and evaluated, at least two.
        recipe: Whose ``evaluate`` section to follow.
        split: Which split.
        out: Where to write.

    Raises:
        EvaluationError: A run was not evaluated, or the runs' items neither agree nor are disjoint.
    """
    members = [evaluated(run, split).with_positive(recipe.evaluate.positive) for run in runs]
    over = relation(members)
    validation: Predictions | None = None
    if over == "folds":
        joined = pool_folds(members)
    else:
        joined = ensemble(members)
        files = [run.path / "checkpoints" / "best_validation.parquet" for run in runs]
        if all(file.is_file() for file in files):
            validation = ensemble([Predictions.read(file) for file in files])
    ledgers = [run.ledger() for run in runs]
    reasons = dict.fromkeys(each["cohort"]["allow_leakage"] for each in ledgers if each["cohort"]["allow_leakage"])
    evaluation = evaluate(
        joined,
        validation=validation,
        config=recipe.evaluate,
        cohort=ledgers[0]["cohort"]["name"],
        split=split,
        name=f"{len(runs)} {over}",
        members=members,
        spread_over=over,
        warnings=tuple(dict.fromkeys(text for each in ledgers for text in each["cohort"]["warnings"])),
        watermark="; ".join(reasons) or None,
    )
    # The names in the predictions are already as the runs' recipes want them.
    evaluation.write(
        out,
        subtitle=f"{len(runs)} {over} pooled",
        provenance={f"run {number}": run.name for number, run in enumerate(runs)},
        plain=True,
    )
    return Judgement(evaluation, out)
