"""Tables of samples for tests: small ones by hand, and a planned one of many videos that do not exist."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cineloop.cohort import tables
from cineloop.cohort.cohort import Cohort
from cineloop.report.sampling import Clip, Method, Sample, Samples
from cineloop.video.sampling import FrameSampler, RoundsConfig, SamplingConfig

MODES = ("uniform", "random", "random_window", "clip")


def made_cohort(count: int = 40, *, classes: tuple[str, ...] = ("normal", "polyp", "ulcer")) -> Cohort:
    """Return a cohort of videos that are told of and do not exist."""
    rng = np.random.default_rng(0)
    frames = np.maximum(5, rng.lognormal(6, 0.8, count).astype(int))
    fps = rng.choice([25.0, 29.97, 30.0, 50.0], count)
    splits = [("train", "val", "test")[min(max(number % 10 - 5, 0), 4) // 2] for number in range(count)]
    ids = [f"{split}/P{number // 3:03d}/clip{number:04d}.mp4" for number, split in enumerate(splits)]
    none = [None] * count
    labels = [classes[number % len(classes)] for number in range(count)]
    known = {"patient": [f"P{number // 3:03d}" for number in range(count)], "patient_known": [True] * count}
    known |= {"procedure": known["patient"], "procedure_known": known["patient_known"]}
    media = tables.make(
        tables.MEDIA,
        {
            "id": ids,
            "path": ids,
            "dataset": ["made"] * count,
            "sha256": [f"{number:064x}" for number in range(count)],
            "size": [1000] * count,
            "frames": frames.tolist(),
            "fps": fps.tolist(),
            "width": [640] * count,
            "height": [480] * count,
            "duration": (frames / fps).tolist(),
            "codec": ["h264"] * count,
            "truncated": [False] * count,
            "error": none,
            **dict.fromkeys(("site", "scope", "age", "sex"), none),
            **known,
        },
    )
    targets = [classes.index(label) for label in labels]
    items = {"id": ids, "media": ids, "start": none, "stop": none, "label": labels, "target": targets}
    divided = tables.make(tables.SPLITS, {"item": ids, "split": splits, "fold": none})
    return Cohort("made", Path("/nowhere"), classes, media, tables.make(tables.ITEMS, items), divided)


def method(mode: str, rounds: RoundsConfig | None = None, **config: object) -> Method:
    """Return a mode for every split, with rounds for training."""

    def sampler(split: str) -> FrameSampler:
        return FrameSampler(SamplingConfig(mode=mode, rounds=rounds if split == "train" else None, **config))

    return Method(mode, sampler)


def table(*rows: tuple[int, list[int]], method: str = "uniform") -> Samples:
    """Return a table of (frames of the video, sampled frames), a video a row, at 10 frames a second."""
    return Samples.of(
        Sample(Clip(f"v{number}", "train", total, step=0.1), method, tuple(indices))
        for number, (total, indices) in enumerate(rows)
    )
