"""Rendering what a user names: one timeline over its video, or two folders of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cineloop.errors import CineloopError, TimelineError
from cineloop.progress import Progress, silent
from cineloop.report.render import plot as plotting
from cineloop.report.render import video as filming
from cineloop.report.render.lettering import Lettering, check_font, lettering
from cineloop.report.render.tree import Matched, match
from cineloop.report.render.video import LayoutName, Rendered, render_video
from cineloop.report.render.words import LANGUAGES, Language
from cineloop.timeline.refilter import Filter, refiltered
from cineloop.timeline.storage import check_suffix
from cineloop.timeline.timeline import Timeline
from cineloop.video import Video


@dataclass(frozen=True)
class Style:
    """How timelines are shown.

    Attributes:
        layout: Of the video; see :func:`~cineloop.report.render.video.render_video`.
        language: Of the words.
        how: Which filter is put over the raw signals; None takes the timeline as it is, or with kernels ``published``.
        kernels: Of that filter, in frames at 25 frames a second; None for the published ones.
        audio: Copy the recording's sound, as it is. Voices identify people.
        font: A font file for names with letters that the package's own font lacks; without it, or where it lacks them
            too, one of this machine is looked for.
    """

    layout: LayoutName = "strip"
    language: Language = "en"
    how: Filter | None = None
    kernels: Sequence[int] | None = None
    audio: bool = False
    font: Path | None = None

    def applied(self, timeline: Timeline) -> Timeline:
        """Return a timeline with its signals filtered as asked."""
        if self.how is None and self.kernels is None:
            return timeline
        return refiltered(timeline, self.how or "published", self.kernels)


@dataclass(frozen=True)
class Batch:
    """What became of two folders.

    Attributes:
        rendered: What was written of each timeline.
        kept: Files that were there already and were left as they are.
        failed: Names that could not be rendered, with the reason, where failures are skipped.
        matched: Which timelines and videos belong together, and which have no partner.
    """

    rendered: tuple[Rendered, ...]
    kept: tuple[Path, ...]
    failed: tuple[tuple[str, str], ...]
    matched: Matched


def render(
    timeline: str | Path | Timeline,
    video: str | Path | None = None,
    *,
    out: str | Path | None = None,
    plot: str | Path | None = None,
    style: Style | None = None,
    skip_errors: bool = False,
    progress: Progress = silent,
) -> Rendered:
    """Show one timeline: over its video, as a plot, or both.

    Nothing is overwritten, and files appear when they are whole. Names with letters that no font has are written as
    numbers, which a note tells.

    Args:
        timeline: A timeline, or a file of one.
        video: Its recording; without it only a plot can be made.
        out: The video to write; None writes none.
        plot: The figure to write, ``.png``, ``.pdf`` or ``.svg``; None writes none.
        style: How; a strip in English without it, signals as they are.
        skip_errors: In place of a frame that cannot be decoded show the last picture before it, marked, and go on.
        progress: Told about frames.

    Returns:
        What was written, and what is to be told of it.

    Raises:
        TimelineError: The timeline cannot be read, filtered or shown, or is not of this video; a file is there; or the
            font is none.
        VideoError: The video cannot be read or written, or a frame of it cannot and errors are not skipped.
    """
    chosen = style or Style()
    wanted = None if out is None else Path(out)
    figure = None if plot is None else Path(plot)
    if not isinstance(timeline, Timeline):
        check_suffix(Path(timeline))
    if wanted is not None:
        filming.check_target(wanted)
        if video is None:
            raise TimelineError("No video is named", where="command line", mend="Name it, or ask for a plot alone.")
    if figure is not None:
        plotting.check_plot(figure)
    if chosen.font is not None:
        check_font(chosen.font)
    if video is None:
        read = _read(timeline, None)
        shown = chosen.applied(read)
        done = Rendered(None, 0, _left_out(read, shown))
        return _draw(shown, figure, chosen, _lettered(shown, None, figure, chosen), done)
    with Video(video) as opened:
        read = _read(timeline, opened)
        shown = chosen.applied(read)
        written = _lettered(shown, wanted, figure, chosen)
        done = Rendered(None, 0)
        if wanted is not None:
            done = render_video(
                shown,
                opened,
                wanted,
                layout=chosen.layout,
                language=chosen.language,
                written=written,
                audio=chosen.audio,
                skip_errors=skip_errors,
                progress=progress,
            )
        done = replace(done, notes=(*_left_out(read, shown), *done.notes))
        return _draw(shown, figure, chosen, written, done)


def _left_out(before: Timeline, after: Timeline) -> tuple[str, ...]:
    """Tell which signals a new filter leaves out: those that a timeline has as results alone."""
    names = [name for name in before.shown if name not in after.shown]
    if not names:
        return ()
    return (f"without raw values to filter anew, and so left out: {', '.join(names)}",)


def _read(timeline: str | Path | Timeline, video: Video | None) -> Timeline:
    return timeline if isinstance(timeline, Timeline) else Timeline.read(timeline, video=video)


def _lettered(timeline: Timeline, film: Path | None, figure: Path | None, style: Style) -> Lettering:
    """Return how the names are written that a video or a figure shows."""
    names = list(dict.fromkeys([*timeline.scores, *timeline.signals, *timeline.filtered]))
    drawn = [] if film is None or style.layout == "upstream" else list(timeline.shown)
    if figure is None or _keeps_text(figure):
        return lettering(names, drawn, LANGUAGES[style.language], style.font)
    return lettering(names, names, LANGUAGES[style.language], style.font, also=Path(timeline.source).name)


def _keeps_text(figure: Path) -> bool:
    """Return whether a figure's words are text that its reader's fonts draw."""
    return figure.suffix.lower() == ".svg"


def _draw(timeline: Timeline, figure: Path | None, style: Style, written: Lettering, done: Rendered) -> Rendered:
    """Write the figure that is asked for, and return what was done with it and with what is to be told of names."""
    if figure is not None:
        by = None if _keeps_text(figure) else written
        plotting.write_plot(plotting.plot_timeline(timeline, language=style.language, written=by), figure)
    notes = done.notes if written.note is None else (*done.notes, written.note)
    return replace(done, plot=figure, notes=notes)


def render_all(
    timelines: str | Path,
    videos: str | Path,
    *,
    out: str | Path,
    plots: str | Path | None = None,
    style: Style | None = None,
    skip_errors: bool = False,
    progress: Progress = silent,
) -> Batch:
    """Render a folder of timelines over a folder of videos that have the same names.

    Results get the names of their sources below ``out``. What is there already is left as it is, so that the same
    call goes on after an interruption.

    Args:
        timelines: Folder of ``.parquet``, ``.csv`` and ``.json`` files, at any depth.
        videos: Folder of videos.
        out: Folder for the rendered videos, ``.mp4``.
        plots: Folder for figures, ``.png``; None makes none.
        style: How; see :func:`render`.
        skip_errors: List what cannot be rendered and go on with the rest, within a video as :func:`render` does.
        progress: Told about the frames of each video.

    Raises:
        TimelineError: Nothing has a partner; ``out`` is the folder of the videos; or see :func:`render`.
        VideoError: See :func:`render`.
    """
    target = Path(out)
    if target.resolve() == Path(videos).resolve():
        raise TimelineError(
            "Rendered videos would take the names of the recordings", where=target, mend="Give another --out."
        )
    matched = match(Path(timelines), Path(videos))
    rendered: list[Rendered] = []
    kept: list[Path] = []
    failed: list[tuple[str, str]] = []
    for pair in matched.pairs:
        film = pair.below(target, ".mp4")
        figure = None if plots is None else pair.below(Path(plots), ".png")
        there = [path for path in (film, figure) if path is not None and path.exists()]
        kept += there
        new_film, new_figure = (None if path in there else path for path in (film, figure))
        if new_film is None and new_figure is None:
            continue
        try:
            done = render(
                pair.timeline,
                pair.video,
                out=new_film,
                plot=new_figure,
                style=style,
                skip_errors=skip_errors,
                progress=progress,
            )
        except CineloopError as error:
            if not skip_errors:
                raise
            failed.append((pair.name, error.what))
            continue
        rendered.append(done)
    return Batch(tuple(rendered), tuple(kept), tuple(failed), matched)
