"""What surrounds a prediction: which model gave it, how it was decided, and what a reader must know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from cineloop import files
from cineloop._version import __version__
from cineloop.inference.load import Loaded
from cineloop.inference.rows import Row, write_rows
from cineloop.report.furniture import DISCLAIMER

SCHEMA = 1


@dataclass(frozen=True)
class Decision:
    """How a class was decided.

    Attributes:
        threshold: Of a binary problem, on the probability of ``positive``; None where the most probable is decided.
        positive: The class that the threshold is for.
        source: ``validation`` where the run's evaluation chose it there, ``given`` by the user, or ``untuned``: 0.5.
        questions: Thresholds of the questions that the model answers besides its classes, chosen on validation.
    """

    threshold: float | None
    positive: str | None
    source: Literal["validation", "given", "untuned"] | None
    questions: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        classes: tuple[str, ...],
        given: float | None,
        chosen: float | None,
        *,
        questions: Mapping[str, float] | None = None,
    ) -> Decision:
        """Return how items of these classes are decided.

        Args:
            classes: Of two, the positive one last.
            given: The user's threshold.
            chosen: The one of the run's evaluation.
            questions: Those of its questions.
        """
        if len(classes) != 2:
            return cls(None, None, None, questions or {})
        if given is not None:
            return cls(given, classes[1], "given")
        return cls(0.5, classes[1], "untuned") if chosen is None else cls(chosen, classes[1], "validation")

    def plain(self) -> dict[str, Any] | None:
        """Return plain data; None for more than two classes."""
        if self.threshold is None:
            return None
        tuned = self.source == "validation"
        return {"value": self.threshold, "positive": self.positive, "source": self.source, "tuned": tuned}


@dataclass(frozen=True)
class Context:
    """What holds for all predictions of one call.

    Attributes:
        architecture: The model's registered name.
        weights_sha256: Over the tensors, as ``cineloop weights inspect`` prints it.
        corpus: Fingerprint of the cohort that it was trained on, None where unknown.
        run: The run's name, None for a weights file alone.
        decision: How classes were decided.
        warnings: What a reader must know.
    """

    architecture: str
    weights_sha256: str
    corpus: str | None
    run: str | None
    decision: Decision
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, loaded: Loaded, decision: Decision) -> Context:
        """Return the context of a model's predictions."""
        warnings = [DISCLAIMER]
        if decision.source == "untuned":
            warnings.append("The threshold of 0.5 is untuned: no evaluation of this model chose one on validation.")
        leak = loaded.run.ledger()["cohort"]["allow_leakage"] if loaded.run is not None else None
        if leak:
            warnings.append(f"The model was trained on data that leaks: {leak}")
        passport = loaded.passport
        run = loaded.run.name if loaded.run is not None else None
        return cls(passport.architecture, passport.sha256, passport.corpus, run, decision, tuple(warnings))

    def plain(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "schema": SCHEMA,
            "software": {"name": "cineloop", "version": __version__},
            "model": {
                "architecture": self.architecture,
                "weights_sha256": self.weights_sha256,
                "corpus": self.corpus,
                "run": self.run,
            },
            "threshold": self.decision.plain(),
            **({"thresholds": dict(self.decision.questions)} if self.decision.questions else {}),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class Prediction:
    """What a model said about sources.

    Attributes:
        classes: The class names.
        rows: One an item.
        failed: Items that could not be read, with the reason, where failures were skipped.
        context: Which model said it, how it was decided, and what a reader must know.
    """

    classes: tuple[str, ...]
    rows: tuple[Row, ...]
    failed: tuple[tuple[str, str], ...]
    context: Context

    def plain(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            **self.context.plain(),
            "classes": list(self.classes),
            "rows": [row.plain(self.classes) for row in self.rows],
            "failed": [{"id": item, "reason": reason} for item, reason in self.failed],
        }

    def answers(self) -> list[dict[str, Any]]:
        """Return plain data of each item that is complete by itself."""
        return [{**row.plain(self.classes), **self.context.plain()} for row in self.rows]

    def write(self, path: Path) -> None:
        """Write a ``.json`` file of :meth:`answers`, or a table of the rows as ``.csv`` or ``.parquet``, atomically."""
        if path.suffix.lower() == ".json":
            files.write_json(path, self.answers())
        else:
            write_rows(self.rows, self.classes, path)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of what ``predict --json`` prints and ``predict --out FILE.json`` writes."""
    text = (resources.files("cineloop.inference") / "prediction.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
