"""A training step of ViT-B/16 on clips of 8x224x224, two a batch, against the published order of operations."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import nn

from cineloop import models
from plain_timesformer import PlainTimeSformer
from table import Row

STEPS, ROUNDS, CURVE = 3, 3, 8
BATCH, FRAMES, SIDE = 2, 8, 224
THREADS = 2
NOISE = 0.02


def network(which: str) -> nn.Module:
    """Return a network with a head, both variants with equal weights, in training mode without stochastic depth."""
    torch.manual_seed(0)
    ours = models.create("timesformer-vitb16", drop_path_rate=0.0)
    head = nn.Linear(768, 2)
    with torch.no_grad():
        # Temporal branches start at zero and would hide a mistake.
        for parameter in ours.parameters():
            parameter.add_(torch.randn(parameter.shape), alpha=NOISE)
    if which == "ours":
        return nn.Sequential(ours, head).train()
    plain = PlainTimeSformer(drop_path_rate=0.0)
    plain.load_state_dict(ours.state_dict())
    return nn.Sequential(plain, head).train()


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Return clips and classes."""
    clips = torch.randn(BATCH, 3, FRAMES, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    return clips, torch.arange(BATCH) % 2


def loss_of(module: nn.Module, *, bf16: bool) -> torch.Tensor:
    """Return the loss of the batch."""
    clips, target = batch()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits = module(clips)
    return nn.functional.cross_entropy(logits.float(), target)


def steps(which: str, precision: str, count: int) -> dict:
    """Train ``count`` steps in this process; return seconds of each after the first, losses, and the peak memory."""
    module = network(which)
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-3, momentum=0.9)
    seconds, losses = [], []
    for _ in range(count):
        began = time.perf_counter()
        loss = loss_of(module, bf16=precision == "bf16")
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        seconds.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds[1:], "losses": losses, "peak_mb": peak}


def gradient_distance() -> float:
    """Return the largest difference of a parameter's gradients, in units of its largest gradient."""
    gradients = []
    for which in ("ours", "plain"):
        module = network(which)
        loss_of(module, bf16=False).backward()
        gradients.append({name: parameter.grad for name, parameter in module.named_parameters()})
    ours, plain = gradients
    return max(float((ours[name] - plain[name]).abs().max() / plain[name].abs().max()) for name in plain)


def products(dtype: torch.dtype) -> float:
    """Return the seconds of a step's matrix products alone: each linear layer's forward and its two backward ones."""
    places = (SIDE // 16) ** 2
    patches, framed, tokens = BATCH * FRAMES * places, BATCH * FRAMES * (places + 1), BATCH * (FRAMES * places + 1)
    width = 768
    layers = [(patches, width, 3 * width), (patches, width, width), (patches, width, width)]
    layers += [(framed, width, 3 * width), (framed, width, width)]
    layers += [(tokens, width, 4 * width), (tokens, 4 * width, width)]
    total = 0.0
    for rows, inner, outer in layers:
        x, w, g = (torch.randn(shape).to(dtype) for shape in ((rows, inner), (outer, inner), (rows, outer)))
        best = []
        for _ in range(3):
            began = time.perf_counter()
            _ = x @ w.T, g @ w, g.T @ x
            best.append(time.perf_counter() - began)
        total += 12 * statistics.median(best)
    return total


def child(*words: str) -> dict:
    """Run this file in a process of its own, whose peak memory is the step's."""
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def has_bf16() -> bool:
    """Return whether the processor multiplies bfloat16 by itself."""
    info = Path("/proc/cpuinfo")
    return info.exists() and "avx512_bf16" in info.read_text()


def run() -> list[Row]:
    """Interleave the variants, each in processes of its own."""
    variants = [("ours", "fp32"), ("plain", "fp32")] + ([("ours", "bf16")] if has_bf16() else [])
    found: dict[tuple[str, str], list[dict]] = {variant: [] for variant in variants}
    for number in range(ROUNDS):
        for variant in variants if number % 2 == 0 else reversed(variants):
            found[variant].append(child("steps", *variant, str(STEPS)))

    def seconds(*variant: str) -> float:
        return statistics.median(value for one in found[variant] for value in one["seconds"])

    def peak(*variant: str) -> float:
        return statistics.median(one["peak_mb"] for one in found[variant])

    ours, plain = seconds("ours", "fp32"), seconds("plain", "fp32")
    name, how = "training step, ViT-B/16, 2 clips of 8x224x224", f"{ROUNDS} interleaved processes of {STEPS} steps"
    peer = "published order of operations"
    distance = child("gradients")["distance"]
    rows = [
        Row(
            f"{name}, fp32",
            f"{ours:.1f} s",
            f"{peer} {plain:.1f} s",
            plain / ours,
            "at least 0.97x",
            plain / ours >= 0.97,
            how,
        ),
        Row(
            f"{name}, gradients",
            f"{distance:.1e} apart",
            peer,
            None,
            "at most 1e-4",
            distance <= 1e-4,
            "largest difference in units of the parameter's largest gradient",
        ),
        Row(
            f"{name}, peak memory",
            f"{peak('ours', 'fp32'):.0f} MB",
            f"{peer} {peak('plain', 'fp32'):.0f} MB",
            peak("ours", "fp32") / peak("plain", "fp32"),
            "at most 0.8x",
            peak("ours", "fp32") / peak("plain", "fp32") <= 0.8,
            "of the process, momentum included",
        ),
    ]
    bare = child("products", "float32")["seconds"]
    rows.append(
        Row(f"{name}, fp32", f"{ours:.1f} s", f"its products alone {bare:.1f} s", ours / bare, "", None, "of matrices")
    )
    if has_bf16():
        fast = seconds("ours", "bf16")
        bare = child("products", "bfloat16")["seconds"]
        curves = [child("steps", "ours", precision, str(CURVE))["losses"] for precision in ("fp32", "bf16")]
        apart = max(abs(one - other) for one, other in zip(*curves, strict=True))
        rows += [
            Row(
                f"{name}, bf16",
                f"{fast:.1f} s",
                f"{peer}, fp32 {plain:.1f} s",
                plain / fast,
                "at least 1.7x",
                plain / fast >= 1.7,
                f"{how}; {peak('ours', 'bf16'):.0f} MB",
            ),
            Row(f"{name}, bf16", f"{fast:.1f} s", f"its products alone {bare:.1f} s", fast / bare, "", None, ""),
            Row(
                f"{name}, loss curve",
                " ".join(f"{value:.3f}" for value in curves[1]),
                "fp32 " + " ".join(f"{value:.3f}" for value in curves[0]),
                None,
                "",
                None,
                f"{CURVE} steps in bf16 and in fp32; at most {apart:.3f} apart",
            ),
        ]
    return rows


def main(words: list[str]) -> None:
    """Answer a parent as JSON."""
    torch.set_num_threads(THREADS)
    what, *rest = words
    if what == "steps":
        answer = steps(rest[0], rest[1], int(rest[2]))
    elif what == "gradients":
        answer = {"distance": gradient_distance()}
    else:
        answer = {"seconds": products(getattr(torch, rest[0]))}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
