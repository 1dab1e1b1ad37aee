"""Judging a trained model on a cohort: predictions, figures, the worst mistakes, a page."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cineloop.cohort import Cohort, Item
from cineloop.cohort.schema import DataSection
from cineloop.cohort.source import completed, section_of
from cineloop.errors import CohortError, EvaluationError, RecipeError
from cineloop.evaluation.bootstrap import Resampling
from cineloop.evaluation.comparison import Contender
from cineloop.evaluation.evaluation import evaluate
from cineloop.evaluation.missed import Missed, missed_of
from cineloop.evaluation.predictions import Predictions
from cineloop.evaluation.questions import Answer
from cineloop.evaluation.result import Evaluation
from cineloop.evaluation.schema import EvaluateSection, ThresholdRule
from cineloop.evaluation.thresholds import choose_threshold
from cineloop.files import natural
from cineloop.inference.load import Loaded
from cineloop.inference.measured import chosen_threshold, chosen_thresholds
from cineloop.inference.mistakes import write_mistakes
from cineloop.inference.pictures import by_item, examples, worst_mistakes
from cineloop.progress import Progress, silent
from cineloop.schema import read_yaml, validate
from cineloop.tasks.cohort import Prepared
from cineloop.tasks.recipe import Recipe, compose
from cineloop.tasks.stages import trained_on
from cineloop.training.curves import epoch_confusions, training_panels
from cineloop.video.records import SampleRecord


@dataclass(frozen=True)
class Judgement:
    """The outcome of judging a run.

    Attributes:
        evaluation: The figures.
        folder: Where they were written.
        answers: Those of the questions that the model answers besides its classes.
        missed: What was missed of the positive class, where items are frames of recordings.
        mistakes: The page of misclassified frames, where it was asked for.
        extras: Further figures that the recipe asked for.
    """

    evaluation: Evaluation
    folder: Path
    answers: tuple[Answer, ...] = ()
    missed: Missed | None = None
    mistakes: Path | None = None
    extras: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return what a program would read."""
        told: dict[str, Any] = dict(self.extras)
        if self.answers:
            told["questions"] = {answer.question.name: answer.to_json() for answer in self.answers}
        if self.missed is not None:
            told["missed"] = self.missed.to_json()
        if self.mistakes is not None:
            told["mistakes"] = str(self.mistakes)
        return {**self.evaluation.to_json(), **told, "folder": str(self.folder)}


def read_external(data: str | Path | Mapping[str, Any], classes: Sequence[str], *, progress: Progress) -> Prepared:
    """Read a cohort that the model was not trained on.

    Args:
        data: A file with a ``data`` section (a recipe, or the section alone), such a mapping, a folder of a known
            layout, or one that ``cineloop cohort convert`` saved.
        classes: The model's classes, which give names to numbers.
        progress: Told about files.

    Raises:
        RecipeError: The section is not valid.
        CohortError: The data does not form a cohort.
    """
    if not isinstance(data, Mapping) and Path(data).is_dir():
        if (Path(data) / "cohort.json").is_file():
            return Prepared(Cohort.load(Path(data)), None, ())
        data = section_of(Path(data))
    where = "--data" if isinstance(data, Mapping) else str(data)
    if isinstance(data, Mapping):
        plain: Mapping[str, Any] = data
    else:
        if Path(data).suffix.lower() in (".csv", ".parquet"):
            raise RecipeError(
                "A table alone does not say what its columns are",
                where=data,
                mend=f"Write a YAML file with a data section: `format: table`, `root: {Path(data).parent}`, "
                f"`path: {Path(data).name}`, the columns (docs/data-formats.md), and name that.",
            )
        content = read_yaml(Path(data))
        plain = compose(Path(data)) if isinstance(content, Mapping) and "extends" in content else content
    section = plain.get("data", plain) if isinstance(plain, Mapping) else plain
    known = DataSection.model_fields
    if isinstance(section, Mapping):
        # A recipe's data section may say how its task samples; a model brings its own way.
        kept = {key: value for key, value in section.items() if key in known}
        section = completed({"classes": list(classes), **kept})
    read = validate(DataSection, section, where=where, prefix="data")
    return Prepared(Cohort.read(read, progress=progress), read.allow_leakage, ())


