"""ViT-L/14 at 336 pixels with residual attention: an exported graph in bf16 against eager torch in fp32."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from bench_vit import has_bf16
from cineloop import models
from cineloop.exports.graph import Answer
from cineloop.exports.onnx_graph import write_onnx
from cineloop.exports.openvino_graph import read_graph, save_graph
from cineloop.exports.preparation import FramePreparation
from cineloop.exports.vectors import picture
from cineloop.inference.engines import openvino_engine
from cineloop.video.frame_input import FrameInput
from table import Row

BATCH, ROUNDS = 2, 5


def run() -> list[Row]:
    """Run the comparison."""
    if not has_bf16():
        return [Row("ViT-L/14-336, bf16", "not measured", "", None, "", None, "this processor has no avx512_bf16")]
    torch.manual_seed(0)
    network = models.create("vitl14-336-csra").eval()
    prepared = FrameInput(size=(336, 336), arithmetic="float")
    answer = Answer(FramePreparation(prepared), network, activation="sigmoid", thresholds=(0.5, 0.5, 0.5)).eval()
    pixels = np.stack([picture(336, 336, number=number) for number in range(BATCH)])
    given = torch.from_numpy(pixels)
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "model.onnx"
        write_onnx(answer, "frame", file, frames=1, metadata={})
        save_graph(read_graph(file), Path(name) / "model.xml")
        file.unlink()
        _, engine = openvino_engine(Path(name) / "model.xml", "bf16")
        seconds: dict[str, list[float]] = {"eager": [], "bf16": []}
        with torch.inference_mode():
            for _ in range(ROUNDS + 1):
                began = time.perf_counter()
                wanted = answer(given)[2].numpy()
                seconds["eager"].append(time.perf_counter() - began)
                began = time.perf_counter()
                found = engine(pixels)[2]
                seconds["bf16"].append(time.perf_counter() - began)
    eager, fast = (statistics.median(seconds[name][1:]) / BATCH for name in ("eager", "bf16"))
    return [
        Row(
            "frame classifier, ViT-L/14 at 336 pixels, bf16",
            f"{fast:.2f} s a picture",
            f"eager torch, fp32 {eager:.2f} s",
            eager / fast,
            "at least 3x",
            eager / fast >= 3,
            f"exported graph, batch {BATCH}, median of {ROUNDS} interleaved; logits at most "
            f"{np.abs(found - wanted).max():.2g} apart, of {np.abs(wanted).max():.2g}; random weights",
        )
    ]
