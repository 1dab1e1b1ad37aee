"""The figures of an evaluation, each from plain arrays to a :class:`Drawing`.

Every function takes ``watermark``, the reason of a deliberate exception, which is then written across the figure.
Numbers that a caption quotes are the caller's; a figure computes nothing but its own scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cineloop.report.charts import FloatArray, Line, colour_of, draw_lines, shorten
from cineloop.report.drawing import INK, PALETTE, PAPER, SOFT, Drawing, canvas


@dataclass(frozen=True)
class Point:
    """A marked place: an operating point."""

    label: str
    x: float
    y: float


def _legend(axes: Axes, place: Literal["lower right", "lower left"], n_lines: int) -> None:
    """Put the legend where it hides nothing: inside for a few lines, else below."""
    if n_lines <= 2:
        axes.legend(loc=place)
    else:
        figure = axes.get_figure(root=True)
        assert figure is not None
        figure.legend(loc="outside lower center")


def _height(n_lines: int) -> float:
    return 4.9 if n_lines <= 2 else 5.0 + 0.22 * n_lines


def _mark(axes: Axes, points: Sequence[Point]) -> None:
    for point, marker in zip(points, "oDsv^P", strict=False):
        axes.plot(
            [point.x],
            [point.y],
            marker,
            color=INK,
            markersize=6.5,
            markeredgecolor=PAPER,
            markeredgewidth=1.2,
            label=point.label,
            clip_on=False,
            zorder=5,
        )


def _unit_square(axes: Axes, x: str, y: str) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1.005), xlabel=x, ylabel=y)
    axes.set_aspect("equal")
    ticks = np.linspace(0, 1, 6)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)


def roc_curve(
    lines: Sequence[Line], *, points: Sequence[Point] = (), alt: str = "", watermark: str | None = None
) -> Drawing:
    """Draw receiver operating characteristics.

    Args:
        lines: x = 1 - specificity, y = sensitivity.
        points: Operating points in the same coordinates.
        alt: Text alternative; a general one by default.
        watermark: See the module.
    """
    with canvas(5.0, _height(len(lines))) as drawn:
        axes = drawn.axes[0]
        draw_roc(axes, lines, points)
        _legend(axes, "lower right", len(lines))
        return drawn.finish(alt or f"ROC curve of {_named(lines)}.", watermark)


def draw_roc(axes: Axes, lines: Sequence[Line], points: Sequence[Point] = ()) -> None:
    """Draw receiver operating characteristics; see :func:`roc_curve`."""
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 4)), label="chance")
    draw_lines(axes, lines)
    _mark(axes, points)
    _unit_square(axes, "1 − specificity", "sensitivity")


def precision_recall_curve(
    lines: Sequence[Line],
    *,
    prevalence: float | None = None,
    points: Sequence[Point] = (),
    alt: str = "",
    watermark: str | None = None,
) -> Drawing:
    """Draw precision against recall, as steps, without interpolation.

    Args:
        lines: x = recall (sensitivity), y = precision (positive predictive value).
        prevalence: Share of positives, the chance level, drawn as a line.
        points: Operating points in the same coordinates.
        alt: Text alternative; a general one by default.
        watermark: See the module.
    """
    with canvas(5.0, _height(len(lines))) as drawn:
        axes = drawn.axes[0]
        draw_precision_recall(axes, lines, prevalence, points)
        _legend(axes, "lower left", len(lines))
        return drawn.finish(alt or f"Precision-recall curve of {_named(lines)}.", watermark)


def draw_precision_recall(
    axes: Axes, lines: Sequence[Line], prevalence: float | None = None, points: Sequence[Point] = ()
) -> None:
    """Draw precision against recall; see :func:`precision_recall_curve`."""
    if prevalence is not None:
        label = f"prevalence {prevalence:.2f}"
        axes.axhline(prevalence, color=SOFT, linewidth=1, linestyle=(0, (4, 4)), label=label)
    for index, line in enumerate(lines):
        axes.plot(line.x, line.y, color=colour_of(index), label=line.label, drawstyle="steps-pre")
        if line.low is not None and line.high is not None:
            where = line.x if line.band_x is None else line.band_x
            axes.fill_between(where, line.low, line.high, color=colour_of(index), alpha=0.16)
    _mark(axes, points)
    _unit_square(axes, "recall (sensitivity)", "precision (PPV)")


def confusion_matrix(
    table: FloatArray, classes: Sequence[str], *, normalised: bool = False, watermark: str | None = None
) -> Drawing:
    """Draw a confusion matrix.

    Args:
        table: Counts, [K, K], row = true class, column = decided class.
        classes: The K names.
        normalised: Print each row as shares of its total; the shade always shows that share.
        watermark: See the module.
    """
    side = confusion_side(len(classes))
    with canvas(side + 0.5, side) as drawn:
        draw_confusion(drawn.axes[0], table, classes, normalised=normalised)
        return drawn.finish(f"Confusion matrix. {confusion_words(table, classes)}.", watermark)


def confusion_side(n_classes: int) -> float:
    """Return the side, in inches, that a confusion matrix of so many classes wants."""
    # A page shows it in half of its width: larger ones would be scaled down, and their text with them.
    return float(np.clip(1.9 + 0.75 * n_classes, 3.6, 6.4))


def confusion_words(table: FloatArray, classes: Sequence[str]) -> str:
    """Return a confusion matrix in words: of up to four classes every cell, else the diagonal."""
    return "; ".join(
        f"true {true}, decided {decided}: {int(table[row, column])}"
        for row, true in enumerate(classes)
        for column, decided in enumerate(classes)
        if len(classes) <= 4 or row == column
    )


def draw_confusion(axes: Axes, table: FloatArray, classes: Sequence[str], *, normalised: bool = False) -> None:
    """Draw a confusion matrix; see :func:`confusion_matrix`."""
    size = 12 if len(classes) <= 4 else 9.5 if len(classes) <= 7 else 8.0 if len(classes) <= 10 else 5.5
    draw_cells(axes, table, size=size, normalised=normalised)
    short = [shorten(name, 16) for name in classes]
    slanted = max(len(name) for name in short) * len(short) > 26
    axes.set_xticks(range(len(classes)), short, rotation=35 if slanted else 0, ha="right" if slanted else "center")
    axes.set_yticks(range(len(classes)), short)
    axes.set(xlabel="decided", ylabel="true")


def draw_cells(axes: Axes, table: FloatArray, *, size: float, normalised: bool = False) -> None:
    """Draw the cells of a confusion matrix without names; ``size`` is that of the numbers, 0 for none."""
    totals = table.sum(axis=1, keepdims=True)
    share = np.divide(table, totals, out=np.full(table.shape, np.nan), where=totals > 0)
    depths = np.nan_to_num(share)
    squares = [_square(column, row) for row, column in np.ndindex(table.shape)]
    shades = [to_rgba(PALETTE[0], 0.05 + 0.95 * depth) for depth in depths.ravel()]
    axes.add_collection(PolyCollection(squares, facecolors=shades, linewidths=0))
    for row, column in np.ndindex(table.shape) if size else ():
        text = _share(share[row, column], brief=len(table) > 7) if normalised else f"{int(table[row, column]):,}"
        colour = PAPER if depths[row, column] > 0.5 else INK
        written = axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)
        written.set_in_layout(False)
    last = len(table) - 0.5
    axes.set(xlim=(-0.5, last), ylim=(last, -0.5), xticks=[], yticks=[])
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _square(column: int, row: int) -> list[tuple[float, float]]:
    half = 0.485
    return [(column + right * half, row + up * half) for right, up in ((-1, -1), (1, -1), (1, 1), (-1, 1))]


def _share(value: float, *, brief: bool) -> str:
    if np.isnan(value):
        return "–"
    if brief and 0 < value < 1:
        # Neither none nor all is said of what is only nearly so.
        return "<1%" if value < 0.005 else ">99%" if value > 0.995 else f"{value:.0%}"
    return f"{value:.0%}" if value in (0, 1) else f"{100 * value:.1f}%"


def reliability_curve(
    lines: Sequence[Line], *, scores: FloatArray, x: str, y: str, watermark: str | None = None
) -> Drawing:
    """Draw observed against predicted frequency, with the distribution of predictions below.

    Args:
        lines: x = mean predicted probability of a bin, y = observed frequency; bands are drawn as bars per bin.
        scores: The predicted probabilities, [N].
        x: Label of the horizontal axis.
        y: Label of the vertical axis.
        watermark: See the module.
    """
    with canvas(5.0, 5.4, rows=2, ratios=(4.2, 1)) as drawn:
        axes, below = drawn.axes
        draw_reliability(axes, lines, y)
        axes.legend(loc="upper left")
        below.hist(scores, bins=np.linspace(0, 1, 26).tolist(), color=SOFT, alpha=0.6, linewidth=0)
        below.set(xlim=(0, 1), xlabel=x, ylabel="items")
        below.yaxis.set_major_locator(MaxNLocator(2, integer=True))
        return drawn.finish(f"Reliability curve of {_named(lines)}: {y} against {x}.", watermark)


def draw_reliability(axes: Axes, lines: Sequence[Line], y: str) -> None:
    """Draw observed against predicted frequency; see :func:`reliability_curve`."""
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 4)), label="perfect")
    for index, line in enumerate(lines):
        colour = colour_of(index)
        axes.plot(line.x, line.y, "o-", color=colour, markersize=4.5, linewidth=1.4, label=line.label)
        if line.low is not None and line.high is not None:
            axes.vlines(line.x, line.low, line.high, color=colour, alpha=0.55, linewidth=1.4)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), ylabel=y)


def score_histogram(
    groups: Sequence[tuple[str, FloatArray]],
    *,
    x: str,
    threshold: float | None = None,
    threshold_label: str = "threshold",
    watermark: str | None = None,
) -> Drawing:
    """Draw how scores in [0, 1] are distributed in each group, as overlaid shares.

    Args:
        groups: Names and scores.
        x: Label of the horizontal axis.
        threshold: A vertical line.
        threshold_label: What that line is.
        watermark: See the module.
    """
    bins = np.linspace(0, 1, 31).tolist()
    with canvas(5.2, 3.5) as drawn:
        axes = drawn.axes[0]
        for index, (name, scores) in enumerate(groups):
            if len(scores):
                weights = np.full(len(scores), 1 / len(scores))
                label = f"{shorten(name, 28)} (n={len(scores):,})"
                axes.hist(scores, bins=bins, weights=weights, color=colour_of(index), alpha=0.3, linewidth=0)
                axes.hist(
                    scores,
                    bins=bins,
                    weights=weights,
                    color=colour_of(index),
                    histtype="step",
                    linewidth=1.4,
                    label=label,
                )
        if threshold is not None:
            axes.axvline(threshold, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), label=threshold_label)
        axes.set(xlim=(0, 1), xlabel=x, ylabel="share of the class")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        drawn.figure.legend(loc="outside upper center", ncols=2)
        return drawn.finish(f"Histogram of the {x} in {', '.join(name for name, _ in groups)}.", watermark)


def _named(lines: Sequence[Line]) -> str:
    return ", ".join(line.label for line in lines) or "nothing"