def check_disjoint(external: Prepared, loaded: Loaded) -> None:
    """Refuse an external cohort that holds files the model was trained on.

    Raises:
        CohortError: It does, and no reason allows it.
    """
    if loaded.run is None or external.watermark is not None:
        return
    seen = trained_on(loaded.run)
    rows = external.cohort.media.select("id", "sha256").rows()
    shared = [media for media, sha256 in rows if sha256 in seen]
    if shared:
        raise CohortError(
            f"{len(shared)} files of the external cohort were trained on, among them {shared[0]!r}",
            where=external.cohort.root,
            mend="Leave them out, or give the reason in words as data.allow_leakage.",
        )


def learned_from(loaded: Loaded, cohort: Cohort, items: Sequence[Item]) -> list[str]:
    """Return the files of items that a model, or a first stage of it, was trained on."""
    if loaded.run is None:
        return []
    seen = trained_on(loaded.run)
    bytes_of = dict(cohort.media.select("id", "sha256").rows())
    return sorted({item.media for item in items if bytes_of.get(item.media) in seen})


def _refuse_learned(other: Loaded, cohort: Cohort, items: Sequence[Item]) -> None:
    """Refuse to compare with a model that has learned from what both are judged on.

    Raises:
        CohortError: It has.
    """
    shared = learned_from(other, cohort, items)
    if shared:
        raise CohortError(
            f"{_name(other)} was trained on {len(shared)} of the files that it would be compared on, among them "
            f"{shared[0]!r}",
            where=other.path,
            mend="Compare with a run of the same division, or judge both on another cohort with --data.",
        )


def _items(cohort: Cohort, split: str | None, loaded: Loaded) -> list[Item]:
    """Return what a model judges of a split's labelled items, with the model's class numbers."""
    return loaded.predictor.labelled(cohort.items_of(split, labelled=True))


def _predict(
    loaded: Loaded, items: Sequence[Item], cohort: Cohort, *, split: str, on_error: str, progress: Progress
) -> tuple[Predictions, list[SampleRecord]]:
    """Return the predictions of items, and which frames were decoded for them."""
    predictions, scores = loaded.predictor.predict(
        items,
        split=split,
        on_error=on_error,
        identity_known=cohort.identity_known.patient,
        progress=progress,
    )
    return predictions, scores.records


