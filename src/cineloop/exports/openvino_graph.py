"""The graph for OpenVINO, in fp32, bf16 or int8."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cineloop.errors import ExportError
from cineloop.inference.engines import Pixels, require_openvino


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
