"""Confusion matrices over the epochs of a training: one epoch large, many epochs small."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cineloop.report.charts import FloatArray, shorten
from cineloop.report.drawing import INK, PALETTE, SOFT, Drawing, canvas
from cineloop.report.figures import confusion_side, confusion_words, draw_cells, draw_confusion

_COLUMNS = 6


@dataclass(frozen=True, eq=False)
class EpochConfusion:
    """What an epoch's weights decided on validation.

    Attributes:
        epoch: From 1.
        table: Items, float64 [K, K], row = true class, column = decided class.
        classes: The K names.
        kept: Whether these are the weights that were kept in the end.
    """

    epoch: int
    table: FloatArray
    classes: tuple[str, ...]
    kept: bool = False

    @property
    def title(self) -> str:
        """How a figure names it."""
        return f"epoch {self.epoch}{', kept' if self.kept else ''}"


def thinned(epochs: Sequence[EpochConfusion], most: int) -> list[EpochConfusion]:
    """Return at most ``most`` epochs: the first, the last, the kept one, and others evenly between."""
    if len(epochs) <= most:
        return list(epochs)
    chosen = {int(place) for place in np.linspace(0, len(epochs) - 1, most).round()}
    for place, one in enumerate(epochs):
        if one.kept and place not in chosen:
            inner = chosen - {0, len(epochs) - 1} or chosen
            chosen.remove(min(inner, key=lambda other: (abs(other - place), other)))
            chosen.add(place)
    return [one for place, one in enumerate(epochs) if place in chosen]


def confusion_pair(one: EpochConfusion, *, watermark: str | None = None) -> Drawing:
    """Draw an epoch's confusion matrix as items and, beside it, as shares of the true class."""
    side = confusion_side(len(one.classes))
    with canvas(2 * side + 0.7, side + 0.5, columns=2) as drawn:
        for axes, normalised in zip(drawn.axes, (False, True), strict=True):
            draw_confusion(axes, one.table, one.classes, normalised=normalised)
            axes.set_title("shares of the true class" if normalised else "items")
        drawn.figure.suptitle(f"Validation, {one.title}", fontsize=12.5)
        words = confusion_words(one.table, one.classes)
        return drawn.finish(f"Confusion matrix on validation, {one.title}. {words}.", watermark)


def confusion_sheet(epochs: Sequence[EpochConfusion], *, watermark: str | None = None) -> Drawing:
    """Draw the confusion matrices of epochs small, beside and below each other, as items."""
    columns = min(_COLUMNS, len(epochs))
    rows = -(-len(epochs) // columns)
    classes = epochs[0].classes
    named = len(classes) <= 4
    with canvas(1.75 * columns + (0.9 if named else 0.2), 1.85 * rows + 0.7, rows=rows, columns=columns) as drawn:
        for axes in drawn.axes[len(epochs) :]:
            axes.remove()
        for place, (axes, one) in enumerate(zip(drawn.axes, epochs, strict=False)):
            draw_cells(axes, one.table, size=_size(len(classes)))
            axes.set_title(one.title, fontsize=10.5, color=PALETTE[1] if one.kept else INK)
            if named and place % columns == 0:
                axes.set_yticks(range(len(classes)), [shorten(name, 10) for name in classes], fontsize=8.5)
            if named and place + columns >= len(epochs):
                short = [shorten(name, 10) for name in classes]
                axes.set_xticks(range(len(classes)), short, fontsize=8.5, rotation=35, ha="right")
        order = "" if named else f"; both in the order {', '.join(classes)}"
        below = "\n".join(textwrap.wrap(f"decided on validation{order}", 24 * columns)[:3])
        drawn.figure.supxlabel(below, fontsize=10, color=SOFT)
        drawn.figure.supylabel("true", fontsize=10, color=SOFT)
        said = "; ".join(f"{one.title}: {int(np.trace(one.table))} of {int(one.table.sum())} right" for one in epochs)
        return drawn.finish(f"Confusion matrices on validation. {said}.", watermark)


def confusion_thumb(one: EpochConfusion, *, watermark: str | None = None) -> Drawing:
    """Draw one epoch's confusion matrix without names, the size of a stamp."""
    with canvas(1.5, 1.5) as drawn:
        draw_cells(drawn.axes[0], one.table, size=_size(len(one.classes)))
        words = confusion_words(one.table, one.classes)
        return drawn.finish(f"Confusion matrix on validation, {one.title}. {words}.", watermark)


def _size(n_classes: int) -> float:
    return 11.0 if n_classes <= 2 else 8.5 if n_classes <= 4 else 6.0 if n_classes <= 7 else 0.0