def judge(
    loaded: Loaded,
    recipe: Recipe,
    prepared: Prepared | None,
    *,
    split: str,
    external: Prepared | None = None,
    against: Loaded | None = None,
    out: Path | None = None,
    mistakes: Path | None = None,
    progress: Progress = silent,
) -> Judgement:
    """Predict a split, judge it, and write the evaluation folder.

    Args:
        loaded: The model.
        recipe: Of its run, possibly with another ``evaluate`` section.
        prepared: The run's own cohort; its validation split gives thresholds. None where it is not there: thresholds
            are then those that the run's own evaluation chose, and ``external`` is needed.
        split: Which split to judge.
        external: Another cohort, whose ``split`` (or all of it, where it is not divided) is judged instead.
        against: Another model, compared on the same items.
        out: Where to write; None means the run's evaluation folder.
        mistakes: A new folder for every misclassified frame and a page of them.
        progress: Told about items.

    Raises:
        CohortError: There is no such split, or classes differ.
        EvaluationError: No label is known.
    """
    loaded = dataclasses.replace(loaded, predictor=loaded.predictor.under(recipe))
    own = prepared.cohort if prepared is not None else None
    subject = external if external is not None else prepared
    assert subject is not None, "a cohort to judge on"
    if external is not None:
        check_disjoint(external, loaded)
    cohort = subject.cohort
    name: str | None = split
    if external is not None and not cohort.split_names:
        name = None
    items = _items(cohort, name, loaded)
    on_error = recipe.data.on_error
    predictions, records = _predict(loaded, items, cohort, split=split, on_error=on_error, progress=progress)
    validation: Predictions | None = None
    val_items: list[Item] = []
    if own is not None and "val" in own.split_names and (split != "val" or external is not None):
        val_items = _items(own, "val", loaded)
        validation, _ = _predict(loaded, val_items, own, split="val", on_error=on_error, progress=progress)
    title = split if name is not None else "all"
    contender = (
        _contender(against, recipe, prepared, subject, name, split, progress=progress) if against is not None else None
    )
    said: dict[str, Any] = {
        "cohort": cohort.name,
        "split": title,
        "name": _name(loaded),
        "warnings": (*subject.warnings, *_said_in_training(loaded, subject), *_unchecked(loaded, against)),
        "watermark": subject.watermark or (prepared and prepared.watermark) or _watermark(loaded),
    }
    kept = chosen_thresholds(loaded) if own is None else {}
    answers = _answers(loaded, recipe, (predictions, items), (validation, val_items), kept, said)
    thresholds = {
        answer.question.name: answer.evaluation.threshold.value
        for answer in answers
        if answer.evaluation.threshold is not None
    }
    evaluation = evaluate(
        loaded.predictor.decided(predictions, thresholds),
        validation=loaded.predictor.decided(validation, thresholds) if validation is not None else None,
        config=recipe.evaluate if own is not None else _fixed(recipe.evaluate, chosen_threshold(loaded)),
        against=contender,
        **said,
    )
    if out is None:
        if loaded.run is None:
            raise EvaluationError(
                "Weights alone have no folder for an evaluation", where=loaded.path, mend="Give --out."
            )
        # Folders of data are often called alike; another cohort never takes the place of the run's own.
        name_in_run = cohort.name if external is None else f"{cohort.name}-{cohort.fingerprint[:8]}"
        out = loaded.run.evaluation(name_in_run, title)
    missed = _missed(evaluation, items)
    extras = loaded.predictor.extras(predictions, items, recipe)
    salt = recipe.data.salt()
    pictured = {item.id: item for item in items}, by_item(records), loaded
    trained = loaded.run
    evaluation.write(
        out,
        subtitle=f"{loaded.passport.architecture}, {_name(loaded)}",
        gallery=worst_mistakes(evaluation, *pictured, salt=salt),
        training=training_panels(trained, recipe.train.select.compared) if trained is not None else (),
        epochs=epoch_confusions(trained, _as_trained(loaded)) if trained is not None else (),
        examples=examples(evaluation, *pictured, salt=salt),
        answers=answers,
        missed=missed,
        extras=extras,
        provenance=provenance(loaded, cohort),
        records=records,
        salt=salt,
        plain=salt is None,
    )
    page = (
        write_mistakes(evaluation, answers, pictured[0], mistakes, progress=progress) if mistakes is not None else None
    )
    return Judgement(evaluation, out, answers, missed, page, extras)


def _answers(
    loaded: Loaded,
    recipe: Recipe,
    judged: tuple[Predictions, Sequence[Item]],
    validation: tuple[Predictions | None, Sequence[Item]],
    kept: Mapping[str, float],
    said: Mapping[str, Any],
) -> tuple[Answer, ...]:
    """Judge each question that the model answers besides its classes.

    Its threshold is chosen on validation; where ``kept`` has one, it is that.
    """
    held = validation[0]
    chosen_on = (
        {one.name: one.predictions for one in loaded.predictor.questions(held, validation[1])}
        if held is not None
        else {}
    )
    found = []
    for question in loaded.predictor.questions(*judged):
        config = recipe.evaluate.model_copy(
            update={"positive": None, "selection": question.selection, "ordinal": question.ordinal}
        )
        config = _fixed(config, kept.get(question.name))
        evaluation = evaluate(question.predictions, validation=chosen_on.get(question.name), config=config, **said)
        found.append(Answer(question, evaluation))
    return tuple(found)


def _fixed(config: EvaluateSection, threshold: float | None) -> EvaluateSection:
    """Return a configuration with a threshold that was chosen before, where there is one and none is given."""
    if threshold is None or config.threshold.rule == "fixed":
        return config
    return config.model_copy(update={"threshold": ThresholdRule(rule="fixed", at=threshold)})


