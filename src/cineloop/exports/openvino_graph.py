"""The graph for OpenVINO, in fp32, bf16 or int8."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cineloop.errors import ExportError
from cineloop.exports.onnx_graph import OUTPUTS
from cineloop.exports.parity import Engine, Outputs, Pixels

Precision = Literal["fp32", "bf16", "int8"]
_HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}


def require_openvino() -> Any:
    """Import OpenVINO.

    Raises:
        ExportError: It is not installed.
    """
    try:
        import openvino
    except ImportError:
        raise ExportError(
            "OpenVINO is not installed", where="--format openvino", mend="pip install 'cineloop[openvino]'"
        ) from None
    return openvino


def read_graph(onnx_file: Path) -> Any:
    """Read an ONNX graph and keep its antialiasing, which OpenVINO's reader of ONNX leaves out.

    Resizing with antialiasing becomes OpenVINO's own bilinear filter of Pillow's kind, which computes the same.
    """
    openvino = require_openvino()
    from openvino import opset11

    model = openvino.Core().read_model(str(onnx_file))
    for operation in model.get_ordered_ops():
        if operation.get_type_name() != "Interpolate" or not operation.get_attributes().get("antialias"):
            continue
        sizes = opset11.gather(
            operation.input_value(1), opset11.constant(np.array([2, 3])), opset11.constant(np.array(0))
        )
        filtered = opset11.interpolate(
            operation.input_value(0),
            sizes,
            "bilinear_pillow",
            "sizes",
            axes=np.array([2, 3]),
            pads_begin=[0, 0, 0, 0],
            pads_end=[0, 0, 0, 0],
            coordinate_transformation_mode="half_pixel",
        )
        operation.output(0).replace(filtered.output(0))
    return model


def quantised(model: Any, calibration: Sequence[Pixels]) -> Any:
    """Return a graph whose network computes in 8 bits, calibrated on frames or clips (NNCF's post-training way).

    Args:
        model: From :func:`read_graph`.
        calibration: Inputs uint8, one at a time.

    Raises:
        ExportError: NNCF is not installed.
    """
    # It reports its use to its maker unless it is told that nobody is there to ask.
    os.environ.setdefault("NNCF_CI", "1")
    try:
        import nncf
    except ImportError:
        raise ExportError(
            "NNCF is not installed", where="--precision int8", mend="pip install 'cineloop[openvino]'"
        ) from None
    nncf.set_log_level(40)
    data = nncf.Dataset([pixels[np.newaxis] for pixels in calibration])
    return nncf.quantize(
        model,
        data,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(calibration),
        target_device=nncf.TargetDevice.CPU,
    )


def save_graph(model: Any, path: Path) -> None:
    """Write ``path`` (.xml) and the weights beside it (.bin), in full precision."""
    require_openvino().save_model(model, str(path), compress_to_fp16=False)


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
