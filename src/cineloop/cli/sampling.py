"""``cineloop cohort sampling``: which frames of which video a model sees."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cineloop.cli.common import JsonOption, note, print_json, print_table, progress, say
from cineloop.cli.source import (
    DataSource,
    FormatOption,
    OverridesArgument,
    PathOption,
    PatientOption,
    ProcedureOption,
    RootOption,
    place,
)
from cineloop.errors import SamplingError

if TYPE_CHECKING:
    from cineloop.api import Choice, Sampled
    from cineloop.video.sampling import RoundsConfig

DEFAULT = Path("sampling.html")

SamplingSource = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE",
        help="Looked back on: a run, a folder or file of sample records, published CSV files. "
        "Planned: a folder of data, a saved cohort, a recipe (file or name).",
    ),
]


def sampling(
    source: SamplingSource = None,
    overrides: OverridesArgument = None,
    root: RootOption = None,
    layout: FormatOption = None,
    path: PathOption = None,
    patient: PatientOption = None,
    procedure: ProcedureOption = None,
    modes: Annotated[
        str | None,
        typer.Option("--modes", help="Methods to plan, with commas; uniform,random,random_window,clip without it."),
    ] = None,
    frames: Annotated[int | None, typer.Option("--frames", help="Frames of a sample; 8, or the recipe's.")] = None,
    rounds: Annotated[
        str | None, typer.Option("--rounds", metavar="STEP[:CAP]", help="Augmentation rounds of the training split.")
    ] = None,
    splits: Annotated[
        list[str] | None, typer.Option("--split", help="A split; may be repeated. All by default.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of every draw; 42, or the recipe's.")] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Epochs to plan of a recipe that draws anew in each; 1 without it.")
    ] = None,
    clock: Annotated[
        str,
        typer.Option("--clock", help="Frame times for clip: true opens every file, steady none, auto up to 60 files."),
    ] = "auto",
    out: Annotated[
        Path | None, typer.Option("--out", help="The page; sampling.html, which is not overwritten, without it.")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", help="Folder for CSV files as the published tools write them: an epoch, the last one."),
    ] = None,
    csv_layout: Annotated[str, typer.Option("--csv-layout", help="active or helper.")] = "active",
    csv_dataset: Annotated[
        str | None, typer.Option("--csv-dataset", help="In the files' names; the cohort's name without it.")
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", help="A file for the rows, as a run records them.")
    ] = None,
    sheets: Annotated[int, typer.Option("--sheets", min=0, help="Show the frames of this many videos.")] = 0,
    sheet_files: Annotated[
        Path | None, typer.Option("--sheet-files", help="Folder for a PNG of each video and method.")
    ] = None,
    identifiers: Annotated[
        str | None,
        typer.Option(
            "--identifiers",
            help="Names in plans: salted (pseudonyms, in CSV files too) or plain; as the data section says without it.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show which frames of which video a model sees: decoded by a run, or planned before one.

    Of a run it shows what was decoded. Of data or a recipe it shows what each method would choose; nothing is decoded
    and nothing is trained. Files name videos by pseudonyms unless data.identifiers is plain.
    """
    for value, known, option in (
        (clock, ("auto", "true", "steady"), "--clock"),
        (csv_layout, ("active", "helper"), "--csv-layout"),
        (identifiers, (None, "salted", "plain"), "--identifiers"),
    ):
        if value not in known:
            words = ", ".join(word for word in known if word)
            raise SamplingError(f"Not a choice: {value!r}", where=option, mend=f"Write one of {words}.")
    if out is None and DEFAULT.exists():
        raise SamplingError("A page is there already", where=DEFAULT, mend="Name another with --out, or this one.")
    from cineloop import api

    # The words were checked above, which the types cannot tell.
    choice = api.Choice(
        modes=None if modes is None else tuple(word.strip() for word in modes.split(",") if word.strip()),
        frames=frames,
        rounds=None if rounds is None else _rounds(rounds),
        seed=seed,
        epochs=epochs,
        clock=clock,  # type: ignore[arg-type]
        splits=tuple(splits or ()),
    )
    named, texts = DataSource(source, root, overrides, layout, path, patient, procedure).where()
    found = api.sampling(
        named,
        [*texts, *_as_overrides(layout, path, patient, procedure)],
        choice,
        out=out or DEFAULT,
        csv=csv,
        csv_layout=csv_layout,  # type: ignore[arg-type]
        csv_dataset=csv_dataset,
        parquet=parquet,
        sheets=sheets,
        sheet_files=sheet_files,
        identifiers=identifiers,  # type: ignore[arg-type]
        progress=progress(),
    )
    _print(found, choice, as_json=json)


def _rounds(text: str) -> RoundsConfig:
    from cineloop.video.sampling import RoundsConfig

    step, colon, cap = text.partition(":")
    if not step.isdigit() or int(step) < 1 or (colon and not (cap.isdigit() and int(cap) >= 1)):
        raise SamplingError(
            f"Not augmentation rounds: {text!r}", where="--rounds", mend="Write STEP or STEP:CAP, such as 16 or 1:5."
        )
    return RoundsConfig(step=int(step), cap=int(cap) if colon else None)


def _as_overrides(layout: str | None, path: str | None, patient: str | None, procedure: str | None) -> list[str]:
    """Return the options that describe data as ``key=value`` texts."""
    from json import dumps

    said = [f"data.{key}={dumps(value)}" for key, value in (("format", layout), ("path", path)) if value is not None]
    for key, text in (("patient", patient), ("procedure", procedure)):
        if text is not None:
            said.append(f"data.{key}={dumps(place(text, f'--{key}'))}")
    return said


def _print(found: Sampled, choice: Choice, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        files = [str(file) for file in found.files]
        print_json({"kind": found.kind, "summary": [asdict(row) for row in found.summary], "files": files})
        return
    say(f"{found.kind}, by method and split:")
    print_table(
        ["method", "split", "rows", "videos", "frames", "span", "windows hit", "longest gap", "gap CV", "frames seen"],
        [
            (
                row.method,
                row.split,
                row.rows,
                row.videos,
                f"{row.frames:.1f}",
                _share(row.span),
                _share(row.windows),
                _share(row.gap),
                None if row.variation is None else f"{row.variation:.2f}",
                _share(row.distinct),
            )
            for row in found.summary
        ],
    )
    for file in found.files:
        note(f"written: {file}")


def _share(value: float | None) -> str | None:
    return None if value is None else f"{math.floor(100 * value + 0.5)}%"
