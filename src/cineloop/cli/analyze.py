"""``cineloop analyze``: a whole recorded procedure in one pass, into a timeline, indicators and a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cineloop.cli.common import MODEL, JsonOption, note, print_json, print_table, progress, refuse_missing, say
from cineloop.cli.times import bounds_of, span_of
from cineloop.errors import CineloopError

if TYPE_CHECKING:
    from cineloop.api import Analyzed


def command(
    ctx: typer.Context,
    videos: Annotated[
        list[Path] | None,
        typer.Argument(metavar="VIDEO", help="A recording, its parts in order, or a folder of them; DICOM as well."),
    ] = None,
    inbody: Annotated[
        Path | None, typer.Option(help="A run that tells in from out of the body (recipes inbody/*).")
    ] = None,
    quality: Annotated[
        Path | None, typer.Option(help="A run with the labels of a colonoscopy frame (recipes frame-quality/*).")
    ] = None,
    classify: Annotated[Path | None, typer.Option(help="A run that classifies clips.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="A new folder, or one that an interrupted call left; analyses/NAME by default.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What the procedure is called in all outputs; a pseudonym by default.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Write the names of files as they are.")] = False,
    rate: Annotated[float, typer.Option(min=0.1, help="Frames a second that models of frames look at.")] = 5.0,
    window: Annotated[float, typer.Option(min=0.1, help="Seconds of a clip that the classifier looks at.")] = 4.0,
    step: Annotated[float, typer.Option(min=0.1, help="Seconds from one clip to the next.")] = 2.0,
    causal: Annotated[
        bool, typer.Option("--causal", help="Decide about each moment without looking at what comes after it.")
    ] = False,
    pause: Annotated[
        list[str] | None,
        typer.Option(metavar="FROM-TO", help="Does not count as withdrawal: 12:30-14:05; may be repeated."),
    ] = None,
    segments: Annotated[
        str | None,
        typer.Option(
            metavar="TIME,TIME", help="When the scope comes back to the transverse and to the left colon: 15:10,18:40."
        ),
    ] = None,
    guideline: Annotated[
        str | None, typer.Option(help="Reference values: a preset, a YAML file, or none.", show_default="asge-acg-2024")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the report: en or zh.")] = "en",
    outside_class: Annotated[
        str | None, typer.Option(help="Of --inbody: the class that is out of the body, where the run does not say.")
    ] = None,
    alarm_class: Annotated[
        str | None, typer.Option(help="Of --classify: the class that raises an alarm, where the run does not say.")
    ] = None,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Also write the video with the timeline below its picture.")
    ] = False,
    deidentify: Annotated[
        bool,
        typer.Option(
            "--deidentify", help="Also write the video without what is out of the body, text, sound and tags."
        ),
    ] = False,
    mask: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,W,H", help="With --deidentify: fill this region in every frame; may be repeated."),
    ] = None,
    padding: Annotated[
        float, typer.Option(min=0, help="With --deidentify: seconds removed on both sides of what is removed.")
    ] = 1.0,
    find_text: Annotated[
        bool,
        typer.Option(
            "--find-text/--no-find-text", help="With --deidentify: look for burned-in text, and fill where it is."
        ),
    ] = True,
    privacy_audit: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE",
            help="Instead of a report: what --deidentify would leave of the frames out of the body of the procedures "
            "whose frames this table labels.",
        ),
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Let the report play the recording's own file where it lies beside it.")
    ] = False,
    device: Annotated[str | None, typer.Option(help="Where torch computes: cpu, cuda, cuda:1.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Frames in a forward pass.")] = 16,
    threads: Annotated[int, typer.Option(min=0, help="Decoder threads; 0 for one a core.")] = 0,
    json: JsonOption = False,
) -> None:
    """Analyse a whole procedure: when the scope was where, how good the view was, what was found; with a report.

    The video is decoded once, in bounded memory. An interrupted analysis goes on with the same command.
    """
    if privacy_audit is not None:
        from cineloop.cli.privacy_audit import audit, refuse_unused

        refuse_unused(ctx)
        audit(
            privacy_audit,
            out or Path("analyses/privacy-audit"),
            json=json,
            inbody=inbody,
            quality=quality,
            plain_names=plain,
            settings={"rate": rate},
            engine={"batch": batch, "threads": threads},
            privacy={"padding": padding},
            outside_class=outside_class,
            device=device,
        )
        return
    if not videos:
        raise CineloopError("No recording is named", where="command line", mend="Name a video, its parts, or a folder.")
    if inbody is None and quality is None and classify is None:
        raise CineloopError(
            "No model is named, so there is nothing to find",
            where="command line",
            mend="Give at least one of --inbody RUN, --quality RUN and --classify RUN.",
        )
    if language not in ("en", "zh"):
        raise CineloopError(f"Not a choice: {language!r}", where="--language", mend="Write en or zh.")
    _refuse_idle(ctx, deidentify=deidentify, inbody=inbody, classify=classify)
    refuse_missing(*videos)
    refuse_missing(inbody, quality, classify, mend=MODEL)
    settings: dict[str, Any] = {
        "rate": rate,
        "window": window,
        "step": step,
        "causal": causal,
        "language": language,
        "pauses": [span_of(text, "--pause") for text in pause or []],
    }
    if segments is not None:
        settings["segments"] = dict(zip(("transverse", "left"), bounds_of(segments, "--segments"), strict=True))
    if guideline is not None:
        settings["guideline"] = None if guideline == "none" else guideline

    from cineloop import api
    from cineloop.analysis.privacy.box import Region
    from cineloop.analysis.privacy.settings import PrivacySettings

    regions = tuple(Region.parse(text) for text in mask or [])
    privacy = PrivacySettings(padding=padding, find_text=find_text, masks=regions)
    done = api.analyze(
        videos,
        inbody=inbody,
        quality=quality,
        classify=classify,
        out=out,
        name=name,
        plain_names=plain,
        settings=settings,
        engine={"batch": batch, "threads": threads},
        outside_class=outside_class,
        alarm_class=alarm_class,
        overlay=overlay,
        privacy=privacy if deidentify else None,
        link=link,
        device=device,
        begun=lambda folder: note(f"analysing into {folder}"),
        progress=progress(),
    )
    if json:
        print_json(done.plain())
        return
    _tell(done)


def _refuse_idle(ctx: typer.Context, *, deidentify: bool, inbody: Path | None, classify: Path | None) -> None:
    """Refuse options that have no effect without another one.

    Raises:
        CineloopError: One was given; with the one that it needs.
    """
    needs = {
        "--deidentify": ({"mask": "--mask", "padding": "--padding", "find_text": "--no-find-text"}, deidentify),
        "--inbody": ({"outside_class": "--outside-class"}, inbody is not None),
        "--classify": ({"alarm_class": "--alarm-class", "window": "--window", "step": "--step"}, classify is not None),
    }
    for needed, (options, there) in needs.items():
        for name, option in options.items():
            source = ctx.get_parameter_source(name)
            if not there and source is not None and source.name == "COMMANDLINE":
                raise CineloopError(f"This has no effect without {needed}", where=option, mend=f"Add {needed}.")


def _tell(done: Analyzed) -> None:
    for warning in done.analysis.warnings:
        note(f"note: {warning}")
    if done.analysis.gaps:
        lost = sum(gap.end - gap.start for gap in done.analysis.gaps)
        many = len(done.analysis.gaps)
        note(f"note: {many} stretch{'es' * (many != 1)}, {lost:.1f} s in all, could not be decoded; see the report")
    print_table(done.columns(), done.rows())
    say()
    for title, path in done.files():
        say(f"{title:<12} {path}")
