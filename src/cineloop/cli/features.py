"""``cineloop features``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cineloop.cli.common import (
    MODEL,
    JsonOption,
    SkipErrorsOption,
    StillsOption,
    WorkersOption,
    note,
    print_json,
    progress,
    refuse_missing,
    say,
)


def command(
    model: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run, a weights file, or with --model a checkpoint from anywhere.")
    ],
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCES", help="Videos, images, DICOM files, and folders of them.")
    ],
    out: Annotated[Path | None, typer.Option(help="Write the features as .parquet or .npz.")] = None,
    tokens: Annotated[
        Path | None, typer.Option("--tokens", help="A folder for all tokens of each item, one .npz an item.")
    ] = None,
    attention: Annotated[
        Path | None,
        typer.Option("--attention", help="A folder for videos that show where the model looked, one an item."),
    ] = None,
    views: Annotated[int | None, typer.Option(min=1, help="Clips of each video; more show more of its frames.")] = None,
    architecture: Annotated[
        str | None, typer.Option("--model", help="The model of a checkpoint that does not say it: timesformer-vitb16.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An option of that model that differs from its default."),
    ] = None,
    workers: WorkersOption = 0,
    skip_errors: SkipErrorsOption = False,
    stills: StillsOption = False,
    json: JsonOption = False,
) -> None:
    """Give the features of videos, all of their tokens, or videos that show where the model looked."""
    from cineloop.errors import CineloopError

    refuse_missing(model, mend=MODEL)
    refuse_missing(*sources)
    if out is None and tokens is None and attention is None and not json:
        raise CineloopError(
            "Nothing is asked for",
            where="command line",
            mend="Give --out FILE, --tokens DIR, --attention DIR or --json.",
        )
    from cineloop import api
    from cineloop.schema import parse_override

    found = api.features(
        model,
        sources,
        out=out,
        tokens=tokens,
        attention=attention,
        views=views,
        architecture=architecture,
        config=dict(parse_override(text) for text in option or ()),
        workers=workers,
        on_error="skip" if skip_errors else "raise",
        stills=stills,
        progress=progress(),
    )
    if json:
        print_json(
            {
                "items": list(found.items),
                "paths": list(found.paths),
                "features": found.features.tolist(),
                "frames": found.frames.tolist(),
                "seconds": found.seconds.tolist(),
                "failed": [{"id": item, "reason": reason} for item, reason in found.failed],
            }
        )
        return
    count, seen, width = found.features.shape
    say(f"{count} items, {seen} views of {found.frames.shape[2]} frames each, {width} features a view")
    for item, reason in found.failed:
        note(f"skipped {item}: {reason}")
    for name, path in (("features", out), ("tokens", tokens), ("attention", attention)):
        if path is not None:
            say(f"{name:10s}{path}")
