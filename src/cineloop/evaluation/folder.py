"""The folder of an evaluation: written beside, then put in place as a whole."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cineloop.evaluation.examples_page import Shown, examples_page, write_pictures
from cineloop.evaluation.missed import Missed
from cineloop.evaluation.page import page
from cineloop.evaluation.plots import draw
from cineloop.evaluation.questions import Answer
from cineloop.evaluation.result import Evaluation
from cineloop.files import fsync_folder, write_json
from cineloop.identity import identity_salt
from cineloop.report.charts import Panel
from cineloop.report.epochs import EpochConfusion
from cineloop.report.gallery import FrameStrip
from cineloop.video.records import SampleRecord, write_records


def write_folder(
    evaluation: Evaluation,
    folder: Path,
    *,
    title: str | None = None,
    subtitle: str = "",
    gallery: Sequence[FrameStrip] = (),
    training: Sequence[Panel] = (),
    epochs: Sequence[EpochConfusion] = (),
    examples: Sequence[Shown] = (),
    provenance: Mapping[str, str],
    answers: Sequence[Answer] = (),
    missed: Missed | None = None,
    extras: Mapping[str, Any] | None = None,
    records: Sequence[SampleRecord] = (),
    salt: str | None = None,
    plain: bool = False,
) -> Path:
    """Write an evaluation as a folder; see :meth:`Evaluation.write`."""
    if plain:
        salt = None
    else:
        salt = salt or identity_salt()
        # Before anything is drawn or written, so that no name is left anywhere.
        evaluation = replace(evaluation, predictions=evaluation.predictions.salted(salt))
    fresh = _beside(folder, "part")
    fresh.mkdir(parents=True)
    try:
        threshold = evaluation.threshold.value if evaluation.threshold is not None else None
        for ending in ("parquet", "csv"):
            evaluation.predictions.write(fresh / f"predictions.{ending}", threshold=threshold)
        if records:
            write_records(records, fresh / "samples.parquet", salt=salt)
        drawings = draw(evaluation)
        for name, drawing in drawings.items():
            drawing.write_as(evaluation.config.figures, fresh / "figures", name)
        page(
            evaluation,
            drawings,
            title=title,
            subtitle=subtitle,
            gallery=gallery,
            training=training,
            epochs=epochs,
            provenance=provenance,
            answers=answers,
            missed=missed,
        ).write(fresh / "report.html")
        for answer in answers:
            write_folder(
                answer.evaluation,
                fresh / answer.question.name,
                title=answer.question.title,
                subtitle=f"{answer.question.asked_of}; {subtitle}",
                provenance=provenance,
                salt=salt,
                plain=plain,
            )
        if examples:
            examples_page(evaluation, examples, subtitle=subtitle, provenance=provenance).write(fresh / "examples.html")
            if evaluation.config.figures != "none":
                write_pictures(evaluation, examples, fresh / "figures")
        questions = {answer.question.name: answer.to_json() for answer in answers}
        told: dict[str, Any] = {**(extras or {}), **({"questions": questions} if questions else {})}
        if missed is not None:
            told["missed"] = missed.to_json()
        write_json(fresh / "metrics.json", {**evaluation.to_json(), **told, "provenance": dict(provenance)})
        _put(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return folder


def _put(fresh: Path, folder: Path) -> None:
    if not folder.exists():
        fresh.rename(folder)
    else:
        # A folder cannot be renamed over a full one: the old one steps aside, and comes back if the new one fails.
        aside = _beside(folder, "old")
        folder.rename(aside)
        try:
            fresh.rename(folder)
        except OSError:
            aside.rename(folder)
            raise
        shutil.rmtree(aside)
    fsync_folder(folder.parent)


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.{ending}")
