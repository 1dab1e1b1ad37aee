"""What the verbs call and users import: train, evaluate, predict, features, sampling, load."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cineloop import plugins, runs
from cineloop.cohort import Cohort
from cineloop.errors import CineloopError, EvaluationError, ExportError, RunError
from cineloop.export.guard import guard_of
from cineloop.export.tensorrt import Ranges
from cineloop.export.write import Exported
from cineloop.export.write import export as write_export
from cineloop.inference import features as featuring
from cineloop.inference import judge
from cineloop.inference.answer import Context, Decision, Prediction
from cineloop.inference.features import Features
from cineloop.inference.judge import Judgement
from cineloop.inference.load import Loaded, load
from cineloop.inference.pool import pool as pool_runs
from cineloop.inference.rows import check_target, rows_of
from cineloop.inference.sampled import Sampled, sampling
from cineloop.inference.sampling import Choice, of_run
from cineloop.inference.sources import collect
from cineloop.progress import Progress, silent
from cineloop.report.sampling import page as sampling_page
from cineloop.runs import Run
from cineloop.schema import did_you_mean
from cineloop.tasks.cohort import Prepared, describe_cohort, prepare
from cineloop.tasks.recipe import Recipe, anchored, differences, load_recipe
from cineloop.tasks.stages import first_stage, trained_on, unknown_corpus
from cineloop.tasks.task import TASKS, DryRun
from cineloop.training import train as training
from cineloop.training.figures import write_figures

__all__ = [
    "Choice",
    "Features",
    "Plan",
    "Prediction",
    "Sampled",
    "evaluate",
    "features",
    "load",
    "plan",
    "predict",
    "sampling",
    "train",
]

RecipeSource = str | Path | Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """What a recipe would do.

    Attributes:
        recipe: Resolved.
        prepared: The data found.
        weights: The table of keys of the first weights, None when they are random.
        dry_run: Parameters, shapes, first loss.
    """

    recipe: Recipe
    prepared: Prepared
    weights: str | None
    dry_run: DryRun


def _read(recipe: RecipeSource, overrides: Iterable[str]) -> tuple[Recipe, Path | None]:
    """Return the recipe, and the run's folder when a run was named in place of a recipe."""
    if not isinstance(recipe, Mapping) and runs.is_run(Path(recipe)):
        run = runs.open_run(Path(recipe))
        plugins.require(run.ledger().get("plugins", []), where=run.path)
        return load_recipe(run.recipe_file, overrides), run.path
    return load_recipe(recipe, overrides), None


def plan(recipe: RecipeSource, overrides: Iterable[str] = (), *, progress: Progress = silent) -> Plan:
    """Find out what a recipe would do, without training or writing anything.

    Raises:
        CineloopError: Whatever training would refuse before its first step.
    """
    resolved, _ = _read(recipe, overrides)
    prepared = prepare(resolved, training=True, progress=progress)
    learner = TASKS.get(resolved.task).learner(resolved, prepared.cohort)
    return Plan(resolved, prepared, learner.weights_report(), learner.dry_run())


def train(
    recipe: RecipeSource,
    overrides: Iterable[str] = (),
    *,
    out: str | Path | None = None,
    resume: bool = False,
    progress: Progress = silent,
) -> Run:
    """Run a recipe: train a model, keep the best weights, and evaluate them.

    Args:
        recipe: A file, the name of a shipped recipe, plain data, or with ``resume`` the folder of a run.
        overrides: ``key=value`` texts laid over the recipe; values are YAML.
        out: The run folder; by default ``runs/<recipe's name>``.
        resume: Go on where the run was interrupted; one that is not there is begun.
        progress: Told about files, steps and items.

    Returns:
        The run.

    Raises:
        RecipeError: The recipe is not valid.
        CohortError: The data is not usable, or leaks.
        WeightsError: The first weights do not fit.
        RunError: The run folder is taken.
        TrainingError: The loss is not finite.
    """
    resolved, standing = _read(recipe, overrides)
    resolved = anchored(resolved)
    if standing is not None and not resume:
        runs.check_free(standing)
    if out is None:
        named = "run" if isinstance(recipe, Mapping) else Path(str(recipe)).stem
        out = standing or Path("runs") / named
    out = Path(out)
    if training.is_main_process():
        _check_target(out, resolved, resume=resume)
    finished = runs.is_run(out) and runs.Run(out).ledger().get("state") == "finished"
    if finished and runs.Run(out).ledger().get("evaluated") == list(resolved.evaluate.after_training):
        return runs.Run(out)
    prepared = prepare(resolved, training=not finished, progress=progress)
    cohort = prepared.cohort
    if runs.is_run(out):
        _same_data(runs.Run(out), cohort)
    if finished:
        _draw(runs.Run(out), resolved, prepared)
        _judge(runs.Run(out), resolved, prepared, progress)
        _show_samples(runs.Run(out), cohort)
        return runs.Run(out)
    task_learner = TASKS.get(resolved.task).learner(resolved, cohort)
    first = first_stage(resolved.first_weights())

    def ledger() -> dict[str, Any]:
        return {
            "task": resolved.task,
            "seed": resolved.train.seed,
            "plugins": plugins.as_records(),
            "cohort": describe_cohort(prepared),
            "first_weights": task_learner.weights_report(),
            "first_stage_sha256": sorted(trained_on(first)) if first is not None else [],
            "first_stage_unknown": unknown_corpus(resolved.first_weights()),
        }

    run, result = training.execute(
        task_learner.learner,
        resolved.train,
        resolved.plain(),
        out=out,
        resume=resume,
        ledger=ledger,
        progress=progress,
    )
    if result is not None:
        _draw(run, resolved, prepared)
        _judge(run, resolved, prepared, progress)
        _show_samples(run, cohort)
    return run


