"""Shortcuts on phantom procedures: what a reader of frames would score that does not look at what they show.

Each is trained on the listed frames of the training split and judged on those of the test split, like a model, question
by question.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cineloop.errors import CohortError
from cineloop.evaluation.intervals import estimate
from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.scorer import Scorer
from cineloop.phantom.shortcuts import SIDE, Features, colour_histogram, pixels_and_edges
from cineloop.progress import Progress, silent, stage
from cineloop.timeline.quality import SCORES
from cineloop.video.reader import Video

INDEX = "frames.csv"
_STEPS = 16
_FOLDS = 3


@dataclass(frozen=True)
class FrameBaseline:
    """What a shortcut scores on a question.

    Attributes:
        question: ``outside``, ``nonsense``, ``ileocecal`` or ``bbps``.
        name: The shortcut.
        metric: ``auroc``, or ``quadratic_kappa`` for ``bbps``.
        value: On the test frames.
        low: Lower end of its 95% interval over patients; None where there is none.
        high: Upper end.
        train: Frames that it was trained on.
        test: Frames that it was judged on.
    """

    question: str
    name: str
    metric: str
    value: float
    low: float | None
    high: float | None
    train: int
    test: int


@dataclass(frozen=True)
class _Frames:
    """The listed frames of a split.

    Attributes:
        states: ``[N]`` their names.
        patients: ``[N]`` whose they are.
        features: What each shortcut sees, ``[N, F]``, by its name.
    """

    states: NDArray[np.str_]
    patients: NDArray[np.str_]
    features: dict[str, Features]


@dataclass(frozen=True)
class _Question:
    """A question and the frames that it is asked of.

    Attributes:
        name: Its name.
        classes: The answers.
        asked: Of which states.
        answer: The index of the true answer for a state.
    """

    name: str
    classes: tuple[str, ...]
    asked: Callable[[str], bool]
    answer: Callable[[str], int]

    @property
    def metric(self) -> str:
        """What it is judged by."""
        return "auroc" if len(self.classes) == 2 else "quadratic_kappa"


def _readable(state: str) -> bool:
    return state not in ("outside", "nonsense")


_QUESTIONS = (
    _Question("outside", ("inside", "outside"), lambda state: True, lambda state: int(state == "outside")),
    _Question("nonsense", ("readable", "nonsense"), lambda state: state != "outside", lambda s: int(s == "nonsense")),
    _Question("ileocecal", ("elsewhere", "ileocecal"), _readable, lambda state: int("ileocecal" in state)),
    _Question("bbps", SCORES, _readable, lambda state: SCORES.index(state.split()[-1])),
)


def _place(seconds: Features, duration: float) -> Features:
    """Return where frames stand in their video: how far, how long since the start and how long to the end, in steps."""
    ways = (seconds / duration, seconds / 120, (duration - seconds) / 120)
    steps = [np.minimum((way * _STEPS).astype(np.int64), _STEPS - 1) for way in ways]
    return np.concatenate([np.eye(_STEPS)[step] for step in steps], axis=1)


def _look(path: Path, frames: list[int]) -> dict[str, Features]:
    """Return what the shortcuts see of the listed frames of a video, ``[n, F]`` by name."""
    with Video(path, threads=1) as video:
        pictures = video.frames(frames, size=(SIDE, SIDE)).pixels
        info, size, total = video.info, path.stat().st_size, len(video)
    rate = float(info.fps or 1)
    facts = np.log1p([size, size / total, total, rate, total / rate, info.width, info.height])
    return {
        "colour histogram": np.stack([colour_histogram(picture) for picture in pictures]),
        "pixels and edges": np.stack([pixels_and_edges(picture) for picture in pictures]),
        "place in the video": _place(np.asarray(frames) / rate, total / rate),
        "file and format": np.broadcast_to(facts, (len(frames), len(facts))),
    }


def _read(root: Path, split: str, progress: Progress) -> _Frames:
    path = root / INDEX
    if not path.is_file():
        raise CohortError(
            "There are no phantom procedures here", where=path, mend="Name a folder that was written by it."
        )
    rows = pl.read_csv(path).filter(pl.col("split") == split)
    videos = list(_videos(rows))
    seen = []
    with stage(progress, len(videos), f"looking at {split}") as told:
        for name, frames in videos:
            seen.append(_look(root / name, frames))
            told.advance()
    features = {name: np.concatenate([one[name] for one in seen]) for name in seen[0]} if seen else {}
    return _Frames(rows["label"].to_numpy().astype(str), rows["patient"].to_numpy().astype(str), features)


def _videos(rows: pl.DataFrame) -> Iterator[tuple[str, list[int]]]:
    for (name,), part in rows.group_by("path", maintain_order=True):
        yield str(name), part["frame"].to_list()


def _fitted(x: Features, y: NDArray[np.int64], patients: NDArray[np.str_], wanted: Features) -> Features:
    """Return the probabilities of the classes for ``wanted``, by a logistic regression whose strength is chosen."""
    search = GridSearchCV(
        LogisticRegression(max_iter=300), {"C": [1e-4, 1e-3, 1e-2, 1e-1]}, cv=GroupKFold(_FOLDS), scoring="neg_log_loss"
    )
    model = make_pipeline(StandardScaler(), search)
    with warnings.catch_warnings():
        # Stopped early is as good a shortcut.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y, gridsearchcv__groups=patients)
    found: Features = model.predict_proba(wanted)
    return found


def run_frame_baselines(root: str | Path, *, progress: Progress = silent) -> list[FrameBaseline]:
    """Train every shortcut on the listed training frames of phantom procedures and judge it on the test frames.

    Args:
        root: The folder of phantom procedures.
        progress: Told about every video, and every shortcut.

    Raises:
        CohortError: The folder has no index of frames, or a split lacks a class.
        VideoError: A video cannot be read.
    """
    train, test = (_read(Path(root), split, progress) for split in ("train", "test"))
    found = []
    with stage(progress, len(_QUESTIONS) * (len(train.features) + 1), "trying shortcuts") as told:
        for question in _QUESTIONS:
            rows = [np.array([question.asked(state) for state in part.states], dtype=bool) for part in (train, test)]
            y, true = (
                np.array([question.answer(state) for state in part.states[kept]], dtype=np.int64)
                for part, kept in zip((train, test), rows, strict=True)
            )
            if any(len(np.unique(part)) < len(question.classes) for part in (y, true)):
                raise CohortError(
                    f"Not every answer to the question {question.name!r} is among the training and the test frames",
                    where=root,
                    mend="Write more patients.",
                )
            guess = DummyClassifier(strategy="prior").fit(np.zeros((len(y), 1)), y)
            scores = {"majority": guess.predict_proba(np.zeros((len(true), 1)))}
            told.advance()
            for name in train.features:
                seen = train.features[name][rows[0]], y, train.patients[rows[0]]
                scores[name] = _fitted(*seen, test.features[name][rows[1]])
                told.advance()
            whose = tuple(test.patients[rows[1]].tolist())
            found += [_judged(question, name, score, true, whose, len(y)) for name, score in scores.items()]
    return found


def _judged(
    question: _Question, name: str, score: Features, true: NDArray[np.int64], patients: tuple[str, ...], train: int
) -> FrameBaseline:
    predictions = Predictions(
        ids=tuple(str(number) for number in range(len(true))),
        clusters=patients,
        targets=true,
        probabilities=score,
        classes=question.classes,
    )
    ordinal = question.metric == "quadratic_kappa"
    scorer = Scorer(predictions, metrics=(question.metric,), per_class=False, ordinal=ordinal)
    (result,) = estimate(scorer)
    value = 0.0 if result.value is None else result.value
    return FrameBaseline(question.name, name, question.metric, value, result.low, result.high, train, len(true))
