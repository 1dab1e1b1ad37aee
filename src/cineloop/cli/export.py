"""``cineloop export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cineloop.cli.common import MODEL, JsonOption, note, print_json, progress, refuse_missing, say


def command(
    model: Annotated[Path, typer.Argument(metavar="RUN", help="A run, or the weights.safetensors of one.")],
    form: Annotated[
        str, typer.Option("--format", help="onnx, openvino, torchscript, tensorrt, or bundle (MONAI).")
    ] = "onnx",
    out: Annotated[Path | None, typer.Option(help="A new folder; RUN/export/FORMAT by default.")] = None,
    precision: Annotated[str, typer.Option(help="fp32; of OpenVINO also bf16 and int8.")] = "fp32",
    calibration: Annotated[int, typer.Option(min=16, help="Training frames that int8 is calibrated on.")] = 200,
    agreement: Annotated[
        float, typer.Option(min=0, max=1, help="Share of decisions that reduced precision must keep.")
    ] = 0.98,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Decision threshold of the positive class.")
    ] = None,
    size: Annotated[
        str, typer.Option(metavar="HEIGHTxWIDTH", help="Of the frames that a TensorRT engine is built for.")
    ] = "720x1280",
    json: JsonOption = False,
) -> None:
    """Write a model for another engine: graph, contract, test vectors, proof, and a runner that needs no torch."""
    from cineloop.errors import CineloopError

    refuse_missing(model, mend=MODEL)
    sides = size.lower().split("x")
    if len(sides) != 2 or not all(side.isdigit() and int(side) > 0 for side in sides):
        raise CineloopError(f"Not a height and a width: {size!r}", where="--size", mend="Write it as 720x1280.")
    from cineloop import api

    result = api.export(
        model,
        form=form,
        out=out,
        precision=precision,
        calibration=calibration,
        agreement=agreement,
        threshold=threshold,
        size=(int(sides[0]), int(sides[1])),
        progress=progress(),
    )
    if json:
        print_json(result.plain())
        return
    say(f"{result.form}  {result.folder}")
    for name, value in result.figures():
        say(f"{name:<9} {value}")
    for remark in result.notes:
        note(remark)
