"""Questions are asked of whom they concern; the published figures are what a plain loop counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from cineloop.cohort.item import Item
from cineloop.tasks.frame_classification.labels import CODES, KNOWN, Colonoscopy
from cineloop.tasks.frame_classification.metrics import metric_names, metrics_of
from cineloop.tasks.frame_classification.published import VALIDATION, final_figures, validation_figures
from cineloop.tasks.frame_classification.questions import questions
from cineloop.tasks.frame_classification.schema import FrameEvaluate
from cineloop.tasks.frame_classification.scoring import predictions_of
from cineloop.tasks.scoring import Scores


def judged(seed=0, count=300, unscored=True):
    """Return predictions of random logits that know a little of the truth, and their items."""
    rng = np.random.default_rng(seed)
    states = rng.integers(len(KNOWN) if unscored else len(KNOWN) - 2, size=count)
    logits = rng.normal(0, 1.5, (count, 7)) + 2 * (CODES[states] - 0.5)
    items = [
        Item(f"i{place}", f"i{place}", None, f"P{place % 9}", f"P{place % 9}", KNOWN[state], int(state), None, None, 1)
        for place, state in enumerate(states)
    ]
    probabilities, outputs = Colonoscopy().scores(logits)
    scores = Scores(probabilities=dict(enumerate(probabilities)), outputs=dict(enumerate(outputs)))
    return predictions_of(items, scores, Colonoscopy(), identity_known=True), items, CODES[states], logits


def test_each_question_is_asked_of_whom_it_concerns():
    predictions, items, codes, logits = judged()
    found = {question.name: question.predictions for question in questions(predictions, items)}
    inside, readable = codes[:, 0] == 0, codes[:, :2].sum(1) == 0
    scored = readable & (codes[:, 3:].sum(1) == 1)
    asked = {"outside": np.ones(len(codes), bool), "nonsense": inside, "ileocecal": readable, "bbps": scored}
    assert {name: len(one) for name, one in found.items()} == {name: mask.sum() for name, mask in asked.items()}
    for column, name in enumerate(("outside", "nonsense", "ileocecal")):
        mask = asked[name]
        expected = roc_auc_score(codes[mask, column], logits[mask, column])
        assert roc_auc_score(found[name].targets, found[name].probabilities[:, 1]) == pytest.approx(expected)
    np.testing.assert_array_equal(found["bbps"].probabilities.argmax(1), logits[scored, 3:].argmax(1))


def test_validation_measures_states_and_questions():
    predictions, items, codes, logits = judged()
    evaluate = FrameEvaluate(published=True)
    found = metrics_of(predictions, items, Colonoscopy(), evaluate)
    assert set(found) == set(metric_names(Colonoscopy(), evaluate))
    scored = (codes[:, :2].sum(1) == 0) & (codes[:, 3:].sum(1) == 1)
    kappa = cohen_kappa_score(codes[scored, 3:].argmax(1), logits[scored, 3:].argmax(1), weights="quadratic")
    assert found["bbps_quadratic_kappa"] == pytest.approx(kappa)
    leading = ("outside_auroc", "nonsense_auroc", "ileocecal_auroc", "bbps_quadratic_kappa")
    assert found["quality"] == pytest.approx(np.mean([found[name] for name in leading]))


def test_states_without_a_score_are_predicted_but_not_judged():
    predictions, _, codes, _ = judged()
    unscored = (codes[:, :2].sum(1) == 0) & (codes[:, 3:].sum(1) == 0)
    assert unscored.any()
    np.testing.assert_array_equal(predictions.targets == -1, unscored)


def counted(outputs, codes, threshold=0.5):
    """Count as the published tool does, sample by sample."""
    tally = {name: [0, 0, 0, 0] for name in ("outside", "nonsense", "ileocecal", "low")}
    right = bits = matrix_right = matrix = 0

    def count(name, said, true):
        tally[name][(0 if true else 1) if said else (2 if true else 3)] += 1

    for output, code in zip(outputs, codes, strict=True):
        said, true = [p >= threshold for p in output], [c >= threshold for c in code]
        right += sum(a == b for a, b in zip(said, true, strict=True))
        bits += 7
        count("outside", said[0], true[0])
        if said[0] or true[0]:
            continue
        count("nonsense", said[1], true[1])
        if said[1] or true[1]:
            continue
        count("ileocecal", said[2], true[2])
        score, truth = int(np.argmax(output[3:])), int(np.argmax(code[3:]))
        matrix += 1
        matrix_right += score == truth
        count("low", score < 2, truth < 2)

    def accuracy(name):
        tp, fp, fn, tn = tally[name]
        total = tp + fp + fn + tn
        return (tp + tn) / total if total else 0.0

    tp, fp, _, _ = tally["ileocecal"]
    return {
        "thresh_mean_acc": right / bits,
        "label_outside_acc": accuracy("outside"),
        "label_nonsense_acc": accuracy("nonsense"),
        "label_ileocecal_prec": tp / (tp + fp) if tp + fp else 0.0,
        "label_ileocecal_acc": accuracy("ileocecal"),
        "label_cleansing_acc": matrix_right / matrix if matrix else 0.0,
        "label_cleansing_biclassify_acc": accuracy("low"),
    }


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=80, deadline=None)
def test_published_figures_are_what_a_loop_counts(seed, count):
    predictions, _, codes, _ = judged(seed, count, unscored=False)
    assert final_figures(predictions.outputs, codes) == pytest.approx(counted(predictions.outputs, codes))


def test_the_gate_is_strict_and_on_both():
    predictions, _, codes, _ = judged(3)
    plain = final_figures(predictions.outputs, codes)
    outside, nonsense = plain["label_outside_acc"], plain["label_nonsense_acc"]
    open_gate = {"outside_gate": outside - 1e-9, "nonsense_gate": nonsense - 1e-9}
    for gate, passes in (
        (open_gate, True),
        ({**open_gate, "outside_gate": outside}, False),
        ({**open_gate, "nonsense_gate": nonsense}, False),
    ):
        found = validation_figures(predictions.outputs, codes, **gate)
        assert set(found) == set(VALIDATION)
        for name in ("label_ileocecal_acc", "label_cleansing_acc"):
            assert found[f"{name}_nothresh"] == plain[name] > 0
            assert found[f"{name}_thresh"] == (plain[name] if passes else 0.0)