def _judge(run: Run, recipe: Recipe, prepared: Prepared, progress: Progress) -> None:
    """Judge the splits that the recipe wants judged as soon as training has ended."""
    for split in recipe.evaluate.after_training:
        if split in prepared.cohort.split_names:
            judge.judge(load(run.path), recipe, prepared, split=split, out=None, progress=progress)
    run.update_ledger(evaluated=list(recipe.evaluate.after_training))


def _draw(run: Run, recipe: Recipe, prepared: Prepared) -> None:
    """Write the figures of the training."""
    classes = sorted(prepared.cohort.classes, key=lambda name: name == recipe.evaluate.positive)
    _by_the_way(run, "figures", lambda: write_figures(run, recipe.train, classes, watermark=prepared.watermark))


def _show_samples(run: Run, cohort: Cohort) -> None:
    """Write the page of what was decoded."""

    def write() -> None:
        looked = of_run(run, cohort)
        sampling_page(looked.samples, looked.origin).write(run.sampling_page)

    _by_the_way(run, "sampling_page", write)


def _by_the_way(run: Run, name: str, write: Callable[[], object]) -> None:
    """Write what is made from the run's files; a run without it is finished all the same, and its ledger says so."""
    try:
        write()
    except (CineloopError, OSError) as error:
        run.update_ledger(**{name: f"not written: {error}"})
        return
    if name in run.ledger():
        run.update_ledger(**{name: None})


def _check_target(out: Path, recipe: Recipe, *, resume: bool) -> None:
    """Check, before any work, that ``out`` can take this recipe's run.

    Raises:
        RunError: Something is there and ``resume`` was not asked, or it is a run of another recipe.
    """
    if not (resume and runs.is_run(out)):
        runs.check_free(out)
        return
    changed = differences(load_recipe(runs.Run(out).recipe_file).plain(), recipe.plain())
    if changed:
        raise RunError(
            f"The run there was begun with another recipe; it differs in {', '.join(changed[:5])}",
            where=out,
            mend=f"Resume it as it is: cineloop train {out} --resume. Or give another --out.",
        )


def _same_data(run: Run, cohort: Cohort) -> None:
    """Refuse data that is not what a run was trained on.

    Raises:
        RunError: It changed.
    """
    recorded = run.ledger()["cohort"]["fingerprint"]
    if recorded != cohort.fingerprint:
        raise RunError(
            "The data has changed since this run was begun: files, labels, patients or splits differ",
            where=cohort.root,
            mend="Restore the data; or judge the run on the new data as another cohort, with --data.",
        )


