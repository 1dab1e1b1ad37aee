"""``cineloop phantom``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cineloop.cli.common import JsonOption, print_json, print_table, progress, say


def command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or one that was cut short.")],
    preset: Annotated[str, typer.Option(help="demo (small, minutes to train on) or standard.")] = "demo",
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other patients.")] = 0,
    look: Annotated[str | None, typer.Option(help="colonoscopy or laryngoscopy only; both by default.")] = None,
    patients: Annotated[
        str | None, typer.Option(metavar="TRAIN,VAL,TEST", help="Patients in each split, such as 60,12,20.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a core by default.")] = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Also try the shortcuts on it, and print what they score.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Write a synthetic cohort with exact ground truth, in the splits/ + videos/ layout."""
    from cineloop import phantom as phantoms
    from cineloop.errors import CohortError
    from cineloop.schema import validate

    config = phantoms.preset(preset, seed=seed).model_dump()
    if look is not None:
        config["looks"] = [look]
    if patients is not None:
        counts = patients.split(",")
        if len(counts) != 3 or not all(count.strip().isdigit() for count in counts):
            raise CohortError(
                f"Not three numbers of patients: {patients!r}", where="--patients", mend="Write it as 60,12,20."
            )
        config |= {split: int(count) for split, count in zip(("train", "val", "test"), counts, strict=True)}
    checked = validate(phantoms.PhantomConfig, config, where="phantom", error=CohortError, subject="The phantom")
    phantoms.write(out, checked, workers=workers, progress=progress())
    results = phantoms.run_baselines(out, progress=progress()) if baselines else []
    if json:
        print_json(
            {
                "folder": str(out),
                "config": checked.model_dump(mode="json"),
                "baselines": {one.name: one.auroc for one in results},
            }
        )
        return
    say(f"phantom  {out}")
    if results:
        print_table(["shortcut", "test AUROC"], [(one.name, f"{one.auroc:.3f}") for one in results])
