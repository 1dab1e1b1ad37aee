"""Of which model an audit of blanking is, and when it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cineloop._version import __version__
from cineloop.analysis.models import Model
from cineloop.report.html import Fact


@dataclass(frozen=True, kw_only=True)
class AuditFacts:
    """Where the figures of an audit come from.

    Attributes:
        run: Name of the model's run; None for weights or exports alone.
        architecture: Its registered name.
        weights_sha256: Over its tensors.
        corpus: Fingerprint of the cohort that it was trained on; None where unknown.
        thresholds: From which probability on is decided.
        tuned: Whether they were chosen on validation.
        made: When, ISO 8601, UTC.
        version: Of Cineloop.
    """

    run: str | None
    architecture: str
    weights_sha256: str
    corpus: str | None
    thresholds: Mapping[str, float]
    tuned: bool
    made: str
    version: str = __version__

    @classmethod
    def of(cls, model: Model, *, made: str) -> AuditFacts:
        """Return the facts of a model."""
        run, passport = model.loaded.run, model.loaded.passport
        return cls(
            run=None if run is None else run.name,
            architecture=passport.architecture,
            weights_sha256=passport.sha256,
            corpus=passport.corpus,
            thresholds=dict(model.thresholds),
            tuned=model.tuned,
            made=made,
        )

    def facts(self) -> tuple[Fact, ...]:
        """Return them for a page."""
        thresholds = ", ".join(f"{name} ≥ {value:g}" for name, value in self.thresholds.items())
        return (
            Fact("Run", self.run or "weights alone"),
            Fact("Architecture", self.architecture),
            Fact("Threshold", f"{thresholds}, {'tuned on validation' if self.tuned else 'untuned'}"),
            Fact("Weights SHA-256", self.weights_sha256),
            Fact("Training cohort", self.corpus or "unknown"),
        )

    def to_json(self) -> dict[str, Any]:
        """Return them as plain data."""
        names = ("run", "architecture", "weights_sha256", "corpus", "thresholds", "tuned")
        return {
            "software": {"cineloop": self.version},
            "made": self.made,
            "model": {name: getattr(self, name) for name in names},
        }
