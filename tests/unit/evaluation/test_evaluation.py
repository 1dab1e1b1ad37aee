from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cineloop.errors import EvaluationError
from cineloop.evaluation.bootstrap import Resampling
from cineloop.evaluation.comparison import Contender
from cineloop.evaluation.evaluation import evaluate
from cineloop.evaluation.folder import write_folder
from cineloop.evaluation.missed import missed_of
from cineloop.evaluation.page_tables import headline_names
from cineloop.evaluation.plots import draw
from cineloop.evaluation.pooling import ensemble
from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.schema import EvaluateSection, ThresholdRule
from cineloop.evaluation.scorer import figures
from cineloop.report.charts import Line, Panel
from made_predictions import binary, made

QUICK = EvaluateSection(replicates=100)
HOSTILE = "<script>alert('x')</script>\"'--><u>&amp;.mp4"


@pytest.fixture(scope="module")
def evaluation():
    test = made(1, patients=60, attributes={"site": ["north", "south", "south"] * 60})
    members = [test, made(1, patients=60, skill=1.3)]
    return evaluate(
        ensemble(members),
        validation=made(2, patients=60, prefix="v"),
        config=QUICK,
        cohort="larynx",
        split="test",
        against=Contender("baseline", made(1, patients=60, skill=0.6)),
        members=members,
    )


