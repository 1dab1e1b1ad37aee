"""``cineloop render``: what was found in a video, shown over the video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cineloop.cli.common import JsonOption, SkipErrorsOption, note, print_json, progress, say
from cineloop.errors import TimelineError

if TYPE_CHECKING:
    from cineloop.report.render import Batch
    from cineloop.report.render.video import Rendered

FOLDER = Path("rendered")
CHOICES = {
    "--layout": ("strip", "corner", "upstream"),
    "--language": ("en", "zh"),
    "--filter": ("published", "causal", "none"),
}


def command(
    timeline: Annotated[
        Path, typer.Argument(metavar="TIMELINE", help="A timeline (.parquet, .csv, .json), or a folder of them.")
    ],
    video: Annotated[
        Path | None,
        typer.Argument(
            metavar="VIDEO", help="Its video; of a folder, the folder of the videos. May be left out with --plot."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The video to write, NAME-rendered.mp4 without it; of folders a folder, rendered."),
    ] = None,
    layout: Annotated[
        str,
        typer.Option(
            "--layout",
            help="strip, below the picture; corner, over a corner of it; upstream, the published squares.",
        ),
    ] = "strip",
    language: Annotated[str, typer.Option("--language", help="Of the words: en or zh.")] = "en",
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Draw all over time as .png, .pdf or .svg; of folders a folder, for .png files."),
    ] = None,
    how: Annotated[
        str | None,
        typer.Option("--filter", help="Filter the raw signals anew: published, causal, or none. As it is without it."),
    ] = None,
    kernels: Annotated[
        str | None,
        typer.Option(
            "--kernels",
            metavar="N,N,...",
            help="Of that filter (published without --filter), one a signal, in frames at 25 a second.",
        ),
    ] = None,
    audio: Annotated[
        bool,
        typer.Option("--audio", help="Copy the sound too, as it is. Off by default, as voices identify people."),
    ] = False,
    font: Annotated[
        Path | None,
        typer.Option(
            "--font",
            metavar="FILE",
            help="A font (.ttf, .otf, .ttc) for names with letters that the built-in one lacks. One of this machine's "
            "is looked for without it.",
        ),
    ] = None,
    skip_errors: SkipErrorsOption = False,
    json: JsonOption = False,
) -> None:
    """Show what was found in a video over the video: states, probabilities, and the whole recording at a glance.

    Sound is copied only with --audio. Nothing is overwritten; of folders, what is there already is kept. With
    --skip-errors the last picture, marked, stands in for a frame that cannot be decoded, so that times stay right.
    """
    for option, value in (("--layout", layout), ("--language", language), ("--filter", how)):
        if value is not None and value not in CHOICES[option]:
            words = ", ".join(CHOICES[option])
            raise TimelineError(f"Not a choice: {value!r}", where=option, mend=f"Write one of {words}.")
    sizes = None if kernels is None else _kernels(kernels, how)
    for path in (timeline, video):
        if path is not None and not path.exists():
            raise TimelineError("This does not exist", where=path, mend="Check the path.")
    if video is None and (plot is None or timeline.is_dir()):
        raise TimelineError("No video is named", where="command line", mend="Name it behind the timeline.")
    if timeline.is_dir() and video is not None and not video.is_dir():
        raise TimelineError(
            "A folder of timelines and a single video do not go together",
            where=f"{timeline}, {video}",
            mend="Name two files, or two folders.",
        )
    if skip_errors and video is None:
        raise TimelineError("A plot alone decodes no frame", where="--skip-errors", mend="Leave it out.")
    if audio and video is None:
        raise TimelineError("A plot alone has no sound", where="--audio", mend="Leave it out.")
    from cineloop.report.render import Style, render, render_all

    # The words were checked above, which the types cannot tell.
    style = Style(layout, language, how, sizes, audio, font)  # type: ignore[arg-type]
    if timeline.is_dir() and video is not None:
        batch = render_all(
            timeline,
            video,
            out=out or FOLDER,
            plots=plot,
            style=style,
            skip_errors=skip_errors,
            progress=progress(),
        )
        _print_all(batch, as_json=json)
        return
    if out is None and video is not None:
        out = Path(f"{video.stem}-rendered.mp4")
    done = render(timeline, video, out=out, plot=plot, style=style, skip_errors=skip_errors, progress=progress())
    _print_one(done, as_json=json)


def _kernels(text: str, how: str | None) -> tuple[int, ...]:
    words = text.replace(",", " ").split()
    if not words or not all(word.isdecimal() and int(word) >= 1 for word in words):
        raise TimelineError(
            f"Not kernels: {text!r}", where="--kernels", mend="Write whole numbers from 1 on: 121,51,51,51."
        )
    if how == "none":
        raise TimelineError(
            "Kernels are of a filter, and none is asked for", where="--kernels", mend="Leave out --filter none."
        )
    return tuple(int(word) for word in words)


def _plain(done: Rendered) -> dict[str, Any]:
    lost = [vars(one) for one in done.lost]
    return {"path": str(done.path), "frames": done.frames, "notes": list(done.notes), "lost": lost}


def _print_one(done: Rendered, *, as_json: bool) -> None:
    if as_json:
        plot = None if done.plot is None else str(done.plot)
        if done.path is None:
            print_json({"video": None, "plot": plot, "notes": list(done.notes)})
        else:
            print_json({"video": _plain(done), "plot": plot})
        return
    for remark in done.notes:
        note(f"note: {remark}")
    if done.path is not None:
        say(f"video  {done.path}  {done.frames} frames")
    if done.plot is not None:
        say(f"plot   {done.plot}")


def _print_all(batch: Batch, *, as_json: bool) -> None:
    films = [done for done in batch.rendered if done.path is not None]
    plots = [done.plot for done in batch.rendered if done.plot is not None]
    if as_json:
        print_json(
            {
                "videos": [_plain(done) for done in films],
                "plots": [str(path) for path in plots],
                "kept": [str(path) for path in batch.kept],
                "failed": [{"name": name, "reason": reason} for name, reason in batch.failed],
                "timelines_without_video": list(batch.matched.timelines),
                "videos_without_timeline": list(batch.matched.videos),
            }
        )
        return
    for done in films:
        say(f"video  {done.path}  {done.frames} frames")
    remarks: dict[str, list[Path | None]] = {}
    for done in batch.rendered:
        for remark in done.notes:
            remarks.setdefault(remark, []).append(done.path or done.plot)
    # What holds of many is said once.
    for remark, paths in remarks.items():
        note(f"note: {paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}: {remark}")
    for path in plots:
        say(f"plot   {path}")
    for path in batch.kept:
        note(f"already there, kept as it is: {path}")
    for name, reason in batch.failed:
        note(f"skipped {name}: {reason}")
    for name in batch.matched.timelines:
        note(f"no video for the timeline {name}")
    for name in batch.matched.videos:
        note(f"no timeline for the video {name}")
