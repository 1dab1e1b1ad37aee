"""Shortcuts: what a reader would score that does not look for lesions. A phantom that they solve teaches nothing.

Each is trained on the training videos and scored on the test videos, like a model. They read the same files.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from cineloop.errors import CohortError
from cineloop.phantom.shortcuts import SIDE, Features, colour_histogram, pixels_and_edges
from cineloop.progress import Progress, silent, stage
from cineloop.video.reader import Video

_FRAMES = 8


@dataclass(frozen=True)
class BaselineResult:
    """What a shortcut scores.

    Attributes:
        name: The shortcut.
        auroc: On the test videos.
        train: Videos it was trained on.
        test: Videos it was scored on.
    """

    name: str
    auroc: float
    train: int
    test: int


@dataclass(frozen=True)
class _Seen:
    """What the shortcuts know of one video: frames uint8 [8, S, S, 3], and facts about the file."""

    frames: NDArray[np.uint8]
    facts: Features
    label: int


def _look(path: Path, label: int) -> _Seen:
    with Video(path, threads=1) as video:
        indices = np.linspace(0, len(video) - 1, _FRAMES).round().astype(int).tolist()
        frames = video.frames(indices, size=(SIDE, SIDE)).pixels
        info, size = video.info, path.stat().st_size
        fps = float(info.fps or 0)
        facts = [size, size / len(video), len(video), fps, len(video) / max(fps, 1), info.width, info.height]
    return _Seen(frames, np.array(facts, dtype=np.float64), label)


def _histogram(seen: _Seen) -> Features:
    return colour_histogram(seen.frames)


def _middle_frame(seen: _Seen) -> Features:
    return pixels_and_edges(seen.frames[_FRAMES // 2])


def _motion(seen: _Seen) -> Features:
    """How much each part of the picture changes, and the mean picture."""
    grey = seen.frames.astype(np.float64).mean(3) / 255
    change = np.abs(np.diff(grey, axis=0)).mean(0).reshape(8, SIDE // 8, 8, SIDE // 8).mean((1, 3))
    mean = grey.mean(0).reshape(8, SIDE // 8, 8, SIDE // 8).mean((1, 3))
    return np.concatenate([change.ravel(), mean.ravel(), [grey.std(), np.abs(np.diff(grey, axis=0)).mean()]])


def _facts(seen: _Seen) -> Features:
    """File size, bit rate, length, rate, width and height."""
    return np.asarray(np.log1p(seen.facts))


def _linear(components: int | None) -> Pipeline:
    steps: list[object] = [StandardScaler()]
    if components is not None:
        steps.append(PCA(components, random_state=0))
    steps.append(GridSearchCV(LogisticRegression(max_iter=1000), {"C": np.logspace(-4, 1, 6)}, cv=4, scoring="roc_auc"))
    return make_pipeline(*steps)


_BASELINES: tuple[tuple[str, Callable[[_Seen], Features], int | None], ...] = (
    ("colour histogram", _histogram, 40),
    ("middle frame", _middle_frame, 40),
    ("motion and mean frame", _motion, None),
    ("file and format", _facts, None),
)


def _read(root: Path, split: str, progress: Progress) -> list[_Seen]:
    path = root / "splits" / f"{split}.txt"
    try:
        rows = [line.rsplit(",", 1) for line in path.read_text(encoding="utf-8").split()]
    except OSError:
        raise CohortError(
            "There is no phantom here", where=path, mend="Name a folder that was written by it."
        ) from None
    with stage(progress, len(rows), f"looking at {split}") as told, ThreadPoolExecutor(2) as pool:
        seen = []
        for one in pool.map(lambda row: _look(root / "videos" / row[0], int(row[1])), rows):
            seen.append(one)
            told.advance()
    return seen


def run_baselines(root: str | Path, *, progress: Progress = silent) -> list[BaselineResult]:
    """Train every shortcut on the training videos of a phantom and score it on the test videos.

    Args:
        root: The folder of a phantom, or of any ``endofm`` layout with labels 0 and 1.
        progress: Told about every video.

    Raises:
        CohortError: The folder has no splits.
        VideoError: A video cannot be read.
    """
    train, test = (_read(Path(root), split, progress) for split in ("train", "test"))
    y_train, y_test = (np.array([seen.label for seen in part]) for part in (train, test))
    majority = DummyClassifier(strategy="prior").fit(np.zeros((len(train), 1)), y_train)
    scores = {"majority": majority.predict_proba(np.zeros((len(test), 1)))[:, 1]}
    for name, features, components in _BASELINES:
        x_train, x_test = (np.stack([features(seen) for seen in part]) for part in (train, test))
        kept = None if components is None else min(components, len(train) // 2, x_train.shape[1])
        scores[name] = _linear(kept).fit(x_train, y_train).predict_proba(x_test)[:, 1]
    return [
        BaselineResult(name, float(roc_auc_score(y_test, score)), len(train), len(test))
        for name, score in scores.items()
    ]
