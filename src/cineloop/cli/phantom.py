"""``cineloop phantom``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cineloop.cli.common import JsonOption, print_json, print_table, progress, say


def command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or one that was cut short.")],
    changes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Changes to the preset, such as 'rates=[25]'."),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="Clips: demo (small, minutes to train on) or standard. Whole procedures: procedures or textbook."
        ),
    ] = "demo",
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other patients.")] = 0,
    look: Annotated[
        str | None, typer.Option(help="Of clips: colonoscopy or laryngoscopy only; both by default.")
    ] = None,
    patients: Annotated[
        str | None, typer.Option(metavar="TRAIN,VAL,TEST", help="Patients in each split, such as 60,12,20.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a core by default.")] = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Also try the shortcuts on it, and print what they score.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Write a synthetic cohort with exact ground truth: clips of a target, or whole procedures."""
    from cineloop import phantom as phantoms
    from cineloop.errors import CohortError
    from cineloop.schema import parse_override, validate

    described = phantoms.preset(preset, seed=seed)
    config = described.model_dump()
    if look is not None:
        if not isinstance(described, phantoms.PhantomConfig):
            raise CohortError(
                "Procedures have one look", where="--look", mend="Leave it out, or choose a preset of clips."
            )
        config["looks"] = [look]
    if patients is not None:
        counts = patients.split(",")
        if len(counts) != 3 or not all(count.strip().isdigit() for count in counts):
            raise CohortError(
                f"Not three numbers of patients: {patients!r}", where="--patients", mend="Write it as 60,12,20."
            )
        config |= {split: int(count) for split, count in zip(("train", "val", "test"), counts, strict=True)}
    config |= dict(parse_override(change) for change in changes or [])
    checked = validate(type(described), config, where="phantom", error=CohortError, subject="The phantom")
    phantoms.write(out, checked, workers=workers, progress=progress())
    clips = isinstance(checked, phantoms.PhantomConfig)
    results, table = (_of_clips if clips else _of_frames)(out) if baselines else ({}, None)
    if json:
        print_json({"folder": str(out), "config": checked.model_dump(mode="json"), "baselines": results})
        return
    say(f"phantom  {out}")
    if table is not None:
        print_table(*table)


def _of_clips(out: Path) -> tuple[dict[str, Any], tuple[Sequence[str], Sequence[Sequence[object]]]]:
    """Return what shortcuts score on clips, for programs and as a table."""
    from cineloop.phantom import run_baselines

    found = run_baselines(out, progress=progress())
    table = (["shortcut", "test AUROC"], [(one.name, f"{one.auroc:.3f}") for one in found])
    return {one.name: one.auroc for one in found}, table


def _of_frames(out: Path) -> tuple[dict[str, Any], tuple[Sequence[str], Sequence[Sequence[object]]]]:
    """Return what shortcuts score on the frames of procedures, for programs and as a table."""
    from cineloop.phantom import run_frame_baselines

    found = run_frame_baselines(out, progress=progress())
    results: dict[str, Any] = {}
    for one in found:
        figure = {"metric": one.metric, "value": one.value, "low": one.low, "high": one.high, "sides": "two-sided"}
        results.setdefault(one.question, {})[one.name] = figure
    rows = [
        (
            one.question,
            one.name,
            one.metric,
            f"{one.value:.3f}",
            None if one.low is None or one.high is None else f"{one.low:.3f} to {one.high:.3f}",
        )
        for one in found
    ]
    return results, (["question", "shortcut", "figure", "on test", "two-sided 95% interval"], rows)
