"""``cineloop predict``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cineloop.cli.common import (
    MODEL,
    JsonOption,
    SkipErrorsOption,
    StillsOption,
    WorkersOption,
    note,
    print_json,
    print_table,
    progress,
    refuse_missing,
    say,
)

if TYPE_CHECKING:
    from cineloop.timeline.refilter import Filter


def _print_schema(wanted: bool) -> None:
    if wanted:
        from cineloop.inference.answer import json_schema

        print_json(json_schema())
        raise typer.Exit


def _filter(name: str) -> Filter:
    from cineloop.errors import CineloopError

    if name == "published":
        return "published"
    if name == "causal":
        return "causal"
    if name == "none":
        return "none"
    raise CineloopError(f"There is no filter {name!r}", where="--filter", mend="Use published, causal or none.")


def command(
    model: Annotated[Path, typer.Argument(metavar="RUN", help="A run, or the weights.safetensors of one.")],
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCES", help="Videos, images, DICOM files, and folders of them.")
    ],
    out: Annotated[Path | None, typer.Option(help="Write the rows as .csv, .parquet or .json.")] = None,
    temporal_views: Annotated[int | None, typer.Option(min=1, help="Clips a video, averaged.")] = None,
    spatial_views: Annotated[int | None, typer.Option(help="Crops a frame, 1 or 3, averaged.")] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Of a model of frames: frames a second of video; all by default.")
    ] = None,
    timelines: Annotated[
        Path | None, typer.Option(help="Of a model of frames: a folder for a timeline of each video.")
    ] = None,
    filtering: Annotated[
        str | None,
        typer.Option("--filter", help="Of timelines: published, causal or none.", show_default="published"),
    ] = None,
    published: Annotated[
        Path | None, typer.Option(help="Of colonoscopy labels: a folder for the files of the published tool.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Decision threshold of the positive class.")
    ] = None,
    workers: WorkersOption = 0,
    skip_errors: SkipErrorsOption = False,
    stills: StillsOption = False,
    json: JsonOption = False,
    schema: Annotated[
        bool,
        typer.Option("--schema", callback=_print_schema, is_eager=True, help="Print the JSON Schema of the answer."),
    ] = False,
) -> None:
    """Run a trained model on anything: a row a video, or a frame, with class, probabilities and what was looked at."""
    from cineloop.errors import CineloopError

    refuse_missing(model, mend=MODEL)
    refuse_missing(*sources)
    if spatial_views not in (None, 1, 3):
        raise CineloopError(
            f"{spatial_views} spatial views are not defined", where="--spatial-views", mend="Use 1 or 3."
        )
    if filtering is not None and timelines is None and published is None:
        raise CineloopError("Nothing is filtered without --timelines", where="--filter", mend="Add --timelines FOLDER.")
    from cineloop import api

    result = api.predict(
        model,
        sources,
        out=out,
        temporal_views=temporal_views,
        spatial_views=3 if spatial_views == 3 else 1 if spatial_views == 1 else None,
        threshold=threshold,
        workers=workers,
        stills=stills,
        rate=rate,
        timelines=timelines,
        filtering=_filter(filtering or "published"),
        published=published,
        on_error="skip" if skip_errors else "raise",
        progress=progress(),
    )
    if json:
        print_json(result.plain())
        return
    if out is None:
        print_table(
            ["item", "label", *result.classes],
            [(row.id, row.label, *(f"{value:.3f}" for value in row.probabilities)) for row in result.rows],
        )
    else:
        counts = Counter(row.label for row in result.rows)
        shares = [(name, count, f"{count / counts.total():.1%}") for name, count in counts.most_common()]
        print_table(["label", "rows", "share"], shares)
    decision = result.context.decision
    if decision.threshold is not None:
        how = {"validation": "chosen on validation", "given": "as given"}.get(decision.source or "", "untuned")
        say(f"'{decision.positive}' from a probability of {decision.threshold:.3f}, {how}")
    for name, value in decision.questions.items():
        say(f"'{name}' from a probability of {value:.3f}, chosen on validation")
    for item, reason in result.failed:
        note(f"skipped {item}: {reason}")
    for title, path in (("rows", out), ("timelines", timelines), ("published", published)):
        if path is not None:
            say(f"{title}  {path}")
