"""The graph as ONNX."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from cineloop.errors import ExportError
from cineloop.exports.graph import Answer, Kind
from cineloop.inference.engines import INPUT, OUTPUTS
from cineloop.models.unpacked import unpacked

OPSET = 20


def write_onnx(answer: Answer, kind: Kind, path: Path, *, frames: int, metadata: Mapping[str, Any]) -> None:
    """Write the graph, with dynamic batch, height and width.

    Args:
        answer: The graph, in evaluation mode, on the CPU.
        kind: What it reads.
        path: The file.
        frames: Frames of a clip.
        metadata: What the file says of itself.

    Raises:
        ExportError: The model cannot be traced.
    """
    import onnx

    names = ("batch", "height", "width")
    batch, height, width = (torch.export.Dim(name, min=least) for name, least in zip(names, (1, 16, 16), strict=True))
    # Sizes of which none is another's or the network's, so that nothing is taken for a constant.
    shape = (2, 301, 407, 3) if kind == "frame" else (2, frames, 301, 407, 3)
    axes = {0: batch, 1: height, 2: width} if kind == "frame" else {0: batch, 2: height, 3: width}
    sample = torch.zeros(shape, dtype=torch.uint8)
    try:
        with _quietly():
            program = torch.onnx.export(
                unpacked(answer),
                (sample,),
                dynamo=True,
                dynamic_shapes=(axes,),
                input_names=[INPUT[kind]],
                output_names=list(OUTPUTS),
                opset_version=OPSET,
                verbose=False,
                optimize=True,
            )
    except Exception as error:
        # The exporter raises whatever its passes raise; what a user can do is the same for all.
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ExportError(
            f"The model cannot be traced for ONNX: {reason}",
            where=path.name,
            mend="Use a built-in network; a network of your own must be traceable by torch.export.",
        ) from error
    assert program is not None
    proto = program.model_proto
    for key, value in metadata.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    proto.producer_name = "cineloop"
    onnx.save(proto, str(path))
    onnx.checker.check_model(str(path), full_check=True)


@contextlib.contextmanager
def _quietly() -> Any:
    """Keep the exporter's reports and warnings from the terminal."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "torch.utils._sympy.interp")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
