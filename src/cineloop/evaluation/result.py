"""What an evaluation found: plain results, which pages and files are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cineloop.errors import EvaluationError
from cineloop.evaluation.bands import CurveBands
from cineloop.evaluation.calibration import Calibration
from cineloop.evaluation.comparison import Comparison
from cineloop.evaluation.intervals import TWO_SIDED, Estimate, find
from cineloop.evaluation.metrics import METRICS
from cineloop.evaluation.pooling import Spread
from cineloop.evaluation.predictions import UNKNOWN, FloatArray, IntArray, Predictions
from cineloop.evaluation.schema import EvaluateSection
from cineloop.evaluation.subgroups import SubgroupTable
from cineloop.evaluation.thresholds import OperatingPoint, Threshold
from cineloop.report.charts import Panel
from cineloop.report.epochs import EpochConfusion
from cineloop.report.gallery import FrameStrip
from cineloop.video.records import SampleRecord

if TYPE_CHECKING:
    from cineloop.evaluation.examples_page import Shown
    from cineloop.evaluation.missed import Missed
    from cineloop.evaluation.questions import Answer

SCHEMA = 1


@dataclass(frozen=True)
class ClassCurve:
    """The curves of one class against the rest."""

    label: str
    bands: CurveBands


@dataclass(frozen=True)
class Mistake:
    """An item decided wrongly.

    Attributes:
        row: Its row in the evaluation's predictions.
        id: Its name.
        path: Where it was read from, or None.
        true: Its class.
        decided: The class decided.
        probability: The probability of the decided class.
    """

    row: int
    id: str
    path: str | None
    true: str
    decided: str
    probability: float

    def strip(self, frames: npt.NDArray[np.uint8], captions: Sequence[str] = ()) -> FrameStrip:
        """Return the item's frames for a gallery.

        Args:
            frames: What the model saw, uint8 RGB [T, H, W, 3].
            captions: A few words below each frame, [T] or empty.
        """
        detail = f"{self.true}, decided {self.decided} with probability {self.probability:.3f}"
        return FrameStrip(self.id, frames, tuple(captions), detail, "bad")


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """What a set of predictions is worth.

    Attributes:
        predictions: All items, a binary problem's positive class last.
        config: How it was evaluated.
        cohort: The cohort's name.
        split: The split's name.
        estimates: Every figure with its interval: overall first, then each class against the rest.
        threshold: Of a binary problem; None with more classes, where the most probable one is decided.
        decided: The class decided for each item, int64 [N].
        confusion: float64 [K, K], row = true class, column = decided class.
        curves: ROC and precision-recall: of the positive class, or of each class that has items.
        operating_points: What thresholds at a fixed rate achieve.
        calibration: How far probabilities can be taken at their word.
        subgroups: Figures by attribute.
        comparison: With another model on the same items.
        spread: Over seeds or folds.
        spread_over: What the models of the spread are: ``seeds`` or ``folds``.
        warnings: What a reader must know before believing a figure.
        watermark: The reason for a leak that was allowed, printed on every figure; None where there is none.
    """

    predictions: Predictions
    config: EvaluateSection
    cohort: str
    split: str
    estimates: tuple[Estimate, ...]
    threshold: Threshold | None
    decided: IntArray
    confusion: FloatArray
    curves: tuple[ClassCurve, ...]
    operating_points: tuple[OperatingPoint, ...]
    calibration: Calibration
    subgroups: tuple[SubgroupTable, ...]
    comparison: Comparison | None = None
    spread: tuple[Spread, ...] = ()
    spread_over: str = "seeds"
    warnings: tuple[str, ...] = ()
    watermark: str | None = None

    @property
    def headline(self) -> tuple[Estimate, ...]:
        """The figures that are not about one class of several."""
        return tuple(one for one in self.estimates if one.key.label is None)

    def __getitem__(self, metric: str) -> Estimate:
        """Return the overall estimate of a metric.

        Raises:
            EvaluationError: This evaluation has no such figure.
        """
        found = find(self.estimates, metric)
        if found is None:
            known = ", ".join(one.key.metric for one in self.headline)
            raise EvaluationError(f"This evaluation has no figure {metric!r}", mend=f"It has: {known}.")
        return found

    def sureness(self) -> FloatArray:
        """Return how sure each decision was, float64 [N]: the probability of the decided class.

        With a threshold it is how far beyond it, as a share of the way, as 0.5 is then not the middle.
        """
        p = self.predictions
        sure: FloatArray = p.probabilities[np.arange(len(p)), self.decided]
        if self.threshold is not None:
            span = np.where(self.decided == 1, 1 - self.threshold.value, self.threshold.value)
            least = np.where(self.decided == 1, self.threshold.value, 1 - self.threshold.value)
            sure = (sure - least) / np.maximum(span, 1e-12)
        return sure

    def mistakes(self, most: int = 12) -> tuple[Mistake, ...]:
        """Return the items that were decided wrongly, those that were most certain first."""
        p = self.predictions
        wrong = np.flatnonzero((p.targets != UNKNOWN) & (self.decided != p.targets))
        chosen = wrong[np.argsort(-self.sureness()[wrong], kind="stable")[:most]]
        return tuple(
            Mistake(
                row=int(row),
                id=p.ids[row],
                path=p.paths[row] if p.paths else None,
                true=p.classes[p.targets[row]],
                decided=p.classes[self.decided[row]],
                probability=float(p.probabilities[row, self.decided[row]]),
            )
            for row in chosen
        )

    def to_json(self) -> dict[str, Any]:
        """Return what ``metrics.json`` holds, as plain data."""
        p = self.predictions
        known = p.known()
        return {
            "schema": SCHEMA,
            "kind": "classification",
            "cohort": self.cohort,
            "split": self.split,
            "n_items": len(known),
            "n_unknown": len(p) - len(known),
            "n_patients": known.n_clusters,
            "patients_known": p.identity_known,
            "classes": [
                {
                    "name": name,
                    "n_items": int((known.targets == index).sum()),
                    "n_patients": len(np.unique(known.cluster_index[known.targets == index])),
                }
                for index, name in enumerate(p.classes)
            ],
            "positive": p.classes[1] if len(p.classes) == 2 else None,
            "warnings": list(self.warnings),
            "watermark": self.watermark,
            "threshold": self.threshold.to_json() if self.threshold is not None else None,
            "intervals": {
                "method": self.config.interval,
                "unit": "patient",
                "replicates": self.config.replicates,
                "confidence": self.config.confidence,
                "sides": TWO_SIDED,
                "seed": self.config.seed,
            },
            "headline": {one.key.metric: one.to_json() for one in self.headline},
            "per_class": [one.to_json() for one in self.estimates if one.key.label is not None],
            "confusion": self.confusion.astype(int).tolist(),
            "operating_points": [point.to_json() for point in self.operating_points],
            "calibration": self.calibration.to_json(),
            "subgroups": [table.to_json() for table in self.subgroups],
            "comparison": self.comparison.to_json() if self.comparison is not None else None,
            "spread": {"over": self.spread_over, "figures": [one.to_json() for one in self.spread]}
            if self.spread
            else None,
            "definitions": {one.key.metric: METRICS[one.key.metric].definition for one in self.headline}
            | {one.key.metric: METRICS[one.key.metric].definition for one in self.estimates},
        }

    def write(
        self,
        folder: Path,
        *,
        title: str | None = None,
        subtitle: str = "",
        gallery: Sequence[FrameStrip] = (),
        training: Sequence[Panel] = (),
        epochs: Sequence[EpochConfusion] = (),
        examples: Sequence[Shown] = (),
        provenance: Mapping[str, str] | None = None,
        answers: Sequence[Answer] = (),
        missed: Missed | None = None,
        extras: Mapping[str, Any] | None = None,
        records: Sequence[SampleRecord] = (),
        salt: str | None = None,
        plain: bool = False,
    ) -> Path:
        """Write the evaluation as a folder, which appears whole or not at all and replaces one of the same name.

        The folder holds ``metrics.json``, ``predictions.parquet`` and ``.csv``, ``figures/`` and ``report.html``, and
        with examples ``examples.html``; each of ``answers`` stands in a folder of its own in it.

        Args:
            folder: By convention ``RUN/evaluation/<cohort>/<split>``.
            title: Of the page; the cohort and split by default.
            subtitle: Of the page: which model.
            gallery: Frames of the worst :meth:`mistakes`.
            training: Curves of the training that made the model.
            epochs: What its epochs decided on validation.
            examples: Items of every cell of the confusion matrix, with their frames.
            provenance: Fingerprints, versions and commits for the page's footer and ``metrics.json``.
            answers: Questions that the model answers besides its classes.
            missed: What was missed of the positive class, where items are frames of recordings.
            extras: Further figures for ``metrics.json``, as plain data by name.
            records: Which frames were decoded for the predictions; written as ``samples.parquet``.
            salt: The secret behind the pseudonyms of items and patients; None means this machine's.
            plain: Write items, their paths and patients as they are.

        Returns:
            ``folder``.
        """
        from cineloop.evaluation.folder import write_folder

        return write_folder(
            self,
            folder,
            title=title,
            subtitle=subtitle,
            gallery=gallery,
            training=training,
            epochs=epochs,
            examples=examples,
            provenance=provenance or {},
            answers=answers,
            missed=missed,
            extras=extras,
            records=records,
            salt=salt,
            plain=plain,
        )
