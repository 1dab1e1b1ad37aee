"""Engines that run exported graphs, behind one function: pixels in, probabilities, decisions and logits out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cineloop.errors import ExportError

Pixels = npt.NDArray[np.uint8]
Outputs = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.float32]]
Engine = Callable[[Pixels], Outputs]
"""Pixels uint8 [B, ...] to probabilities [B, L], decisions and logits [B, L]."""

Precision = Literal["fp32", "bf16", "int8"]

INPUT = {"frame": "image", "clip": "clip"}
"""The name of a graph's input, by what it reads."""

OUTPUTS = ("probabilities", "decision", "logits")
"""The names of a graph's outputs."""

_HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}


def onnx_engine(path: Path, *, threads: int | None = None) -> tuple[str, Engine]:
    """Return ONNX Runtime's name and version, and a function that runs a graph with it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
    # Spinning threads take the cores from whatever decodes the next frames.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(pixels: Pixels) -> Outputs:
        probabilities, decision, logits = session.run(list(OUTPUTS), {name: pixels})
        return np.asarray(probabilities), np.asarray(decision), np.asarray(logits)

    return f"onnxruntime {onnxruntime.__version__}", run


def require_openvino() -> Any:
    """Import OpenVINO.

    Raises:
        ExportError: It is not installed.
    """
    try:
        import openvino
    except ImportError:
        raise ExportError("OpenVINO is not installed", mend="pip install 'cineloop[openvino]'") from None
    return openvino


def openvino_engine(path: Path, precision: Precision, *, threads: int | None = None) -> tuple[str, Engine]:
    """Return OpenVINO's name and version, and a function that runs a graph with it.

    Args:
        path: The .xml file.
        precision: What the processor computes in; processors without bf16 compute in fp32.
        threads: Compute threads; None for one a core.
    """
    openvino = require_openvino()
    core = openvino.Core()
    options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
    if threads is not None:
        options["INFERENCE_NUM_THREADS"] = threads
    compiled = core.compile_model(str(path), "CPU", options)
    places = [_output_of(compiled, name) for name in OUTPUTS]

    def run(pixels: Pixels) -> Outputs:
        found = compiled([pixels])
        probabilities, decision, logits = (np.array(found[place]) for place in places)
        return probabilities, decision, logits

    version = openvino.__version__.split("-")[0]
    return f"openvino {version} ({precision})", run


def _output_of(compiled: Any, name: str) -> Any:
    return next(output for output in compiled.outputs if name in output.get_names())
