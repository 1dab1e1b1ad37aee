"""What an evaluation decided at is what predictions are decided at."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from cineloop.evaluation.evaluation import evaluate
from cineloop.evaluation.schema import EvaluateSection, ThresholdRule
from cineloop.inference.answer import Decision
from cineloop.inference.measured import chosen_threshold
from made_predictions import binary, made

USELESS = binary([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0], clusters=["v0", "v1", "v2", "v3"])


@pytest.mark.parametrize(
    ("validation", "rule", "source"),
    [
        (made(1, prefix="v", classes=("no", "yes")), ThresholdRule(), "validation"),
        (USELESS, ThresholdRule(rule="sensitivity", at=0.99), "untuned"),
        (None, ThresholdRule(), "untuned"),
        (USELESS, ThresholdRule(rule="fixed", at=0.05), "fixed"),
    ],
)
def test_predict_decides_where_evaluate_did(tmp_path, validation, rule, source):
    test = made(0, classes=("no", "yes"))
    config = EvaluateSection(replicates=100, threshold=rule, figures="none")
    judged = evaluate(test, validation=validation, config=config)
    judged.write(tmp_path / "test", salt="s")
    assert json.loads((tmp_path / "test" / "metrics.json").read_text())["threshold"]["source"] == source
    run = SimpleNamespace(
        ledger=lambda: {"cohort": {"name": "cohort"}}, evaluation=lambda cohort, split: tmp_path / split
    )
    decision = Decision.of(test.classes, None, chosen_threshold(SimpleNamespace(run=run, thresholds={})))
    assert decision.threshold == judged.threshold.value
    assert (decision.source == "untuned") == (source == "untuned")
    assert any("untuned" in warning for warning in judged.warnings) == (source == "untuned")