@pytest.fixture(scope="module")
def written(evaluation, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "larynx" / "test"
    return evaluation.write(folder, provenance={"commit": "abc123"}, salt="s")


@pytest.fixture(scope="module")
def drawings(evaluation):
    return draw(evaluation)


@pytest.fixture
def drawn_before(drawings, monkeypatch):
    """Spare a test that is not about figures their drawing."""
    monkeypatch.setattr("cineloop.evaluation.folder.draw", lambda evaluation: drawings)


def test_figures_are_of_the_threshold_chosen_on_validation(evaluation):
    assert evaluation.threshold.source == "validation"
    wanted = figures(evaluation.predictions, threshold=evaluation.threshold.value)
    assert {one.key.metric: one.value for one in evaluation.headline} == wanted
    assert evaluation["auroc"].low < evaluation["auroc"].value < evaluation["auroc"].high
    assert evaluation.confusion.sum() == 180
    with pytest.raises(EvaluationError, match="quadratic_kappa"):
        evaluation["quadratic_kappa"]


def bounded(plain):
    """Yield every mapping in plain data that holds an interval or a bound."""
    if isinstance(plain, dict):
        if plain.keys() & {"low", "high", "upper"}:
            yield plain
        for value in plain.values():
            yield from bounded(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from bounded(value)


def test_every_interval_says_that_it_is_two_sided_and_every_bound_that_it_is_one_sided(
    evaluation, tmp_path, drawn_before
):
    predictions = evaluation.predictions
    count = len(predictions)
    missed = missed_of(
        predictions, np.zeros(count, int), ["v"] * count, range(count), Resampling(100, 0.9), confidence=0.9
    )
    folder = evaluation.write(tmp_path / "e", salt="s", missed=missed)
    kept = json.loads((folder / "metrics.json").read_text())
    held = list(bounded(kept))
    assert len(held) > 60
    assert all(one["sides"] == ("one-sided" if "upper" in one else "two-sided") for one in held)
    assert [one["missed"] for one in held if "upper" in one] == [
        kept["missed"][name]["missed"] for name in ("frames", "segments", "patients")
    ]
    assert kept["missed"]["bound"] == "one-sided 90% upper bound"
    assert kept["intervals"]["sides"] == "two-sided"
    page = (folder / "report.html").read_text()
    assert page.count("one-sided 90% upper bound") == 3
    told = re.findall(r"two-sided 95% CI \d\.\d{3}–\d\.\d{3}", page)
    assert len(told) == len([one for one in evaluation.headline if one.key.metric in headline_names(evaluation)])
    assert "Two-sided 95% interval" in page
    # No table with intervals in it goes without a word of their kind, in it or right below.
    tables = re.findall(r"<table.*?</table>(?:\s*</div>)?\s*(?:<p class=.note.>.*?</p>)?", page, re.DOTALL)
    silent = [table for table in tables if re.search(r"\d\.\d{3}–\d\.\d{3}", table) and "wo-sided" not in table]
    assert not silent, silent[0]


def test_the_folder_holds_everything_and_agrees_with_itself(evaluation, written):
    kept = json.loads((written / "metrics.json").read_text())
    assert kept["headline"]["auroc"]["value"] == pytest.approx(evaluation["auroc"].value, rel=1e-11)
    assert (kept["n_items"], kept["n_patients"], kept["split"]) == (180, 60, "test")
    assert kept["provenance"] == {"commit": "abc123"}
    assert kept["threshold"]["tuned"]
    assert kept["intervals"]["unit"] == "patient"
    assert set(kept["definitions"]) == set(kept["headline"])
    back = Predictions.read(written / "predictions.parquet")
    assert figures(back, threshold=kept["threshold"]["value"])["auroc"] == evaluation["auroc"].value
    assert not set(back.clusters) & set(evaluation.predictions.clusters)
    names = {path.name for path in (written / "figures").iterdir()}
    assert names == {
        f"{name}.svg"
        for name in (
            "confusion", "confusion_normalised", "panel", "precision_recall", "reliability", "roc", "scores",
            "subgroups",
        )
    }  # fmt: skip
    page = (written / "report.html").read_text()
    for said in ("larynx", f"{evaluation['auroc'].value:.3f}", "abc123", "baseline", "south", "not a medical device"):
        assert said in page
    assert len(page) < 3_000_000


@pytest.mark.usefixtures("drawn_before")
def test_patients_are_salted_unless_asked_otherwise(evaluation, tmp_path):
    names = set(evaluation.predictions.clusters)
    evaluation.write(tmp_path / "salted")
    written = pl.read_parquet(tmp_path / "salted" / "predictions.parquet")["patient"].to_list()
    assert not set(written) & names
    assert len(set(written)) == len(names)
    assert not any(name in (tmp_path / "salted" / "metrics.json").read_text() for name in names)
    evaluation.write(tmp_path / "plain", plain=True)
    assert set(pl.read_parquet(tmp_path / "plain" / "predictions.parquet")["patient"]) == names


def test_the_same_evaluation_gives_the_same_bytes(evaluation, written, tmp_path):
    evaluation.write(tmp_path / "again", provenance={"commit": "abc123"}, salt="s")
    for path in sorted(written.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(written)).read_bytes(), path.name


@pytest.mark.usefixtures("drawn_before")
def test_a_folder_is_replaced_whole(evaluation, tmp_path):
    folder = tmp_path / "test"
    folder.mkdir()
    (folder / "old.txt").write_text("old")
    evaluation.write(folder, salt="s")
    assert not (folder / "old.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["test"]


@pytest.mark.usefixtures("drawn_before")
def test_a_failure_leaves_what_was_there(evaluation, tmp_path, monkeypatch):
    folder = tmp_path / "test"
    folder.mkdir()
    (folder / "old.txt").write_text("old")

    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cineloop.evaluation.folder.write_json", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_folder(evaluation, folder, provenance={}, salt="s")
    assert [path.name for path in tmp_path.rglob("*")] == ["test", "old.txt"]


def test_the_watermark_stands_on_the_page_and_on_every_figure(evaluation, tmp_path):
    marked = replace(evaluation, watermark="one patient only; plumbing test")
    marked.write(tmp_path / "e", training=[Panel("Loss", (Line("train", np.arange(3.0), np.ones(3)),))], salt="s")
    page = (tmp_path / "e" / "report.html").read_text()
    assert page.count('<p class="watermark"') == 2
    drawings = re.findall(r"<svg .*?</svg>", page, flags=re.DOTALL)
    assert len(drawings) == 8
    for text in [*drawings, *(path.read_text() for path in (tmp_path / "e" / "figures").iterdir())]:
        assert "plumbing" in text
    assert json.loads((tmp_path / "e" / "metrics.json").read_text())["watermark"] == marked.watermark


def test_names_cannot_inject_markup(tmp_path):
    some = made(0, patients=30, classes=("normal", HOSTILE), attributes={HOSTILE: [HOSTILE, "x", "y"] * 30})
    some = replace(some, ids=[f"{index} {HOSTILE}" for index in range(len(some))])
    found = evaluate(some, config=QUICK, cohort=HOSTILE, warnings=[HOSTILE], watermark=HOSTILE)
    strips = [mistake.strip(np.zeros((2, 8, 8, 3), np.uint8), [HOSTILE] * 2) for mistake in found.mistakes(2)]
    found.write(tmp_path / "e", title=HOSTILE, gallery=strips, provenance={HOSTILE: HOSTILE}, salt="s")
    written = [path for path in (tmp_path / "e").rglob("*") if path.suffix in (".html", ".svg")]
    assert len(written) == 9
    for path in written:
        text = path.read_text()
        assert "&lt;u&gt;" in text, path.name
        assert "<u>" not in text
        assert "<script" not in text


def test_several_classes_have_no_threshold():
    found = evaluate(
        made(0, classes=("a", "b", "c")), validation=made(1, classes=("a", "b", "c"), prefix="v"), config=QUICK
    )
    assert found.threshold is None
    assert found.operating_points == ()
    assert {one.key.label for one in found.estimates} == {None, "a", "b", "c"}
    assert len(found.curves) == 3
    assert found.to_json()["threshold"] is None


def test_one_class_only_is_stated_everywhere(tmp_path):
    found = evaluate(binary([0.1, 0.4, 0.8], [0, 0, 0]), config=QUICK)
    assert found["auroc"].value is None
    assert found["specificity"].value == pytest.approx(2 / 3)
    kept = json.loads((found.write(tmp_path / "e", salt="s") / "metrics.json").read_text())
    assert kept["headline"]["auroc"] == {
        "metric": "auroc", "class": None, "value": None, "low": None, "high": None, "sides": "two-sided",
        "n_items": 3, "n_patients": 3, "reason": "every item is 'no'", "interval": None, "undefined_share": 0.0,
    }  # fmt: skip
    page = (tmp_path / "e" / "report.html").read_text()
    assert "undefined" in page
    assert "no curve is drawn" in page


@pytest.mark.parametrize(
    ("some", "validation", "said"),
    [
        (made(0, identity_known=False), None, "Patients are not known"),
        (made(0, patients=8), None, "Only 8 patients"),
        (made(0, patients=1), None, "Only one patient: there are no intervals"),
        (made(0), None, "untuned: there are no validation items"),
        (made(0), made(0), "40 patients named the same stand"),
        (binary([0.1, 0.9, 0.4], [0, 1, -1]), None, "1 items of unknown class"),
        (binary([0.1, 0.9, 0.4], [0, 1, 1]), None, "Only 1 item is 'no'"),
        (binary([0.1, 0.9], [0, 0]), None, "No item is 'yes'"),
    ],
)
def test_what_weakens_a_figure_is_said(some, validation, said):
    warnings = evaluate(some, validation=validation, config=QUICK, warnings=["first of all"]).warnings
    assert warnings[0] == "first of all"
    assert any(said in warning for warning in warnings)


def test_sound_figures_carry_no_warning():
    assert evaluate(made(0), validation=made(1, prefix="v"), config=QUICK).warnings == ()


def test_another_positive_class_turns_everything_around():
    test, validation = made(0), made(1, prefix="v")
    one = evaluate(test, validation=validation, config=QUICK)
    other = evaluate(test, validation=validation, config=EvaluateSection(replicates=100, positive="normal"))
    assert other.predictions.classes == ("lesion", "normal")
    assert other["auroc"].value == pytest.approx(one["auroc"].value)
    assert other["auprc"].value != one["auprc"].value
    fixed = EvaluateSection(replicates=100, threshold=ThresholdRule(rule="fixed", at=0.5))
    turned = fixed.model_copy(update={"positive": "normal"})
    assert evaluate(test, config=turned)["sensitivity"].value == evaluate(test, config=fixed)["specificity"].value


def test_a_rival_is_judged_at_its_own_threshold():
    test, validation = made(0), made(1, prefix="v")
    rival = Contender("rival", replace(test), validation=replace(validation))
    found = evaluate(test, validation=validation, config=QUICK, against=rival)
    assert all(one.difference == 0 for one in found.comparison.differences)
    plain = evaluate(test, validation=validation, config=QUICK, against=Contender("rival", test, 0.99))
    assert any(one.difference != 0 for one in plain.comparison.differences)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"validation": made(1, classes=("a", "b"))}, "Validation has the classes"),
        ({"config": EvaluateSection(positive="polyp")}, "'polyp' cannot be the positive class"),
        ({"config": EvaluateSection(subgroups=("site",))}, "attribute 'site'"),
        ({"config": EvaluateSection(selection="quadratic_kappa")}, "not defined for these 2 classes"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(options, said):
    with pytest.raises(EvaluationError, match=said) as raised:
        evaluate(made(0), **options)
    assert raised.value.mend


def test_mistakes_come_by_certainty_beyond_the_threshold():
    some = binary([0.85, 0.95, 0.1, 0.99], [1, 0, 1, 1])
    found = evaluate(some, config=EvaluateSection(replicates=100, threshold=ThresholdRule(rule="fixed", at=0.9)))
    assert [(one.id, one.true, one.decided) for one in found.mistakes()] == [
        ("item2", "yes", "no"),
        ("item1", "no", "yes"),
        ("item0", "yes", "no"),
    ]
    assert [one.id for one in found.mistakes(1)] == ["item2"]
    assert found.mistakes()[0].probability == pytest.approx(0.9)
