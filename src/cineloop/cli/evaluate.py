"""``cineloop evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cineloop.cli.common import MODEL, JsonOption, note, print_json, print_table, progress, refuse_missing, say

if TYPE_CHECKING:
    from cineloop.evaluation.questions import Answer


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="evaluate.KEY=VALUE", help="Laid over the run's recipe.")
    ] = None,
    split: Annotated[str, typer.Option(help="Which split.")] = "test",
    data: Annotated[
        str | None, typer.Option(help="Another cohort: a file with a data section, or a folder of data.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="Another run, compared on the same items.")] = None,
    pool: Annotated[
        list[Path] | None,
        typer.Option(help="A further run to judge together with this one, a fold or a seed; may be repeated."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write; by default into the run.")] = None,
    mistakes: Annotated[
        Path | None, typer.Option(help="A new folder for every misclassified frame, by kind of error, with a page.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Judge a run: figures with patient-clustered intervals, tables, subgroups, an HTML report."""
    from cineloop.errors import RecipeError

    refuse_missing(run, against, *(pool or []), mend=MODEL)
    foreign = [text for text in overrides or [] if not text.startswith("evaluate.")]
    if foreign:
        raise RecipeError(
            f"Only the evaluate section can be changed now, not {foreign[0]!r}",
            where="command line",
            mend="Train another run for other data, models or training.",
        )
    from cineloop import api

    judgement = api.evaluate(
        run,
        split=split,
        data=data,
        against=against,
        pool=pool or [],
        overrides=overrides or [],
        out=out,
        mistakes=mistakes,
        progress=progress(),
    )
    evaluation = judgement.evaluation
    if json:
        print_json(judgement.plain())
        return
    rows = [
        (one.metric.title, _number(one.value), _interval(one.low, one.high), one.n_items, one.n_patients)
        for one in evaluation.headline
    ]
    interval = f"two-sided {100 * evaluation.config.confidence:g}% interval"
    print_table([evaluation.split, "value", interval, "items", "patients"], rows)
    if judgement.answers:
        say()
        print_table(
            ["question", "figure", "value", interval, "threshold", "items", "patients"],
            [_answer(answer) for answer in judgement.answers],
        )
    if "published" in judgement.extras:
        say()
        print_table(
            ["published, conditional on the gates", "value"],
            [(name, _number(value)) for name, value in judgement.extras["published"].items()],
        )
    if judgement.missed is not None:
        say()
        for title in ("frames", "segments", "patients"):
            share = getattr(judgement.missed, title)
            counted = f"missed {judgement.missed.positive}: {share.missed} of {share.of} {title}"
            say(f"{counted}, at most {share.upper:.1%} ({judgement.missed.bound})")
    if evaluation.spread:
        say()
        print_table(
            [f"over {len(pool or []) + 1} {evaluation.spread_over}", "mean", "sd", "each"],
            [
                (one.key.metric, _number(one.mean), _number(one.sd), " ".join(_number(value) for value in one.values))
                for one in evaluation.spread
                if one.key.label is None
            ],
        )
    if evaluation.comparison is not None:
        comparison = evaluation.comparison
        say()
        print_table(
            [f"on {comparison.n_items} items", comparison.first, comparison.second, "difference", interval, "p"],
            [
                (
                    one.key.metric,
                    _number(one.first),
                    _number(one.second),
                    _number(one.difference),
                    _interval(one.low, one.high),
                    _number(one.p_value),
                )
                for one in comparison.differences
            ],
        )
    say()
    say(f"report  {judgement.folder / 'report.html'}")
    if judgement.mistakes is not None:
        say(f"mistakes  {judgement.mistakes}")
    for warning in evaluation.warnings:
        note(f"note: {warning}")
    if evaluation.watermark is not None:
        note(f"NOT A VALID RESULT, the data leaks: {evaluation.watermark}")


def _answer(answer: Answer) -> tuple[str | int, ...]:
    found = answer.evaluation
    leading = next(one for one in found.headline if one.key.metric == answer.question.selection)
    threshold = f"{found.threshold.value:.3f}" if found.threshold is not None else ""
    return (
        answer.question.name,
        leading.metric.title,
        _number(leading.value),
        _interval(leading.low, leading.high),
        threshold,
        leading.n_items,
        leading.n_patients,
    )


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _interval(low: float | None, high: float | None) -> str:
    return "undefined" if low is None or high is None else f"{low:.3f} to {high:.3f}"