def evaluate(
    run: str | Path,
    *,
    split: str = "test",
    data: RecipeSource | None = None,
    against: str | Path | None = None,
    pool: Sequence[str | Path] = (),
    overrides: Iterable[str] = (),
    out: str | Path | None = None,
    device: str | None = None,
    progress: Progress = silent,
) -> Judgement:
    """Judge a run: figures with patient-clustered intervals, tables, subgroups, an HTML report.

    Args:
        run: The folder of a run.
        split: Which split.
        data: Another cohort for external validation: a recipe or a mapping with a ``data`` section, a folder of
            data, or one that ``cineloop cohort convert`` saved. None means the run's own data.
        against: Another run, compared on the same items.
        pool: Further runs, evaluated before, to judge together with this one: folds or seeds (needs ``out``).
        overrides: ``evaluate.key=value`` texts laid over the run's recipe.
        out: Where to write; by default ``evaluation/<cohort>/<split>`` in the run.
        device: Where to run; None takes a GPU where there is one.
        progress: Told about items.

    Raises:
        RunError: The run is not finished, or its data has changed.
        CohortError: The cohort has no such split, or its classes are not the model's.
        EvaluationError: No label is known.
    """
    if pool:
        return _pooled([run, *pool], split, overrides, out, other=data if data is not None else against)
    loaded = load(run, device=device)
    if loaded.run is None:
        raise RunError("Evaluation needs a run, not weights alone", where=run, mend="Name the run's folder.")
    resolved = load_recipe(loaded.run.recipe_file, overrides)
    # What costs little to refuse comes before the audit of the run's own data.
    other = load(against, device=device) if against is not None else None
    external = judge.read_external(data, loaded.predictor.classes, progress=progress) if data is not None else None
    prepared = prepare(resolved, progress=progress)
    _same_data(loaded.run, prepared.cohort)
    return judge.judge(
        loaded,
        resolved,
        prepared,
        split=split,
        external=external,
        against=other,
        out=Path(out) if out is not None else None,
        progress=progress,
    )


def _pooled(
    paths: Sequence[str | Path], split: str, overrides: Iterable[str], out: str | Path | None, *, other: object
) -> Judgement:
    if other is not None:
        raise EvaluationError(
            "Pooled runs are judged on their own cohort, by themselves",
            where="pool",
            mend="Leave out the other cohort and the other run.",
        )
    if out is None:
        raise EvaluationError(
            "A pooled evaluation belongs to no single run", where="pool", mend="Say where to write it, with --out."
        )
    together = [runs.open_run(path) for path in paths]
    return pool_runs(together, load_recipe(together[0].recipe_file, overrides), split=split, out=Path(out))


def predict(
    model: str | Path | Loaded,
    sources: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    temporal_views: int | None = None,
    spatial_views: Literal[1, 3] | None = None,
    workers: int = 0,
    device: str | None = None,
    on_error: str = "raise",
    threshold: float | None = None,
    stills: bool = False,
    rate: float | None = None,
    progress: Progress = silent,
) -> Prediction:
    """Predict videos, images, DICOM files and folders of them.

    A model of clips gives a row a video; a model of frames gives a row a frame, of every frame or of ``rate`` a second.

    Args:
        model: A run, a weights file that a run wrote, or what :func:`load` gave.
        sources: Files and folders.
        out: A ``.csv``, ``.parquet`` or ``.json`` file for the rows.
        temporal_views: Clips a video, averaged; None means what the model's recipe says.
        spatial_views: Crops a clip, 1 or 3, averaged; None likewise.
        workers: Processes that decode.
        device: Where to run; None takes a GPU where there is one.
        on_error: ``raise`` or ``skip`` for a source that cannot be read.
        threshold: Of a binary problem, on the positive class; None takes the one its evaluation chose on validation,
            if there is one, else 0.5.
        stills: Take every image of a folder as an item of its own, not as a frame of one recording.
        rate: Of a model of frames: how many frames of a second of video; None takes every frame.
        progress: Told about items.

    Raises:
        VideoError: A source does not exist or cannot be read.
        RecipeError: The model judges videos as a whole, and a rate is given.
        RunError: There is no finished run.
        WeightsError: The weights are damaged.
    """
    if out is not None:
        check_target(Path(out))
    loaded = model if isinstance(model, Loaded) else load(model, device=device)
    items = loaded.predictor.spread(collect(sources, stills=stills), rate)
    predictions, scores = loaded.predictor.predict(
        items,
        temporal_views=temporal_views,
        spatial_views=spatial_views,
        workers=workers,
        on_error=on_error,
        progress=progress,
    )
    predictions = predictions.with_positive(loaded.predictor.positive)
    thresholds = judge.chosen_thresholds(loaded)
    predictions = loaded.predictor.decided(predictions, thresholds)
    decision = Decision.of(predictions.classes, threshold, judge.chosen_threshold(loaded), questions=thresholds)
    rows = tuple(rows_of(predictions, scores.looked_at(), threshold=decision.threshold))
    failed = tuple((items[failure.item].id, failure.error.what) for failure in scores.failures)
    columns = predictions.output_names or predictions.classes
    result = Prediction(columns, rows, failed, Context.of(loaded, decision))
    if out is not None:
        result.write(Path(out))
    return result


