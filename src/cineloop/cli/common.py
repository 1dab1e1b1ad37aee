"""What every verb prints with: results on standard output, progress and remarks on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cineloop.errors import CineloopError

if TYPE_CHECKING:
    from cineloop.progress import Progress

WorkersOption = Annotated[int, typer.Option(min=0, help="Processes that decode.")]
SkipErrorsOption = Annotated[
    bool, typer.Option("--skip-errors", help="List what cannot be read, and go on with the rest.")
]
StillsOption = Annotated[
    bool, typer.Option("--stills", help="Take every image of a folder by itself, not as frames of one recording.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]


@dataclass
class Invocation:
    """One call of the program: what the options shared by all verbs said.

    A verb that takes ``ctx: typer.Context`` finds it as ``ctx.obj``.

    Attributes:
        debug: Show tracebacks.
        plugins: Names or paths of the plug-ins to enable, in order.
        resume: The command that goes on after an interruption; a verb sets it once there is something to go on with.
    """

    debug: bool = False
    plugins: list[str] = field(default_factory=list)
    resume: str | None = None


MODEL = "Name the folder that `cineloop train` made (it holds run.json), or a weights file, export or bundle."
"""What mends the path of a model that is not there."""


def refuse_missing(*paths: Path | None, mend: str = "Check the path.") -> None:
    """Refuse paths where nothing is, before what is needed to read them is loaded, which takes seconds.

    Raises:
        CineloopError: There is nothing at one that is not None.
    """
    for path in paths:
        if path is not None and not path.exists():
            raise CineloopError("This does not exist", where=path, mend=mend)


def say(text: str = "") -> None:
    """Print a result on standard output."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """Print a remark on standard error, where it does not mix with results."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def print_json(value: Any) -> None:
    """Print plain data as JSON on standard output; NaN and infinities are refused, as JSON has none."""
    say(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table on standard output: fitted to the width of a terminal, else in aligned columns, never cut.

    Args:
        columns: The headings.
        rows: One cell a column each; None prints as a dash.
    """
    cells = [["-" if cell is None else str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
        for row in cells:
            table.add_row(*row)
        Console(markup=False, highlight=False).print(table)
        return
    from rich.cells import cell_len, set_cell_size

    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    for row in [list(columns), *cells]:
        say("  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())


def progress() -> Progress:
    """Return a progress listener on standard error: a bar on a terminal, else a plain line every few seconds."""
    from cineloop.cli import bars

    return bars.TerminalProgress() if sys.stderr.isatty() else bars.LineProgress()
