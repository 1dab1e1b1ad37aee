"""The videos that an analysis writes, and which of them its report plays."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cineloop.analysis.cleaned import LOG, read_log
from cineloop.analysis.models import Model
from cineloop.analysis.moments import alarms_of
from cineloop.analysis.privacy.blanking import GateRows
from cineloop.analysis.privacy.deidentify import deidentify
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.analysis.result import Analysis, PartFacts
from cineloop.analysis.spans import joined
from cineloop.analysis.words import LANGUAGES, Said
from cineloop.errors import ModelError
from cineloop.files import write_json
from cineloop.progress import Progress, silent
from cineloop.report.render.video import render_video
from cineloop.timeline.decision import UNDEFINED, States
from cineloop.timeline.timeline import Timeline
from cineloop.video.reader import Video

_PLAYED = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".ogv", ".ogg")


WRITTEN = (".", "overlay", "deidentified", "audit.", "review.html")
"""What the names of files begin with that are written, or removed when they are made again."""


def linked(paths: Sequence[Path], folder: Path) -> dict[int, str]:
    """Return the file names of the parts that lie in the folder of the report, by the number of the part."""
    return {
        number: path.name
        for number, path in enumerate(paths)
        if path.resolve().parent == folder.resolve() and path.suffix.lower() in _PLAYED
    }


def warned_of_link(analysis: Analysis, paths: Sequence[Path], folder: Path) -> Analysis:
    """Return an analysis that says so if there is nothing to link to."""
    if linked(paths, folder):
        return analysis
    said = LANGUAGES[analysis.settings.language].say(Said("not_linked"))
    return dataclasses.replace(analysis, warnings=(*analysis.warnings, said))


def _named(stem: str, number: int, count: int) -> str:
    return f"{stem}.mp4" if count == 1 else f"{stem}-{number:03d}.mp4"


def claim(folder: Path, key: Path, decides: Mapping[str, Any]) -> None:
    """Remove from a folder the videos of an interrupted call that was told something else, and unfinished ones.

    Args:
        folder: Of the analysis.
        key: Where is kept what decides the videos in the folder.
        decides: What does.
    """
    for left in (*folder.glob(".*.part"), *folder.glob(".deidentified.*")):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    told = json.loads(json.dumps(decides, allow_nan=False))
    if not (key.is_file() and json.loads(key.read_text(encoding="utf-8")) == told):
        for pattern in ("overlay*", "deidentified*", "audit.*", "review.html"):
            for left in folder.glob(pattern):
                left.unlink()
        write_json(key, told)


def write_overlays(
    analysis: Analysis, paths: Sequence[Path], folder: Path, *, progress: Progress = silent
) -> dict[int, str]:
    """Write each part with the timeline below its picture, and return the file names by the number of the part.

    What an interrupted call has finished is kept (see :func:`claim`). A part of which no frame was looked at has none.

    Raises:
        VideoError: A part cannot be read.
    """
    written = {}
    for part, path in zip(analysis.parts, paths, strict=True):
        name = _named("overlay", part.number, len(paths))
        timeline = part_timeline(analysis, part)
        if timeline is None or not timeline.shown:
            continue
        if not (folder / name).exists():
            with Video(path, allow_truncated=True) as video:
                render_video(
                    timeline,
                    video,
                    folder / name,
                    language=analysis.settings.language,
                    skip_errors=True,
                    progress=progress,
                )
        written[part.number] = name
    return written


def part_timeline(analysis: Analysis, part: PartFacts) -> Timeline | None:
    """Return the rows of a part, on its own frames and clock, as they are drawn: the phase first, alarms last."""
    whole = analysis.timeline
    first = sum(other.frames for other in analysis.parts[: part.number])
    rows = (whole.frames >= first) & (whole.frames < first + part.frames)
    if not rows.any():
        return None

    def cut(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: row[rows] for name, row in values.items()}

    drawn = dict(whole.filtered)
    if (whole.filtered.get("course", np.zeros(1)) == UNDEFINED).all():
        del drawn["course"]
    alarms = _alarm_rows(analysis)
    if alarms is not None:
        drawn["alarm"] = alarms
    return dataclasses.replace(
        whole,
        frames=whole.frames[rows] - first,
        seconds=whole.seconds[rows] - part.start,
        frame_rate=part.fps,
        scores=cut(whole.scores),
        signals=cut(whole.signals),
        filtered=cut(drawn),
    )


def _alarm_rows(analysis: Analysis) -> States | None:
    """Return whether each row lies in an alarm, int8 [F]; -1 where no clip was judged, None without a classifier."""
    windows = analysis.windows
    if windows is None or windows.positive is None:
        return None
    seconds, judged = analysis.timeline.seconds, windows.decided >= 0
    told = np.full(len(seconds), UNDEFINED, np.int8)
    clips = joined(zip(windows.start[judged].tolist(), windows.stop[judged].tolist(), strict=True))
    for spans, value in ((clips, 0), (alarms_of(windows), 1)):
        for start, stop in spans:
            told[(seconds >= start) & (seconds < stop)] = value
    return told


def remove_identity(
    analysis: Analysis,
    models: Sequence[Model],
    paths: Sequence[Path],
    settings: PrivacySettings,
    folder: Path,
    *,
    progress: Progress = silent,
) -> dict[int, str]:
    """Write the files without what identifies the patient, and return the names of videos by the number of the part.

    The in-body gate decides what is removed, or, without one, the label *outside* of the quality model.

    Raises:
        ModelError: No model tells what is out of the body.
        PrivacyError: It cannot be done as asked.
    """
    if not (folder / LOG).exists():
        # Without the log, which comes last, what is there is what an interrupted call has left.
        for left in (*folder.glob("deidentified*"), folder / "audit.csv", folder / "review.html"):
            left.unlink(missing_ok=True)
        language = analysis.settings.language
        deidentify(paths, gate_rows(analysis, models), settings, folder, progress, language=language)
    if settings.join:
        return {}
    written = {part["part"]: part["file"] for part in read_log(folder)["parts"]}
    return {number: name for number, name in written.items() if name.endswith(".mp4")}


def gate_rows(analysis: Analysis, models: Sequence[Model]) -> GateRows:
    """Return what is known of being out of the body, a row an instant.

    Raises:
        ModelError: No model tells.
    """
    by_stage = {model.stage: model for model in models}
    if "inbody" in by_stage:
        positive = by_stage["inbody"].positive
        assert positive is not None, "a gate has a class that decides"
        name, threshold = "out_of_body", by_stage["inbody"].thresholds[positive]
    elif "quality" in by_stage:
        name, threshold = "outside", by_stage["quality"].thresholds["outside"]
    else:
        raise ModelError("No model tells what is out of the body", mend="Give one for inbody or quality.")
    timeline = analysis.timeline
    return GateRows(timeline.seconds.copy(), timeline.scores[name].astype(np.float64), threshold)
