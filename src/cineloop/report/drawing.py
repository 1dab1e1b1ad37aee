"""Drawing with matplotlib as vector graphics that take on the page's colours.

Figures are drawn with the object interface on the SVG back end; nothing of pyplot's global state is touched. Colours
come from :data:`PALETTE`; on a page each becomes a style-sheet variable, so that a figure follows light and dark, while
a file of its own keeps the plain colours. Text stays text: it is searchable, small, and set in the page's font.
"""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.text import Text

from cineloop.files import write_bytes, write_text
from cineloop.report.typefaces import font_with, lacking, letters_of, opened, set_font, shipped
from cineloop.schema import FigureFiles

DPI = 200
"""Of PNG files: 1,000 pixels for the width of a column."""

INK, SOFT, LINE, PAPER = "#17212b", "#55616d", "#dfe3e6", "#fffffe"

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#b5609a", "#c98b00", "#3a9bd4")
"""Colours for lines, told apart with any colour vision (after Okabe and Ito 2008), each at least 3:1 on white."""

_VARIABLES = {
    INK: "--fig-ink",
    SOFT: "--fig-soft",
    LINE: "--fig-line",
    PAPER: "--fig-paper",
    **{colour: f"--fig-{index}" for index, colour in enumerate(PALETTE, start=1)},
}

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "cineloop",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "axes.titlesize": 11.5,
    "axes.labelsize": 10.5,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 10.0,
    "lines.linewidth": 1.8,
    "patch.linewidth": 0.0,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": 10.0,
    "ytick.labelsize": 10.0,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
}

_ROOT = 'font-family="ui-sans-serif, system-ui, sans-serif" stroke-linejoin="round" stroke-linecap="butt"'


@dataclass(frozen=True)
class Drawing:
    """A finished figure.

    Attributes:
        svg: An ``<svg>`` element in plain colours.
        alt: What a reader who cannot see it should know.
        figure: What it was rendered from, for pixels.
    """

    svg: str
    alt: str
    figure: MatplotlibFigure | None = field(default=None, repr=False, compare=False)

    def inline(self, prefix: str) -> str:
        """Return the element for a page: its colours from the style sheet, its ids unique by ``prefix``."""

        def adapt(tag: re.Match[str]) -> str:
            text = re.sub(r'(\bid="|"#|url\(#)', rf"\g<1>{prefix}-", tag.group())
            return re.sub(": (#[0-9a-f]{6})", lambda found: f": {_themed(found.group(1))}", text)

        text = re.sub("<[^>]*>", adapt, self.svg)
        return text.replace("<svg ", f'<svg role="img" aria-label="{escape(self.alt, quote=True)}" ', 1)

    def write(self, path: Path) -> Path:
        """Write an SVG file of its own, on white, atomically."""
        end = self.svg.index(">") + 1
        ground = f'<title>{escape(self.alt)}</title>\n<rect width="100%" height="100%" fill="white"/>'
        write_text(path, f"{self.svg[:end]}\n{ground}{self.svg[end:]}\n")
        return path

    def png(self, dpi: int = DPI) -> bytes:
        """Return the figure as PNG on white, the same bytes each time."""
        assert self.figure is not None, "drawn from no figure"
        stream = io.BytesIO()
        with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            FigureCanvasAgg(self.figure)
            _find_letters(self.figure)
            self.figure.savefig(stream, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
        return stream.getvalue()

    def write_as(self, files: FigureFiles, folder: Path, name: str) -> list[Path]:
        """Write ``name.svg``, ``name.png`` (200 dpi), both or neither into a folder, atomically.

        Returns:
            What was written.
        """
        written = []
        if files in ("svg", "both"):
            written.append(self.write(folder / f"{name}.svg"))
        if files in ("png", "both"):
            write_bytes(folder / f"{name}.png", self.png())
            written.append(folder / f"{name}.png")
        return written


class Canvas:
    """A figure being drawn.

    Attributes:
        figure: Matplotlib's figure.
        axes: Its axes, row by row.
    """

    def __init__(
        self, width: float, height: float, rows: int, columns: int, ratios: Sequence[float] | None = None
    ) -> None:
        self.figure = MatplotlibFigure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(self.figure)
        grid = self.figure.subplots(rows, columns, squeeze=False, height_ratios=ratios)
        self.axes: list[Axes] = list(grid.ravel())

    def finish(self, alt: str, watermark: str | None) -> Drawing:
        """Return the rendered figure, ``watermark`` written across it."""
        if watermark:
            alt = f"{alt} Not a valid result: {watermark}"
            size = 10 + 1.1 * self.figure.get_figwidth()
            self.figure.text(
                0.5,
                0.5,
                "\n".join(textwrap.wrap(watermark, 30)[:4]),
                ha="center",
                va="center",
                rotation=24,
                fontsize=size,
                color=PALETTE[1],
                alpha=0.4,
                weight="bold",
                zorder=100,
            ).set_in_layout(False)
        stream = io.StringIO()
        with warnings.catch_warnings():
            # The page's font draws the text; matplotlib's own font, lacking a script, only measures it.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            self.figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None})
        return Drawing(_clean(stream.getvalue()), alt, self.figure)


@contextmanager
def canvas(
    width: float = 5.0,
    height: float = 4.0,
    *,
    rows: int = 1,
    columns: int = 1,
    ratios: Sequence[float] | None = None,
) -> Iterator[Canvas]:
    """Give a figure of ``width`` × ``height`` inches to draw on, in the product's style.

    Args:
        width: In inches.
        height: In inches.
        rows: Rows of axes.
        columns: Columns of axes.
        ratios: The relative heights of the rows.
    """
    with matplotlib.rc_context(_STYLE):
        yield Canvas(width, height, rows, columns, ratios)


def _find_letters(figure: MatplotlibFigure) -> None:
    """Set names with letters that the usual font lacks in one of this machine, where one has them."""
    usual = opened(shipped())
    for text in figure.findobj(Text):
        letters = letters_of(text.get_text())
        if usual is None or text.get_fontproperties().get_file() is not None or not lacking(usual, letters):
            continue
        file = font_with(letters)
        if file is not None:
            set_font(text, file)


def _themed(colour: str) -> str:
    variable = _VARIABLES.get(colour)
    return colour if variable is None else f"var({variable}, {colour})"


def _clean(svg: str) -> str:
    """Return the bare ``<svg>`` element, without matplotlib's font and without a style sheet, which would reach out."""
    svg = svg[svg.index("<svg ") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    svg = re.sub(r" font-family: 'DejaVu Sans';| transform=\"rotate\(-0 [^\"]*\"", "", svg)
    svg = svg.replace("<svg ", f"<svg {_ROOT} ", 1)
    return re.sub(r"\s*\n\s*", "\n", svg)
