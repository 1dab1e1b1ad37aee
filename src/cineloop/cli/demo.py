"""``cineloop demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cineloop.cli.common import JsonOption, note, print_json, print_table, progress, say

if TYPE_CHECKING:
    from cineloop.phantom.baselines import BaselineResult

_STEPS = 6
# Enough to learn from in two minutes, two frames a second of them; the recipes' own figures are of more patients.
_PROCEDURES = {"train": 60, "val": 8, "test": 12, "every": 0.5}
_RECORDING = {"train": 0, "val": 0, "test": 1, "rates": (6,), "seconds": (150.0, 150.0), "reached": 1.0, "cut": 0.0}
_EPOCHS = {"classifier": 8, "gate": 3, "quality": 5}
_HEADLINE = {"gate": "auroc", "quality": "balanced_accuracy"}


def command(
    out: Annotated[Path, typer.Option(help="Where to leave everything; a demo cut short goes on there.")] = Path(
        "runs/demo"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other patients and other first weights.")] = 0,
    json: JsonOption = False,
) -> None:
    """Train, evaluate, analyse and report on built-in synthetic patients: the main job, in minutes.

    It writes clips of synthetic patients, reads them back like any other folder, checks them for leaks, trains a small
    classifier, evaluates it on patients it has not seen, and sets it beside shortcuts that see less. Then it trains an
    in-body gate and a model of frame quality on whole procedures, and analyses a recording of a patient that none of
    the three has seen.
    """
    from cineloop import api, phantom
    from cineloop.phantom.baselines import run_baselines

    clips, procedures, raw = (out / name for name in ("phantom", "procedures", "recording"))
    _step(1, f"writing clips of synthetic patients to {clips}")
    phantom.write(clips, phantom.preset("demo", seed=seed), progress=progress())
    _step(2, f"training a classifier of clips in {out / 'run'}")
    classifier = api.train(
        "clip-classification/phantom",
        [f"data.root={clips}", f"train.seed={42 + seed}", f"train.epochs={_EPOCHS['classifier']}"],
        out=out / "run",
        resume=True,
        progress=progress(),
    )
    baselines = run_baselines(clips)
    rows = out / "predictions.csv"
    if not rows.exists():
        tested = (clips / "splits" / "test.txt").read_text(encoding="utf-8").split()
        videos = sorted({clips / "videos" / line.split(",")[0] for line in tested})
        api.predict(classifier.path, videos, out=rows, progress=progress())
    _step(3, f"writing whole procedures to {procedures}, and one more to {raw}")
    whole = phantom.preset("procedures", seed=seed)
    phantom.write(procedures, whole.model_copy(update=_PROCEDURES), progress=progress())
    phantom.write(raw, whole.model_copy(update={**_RECORDING, "seed": seed + 1000}), progress=progress())
    models = {}
    for place, (name, recipe) in enumerate({"gate": "inbody/phantom", "quality": "frame-quality/phantom"}.items(), 4):
        _step(place, f"training the {name} in {out / name}")
        changes = [f"data.root={procedures}", f"train.seed={42 + seed}", f"train.epochs={_EPOCHS[name]}"]
        models[name] = api.train(recipe, changes, out=out / name, resume=True, progress=progress()).path
    _step(6, f"analysing the recording into {out / 'analysis'}")
    (video,) = raw.glob("videos/*/*.mp4")
    if not (out / "analysis" / "report.json").exists():
        api.analyze(
            video,
            inbody=models["gate"],
            quality=models["quality"],
            classify=classifier.path,
            alarm_class="lesion",
            out=out / "analysis",
            name="recording",
            overlay=True,
            privacy={},
            progress=progress(),
        )
    _tell(out, baselines, raw, as_json=json)


def _step(number: int, text: str) -> None:
    note(f"{number}/{_STEPS}  {text}")


def _figure(run: Path, name: str) -> dict[str, Any]:
    """Return a headline figure of a run's test split."""
    from json import loads

    (metrics,) = run.glob("evaluation/*/test/metrics.json")
    found = loads(metrics.read_text(encoding="utf-8"))["headline"][name]
    return {key: found[key] for key in ("value", "low", "high", "n_items", "n_patients")}


def _truth(raw: Path) -> dict[str, float | None]:
    """Return what is true of the recording."""
    import polars as pl

    (row,) = pl.read_csv(raw / "procedures.csv").to_dicts()
    start, end = row["withdrawal_start"], row["withdrawal_end"]
    return {
        "caecum_reached": float(row["caecum_reached"]),
        "withdrawal_seconds": None if start is None else end - start,
    }


def _tell(out: Path, baselines: list[BaselineResult], raw: Path, *, as_json: bool) -> None:
    from cineloop.analysis.report import read_report
    from cineloop.files import write_json

    auroc = _figure(out / "run", "auroc")
    (evaluation,) = (out / "run").glob("evaluation/*/test")
    found = {one.definition.name: one.value for one in read_report(out / "analysis").indicators}
    truth = _truth(raw)
    summary = {
        "auroc": auroc,
        "baselines": {one.name: one.auroc for one in baselines},
        **{name: {metric: _figure(out / name, metric)} for name, metric in _HEADLINE.items()},
        "analysis": {name: {"found": found[name], "true": value} for name, value in truth.items()},
        "run": str(out / "run"),
        "report": str(evaluation / "report.html"),
        "predictions": str(out / "predictions.csv"),
        "procedure": str(out / "analysis" / "report.html"),
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
    told = [
        (name.replace("_", " "), *("-" if value is None else f"{value:.1f}" for value in (found[name], truth[name])))
        for name in truth
    ]
    print_table(["the analysed recording", "found", "true"], told)
    say()
    say(f"procedure    {out / 'analysis' / 'report.html'}")
    say(f"report       {evaluation / 'report.html'}")
    say(f"predictions  {out / 'predictions.csv'}")
    say(f"run          {out / 'run'}")
