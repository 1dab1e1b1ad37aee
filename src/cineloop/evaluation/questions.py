"""Questions that one model answers besides its classes, each judged by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.result import Evaluation


@dataclass(frozen=True)
class Question:
    """A question, asked of some of the items.

    Attributes:
        name: For folders and metrics: ``outside``.
        title: In words.
        asked_of: Which items it is asked of, in words.
        predictions: The answers, with classes of their own.
        selection: The metric that its page leads with.
        ordinal: Its classes are ordered.
    """

    name: str
    title: str
    asked_of: str
    predictions: Predictions
    selection: str = "auroc"
    ordinal: bool = False


@dataclass(frozen=True)
class Answer:
    """A question, and how well it was answered."""

    question: Question
    evaluation: Evaluation

    def to_json(self) -> dict[str, Any]:
        """Return the headline figures with their intervals, and the threshold."""
        plain = self.evaluation.to_json()
        return {
            "title": self.question.title,
            "asked_of": self.question.asked_of,
            **{name: plain[name] for name in ("n_items", "n_patients", "threshold", "headline")},
        }
