"""Several charts in one figure: all curves of a training, and the four views of an evaluation at one glance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from matplotlib.axes import Axes

from cineloop.report.charts import Panel, draw_panel
from cineloop.report.drawing import Drawing, canvas

Part: TypeAlias = tuple[str, Callable[[Axes], None]]
"""A chart's title, and what draws it."""

_COLUMNS = 4


def small_multiples(panels: Sequence[Panel], *, watermark: str | None = None) -> Drawing:
    """Draw quantities over training beside and below each other.

    Args:
        panels: Row by row, at least one.
        watermark: The reason of a deliberate exception.
    """
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    with canvas(3.1 * columns, 2.35 * rows + 0.35, rows=rows, columns=columns) as drawn:
        for axes in drawn.axes[len(panels) :]:
            axes.remove()
        for axes, panel in zip(drawn.axes, panels, strict=False):
            draw_panel(axes, panel)
            axes.set_title(panel.title)
            if panel.x != "epoch":
                axes.set_xlabel(panel.x)
        handles = {
            label: handle
            for axes in drawn.axes[: len(panels)]
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        shown = {label for panel in panels if len(panel.lines) > 1 for label in (line.label for line in panel.lines)}
        shown |= {panel.marked_label for panel in panels if panel.marked is not None}
        chosen = [(label, handle) for label, handle in handles.items() if label in shown]
        if chosen:
            labels, lines = zip(*chosen, strict=True)
            drawn.figure.legend(list(lines), list(labels), loc="outside upper left", ncols=len(chosen))
        said = " ".join(f"{panel.title} over {panel.x}: {panel.ends}." for panel in panels)
        return drawn.finish(said, watermark)


def four_views(parts: Sequence[Part], *, alt: str, watermark: str | None = None) -> Drawing:
    """Draw up to four charts as two rows of two, each with its legend below it.

    Args:
        parts: Row by row.
        alt: Text alternative.
        watermark: The reason of a deliberate exception.
    """
    with canvas(10.0, 10.2, rows=2, columns=2) as drawn:
        for axes in drawn.axes[len(parts) :]:
            axes.remove()
        for axes, (title, draw) in zip(drawn.axes, parts, strict=False):
            draw(axes)
            axes.set_title(title)
            if axes.get_legend_handles_labels()[1]:
                axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), fontsize=9.0)
        return drawn.finish(alt, watermark)