def export(
    model: str | Path | Loaded,
    *,
    form: str = "onnx",
    out: str | Path | None = None,
    precision: str = "fp32",
    calibration: int = 200,
    agreement: float = 0.98,
    threshold: float | None = None,
    size: tuple[int, int] = (720, 1280),
    progress: Progress = silent,
) -> Exported:
    """Write a model for another engine, with test vectors and the proof that it computes the same.

    Args:
        model: A run, a weights file that a run wrote, or what :func:`load` gave.
        form: ``onnx``, ``openvino``, ``torchscript`` or ``tensorrt``.
        out: A new folder; by default ``export/<form>`` in the run, with the precision where that is not fp32.
        precision: ``fp32``; of OpenVINO also ``bf16`` and ``int8``.
        calibration: Training frames that int8 is calibrated on.
        agreement: The share of decisions on validation that a reduced precision must keep.
        threshold: Of a binary problem; None takes the one that the run's evaluation chose, if there is one.
        size: Height and width of the frames that a TensorRT engine is built for.
        progress: Told about steps.

    Raises:
        ExportError: The model cannot be exported so, or the graph does not compute what the model does.
        RunError: There is no finished run.
    """
    loaded = model if isinstance(model, Loaded) else load(model, device="cpu")
    _one_of(form, ("onnx", "openvino", "torchscript", "tensorrt"), "--format", "format")
    _one_of(precision, ("fp32", "bf16", "int8"), "--precision", "precision")
    if out is None:
        if loaded.run is None:
            raise ExportError("Weights alone have no folder for an export", where=loaded.path, mend="Give --out.")
        out = loaded.run.path / "export" / (form if precision == "fp32" else f"{form}-{precision}")
    guard = None
    if precision != "fp32" and form == "openvino" and loaded.run is not None:
        prepared = prepare(load_recipe(loaded.run.recipe_file), progress=progress)
        _same_data(loaded.run, prepared.cohort)
        guard = guard_of(loaded, prepared.cohort, calibration=calibration, agreement=agreement, progress=progress)
    return write_export(
        loaded,
        form,  # type: ignore[arg-type]
        Path(out),
        precision=precision,  # type: ignore[arg-type]
        threshold=threshold if threshold is not None else judge.chosen_threshold(loaded),
        questions=judge.chosen_thresholds(loaded),
        guard=guard,
        ranges=Ranges(*size),
        progress=progress,
    )


def _one_of(value: str, known: Sequence[str], where: str, what: str) -> None:
    if value not in known:
        raise ExportError(f"There is no {what} {value!r}", where=where, mend=did_you_mean(value, known))


def features(
    model: str | Path,
    sources: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    tokens: str | Path | None = None,
    attention: str | Path | None = None,
    views: int | None = None,
    architecture: str | None = None,
    config: Mapping[str, Any] | None = None,
    workers: int = 0,
    device: str | None = None,
    on_error: str = "raise",
    stills: bool = False,
    progress: Progress = silent,
) -> Features:
    """Give the features of videos, images, DICOM files and folders of them.

    Args:
        model: A run, a weights file with a passport, or with ``architecture`` a checkpoint in any accepted form.
        sources: Files and folders.
        out: A ``.parquet`` or ``.npz`` file for the features.
        tokens: A folder for all tokens of each item, one ``.npz`` an item.
        attention: A folder for videos of where the class token looked, one an item.
        views: Clips of each video; None means as many as the model was evaluated with.
        architecture: The model of a checkpoint that does not say it.
        config: Options of that model that differ from its defaults.
        workers: Processes that decode.
        device: Where to run; None takes a GPU where there is one.
        on_error: ``raise`` or ``skip`` for a source that cannot be read.
        stills: Take every image of a folder as an item of its own.
        progress: Told about items.

    Raises:
        WeightsError: The weights do not fit.
        ModelError: The model reads no clips, or gives no tokens or attention.
        VideoError: A source does not exist or cannot be read.
    """
    if out is not None:
        featuring.check_target(Path(out))
    items = collect(sources, stills=stills)
    encoder = featuring.open_encoder(model, model=architecture, config=config, device=device)
    encoded, failed = [], []
    for one in encoder.encode(
        items,
        views=views,
        tokens=tokens is not None,
        attention=attention is not None,
        workers=workers,
        on_error=on_error,
        progress=progress,
    ):
        if isinstance(one, tuple):
            failed.append((one[0].id, one[1].what))
            continue
        if tokens is not None:
            featuring.write_tokens(one, featuring.place_of(one.item.id, Path(tokens), ".npz"))
        if attention is not None:
            place = featuring.place_of(one.item.id, Path(attention), ".attention.mp4")
            featuring.write_attention(one, encoder.classes, place)
        # Pictures and tokens are large and written by now.
        encoded.append(dataclasses.replace(one, tokens=None, attention=None, pictures=None))
    found = featuring.stack(encoded, failed)
    if out is not None:
        found.write(Path(out))
    return found
