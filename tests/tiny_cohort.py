"""A cohort of short real videos in the endofm layout that anything learns at once: bright is class 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cineloop.video.writer import VideoWriter


def write_video(path: Path, label: int, seed: int, *, frames: int = 12, size: tuple[int, int] = (48, 40)) -> Path:
    """Write a video of a moving texture whose brightness tells its class."""
    rng = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[:height, :width]
    level = 90 + 90 * label
    waves = rng.uniform(0.15, 0.7, size=(3, 2))
    phases = rng.uniform(0, 6.28, size=(3, 2))
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, fps=10, size=size) as writer:
        for frame in range(frames):
            channels = [
                level
                + 22 * np.sin(waves[c, 0] * x + phases[c, 0] + 0.4 * frame)
                + 22 * np.cos(waves[c, 1] * y + phases[c, 1] - 0.3 * frame)
                for c in range(3)
            ]
            noisy = np.stack(channels, axis=-1) + rng.normal(0, 6, (height, width, 3))
            writer.write(np.clip(noisy, 0, 255).astype(np.uint8))
    return path


def write_cohort(root: Path, counts: dict[str, int] | None = None, *, frames: int = 12) -> Path:
    """Write ``splits/*.txt`` and ``videos/P<patient>/<clip>.mp4``, one patient a video, classes in turn."""
    number = 0
    (root / "splits").mkdir(parents=True, exist_ok=True)
    for split, count in (counts or {"train": 10, "val": 6, "test": 6}).items():
        lines = []
        for index in range(count):
            label = index % 2
            name = f"P{number:03d}/clip.mp4"
            write_video(root / "videos" / name, label, seed=number, frames=frames)
            lines.append(f"{name},{label}")
            number += 1
        (root / "splits" / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return root


def tiny_recipe(root: Path, **train: object) -> dict:
    """Return a recipe, as plain data, that runs on the cohort in seconds."""
    return {
        "schema": 1,
        "task": "clip-classification",
        "data": {
            "format": "endofm",
            "root": str(root),
            "patient": {"regex": r"(P\d+)/"},
            "classes": ["dark", "bright"],
            "sampling": {"frames": 4},
            "spatial": {"size": 32},
        },
        "model": {
            "name": "timesformer-tiny",
            "img_size": 32,
            "patch_size": 8,
            "pool": "mean",
            "num_frames": 4,
            "embed_dim": 32,
            "depth": 2,
            "num_heads": 2,
        },
        "train": {
            "epochs": 2,
            "batch_size": 4,
            "workers": 0,
            "threads": 1,
            "optimizer": {"lr": 0.002},
            "log": {"every_steps": 1, "tensorboard": False},
            **train,
        },
        "evaluate": {"replicates": 100},
    }
