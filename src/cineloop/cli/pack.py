"""``cineloop pack``: a run as an archive that may be shared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cineloop.cli.common import MODEL, JsonOption, print_json, print_table, refuse_missing, say


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    out: Annotated[Path | None, typer.Option(help="The archive, a .zip; RUN.zip by default.")] = None,
    json: JsonOption = False,
) -> None:
    """Write a run as an archive to share: weights, recipe and figures, without identifiers or pixels.

    No name of a file, folder, patient or machine, no hash of a file, no picture and no free text goes with it; names of
    classes do. Unpacked it is a run, with which `predict`, `analyze` and `export` work, and `evaluate` on other data.
    """
    refuse_missing(run, mend=MODEL)
    from cineloop.packing import pack

    done = pack(run, out if out is not None else Path(f"{run.resolve()}.zip"))
    if json:
        print_json({"archive": str(done.path), "files": done.files, "left_out": done.left_out})
        return
    print_table(["packed", "SHA-256"], [(name, sum_[:12]) for name, sum_ in done.files.items()])
    say()
    left = ", ".join(f"{name} ({count})" if count > 1 else name for name, count in done.left_out.items())
    say(f"left out     {left or 'nothing'}")
    say(f"archive      {done.path}")
