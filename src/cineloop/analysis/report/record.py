"""``report.json``: an analysis without its pixels and its rows, as one typed value that is written and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from cineloop.analysis.indicator import Indicator
from cineloop.analysis.result import Analysis, Event, Gap, PartFacts, Place, StageFacts, Stretch, Windows
from cineloop.analysis.settings import Settings
from cineloop.analysis.words import LANGUAGES
from cineloop.errors import ReportError
from cineloop.report.furniture import DISCLAIMER

NAME = "report.json"
SCHEMA: Final = 1
"""The version of the file's structure."""

_GIVE = "Give a report.json that `cineloop analyze` wrote, or analyse the procedure again."


@dataclass(frozen=True, kw_only=True)
class Clips:
    """What the classifier said, column by column, a value a clip, W of them in order.

    Attributes:
        classes: What it tells apart.
        positive: The class that raises an alarm.
        start: When each begins, seconds of the procedure, [W].
        stop: When it ends, [W].
        decided: Its class, [W]; None where it could not be judged.
        probabilities: By class, [W] each; None where there is none.
    """

    classes: tuple[str, ...]
    positive: str | None
    start: tuple[float, ...]
    stop: tuple[float, ...]
    decided: tuple[str | None, ...]
    probabilities: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A frame that the page shows.

    Attributes:
        place: Where.
        phase: Of the course.
        sharpness: Its rank among all frames that were looked at, in [0, 1].
    """

    place: Place
    phase: str
    sharpness: float


@dataclass(frozen=True, kw_only=True)
class Report:
    """A procedure's report.

    Attributes:
        schema: The version of this structure.
        disclaimer: What the product is not.
        procedure: Its name, a pseudonym unless plain names were asked for.
        made: When, ISO 8601, UTC.
        seconds: How long the procedure lasts.
        frames: Frames in its files.
        rows: Instants that were looked at: rows of ``timeline.parquet``.
        fingerprint: Over the files' hashes, the settings, the models and the version of Cineloop: what
            decides every figure.
        watermark: The reason of a deliberate exception in a model's training.
        warnings: What a reader must know.
        indicators: In the order in which they are shown.
        events: In order of time.
        stretches: The course, and the segments of each signal.
        windows: What the classifier said; None without one.
        gaps: What could not be decoded.
        best_frames: What the page shows.
        parts: The files.
        stages: The models.
        settings: How it was analysed.
        versions: Of what the figures depend on.
    """

    schema: Literal[1] = SCHEMA
    disclaimer: str = DISCLAIMER
    procedure: str
    made: str
    seconds: float
    frames: int
    rows: int
    fingerprint: str
    watermark: str | None
    warnings: tuple[str, ...]
    indicators: tuple[Indicator, ...]
    events: tuple[Event, ...]
    stretches: tuple[Stretch, ...]
    windows: Clips | None
    gaps: tuple[Gap, ...]
    best_frames: tuple[Shown, ...]
    parts: tuple[PartFacts, ...]
    stages: tuple[StageFacts, ...]
    settings: Settings
    versions: Mapping[str, str]


def report_of(analysis: Analysis) -> Report:
    """Return what is written of an analysis."""
    return Report(
        procedure=analysis.name,
        made=analysis.made,
        seconds=analysis.seconds,
        frames=sum(part.frames for part in analysis.parts),
        rows=len(analysis.timeline),
        fingerprint=analysis.fingerprint,
        watermark=analysis.watermark,
        warnings=analysis.warnings,
        indicators=analysis.indicators,
        events=analysis.events,
        stretches=analysis.stretches,
        windows=None if analysis.windows is None else _clips(analysis.windows),
        gaps=analysis.gaps,
        best_frames=tuple(Shown(place=one.place, phase=one.phase, sharpness=one.sharpness) for one in analysis.best),
        parts=analysis.parts,
        stages=analysis.stages,
        settings=analysis.settings,
        versions=analysis.versions,
    )


def plain(analysis: Analysis) -> dict[str, Any]:
    """Return an analysis as plain values, as ``report.json`` holds them and :func:`json_schema` describes them.

    Reasons and remarks have a ``text`` beside their key, in the language of the settings.

    Raises:
        ValueError: An indicator's value, a time or a setting is not finite. A classifier's probability may be.
    """
    values: dict[str, Any] = _adapter().dump_python(report_of(analysis), mode="json")
    words = LANGUAGES[analysis.settings.language]
    for told, one in zip(values["indicators"], analysis.indicators, strict=True):
        if one.reason is not None:
            told["reason"]["text"] = words.say(one.reason)
        for remark, said in zip(told["remarks"], one.remarks, strict=True):
            remark["text"] = words.say(said)
    json.dumps(values, allow_nan=False)
    return values


def read_report(path: str | Path) -> Report:
    """Read a ``report.json``.

    Args:
        path: The file, or the folder in which it lies.

    Raises:
        ReportError: There is none, it is no report, or it is of another version.
    """
    path = Path(path)
    path = path / NAME if path.is_dir() else path
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _unreadable(error, path) from None
    try:
        return _adapter().validate_json(text)
    except ValidationError as error:
        raise _no_report(text, error, path) from None


def _unreadable(error: Exception, path: Path) -> ReportError:
    return ReportError(f"The report cannot be read: {error}", where=path, mend=_GIVE)


def _no_report(text: str, error: ValidationError, path: Path) -> ReportError:
    """Return why a text is no report."""
    try:
        values = json.loads(text)
    except ValueError as broken:
        return _unreadable(broken, path)
    version = values.get("schema") if isinstance(values, dict) else None
    if isinstance(version, int) and version > SCHEMA:
        return ReportError(
            f"The report is of version {version}, newer than this program, which reads {SCHEMA}",
            where=path,
            mend="Use the Cineloop that wrote it, or a newer one.",
        )
    first = error.errors()[0]
    place = ".".join(str(key) for key in first["loc"]) or "the whole"
    return ReportError(f"This is no report: {place}: {first['msg']}", where=path, mend=_GIVE)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``report.json``."""
    text = (resources.files("cineloop.analysis.report") / "report.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def _adapter() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


def _clips(windows: Windows) -> Clips:
    classes = tuple(windows.probabilities)
    return Clips(
        classes=classes,
        positive=windows.positive,
        start=tuple(windows.start.tolist()),
        stop=tuple(windows.stop.tolist()),
        decided=tuple(classes[place] if place >= 0 else None for place in windows.decided.tolist()),
        probabilities={name: _known(row) for name, row in windows.probabilities.items()},
    )


def _known(row: npt.NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(value if np.isfinite(value) else None for value in row.tolist())
