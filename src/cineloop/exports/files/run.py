#!/usr/bin/env python3
"""Run this exported model on pictures: `python run.py PICTURES... [--out rows.csv]`.

Needs numpy, pillow, and onnxruntime or openvino; no torch and no Cineloop. What goes in and comes out is described in
contract.json; `python run.py --check` compares this machine's answers with the test vectors.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
Run = Callable[[np.ndarray], list[np.ndarray]]
Batch = tuple[list[Path], np.ndarray]
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm"}


class Model:
    """The graph in this folder.

    Args:
        threads: Compute threads; None for one a core.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.contract = json.loads((HERE / "contract.json").read_text(encoding="utf-8"))
        self.classes: list[str] = self.contract["classes"]
        self._run = self._openvino(threads) if (HERE / "model.xml").exists() else self._onnxruntime(threads)

    def _onnxruntime(self, threads: int | None) -> Run:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        if threads:
            options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(str(HERE / "model.onnx"), options, providers=["CPUExecutionProvider"])
        name = self.contract["input"]["name"]
        return lambda pixels: session.run(["probabilities", "decision", "logits"], {name: pixels})

    def _openvino(self, threads: int | None) -> Run:
        import openvino

        hint = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}[self.contract["precision"]]
        options: dict[str, str | int] = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        compiled = openvino.Core().compile_model(str(HERE / "model.xml"), "CPU", options)
        names = ("probabilities", "decision", "logits")
        places = [next(output for output in compiled.outputs if name in output.get_names()) for name in names]

        def run(pixels: np.ndarray) -> list[np.ndarray]:
            found = compiled([pixels])
            return [np.array(found[place]) for place in places]

        return run

    def __call__(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return probabilities, decisions and logits of RGB uint8 pixels [B, H, W, 3] (clips: [B, T, H, W, 3])."""
        probabilities, decision, logits = self._run(np.ascontiguousarray(pixels, dtype=np.uint8))
        return probabilities, decision, logits

    def label(self, decision: np.ndarray) -> str:
        """Return what is decided about one input, in words."""
        if decision.ndim == 0:
            return self.classes[int(decision)]
        held = [name for name, bit in zip(self.classes, decision.tolist(), strict=True) if bit]
        return " ".join(held) or "readable"


def read(path: Path) -> np.ndarray:
    """Return a picture as RGB uint8 [H, W, 3]: upright, 16 bits scaled to 8, transparency laid on black."""
    from PIL import Image, ImageOps

    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I"):
            grey = ((np.asarray(image).astype(np.uint32) + 128) // 257).astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=2)
        if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
            layered = image.convert("RGBA")
            image = Image.new("RGBA", layered.size, (0, 0, 0, 255))
            image.alpha_composite(layered)
        return np.asarray(image.convert("RGB"))


def found_in(sources: list[Path]) -> Iterator[Path]:
    """Yield the pictures that files and folders hold, in order of their paths."""
    for source in sources:
        if source.is_dir():
            yield from sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
        else:
            yield source


def batches(paths: Iterator[Path], size: int, failed: list[Path]) -> Iterator[Batch]:
    """Yield pictures of one size together, read ahead by two threads; what cannot be read goes to ``failed``."""
    held: list[tuple[Path, np.ndarray]] = []

    def joined() -> Batch:
        names, pictures = zip(*held, strict=True)
        held.clear()
        return list(names), np.stack(pictures)

    with ThreadPoolExecutor(2) as pool:
        waiting: deque[tuple[Path, Future[np.ndarray]]] = deque()
        for path in paths:
            waiting.append((path, pool.submit(read, path)))
            if len(waiting) < 2 * size:
                continue
            yield from _taken(waiting, held, joined, size, failed)
        while waiting:
            yield from _taken(waiting, held, joined, size, failed)
    if held:
        yield joined()


def _taken(
    waiting: deque[tuple[Path, Future[np.ndarray]]],
    held: list[tuple[Path, np.ndarray]],
    joined: Callable[[], Batch],
    size: int,
    failed: list[Path],
) -> Iterator[Batch]:
    path, future = waiting.popleft()
    try:
        picture = future.result()
    except OSError as error:
        why = error if path.suffix.lower() in SUFFIXES or not path.exists() else "this program reads pictures only"
        print(f"skipped {path}: {why}", file=sys.stderr)
        failed.append(path)
        return
    if held and (held[0][1].shape != picture.shape or len(held) == size):
        yield joined()
    held.append((path, picture))


def check(model: Model) -> int:
    """Compare with the test vectors; return an exit code."""
    vectors = np.load(HERE / "test_vectors.npz")
    tolerance = model.contract["tolerance"]
    worst = 0.0
    for place in range(int(vectors["count"])):
        probabilities, _, _ = model(vectors[f"input_{place}"][np.newaxis])
        gap = float(np.abs(probabilities - vectors[f"probabilities_{place}"]).max())
        allowed = tolerance["resized" if vectors[f"resized_{place}"] else "network"]
        worst = max(worst, gap / allowed)
        if not gap <= allowed:
            print(f"vector {place}: probabilities differ by {gap:.2g}, allowed is {allowed:g}", file=sys.stderr)
    print(f"{int(vectors['count'])} vectors, the worst at {worst:.0%} of what is allowed")
    return 0 if worst <= 1 else 1


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="*", type=Path, help="pictures, and folders of them")
    parser.add_argument("--out", type=Path, help="write rows as CSV; else they are printed")
    parser.add_argument("--check", action="store_true", help="compare with the test vectors")
    parser.add_argument("--batch", type=int, default=8, help="pictures at a time, where they are of one size")
    parser.add_argument("--threads", type=int, help="compute threads")
    options = parser.parse_args()
    model = Model(options.threads)
    if options.check:
        return check(model)
    if model.contract["input"]["name"] != "image":
        parser.error("this model reads clips: call Model() from your own program with frames [B, T, H, W, 3]")
    if not options.sources:
        parser.error("name pictures, or folders of them")
    stream = options.out.open("w", newline="", encoding="utf-8") if options.out else sys.stdout
    writer = csv.writer(stream)
    writer.writerow(["path", "label", *(f"p_{name}" for name in model.classes)])
    failed: list[Path] = []
    for paths, pixels in batches(found_in(options.sources), options.batch, failed):
        probabilities, decision, _ = model(pixels)
        for row, path in enumerate(paths):
            values = (f"{value:.6f}" for value in probabilities[row])
            writer.writerow([path.as_posix(), model.label(decision[row]), *values])
    if options.out:
        stream.close()
    return 2 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        # Whoever read the rows has had enough; nothing is left to be flushed to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
