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
    """Read an ONNX graph, with what OpenVINO's reader of ONNX leaves out or cannot say."""
    model = require_openvino().Core().read_model(str(onnx_file))
    for operation in model.get_ordered_ops():
        kind = operation.get_type_name()
        if kind == "Interpolate" and operation.get_attributes().get("antialias"):
            _filter(operation)
        elif kind == "MatMul":
            _keep_rows(operation)
    return model


def _filter(resize: Any) -> None:
    """Keep antialiasing, as OpenVINO's own bilinear filter of Pillow's kind, which computes the same."""
    from openvino import opset11

    sizes = opset11.gather(resize.input_value(1), opset11.constant(np.array([2, 3])), opset11.constant(np.array(0)))
    filtered = opset11.interpolate(
        resize.input_value(0),
        sizes,
        "bilinear_pillow",
        "sizes",
        axes=np.array([2, 3]),
        pads_begin=[0, 0, 0, 0],
        pads_end=[0, 0, 0, 0],
        coordinate_transformation_mode="half_pixel",
    )
    resize.output(0).replace(filtered.output(0))


def _keep_rows(product: Any) -> None:
    """Leave rows of keys whole: ONNX has no product with a transposed matrix, so it turns every single number round."""
    from openvino import opset11

    turned = product.input_value(1).get_node()
    if turned.get_type_name() != "Transpose" or turned.input_value(1).get_node().get_type_name() != "Constant":
        return
    *outer, row, column = (int(axis) for axis in turned.input_value(1).get_node().get_data())
    flags = product.get_attributes()
    if row != len(outer) + 1 or flags["transpose_b"]:
        return
    order, kept = [*outer, column, row], turned.input_value(0)
    if order != sorted(order):
        kept = opset11.transpose(kept, opset11.constant(np.array(order)))
    transposed = opset11.matmul(product.input_value(0), kept, flags["transpose_a"], True)
    transposed.set_friendly_name(product.get_friendly_name())
    product.output(0).replace(transposed.output(0))


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
