"""``cineloop train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cineloop.cli.common import Invocation, JsonOption, note, print_json, progress, say

if TYPE_CHECKING:
    from cineloop.api import Plan


def command(
    ctx: typer.Context,
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A recipe file, the name of a shipped recipe, or a run to resume.")
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Laid over the recipe; values are YAML.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; by default runs/<recipe's name>.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run was interrupted.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and train nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Run a recipe: train a model on a cohort, keep the best weights, evaluate them, and leave a run folder."""
    from cineloop import api
    from cineloop.runs import is_run, open_run
    from cineloop.training.train import is_main_process

    if dry_run:
        _print_plan(api.plan(recipe, overrides or [], progress=progress()), as_json=json)
        return
    quiet = not is_main_process()
    target_folder = out or Path("runs") / Path(recipe).stem
    if resume and not quiet and not is_run(recipe) and not is_run(target_folder):
        note(f"there is no run in {target_folder} to go on with: a new one is begun")
    invocation = ctx.find_object(Invocation)
    if invocation is not None:
        target = f" --out {out}" if out is not None else ""
        given = "".join(f" {text!r}" for text in overrides or [])
        invocation.resume = f"cineloop train {recipe}{given}{target} --resume"
    from cineloop.progress import silent

    folder = Path(recipe) if is_run(recipe) else target_folder
    before = open_run(folder).ledger() if resume and is_run(folder) else {}
    run = api.train(
        recipe,
        overrides or [],
        out=out,
        resume=resume,
        warn=None if quiet else lambda text: note(f"WARNING: {text}"),
        progress=silent if quiet else progress(),
    )
    if quiet:
        return
    ledger = run.ledger()
    if before.get("state") == "finished" and before.get("finished") == ledger["finished"]:
        note("This run had finished; nothing was trained. For more, begin another with model.weights=RUN.")
    if json:
        print_json({"run": str(run.path), **ledger["training"]})
        return
    training = ledger["training"]
    say(f"run      {run.path}")
    say(f"weights  {run.weights_file}")
    if training["best"] is not None:
        say(f"best     {training['metric']} {training['best']:.4f} on validation, epoch {training['best_epoch']}")
    elif any(count["split"] == "val" for count in ledger["cohort"]["counts"]):
        say(f"best     {training['metric']} was undefined on validation: the last epoch's weights are kept")
    for page in sorted(run.path.glob("evaluation/*/*/report.html")):
        say(f"report   {page}")
    if ledger.get("figures"):
        note(f"note: {run.figures.name}/ was {ledger['figures']}")
    elif run.figures.exists():
        say(f"figures  {run.figures}")
    if ledger.get("sampling_page"):
        note(f"note: {run.sampling_page.name} was {ledger['sampling_page']}")
    else:
        say(f"samples  {run.sampling_page}")
    for warning in ledger["cohort"]["warnings"]:
        note(f"note: {warning}")
    if ledger["cohort"]["allow_leakage"]:
        note(f"NOT A VALID RESULT, the data leaks: {ledger['cohort']['allow_leakage']}")


def _print_plan(plan: Plan, *, as_json: bool) -> None:
    from cineloop.schema import dump_yaml

    dry, cohort = plan.dry_run, plan.prepared.cohort
    counts = [(c.split, c.label, c.items, c.media, c.patients) for c in cohort.counts()]
    if as_json:
        print_json(
            {
                "recipe": plan.recipe.plain(),
                "cohort": {
                    "name": cohort.name,
                    "fingerprint": cohort.fingerprint,
                    "counts": [
                        dict(zip(("split", "label", "items", "media", "patients"), row, strict=True)) for row in counts
                    ],
                    "warnings": list(plan.prepared.warnings),
                },
                "parameters": dry.parameters,
                "trainable": dry.trainable,
                "shapes": {name: list(shape) for name, shape in dry.shapes.items()},
                "loss": dry.loss,
                "steps_per_epoch": dry.steps_per_epoch,
                "samples_per_epoch": dry.samples,
                "learning_rate": plan.recipe.train.learning_rate,
            }
        )
        return
    from cineloop.cli.common import print_table

    say(dump_yaml(plan.recipe.plain()).rstrip())
    say()
    print_table(["split", "label", "items", "videos", "patients"], counts)
    say()
    say(f"parameters       {dry.parameters:,} ({dry.trainable:,} trainable)")
    for name, shape in dry.shapes.items():
        say(f"batch {name:10s} {' x '.join(map(str, shape))}")
    say(f"first loss       {dry.loss:.4f}")
    train = plan.recipe.train
    accumulated = f" of {train.accumulate} batches each" if train.accumulate > 1 else ""
    say(f"samples an epoch {dry.samples}")
    say(f"steps an epoch   {dry.steps_per_epoch}{accumulated}, of {train.batch_size * train.accumulate} samples")
    say(f"learning rate    {train.learning_rate:.3g}")
    if plan.weights:
        say(plan.weights)
    for warning in plan.prepared.warnings:
        note(f"note: {warning}")