def _unchecked(*models: Loaded | None) -> list[str]:
    """Return a warning for each model whose training files are not known."""
    return [
        f"{_name(each)} was packed to be shared: whether it was trained on files of this cohort cannot be checked."
        for each in models
        if each is not None and each.run is not None and each.run.packed
    ]


def _missed(evaluation: Evaluation, items: Sequence[Item]) -> Missed | None:
    """Return what was missed of the positive class, where items are frames of recordings."""
    known = {item.id: item for item in items}
    if evaluation.config.positive is None or not all(item.frames == 1 or item.start is not None for item in items):
        return None
    ranks = {name: rank for rank, name in enumerate(sorted(known, key=natural))}
    judged = [known[name] for name in evaluation.predictions.ids]
    return missed_of(
        evaluation.predictions,
        evaluation.decided,
        [item.media if item.start is not None else item.procedure for item in judged],
        [item.start if item.start is not None else ranks[item.id] for item in judged],
        Resampling(evaluation.config.replicates, evaluation.config.confidence, evaluation.config.seed),
        confidence=evaluation.config.confidence,
    )


def _as_trained(loaded: Loaded) -> list[str]:
    """Return the classes as training ordered them: of two, the positive one last."""
    return sorted(loaded.predictor.classes, key=lambda name: name == loaded.predictor.positive)


def _said_in_training(loaded: Loaded, subject: Prepared) -> list[str]:
    """Return the warning that a first stage could not be checked, where the subject does not say it already."""
    said = loaded.run.ledger().get("first_stage_unknown") if loaded.run is not None else None
    return [said] if said and said not in subject.warnings else []


def _watermark(loaded: Loaded) -> str | None:
    """Return the reason of a leak that was allowed when the model was trained."""
    reason: str | None = loaded.run.ledger()["cohort"]["allow_leakage"] if loaded.run is not None else None
    return reason


def _name(loaded: Loaded) -> str:
    return loaded.run.name if loaded.run is not None else loaded.path.stem


def _contender(
    other: Loaded,
    recipe: Recipe,
    own: Prepared | None,
    subject: Prepared,
    name: str | None,
    split: str,
    *,
    progress: Progress,
) -> Contender:
    """Predict the same items with another model, which chooses its threshold on the same validation items."""
    on_error = recipe.data.on_error

    def predict(prepared: Prepared, which: str | None, sampled_as: str) -> Predictions:
        items = _items(prepared.cohort, which, other)
        found, _ = _predict(other, items, prepared.cohort, split=sampled_as, on_error=on_error, progress=progress)
        return found.with_positive(recipe.evaluate.positive)

    judged = _items(subject.cohort, name, other)
    if subject.watermark is None:
        _refuse_learned(other, subject.cohort, judged)
    if own is None:
        return Contender(_name(other), predict(subject, name, split), chosen_threshold(other))
    threshold: float | None = None
    tunable = len(other.predictor.classes) == 2 and "val" in own.cohort.split_names and name != "val"
    # What it was trained on would give a threshold that is too sure.
    if tunable and not learned_from(other, own.cohort, _items(own.cohort, "val", other)):
        threshold = choose_threshold(predict(own, "val", "val"), recipe.evaluate.threshold).value
    return Contender(_name(other), predict(subject, name, split), threshold)


def provenance(loaded: Loaded, cohort: Cohort) -> dict[str, str]:
    """Return what every figure can be traced to."""
    facts = {
        "model": loaded.passport.architecture,
        "weights SHA-256": loaded.passport.sha256,
        "cohort": cohort.name,
        "cohort fingerprint": cohort.fingerprint,
    }
    if loaded.run is not None:
        ledger = loaded.run.ledger()
        facts |= {
            "run": loaded.run.name,
            "recipe SHA-256": ledger["recipe_sha256"],
            "trained on cohort": ledger["cohort"]["fingerprint"],
            "seed": str(ledger["seed"]),
            **{f"version of {name}": version for name, version in ledger["versions"].items()},
        }
        if ledger.get("commit"):
            facts["commit"] = ledger["commit"]
    return facts
