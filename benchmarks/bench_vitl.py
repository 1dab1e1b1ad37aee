"""ViT-L/14 at 336 pixels with residual attention: an exported graph against eager torch, and against its products.

In bf16 where the processor multiplies that by itself, else in fp32.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import torch
from openvino import opset13
from torch import nn

from bench_vit import NOISE, has_bf16
from cineloop import models
from cineloop.exports.graph import Answer
from cineloop.exports.onnx_graph import write_onnx
from cineloop.exports.openvino_graph import read_graph, save_graph
from cineloop.exports.preparation import FramePreparation
from cineloop.exports.vectors import picture
from cineloop.inference.engines import openvino_engine
from cineloop.video.frame_input import FrameInput
from table import Row

BATCH, ROUNDS, SIDE = 2, 5, 336


def network() -> nn.Module:
    """Return the network, with weights of which none is at its start: an engine leaves out what multiplies by one."""
    torch.manual_seed(0)
    made = models.create("vitl14-336-csra").eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn(parameter.shape), alpha=NOISE)
    return made


def products(block: nn.Module, tokens: int, precision: str) -> Callable[[], None]:
    """Return what runs the matrix products of one block alone, on the engine that runs the graph.

    Args:
        block: Of timm's transformer.
        tokens: Of a picture.
        precision: ``fp32`` or ``bf16``.
    """
    draw = np.random.default_rng(0)

    def numbers(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (draw.standard_normal(shape) * scale).astype(np.float32)

    attention, width, hidden = block.attn, block.attn.attn_dim, block.mlp.fc1.out_features
    given = opset13.parameter([BATCH, tokens, width], np.float32)
    mixed = given
    # Queries, keys, values, the projection after them, and the two layers behind: one after another, nothing between.
    for inner, outer in [(width, width)] * 4 + [(width, hidden), (hidden, width)]:
        matrix = opset13.constant(numbers(outer, inner, scale=inner**-0.5))
        mixed = opset13.matmul(mixed, matrix, False, True)
    heads = [BATCH, attention.num_heads, tokens, attention.head_dim]
    query, key, value = (opset13.parameter(heads, np.float32) for _ in range(3))
    attended = opset13.matmul(opset13.matmul(query, key, False, True), value, False, False)
    inputs = [given, query, key, value]
    options = {"INFERENCE_PRECISION_HINT": {"fp32": "f32"}.get(precision, precision), "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(openvino.Model([mixed, attended], inputs), "CPU", options)
    filled = [numbers(*each.shape) for each in inputs]
    return lambda: compiled(filled)


def measured(answer: Answer, precision: str) -> tuple[dict[str, float], np.ndarray, np.ndarray]:
    """Return medians of seconds a picture, eager torch's logits and the exported graph's."""
    vit: Any = answer.network.backbone["main_module"]
    pixels = np.stack([picture(SIDE, SIDE, number=number) for number in range(BATCH)])
    given, bare = torch.from_numpy(pixels), products(vit.blocks[0], vit.pos_embed.shape[1], precision)
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "model.onnx"
        write_onnx(answer, "frame", file, frames=1, metadata={})
        save_graph(read_graph(file), Path(name) / "model.xml")
        file.unlink()
        _, engine = openvino_engine(Path(name) / "model.xml", precision)
        variants: dict[str, Callable[[], Any]] = {
            "eager": lambda: answer(given)[2].numpy(),
            "graph": lambda: engine(pixels)[2],
            "products": lambda: [bare() for _ in vit.blocks],
        }
        seconds: dict[str, list[float]] = {variant: [] for variant in variants}
        last: dict[str, Any] = {}
        with torch.inference_mode():
            for _ in range(ROUNDS + 1):
                for variant, compute in variants.items():
                    began = time.perf_counter()
                    last[variant] = compute()
                    seconds[variant].append(time.perf_counter() - began)
    medians = {variant: statistics.median(found[1:]) / BATCH for variant, found in seconds.items()}
    return medians, last["eager"], last["graph"]


def run() -> list[Row]:
    """Run the comparison."""
    fast = has_bf16()
    precision = "bf16" if fast else "fp32"
    prepared = FramePreparation(FrameInput(size=(SIDE, SIDE), arithmetic="float"))
    answer = Answer(prepared, network(), activation="sigmoid", thresholds=(0.5, 0.5, 0.5)).eval()
    seconds, wanted, found = measured(answer, precision)
    eager, graph, bare = (seconds[variant] for variant in ("eager", "graph", "products"))
    name = f"frame classifier, ViT-L/14 at {SIDE} pixels, {precision}"
    how = (
        f"exported graph, batch {BATCH}, median of {ROUNDS} interleaved; logits at most "
        f"{np.abs(found - wanted).max():.2g} apart, of {np.abs(wanted).max():.2g}; random weights"
    )
    return [
        Row(
            name,
            f"{graph:.2f} s a picture",
            f"eager torch, fp32 {eager:.2f} s",
            eager / graph,
            "at least 3x" if fast else "",
            eager / graph >= 3 if fast else None,
            how if fast else f"{how}; bf16 was not measured: this processor has no avx512_bf16",
        ),
        Row(
            name,
            f"{graph:.2f} s a picture",
            f"its products alone {bare:.2f} s",
            graph / bare,
            "",
            None,
            f"one block's linear layers and attention, {precision}, the same engine, times the depth; one block's "
            "weights may stay in the cache",
        ),
    ]
