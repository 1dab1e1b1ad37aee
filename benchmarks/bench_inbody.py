"""The in-body gate over 300 pictures: from files to rows, against the same bundle run by MONAI.

The network is trained for a moment on made pictures of two kinds, so that what low precision costs is measured on
something that decides. Both get the same weights and the same files.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cineloop.exports import write as exporting
from cineloop.exports.monai_bundle import write_bundle
from cineloop.exports.parity import Tolerance
from cineloop.exports.vectors import picture
from cineloop.inference.load import load
from cineloop.models import configure, spec
from cineloop.models.passport import Head, Passport
from cineloop.models.seresnet import PUBLISHED_INPUT
from cineloop.models.weights import save_weights
from table import Row

FILES, SIDE, STEPS, BATCH, ROUNDS = 300, 256, 40, 8, 3
CLASSES = ("in_body", "out_of_body")


def made(number: int, kind: int) -> np.ndarray:
    """Return a picture: soft and dark in the middle, or with straight edges."""
    pixels = picture(SIDE, SIDE, number=number)
    if kind:
        rng = np.random.default_rng(number)
        for _ in range(8):
            y, x, h, w = rng.integers(0, SIDE - 40), rng.integers(0, SIDE - 40), *rng.integers(20, 90, 2)
            pixels[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return pixels


def trained(folder: Path) -> Path:
    """Train SE-ResNet-50 for a moment and write its weights with a passport."""
    torch.manual_seed(0)
    options = configure("seresnet50-inbody", {})
    network = spec("seresnet50-inbody").build(options).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for step in range(STEPS):
        kinds = [place % 2 for place in range(BATCH)]
        pixels = np.stack([made(100_000 + step * BATCH + place, kind) for place, kind in enumerate(kinds)])
        loss = torch.nn.functional.cross_entropy(network(PUBLISHED_INPUT.tensor(pixels)), torch.tensor(kinds))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    head = {
        "labels": "exclusive",
        "stride": 1.0,
        "crop": "none",
        "input": PUBLISHED_INPUT.model_dump(mode="json"),
        "positive": CLASSES[1],
    }
    passport = Passport.of(spec("seresnet50-inbody"), options).model_copy(
        update={
            "classes": CLASSES,
            "head": Head(task="frame-classification", prefix="", activation="softmax", config=head),
        }
    )
    save_weights(folder / "weights.safetensors", network.eval(), passport)
    return folder / "weights.safetensors"


def written(folder: Path) -> list[tuple[Path, int]]:
    """Write the pictures, and return their paths and kinds."""
    files = []
    for number in range(FILES):
        path = folder / "files" / f"{number:04}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(made(number, number % 2)).save(path, quality=92)
        files.append((path, number % 2))
    return files


def timed(words: list[str], cwd: Path) -> float:
    """Return the seconds that a command takes."""
    began = time.perf_counter()
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return time.perf_counter() - began


def runner(folder: Path):
    """Return the module of an export's own runner."""
    found = importlib.util.spec_from_file_location(f"run_{folder.name}", folder / "run.py")
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


def rates(folder: Path, paths: list[Path]) -> tuple[float, float]:
    """Return pictures a second from files, and of the engine alone on pictures in memory."""
    module = runner(folder)
    model = module.Model()
    pixels = [module.read(path) for path in paths]
    model(np.stack(pixels[:BATCH]))
    ends, bares = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _, batch in module.batches(iter(paths), BATCH, []):
            model(batch)
        ends.append(time.perf_counter() - began)
        began = time.perf_counter()
        for first in range(0, len(pixels), BATCH):
            model(np.stack(pixels[first : first + BATCH]))
        bares.append(time.perf_counter() - began)
    return len(paths) / statistics.median(ends), len(paths) / statistics.median(bares)


def probabilities(path: Path, *, header: bool) -> np.ndarray:
    """Return the probability of the second class of each row."""
    with path.open() as stream:
        rows = list(csv.reader(stream))[1 if header else 0 :]
    rows.sort(key=lambda row: row[0])
    return np.array([float(row[-1]) for row in rows])


def run() -> list[Row]:
    """Run the comparison."""
    # What low precision costs is what is measured here.
    exporting.TOLERANCES = dict.fromkeys(exporting.TOLERANCES, Tolerance(1.0, 1.0, 1e9))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = trained(folder)
        files = written(folder)
        loaded = load(weights, device="cpu")
        bundle = write_bundle(loaded, folder / "bundle").folder
        (bundle / "label").mkdir()
        listed = [{"image": str(path), "label": kind} for path, kind in files]
        (bundle / "label" / "test_samples.json").write_text(json.dumps(listed))
        held_out = [made(200_000 + place, place % 2) for place in range(100)]
        guard = exporting.Guard(held_out[:60], held_out[60:], [place % 2 for place in range(40)], 0.0)
        exports = {
            precision: exporting.export(loaded, "openvino", folder / precision, precision=precision, guard=guard).folder
            for precision in ("fp32", "bf16", "int8")
        }
        monai = [sys.executable, "-W", "ignore", "-m", "monai.bundle", "run", "--config_file", "configs/inference.json"]
        monai += ["--batch_size", "1", "--num_workers", "4"]
        seconds: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            seconds.setdefault("monai", []).append(timed(monai, bundle))
            for precision, export in exports.items():
                words = [sys.executable, str(export / "run.py"), str(folder / "files"), "--out", f"{precision}.csv"]
                seconds.setdefault(precision, []).append(timed(words, folder))
        peer = statistics.median(seconds["monai"])
        theirs = probabilities(bundle / "eval" / "predictions.csv", header=False)
        kinds = np.array([kind for _, kind in files])
        rows = []
        for precision, target in (("fp32", 2.0), ("bf16", 3.5), ("int8", 6.0)):
            ours = statistics.median(seconds[precision])
            found = probabilities(folder / f"{precision}.csv", header=True)
            drift = np.abs(found - theirs)
            same = ((found >= 0.5) == (theirs >= 0.5)).mean()
            right = ((found >= 0.5) == kinds).mean()
            rows.append(
                Row(
                    f"in-body gate, {FILES} JPEGs of {SIDE}x{SIDE}, {precision}",
                    f"{ours:.1f} s",
                    f"monai.bundle run {peer:.1f} s",
                    peer / ours,
                    f"at least {target:g}x" + (", equal to 1e-3" if precision == "fp32" else ""),
                    peer / ours >= target and (precision != "fp32" or bool(drift.max() <= 1e-3)),
                    f"whole commands, median of {ROUNDS}; probabilities at most {drift.max():.2g}, in the mean "
                    f"{drift.mean():.2g} apart; {same:.1%} of decisions the same, {right:.1%} right "
                    f"(MONAI {((theirs >= 0.5) == kinds).mean():.1%})",
                )
            )
            end, bare = rates(exports[precision], [path for path, _ in files])
            rows.append(
                Row(
                    f"the same, from files, {precision}",
                    f"{end:.1f} pictures/s",
                    f"the engine alone {bare:.1f} pictures/s",
                    end / bare,
                    "at least 0.85x",
                    end / bare >= 0.85,
                    f"start-up excluded, median of {ROUNDS}",
                )
            )
        small = [files[0][0]]
        starts = [timed([sys.executable, str(exports["fp32"] / "run.py"), str(small[0])], folder) for _ in range(5)]
        rows.append(
            Row(
                "a first answer without torch",
                f"{statistics.median(starts):.2f} s",
                "",
                None,
                "under 2 s",
                statistics.median(starts) < 2,
                "import, load of SE-ResNet-50 and one picture, median of 5",
            )
        )
        return rows
