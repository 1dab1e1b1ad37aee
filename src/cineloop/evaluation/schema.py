"""The recipe's ``evaluate`` section for classification."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from cineloop.evaluation.metrics import METRICS
from cineloop.schema import FigureFiles, Section, did_you_mean


class ThresholdRule(Section):
    """How the decision threshold of a binary problem is chosen, always on validation items.

    Attributes:
        rule: ``youden`` maximises sensitivity + specificity - 1; ``f1`` maximises F1; ``sensitivity`` and
            ``specificity`` reach at least ``at`` and lose as little as possible of the other; ``fixed`` is ``at``.
        at: The rate to reach, or the fixed threshold, in [0, 1].
    """

    rule: Literal["youden", "f1", "sensitivity", "specificity", "fixed"] = "youden"
    at: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _at_where_needed(self) -> ThresholdRule:
        needed = self.rule in ("sensitivity", "specificity", "fixed")
        if needed and self.at is None:
            raise ValueError(f"the rule {self.rule!r} needs 'at', a number from 0 to 1")
        if not needed and self.at is not None:
            raise ValueError(f"the rule {self.rule!r} takes no 'at'")
        return self

    @property
    def title(self) -> str:
        """How a page names the rule."""
        if self.rule == "youden":
            return "Youden's J"
        if self.rule == "f1":
            return "largest F1"
        if self.rule == "fixed":
            return "fixed"
        return f"{self.rule} ≥ {self.at:g}"


class OperatingRule(ThresholdRule):
    """An operating point to report beside the headline: a sensitivity or specificity to reach.

    Attributes:
        rule: The rate that is fixed.
        at: How much of it to reach, in [0, 1].
    """

    rule: Literal["sensitivity", "specificity"] = "sensitivity"


class EvaluateSection(Section):
    """How predictions are turned into figures.

    Attributes:
        positive: The positive class of a binary problem; the last by default.
        selection: The metric that a report leads with; what training selects by is ``train.select``.
        threshold: How the decision threshold is chosen on validation.
        operating_points: Further thresholds whose figures are reported.
        replicates: Bootstrap replicates of each interval.
        interval: ``percentile``, or ``bca`` (bias-corrected and accelerated, slower).
        confidence: The share of an interval.
        seed: Of the bootstrap.
        bins: Of the calibration errors and the reliability curve.
        ordinal: The classes are ordered; adds quadratic kappa.
        subgroups: Attributes to break the figures down by; null means every one that is known.
        subgroup_patients: A subgroup of fewer patients gets counts and no figures.
        worst: How many of the worst mistakes the report shows.
        examples: How many items of each cell of the confusion matrix ``examples.html`` shows, right and wrong.
        example_files: How many of these become a picture file.
        figures: As what ``figures/`` are written: ``svg``, ``png`` (200 dpi), ``both`` or ``none``.
        after_training: Splits judged as soon as training ends, where the cohort has them.
    """

    positive: str | None = None
    selection: str = "auroc"
    threshold: ThresholdRule = ThresholdRule()
    operating_points: tuple[OperatingRule, ...] = (
        OperatingRule(rule="sensitivity", at=0.95),
        OperatingRule(rule="specificity", at=0.95),
    )
    replicates: int = Field(default=1000, ge=100, le=100_000)
    interval: Literal["percentile", "bca"] = "percentile"
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    seed: int = Field(default=0, ge=0)
    bins: int = Field(default=10, ge=2, le=100)
    ordinal: bool = False
    subgroups: tuple[str, ...] | None = None
    subgroup_patients: int = Field(default=10, ge=2)
    worst: int = Field(default=12, ge=0, le=100)
    examples: int = Field(default=3, ge=0, le=20)
    example_files: int = Field(default=4, ge=0, le=60)
    figures: FigureFiles = "svg"
    after_training: tuple[str, ...] = ("test",)

    @field_validator("selection")
    @classmethod
    def _known_metric(cls, value: str) -> str:
        if value not in METRICS:
            raise ValueError(f"unknown metric {value!r}; {did_you_mean(value, METRICS)}")
        return value
