"""From what a pass found to the analysis: course, phases, indicators, events, frames worth showing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from cineloop.analysis.best import choose
from cineloop.analysis.course import Course, Cuts, Flags, Gate, course_of
from cineloop.analysis.found import (
    Looks,
    gaps_of,
    looks_of,
    place_at,
    place_of,
    stillness_of,
    thumbnails_of,
    timeline_of,
    windows_of,
)
from cineloop.analysis.guidelines import references_for, told
from cineloop.analysis.indicator import StageName
from cineloop.analysis.indicators import Facts
from cineloop.analysis.models import Model
from cineloop.analysis.moments import course_signal, events_of, stretches_of
from cineloop.analysis.pictures import BEST, thumbnail
from cineloop.analysis.result import Analysis, BestFrame, PartFacts, StageFacts, Stretch, Thumbnail
from cineloop.analysis.run import Passed, fingerprint_of
from cineloop.analysis.settings import Settings
from cineloop.analysis.showable import row_of, showable
from cineloop.analysis.variation import varied
from cineloop.analysis.words import LANGUAGES, Said, Words
from cineloop.runs import library_versions, now
from cineloop.timeline.decision import SIGNALS, States, Thresholds
from cineloop.timeline.timeline import Timeline
from cineloop.video.recording import Recording

_RAW_KERNEL = 1e-6
# Share of frames from which on the models' disagreement is told.
_MUCH = 0.1
_SHOWN = ("inside", "insertion", "caecum", "withdrawal", "unknown")


def assemble(
    recording: Recording,
    passed: Passed,
    models: Sequence[Model],
    settings: Settings,
    *,
    name: str,
    parts: tuple[PartFacts, ...],
) -> Analysis:
    """Return the analysis of a procedure.

    Args:
        recording: The procedure.
        passed: What its pass found.
        models: One a stage.
        settings: How it is analysed.
        name: Of the procedure.
        parts: Its files.
    """
    words = LANGUAGES[settings.language]
    written = settings.model_copy(update={"guideline": told(settings.guideline)})
    by_stage: Mapping[StageName, Model] = {model.stage: model for model in models}
    lines: dict[StageName, Timeline] = {
        stage: timeline_of(model, passed.arrays, recording, passed.instants, name=name)
        for stage, model in by_stage.items()
        if stage != "classify"
    }
    cuts = _cuts(by_stage)
    looks = looks_of(passed.arrays, passed.instants)
    still = stillness_of(looks, lines["inbody"].frames) if "inbody" in lines else None
    decided = partial(course_of, lines.get("inbody"), lines.get("quality"), recording.duration, cuts=cuts, still=still)
    course = decided(settings)
    raw = decided(_unfiltered(settings))
    shown = showable(course, raw, decided(_unfiltered(settings), shift=-1.0))
    good = shown & _readable(course, raw)
    warnings = (*_warnings(parts, models, course, lines), *_pauses_beyond(recording, settings))
    windows = windows_of(by_stage["classify"], passed.arrays, settings) if "classify" in by_stage else None
    facts = Facts.of(course, settings, windows)
    indicators = varied(facts, lambda shift, factor: decided(settings, shift=shift, factor=factor), settings)
    place = partial(place_at, recording)
    stretches = stretches_of(course, facts.phases, settings, place)
    return Analysis(
        name=name,
        settings=written,
        parts=parts,
        fingerprint=fingerprint_of(parts, models, written),
        stages=tuple(_facts(model, passed, words) for model in models),
        timeline=_timeline(lines, by_stage, raw, facts, settings, recording, passed, name),
        windows=windows,
        stretches=stretches,
        events=events_of(course, facts.phases, settings, place, windows),
        indicators=tuple(
            replace(one, references=references_for(one, settings.guideline, settings.language)) for one in indicators
        ),
        best=_best(recording, looks, course, good, stretches),
        thumbnails=_allowed(thumbnails_of(passed.arrays, recording, passed.instants), course, shown),
        gaps=gaps_of(passed.arrays, recording, passed.instants),
        warnings=tuple(map(words.say, warnings)),
        watermark=next((model.watermark for model in models if model.watermark), None),
        versions=library_versions(),
        made=now(),
    )


def _facts(model: Model, passed: Passed, words: Words) -> StageFacts:
    looked = int(np.isfinite(passed.arrays[f"{model.stage}/scores"]).all(axis=1).sum())
    return model.facts(passed.engines[model.stage], looked, words)


def _cuts(models: Mapping[StageName, Model]) -> Cuts:
    gate = None
    if "inbody" in models:
        positive = models["inbody"].positive
        assert positive is not None, "a gate has a class that decides"
        gate = Gate(positive, models["inbody"].thresholds[positive])
    return Cuts(gate, Thresholds(**models["quality"].thresholds) if "quality" in models else Thresholds())


def _unfiltered(settings: Settings) -> Settings:
    """Return settings under which filters look at one row."""
    return settings.model_copy(update={"kernels": (_RAW_KERNEL,) * len(SIGNALS)})


def _timeline(
    lines: Mapping[StageName, Timeline],
    models: Mapping[StageName, Model],
    raw: Course,
    facts: Facts,
    settings: Settings,
    recording: Recording,
    passed: Passed,
    name: str,
) -> Timeline:
    """Return scores and signals of all models of frames as one timeline, a row an instant."""
    course = facts.course
    if not lines:
        frames = passed.instants.frames
        return Timeline(source=name, frames=frames, seconds=recording.seconds_of(frames), frame_rate=recording.fps)
    first = next(iter(lines.values()))
    scores, thresholds = {}, {}
    if "inbody" in lines:
        positive = models["inbody"].positive
        assert positive is not None
        scores["out_of_body"] = lines["inbody"].scores[positive]
        thresholds["out_of_body"] = models["inbody"].thresholds[positive]
    if "quality" in lines:
        scores |= lines["quality"].scores
        thresholds |= models["quality"].thresholds
    return Timeline(
        source=name,
        frames=first.frames,
        seconds=first.seconds,
        frame_rate=recording.fps,
        scores=scores,
        thresholds=thresholds,
        signals=_signals(raw),
        filtered={"course": course_signal(course, facts.phases, settings), **_signals(course)},
    )


def _signals(course: Course) -> dict[str, States]:
    return {signal: row for signal in SIGNALS if (row := getattr(course, signal)) is not None}


def _allowed(pictures: tuple[Thumbnail, ...], course: Course, shown: Flags) -> tuple[Thumbnail, ...]:
    """Return the pictures that may be shown."""
    rows = row_of(course, np.array([one.seconds for one in pictures]))
    return tuple(one for one, allowed in zip(pictures, shown[rows].tolist(), strict=True) if allowed)


def _readable(course: Course, raw: Course) -> Flags:
    """Return where nothing speaks against something being recognised, filtered or not, bool [K]."""
    good = np.ones(len(course), np.bool_)
    for one in (course, raw):
        if one.nonsense is not None:
            good &= one.nonsense == 0
    return good


def _best(
    recording: Recording, looks: Looks, course: Course, good: Flags, stretches: Sequence[Stretch]
) -> tuple[BestFrame, ...]:
    """Choose frames that are good enough, bool [K], and decode them again at a size that shows something."""
    seconds = recording.seconds_of(looks.frames)
    rows = row_of(course, seconds)
    whole = [one for one in stretches if one.name == "phase"]
    at = np.searchsorted([one.start.seconds for one in whole], seconds + 1e-6, side="right") - 1
    phases = {
        frame: whole[max(place, 0)].value
        for frame, row, place in zip(looks.frames.tolist(), rows.tolist(), at.tolist(), strict=True)
        if good[row]
    }
    chosen = choose(looks, phases, _SHOWN)
    pictures = {}
    for picture in recording.pictures(np.unique(np.array([frame for frame, *_ in chosen], dtype=np.int64))):
        if picture.pixels is not None:
            jpeg, width, height = thumbnail(picture.pixels, *BEST)
            pictures[picture.index] = Thumbnail(recording.appears(picture.index), jpeg, width, height)
    return tuple(
        BestFrame(place_of(recording, frame), phase, rank, pictures[frame])
        for frame, phase, rank in chosen
        if frame in pictures
    )


def _warnings(
    parts: Sequence[PartFacts], models: Sequence[Model], course: Course, lines: Mapping[StageName, Timeline]
) -> tuple[Said, ...]:
    found = [Said("ends_early", {"name": part.name}) for part in parts if part.truncated]
    if len({(part.width, part.height) for part in parts}) > 1:
        found.append(Said("sizes_differ"))
    files = {part.sha256 for part in parts}
    found += [
        Said("learned_from", {"stage": model.stage}) for model in models if files & (model.learned or frozenset())
    ]
    found += [
        Said("packed", {"stage": model.stage}) for model in models if model.loaded.run and model.loaded.run.packed
    ]
    if course.outside is None:
        found.append(Said("pictures_unchecked"))
    if {"inbody", "quality"} <= lines.keys():
        share = _disagreement(lines, models)
        found += [Said("models_disagree", {"share": share})] if share > _MUCH else []
    return (*found, *(warning for model in models for warning in model.warnings))


def _pauses_beyond(recording: Recording, settings: Settings) -> tuple[Said, ...]:
    return tuple(Said("pause_beyond", {"start": start}) for start, _ in settings.pauses if start >= recording.duration)


def _disagreement(lines: Mapping[StageName, Timeline], models: Sequence[Model]) -> float:
    """Return the share of frames in which the two models that tell outside from inside differ."""
    by_stage = {model.stage: model for model in models}
    gate = by_stage["inbody"]
    assert gate.positive is not None
    one = lines["inbody"].scores[gate.positive] >= gate.thresholds[gate.positive]
    two = lines["quality"].scores["outside"] >= by_stage["quality"].thresholds["outside"]
    return float((one != two).mean())
