"""``cineloop demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cineloop.cli.common import JsonOption, note, print_json, print_table, progress, say

if TYPE_CHECKING:
    from cineloop.phantom.baselines import BaselineResult


def command(
    out: Annotated[Path, typer.Option(help="Where to leave everything; a demo cut short goes on there.")] = Path(
        "runs/demo"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other patients and other first weights.")] = 0,
    json: JsonOption = False,
) -> None:
    """Train, evaluate and report on a built-in synthetic cohort: the main job, from folder to page, in minutes.

    It writes videos of synthetic patients, reads them back like any other folder, checks them for leaks, trains a
    small classifier, evaluates it on patients it has not seen, and sets it beside shortcuts that see less.
    """
    from cineloop import api, phantom
    from cineloop.phantom.baselines import run_baselines

    data, target = out / "phantom", out / "run"
    note(f"1/4  writing the synthetic cohort to {data}")
    phantom.write(data, phantom.preset("demo", seed=seed), progress=progress())
    note(f"2/4  training in {target}")
    run = api.train(
        "clip-classification/phantom",
        [f"data.root={data}", f"train.seed={42 + seed}"],
        out=target,
        resume=True,
        progress=progress(),
    )
    note("3/4  trying shortcuts on the same patients")
    baselines = run_baselines(data)
    note("4/4  predicting the test videos, as one would new ones")
    rows = out / "predictions.csv"
    if not rows.exists():
        videos = sorted(
            {data / "videos" / line.split(",")[0] for line in (data / "splits" / "test.txt").read_text().split()}
        )
        api.predict(run.path, videos, out=rows, progress=progress())
    _tell(out, run.path, rows, baselines, as_json=json)


def _tell(out: Path, run: Path, rows: Path, baselines: list[BaselineResult], *, as_json: bool) -> None:
    from json import loads

    from cineloop.files import write_json

    (evaluation,) = run.glob("evaluation/*/test")
    auroc = loads((evaluation / "metrics.json").read_text(encoding="utf-8"))["headline"]["auroc"]
    summary = {
        "auroc": {key: auroc[key] for key in ("value", "low", "high", "sides", "n_items", "n_patients")},
        "baselines": {one.name: one.auroc for one in baselines},
        "run": str(run),
        "report": str(evaluation / "report.html"),
        "predictions": str(rows),
    }
    write_json(out / "demo.json", summary)
    if as_json:
        print_json(summary)
        return
    say()
    table = [("this model", f"{auroc['value']:.3f}", f"{auroc['low']:.3f} to {auroc['high']:.3f}")]
    table += [(f"shortcut: {one.name}", f"{one.auroc:.3f}", "") for one in baselines]
    print_table([f"AUROC on {auroc['n_patients']} patients not seen in training", "", "two-sided 95% interval"], table)
    say()
    say(f"report       {evaluation / 'report.html'}")
    say(f"predictions  {rows}")
    say(f"run          {run}")
