"""Plain charts: curves over time, bars, distributions, values with intervals.

Every function takes ``watermark``, the reason of a deliberate exception, which is then written across the figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from cineloop.report.drawing import INK, LINE, PALETTE, SOFT, Drawing, canvas

FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Line:
    """A line, with a band around it where its uncertainty is known.

    Attributes:
        label: In the legend.
        x: float64 [n].
        y: float64 [n].
        low: Lower edge of the band over ``band_x``, float64 [m].
        high: Upper edge of the band, float64 [m].
        band_x: Where the band is known, float64 [m]; None means ``x``.
        place: Of its colour in the palette; None means its place among the lines.
    """

    label: str
    x: FloatArray
    y: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None
    band_x: FloatArray | None = None
    place: int | None = None


@dataclass(frozen=True, eq=False)
class Panel:
    """A quantity over training.

    Attributes:
        title: What it is.
        lines: In it; NaN makes a gap.
        marked: A vertical line: the epoch that was chosen.
        marked_label: What that line is.
        log: Logarithmic scale of y.
        x: What the horizontal axis counts.
        unit: y goes from 0 to 1, so that panels can be compared.
    """

    title: str
    lines: tuple[Line, ...]
    marked: float | None = None
    marked_label: str = ""
    log: bool = False
    x: str = "epoch"
    unit: bool = False

    @property
    def ends(self) -> str:
        """How each line goes from its first to its last value, in words."""
        known = [(line.label, line.y[np.isfinite(line.y)]) for line in self.lines]
        return "; ".join(f"{label} from {y[0]:.3g} to {y[-1]:.3g}" for label, y in known if len(y))


@dataclass(frozen=True)
class ForestRow:
    """A row of a forest plot; without a value only its label and note are printed."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    heading: bool = False


def colour_of(index: int, line: Line | None = None) -> str:
    """Return the colour of this place, or of a line at it that has a place of its own."""
    place = index if line is None or line.place is None else line.place
    return PALETTE[place % len(PALETTE)]


def draw_lines(axes: Axes, lines: Sequence[Line]) -> None:
    """Draw lines with their bands."""
    for index, line in enumerate(lines):
        colour = colour_of(index, line)
        axes.plot(line.x, line.y, color=colour, label=line.label)
        if line.low is not None and line.high is not None:
            axes.fill_between(
                line.x if line.band_x is None else line.band_x, line.low, line.high, color=colour, alpha=0.16
            )


def training_curve(panel: Panel, *, watermark: str | None = None) -> Drawing:
    """Draw one quantity over training.

    Args:
        panel: What is drawn.
        watermark: See the module.
    """
    with canvas(4.4, 3.0) as drawn:
        axes = drawn.axes[0]
        draw_panel(axes, panel)
        axes.set_xlabel(panel.x)
        if len(panel.lines) > 1 or panel.marked is not None:
            axes.legend()
        return drawn.finish(f"{panel.title} over {panel.x}: {panel.ends}.", watermark)


def draw_panel(axes: Axes, panel: Panel) -> None:
    """Draw one quantity over training on axes of its own."""
    draw_lines(axes, panel.lines)
    for index, line in enumerate(panel.lines):
        # A point between gaps makes no line.
        known = np.concatenate([[False], np.isfinite(line.y), [False]])
        alone = known[1:-1] & ~known[:-2] & ~known[2:]
        axes.plot(line.x[alone], line.y[alone], "o", color=colour_of(index, line), markersize=4)
    if panel.marked is not None:
        axes.axvline(panel.marked, color=INK, linewidth=1, linestyle=(0, (4, 3)), label=panel.marked_label)
    axes.set_yscale("log" if panel.log else "linear")
    if panel.unit:
        axes.set_ylim(-0.02, 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    first, last = min(line.x.min() for line in panel.lines), max(line.x.max() for line in panel.lines)
    room = 0.02 * (last - first) or 0.5
    axes.set_xlim(first - room, last + room)


def forest_plot(
    rows: Sequence[ForestRow], *, x: str, reference: float | None = None, watermark: str | None = None
) -> Drawing:
    """Draw values with intervals below each other.

    Args:
        rows: From top to bottom.
        x: Label of the horizontal axis.
        reference: A vertical line: the value over all items, or no difference.
        watermark: See the module.
    """
    with canvas(5.2, 0.9 + 0.32 * len(rows)) as drawn:
        axes = drawn.axes[0]
        if reference is not None:
            axes.axvline(reference, color=SOFT, linewidth=1, linestyle=(0, (4, 4)))
        for place, row in enumerate(rows):
            if row.value is not None:
                if row.low is not None and row.high is not None:
                    axes.hlines(place, row.low, row.high, color=PALETTE[0], linewidth=2.2)
                axes.plot(row.value, place, "s", color=PALETTE[0], markersize=5.5)
            note = row.note or ("" if row.value is None else f"{row.value:.3f}")
            axes.annotate(
                note, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=9.5, color=SOFT
            )
        axes.set_yticks(range(len(rows)), [shorten(row.label, 30) for row in rows])
        for label, row in zip(axes.get_yticklabels(), rows, strict=True):
            label.set(color=INK, weight="bold" if row.heading else "normal")
        axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel=x)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        said = "; ".join(f"{row.label} {row.value:.3f}" for row in rows if row.value is not None)
        return drawn.finish(f"{x} by group: {said}.", watermark)


def bar_chart(
    labels: Sequence[str], groups: Sequence[tuple[str, FloatArray]], *, x: str, watermark: str | None = None
) -> Drawing:
    """Draw horizontal bars, one group of bars a label.

    Args:
        labels: From top to bottom, [n].
        groups: Names and lengths [n] of the bars of each group.
        x: Label of the horizontal axis.
        watermark: See the module.
    """
    thick = 0.8 / max(1, len(groups))
    with canvas(5.2, 0.9 + len(labels) * max(0.32, 0.2 * len(groups))) as drawn:
        axes = drawn.axes[0]
        places = np.arange(len(labels), dtype=np.float64)
        for index, (name, lengths) in enumerate(groups):
            axes.barh(
                places + thick * (index - (len(groups) - 1) / 2), lengths, thick, color=colour_of(index), label=name
            )
        axes.set_yticks(places, [shorten(label, 30) for label in labels])
        axes.set(ylim=(len(labels) - 0.45, -0.55), xlabel=x)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        if len(groups) > 1:
            axes.legend()
        said = "; ".join(
            f"{label}: " + ", ".join(f"{name} {lengths[place]:g}" for name, lengths in groups)
            for place, label in enumerate(labels)
        )
        return drawn.finish(f"{x}. {said}.", watermark)


def histogram(values: FloatArray, *, x: str, y: str = "items", bins: int = 30, watermark: str | None = None) -> Drawing:
    """Draw the distribution of ``values`` [N]; values that are not finite are left out."""
    finite = values[np.isfinite(values)]
    with canvas(5.2, 2.8) as drawn:
        axes = drawn.axes[0]
        axes.hist(finite, bins=bins, color=PALETTE[0], alpha=0.75, edgecolor=LINE, linewidth=0.4)
        axes.set(xlabel=x, ylabel=y)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        span = f" from {finite.min():g} to {finite.max():g}, median {np.median(finite):g}" if len(finite) else ""
        return drawn.finish(f"Distribution of {x}{span}.", watermark)


def shorten(text: str, length: int) -> str:
    """Return ``text`` in at most ``length`` characters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
