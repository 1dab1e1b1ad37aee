from __future__ import annotations

import numpy as np

from cineloop.evaluation.evaluation import evaluate
from cineloop.evaluation.examples import Example, choose_examples
from cineloop.evaluation.examples_page import Shown, examples_page, probability_bars, write_pictures
from cineloop.evaluation.schema import EvaluateSection
from made_predictions import binary, made

QUICK = EvaluateSection(replicates=100)


def evaluated(**changes):
    return evaluate(made(0, classes=tuple("abc")), config=QUICK.model_copy(update=changes))


def cells(chosen):
    found = {}
    for one in chosen:
        found.setdefault((one.true, one.decided), []).append(one)
    return found


def test_each_cell_gives_its_surest_its_median_and_its_least_sure():
    found = evaluate(binary([0.1, 0.2, 0.3, 0.4, 0.45, 0.6, 0.9], [0] * 5 + [0, 1]), config=QUICK)
    chosen = cells(choose_examples(found, 3))
    assert [(one.row, one.place, one.of) for one in chosen[0, 0]] == [
        (0, "surest", 5), (2, "median", 5), (4, "least sure", 5)
    ]  # fmt: skip
    assert [(one.row, one.place) for one in chosen[0, 1]] == [(5, "surest")]
    assert [one.row for one in cells(choose_examples(found, 20))[0, 0]] == [0, 2, 4, 1, 3]


def test_cells_take_turns_and_mistakes_come_first():
    found = evaluated()
    chosen = choose_examples(found, 2)
    n_cells = int((found.confusion > 0).sum())
    first = [(one.true, one.decided) for one in chosen[:n_cells]]
    assert len(set(first)) == n_cells
    assert [true == decided for true, decided in first] == sorted(true == decided for true, decided in first)
    assert choose_examples(found, 2, most=5) == chosen[:5]
    assert len({one.row for one in chosen}) == len(chosen)
    assert choose_examples(found, 0) == ()
    for one in chosen:
        assert (found.predictions.targets[one.row], found.decided[one.row]) == (one.true, one.decided)


def test_many_classes_have_the_largest_bars_and_the_true_one():
    found = evaluate(made(0, classes=tuple("abcdefghij"), skill=0.0), config=QUICK)
    row = int(np.argmin(found.predictions.probabilities[np.arange(120), found.predictions.targets]))
    true, decided = int(found.predictions.targets[row]), int(found.decided[row])
    bars = probability_bars(found, Example(row, true, decided, "surest", 1))
    assert len(bars) == 6
    assert [bar.note for bar in bars if bar.note] == ["decided", "true"]
    assert [bar.share for bar in bars] == sorted((bar.share for bar in bars), reverse=True)


def test_large_frames_keep_the_page_within_its_budget(tmp_path, monkeypatch):
    found = evaluated(example_files=2)
    noise = np.random.default_rng(0).integers(0, 255, (8, 240, 320, 3), dtype=np.uint8)
    shown = [
        Shown(one, f"P{place}/a b", noise, tuple(range(0, 80, 10)), None, 16, 80)
        for place, one in enumerate(choose_examples(found, 3))
    ]
    monkeypatch.setattr("cineloop.evaluation.examples_page.BUDGET", 600_000)
    html = examples_page(found, shown, provenance={}).render()
    assert html.count('<article class="strip">') == len(shown)
    assert len(html) < 600_000 * 4 / 3 + 200_000
    assert "8 of 16 frames looked at" in html
    written = write_pictures(found, shown, tmp_path)
    assert [path.name for path in written] == ["prediction_P0_a_b.png", "prediction_P1_a_b.png"]
