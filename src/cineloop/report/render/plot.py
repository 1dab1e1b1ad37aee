"""All probabilities and signals of a recording over time, as one figure."""

from __future__ import annotations

import io
from importlib import resources
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cineloop.errors import TimelineError
from cineloop.files import write_bytes
from cineloop.report.charts import shorten
from cineloop.report.drawing import INK, PALETTE, SOFT, Drawing, canvas
from cineloop.report.render.lettering import Lettering
from cineloop.report.render.moment import clock_text
from cineloop.report.render.text import OWN, Letters
from cineloop.report.render.words import LANGUAGES, Language, Words
from cineloop.report.typefaces import lacking, letters_of, opened, set_font, shipped
from cineloop.timeline.decision import UNDEFINED
from cineloop.timeline.segments import run_bounds
from cineloop.timeline.timeline import Timeline

SUFFIXES = (".png", ".pdf", ".svg")
_POINTS = 1500
_NAMED = 10
_TITLE, _NAME = 90, 32
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


def check_plot(path: Path) -> None:
    """Check that a plot can be written to ``path``, before any work.

    Raises:
        TimelineError: The suffix is none of :data:`SUFFIXES`, or a file stands there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise TimelineError(
            f"Plots are not written as {path.suffix or 'a file without a suffix'}",
            where=path,
            mend=f"Use one of {', '.join(SUFFIXES)}.",
        )
    if path.exists():
        raise TimelineError("A file is already there", where=path, mend="Give another --plot, or remove it.")


def plot_timeline(timeline: Timeline, *, language: Language = "en", written: Lettering | None = None) -> Drawing:
    """Draw a panel for each probability and each signal over a common time axis in minutes and seconds.

    A signal's panel shows the raw values as a thin line and the filtered ones as a thick one. Of a long recording a
    probability is drawn as its mean in each of 1,500 pieces, within a band from the smallest to the largest. Where the
    timeline knows from which probability on a signal holds, a dashed line stands there, with its value beside it.

    Args:
        timeline: At least one score or signal.
        language: Of the words.
        written: How names are written where letters are drawn and not left to the reader's fonts; None writes them as
            they are.

    Raises:
        TimelineError: There is nothing to draw.
    """
    words = LANGUAGES[language] if written is None else written.words
    signals = list(dict.fromkeys([*timeline.signals, *timeline.filtered]))
    ratios = [1.0] * len(timeline.scores) + [0.28 * min(_levels(timeline, name), _NAMED) + 0.5 for name in signals]
    if not ratios:
        raise TimelineError(
            "The timeline has neither probabilities nor signals", where=timeline.source, mend="Give one with some."
        )
    with canvas(11.0, 1.25 + 0.95 * sum(ratios), rows=len(ratios), ratios=ratios) as drawn:
        above, below = drawn.axes[: len(timeline.scores)], drawn.axes[len(timeline.scores) :]
        for axes, name in zip(above, timeline.scores, strict=True):
            _draw_score(axes, timeline, name, words)
        for axes, name in zip(below, signals, strict=True):
            _draw_signal(axes, timeline, name, words)
        # In a line of its own: beside the first panel's title or legend a long name would run over them.
        title = _title(timeline)
        if written is None or not written.letters.lacking(title):
            drawn.figure.suptitle(title, x=0.995, ha="right", fontsize=11.5, color=SOFT)
        if above:
            above[0].set_title(words.probability, loc="left", color=SOFT)
        if below and len(below[0].get_legend_handles_labels()[1]) > 1:
            below[0].legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2, borderaxespad=0)
        for axes in drawn.axes:
            _time_axis(axes, last=axes is drawn.axes[-1], timeline=timeline)
        drawn.axes[-1].set_xlabel(words.time)
        _set_fonts(drawn.figure, OWN if written is None else written.letters, chinese=language == "zh")
        shown = ", ".join(words.title(name) for name in signals)
        return drawn.finish(f"Probabilities and signals of {timeline.source} over time: {shown}.", None)


def write_plot(drawing: Drawing, path: Path) -> Path:
    """Write a plot as SVG, as PNG at 200 dpi or as PDF, as its suffix says, atomically.

    Raises:
        TimelineError: See :func:`check_plot`.
    """
    check_plot(path)
    suffix = path.suffix.lower()
    if suffix == ".svg":
        return drawing.write(path)
    write_bytes(path, drawing.png() if suffix == ".png" else _pdf(drawing))
    return path


def _pdf(drawing: Drawing) -> bytes:
    """Return a figure as PDF on white, its text as text, the same bytes each time."""
    figure = drawing.figure
    assert figure is not None, "drawn from no figure"
    stream = io.BytesIO()
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        FigureCanvasPdf(figure)
        figure.savefig(stream, format="pdf", facecolor="white", metadata={"CreationDate": None})
    return stream.getvalue()


def _draw_score(axes: Axes, timeline: Timeline, name: str, words: Words) -> None:
    row = timeline.scores[name]
    seconds = timeline.seconds
    if len(row) > _POINTS:
        pieces, low, high = _reduced(row)
        known = np.add.reduceat(np.isfinite(row), pieces, dtype=np.intp)
        total = np.add.reduceat(np.nan_to_num(row, nan=0.0).astype(np.float64), pieces)
        mean = np.divide(total, known, out=np.full(len(pieces), np.nan), where=known > 0)
        axes.fill_between(seconds[pieces], low, high, color=PALETTE[0], alpha=0.2, linewidth=0)
        axes.plot(seconds[pieces], mean, color=PALETTE[0], linewidth=0.9)
    else:
        axes.plot(seconds, row, color=PALETTE[0], linewidth=0.9)
    axes.set(ylim=(-0.06, 1.06), yticks=[0, 0.5, 1])
    threshold = timeline.thresholds.get(name)
    if threshold is not None:
        axes.axhline(threshold, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
        told = f"{words.threshold}\n{_value(threshold)}"
        beside = axes.get_yaxis_transform()
        axes.text(1.008, threshold, told, transform=beside, va="center", fontsize=9.0, color=INK, linespacing=1.1)
    axes.set_ylabel(_label(name, words), rotation=0, ha="right", va="center", color=INK)


def _title(timeline: Timeline) -> str:
    """Return the recording's name, cut to the width of the figure."""
    name = Path(timeline.source).name
    wide = any(east_asian_width(letter) in "WF" for letter in name)
    return shorten(name, _TITLE // 2 if wide else _TITLE)


def _value(threshold: float) -> str:
    """Return a threshold with three digits behind the point, more where they would make it none or all."""
    exact = threshold in (0, 1) or 0.0005 <= threshold < 0.9995
    return f"{threshold:.3f}" if exact else f"{threshold:g}"


def _reduced(row: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return where pieces of a long row begin, and the smallest and the largest value of each, NaN if none is known."""
    pieces = np.linspace(0, len(row), _POINTS + 1).astype(np.intp)[:-1]
    return pieces, np.fmin.reduceat(row, pieces), np.fmax.reduceat(row, pieces)


def _label(name: str, words: Words) -> str:
    """Return what a score is a probability of: a signal and its state, or the name as it is."""
    signal = name if name in words.states or not name.startswith("bbps") else name.rstrip("0123456789")
    if signal not in words.states:
        return shorten(words.name(name), _NAME)
    return f"{words.title(signal)}\n{words.state(signal, int(name[len(signal) :] or 1))}"


def _levels(timeline: Timeline, name: str) -> int:
    """Return how many values a signal's panel has, that which does not apply included."""
    rows = [kind[name] for kind in (timeline.signals, timeline.filtered) if name in kind]
    return 1 + max(2, *(int(row.max()) + 1 for row in rows))


def _draw_signal(axes: Axes, timeline: Timeline, name: str, words: Words) -> None:
    for kind, label, width, colour in (
        (timeline.signals, words.raw, 0.7, SOFT),
        (timeline.filtered, words.filtered, 2.2, PALETTE[1]),
    ):
        if name not in kind:
            continue
        row = kind[name]
        if np.count_nonzero(np.diff(row)) > _POINTS:
            # So many changes are a solid block on paper, and megabytes as lines.
            pieces, low, high = _reduced(row)
            times = timeline.seconds[pieces]
            axes.fill_between(times, low, high, step="post", color=colour, alpha=0.3, linewidth=0, label=label)
        else:
            x, y = _steps(timeline, row)
            axes.plot(x, y, color=colour, linewidth=width, label=label, solid_joinstyle="miter")
    levels = range(UNDEFINED, _levels(timeline, name) - 1)
    if len(levels) <= _NAMED:
        axes.set_yticks(list(levels), [words.state(name, value) for value in levels])
    axes.set_ylim(levels[0] - 0.4, levels[-1] + 0.4)
    axes.set_ylabel(shorten(words.title(name), _NAME), rotation=0, ha="right", va="center", color=INK)


def _steps(timeline: Timeline, row: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """Return the corners of a signal drawn as steps; each value lasts until the next row."""
    begins, ends = run_bounds(row)
    times = np.append(timeline.seconds, timeline.end)
    return np.column_stack([times[begins], times[ends]]).ravel(), np.repeat(row[begins], 2)


def _time_axis(axes: Axes, *, last: bool, timeline: Timeline) -> None:
    start, stop = float(timeline.seconds[0]), timeline.end
    axes.set_xlim(start, stop)
    step = next((step for step in _STEPS if (stop - start) / step <= 12), None)
    if step is None:
        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    else:
        axes.set_xticks(np.arange(np.ceil(start / step), np.floor(stop / step) + 1) * step)
    tenths = step is not None and step < 1
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time, _: clock_text(time, hours=stop >= 3600, tenths=tenths)))
    axes.tick_params(axis="x", labelbottom=last)


def _set_fonts(figure: matplotlib.figure.Figure, letters: Letters, *, chinese: bool) -> None:
    """Set each piece of text in the first font that has its letters: of Chinese words the package's own."""
    if not chinese and not letters.others:
        return
    with resources.as_file(resources.files("cineloop.report").joinpath("fonts", "CineloopSans-Medium.ttf")) as own:
        files = [*([] if chinese else [shipped()]), own, *letters.others]
        fonts = {file: font for file in files if (font := opened(file)) is not None}
        for text in figure.findobj(Text):
            needed = letters_of(text.get_text())
            file = next((file for file, font in fonts.items() if not lacking(font, needed)), files[0])
            if file != shipped():
                set_font(text, file)
