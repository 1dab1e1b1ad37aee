"""Small stills in the layouts of the frame recipes, of which each class looks like nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from cineloop.timeline.quality import LABELS, code_of

STATES = ("outside", "nonsense", "bbps0", "bbps1", "bbps2", "bbps3", "ileocecal bbps2", "ileocecal bbps3")
CLASSES = ("in_body", "out_of_body")


def picture(kind: int, seed: int, *, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """Return a texture of its own, uint8 [H, W, 3], whose colour tells its kind."""
    rng = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[:height, :width]
    hue = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200], [200, 200, 60], [200, 60, 200], [60, 200, 200],
                    [230, 230, 230], [40, 40, 40]], dtype=float)[kind]  # fmt: skip
    waves = sum(
        np.sin(rng.normal(0, 0.5) * x + rng.normal(0, 0.5) * y + rng.uniform(0, 6.3))[..., None] * rng.normal(0, 18, 3)
        for _ in range(6)
    )
    return (hue + waves + rng.normal(0, 8, (height, width, 3))).clip(0, 255).astype(np.uint8)


def save(path: Path, kind: int, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(kind, seed)).save(path)


def write_index(root: Path, counts: dict[str, int] | None = None) -> Path:
    """Write images and ``fold_train_validation_test.json``, one still of every state a patient."""
    index: dict = {"code": list(LABELS), "idmap": {}, "train": {}, "validation": {}, "test": {}}
    number = patient = 0
    for split, count in (counts or {"train": 6, "validation": 3, "test": 3}).items():
        for _ in range(count):
            for kind, state in enumerate(STATES):
                path = f"P{patient:03d}/{kind}.png"
                save(root / path, kind, seed=number)
                code = code_of(state)
                subset = next((name for name in LABELS[3:] if code[LABELS.index(name)]), "nobbps")
                index["idmap"][str(number)] = path
                index[split].setdefault(subset, {})[path] = [number, [float(bit) for bit in code]]
                number += 1
            patient += 1
    (root / "fold_train_validation_test.json").write_text(json.dumps(index))
    return root


def write_tree(root: Path, patients: int = 10, each: int = 2) -> Path:
    """Write ``inbody/P000/0.png`` and ``outbody/P000/0.png``, a few stills of every patient."""
    for patient in range(patients):
        for kind, folder in enumerate(("inbody", "outbody")):
            for number in range(each):
                path = root / folder / f"P{patient:03d}" / f"{number}.png"
                save(path, kind, seed=100 * patient + 10 * kind + number)
    return root


def write_table(root: Path) -> Path:
    """Write ``frames.csv`` with the labels of phantom procedures, and its images, one still of every state each."""
    rows = ["path,label,body,patient,procedure,split"]
    for patient in range(12):
        split = "train" if patient < 6 else "val" if patient < 9 else "test"
        for kind, state in enumerate(STATES):
            path = f"P{patient:03d}/{kind}.png"
            save(root / path, kind, seed=100 * patient + kind)
            body = CLASSES[state == "outside"]
            rows.append(f"{path},{state},{body},P{patient:03d},P{patient:03d}_p1,{split}")
    (root / "frames.csv").write_text("\n".join(rows) + "\n")
    return root


def frame_recipe(root: Path, **train: object) -> dict:
    """Return a recipe, as plain data, of colonoscopy labels that runs on the stills in seconds."""
    return {
        "schema": 1,
        "task": "frame-classification",
        "data": {
            "format": "uihnj",
            "root": str(root),
            "patient": {"regex": r"(P\d+)/"},
            "labels": "colonoscopy",
            "input": {"size": [32, 32]},
            "augment": {"crop": "none"},
        },
        "model": {"name": "resnet10-csra", "img_size": 32, "widths": [8, 8, 16, 16], "csra_heads": 2},
        "train": {
            "epochs": 2,
            "batch_size": 8,
            "workers": 0,
            "threads": 1,
            "loss": "colonoscopy",
            "optimizer": {"lr": 0.01},
            "select": {"metric": "quality"},
            "log": {"every_steps": 1, "tensorboard": False},
            **train,
        },
        "evaluate": {"replicates": 100, "selection": "balanced_accuracy"},
    }
