"""The pictures of a report, taken again from what was de-identified."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cineloop.analysis.pictures import BEST, SMALL, thumbnail
from cineloop.analysis.result import Analysis, Thumbnail
from cineloop.analysis.words import LANGUAGES, Said
from cineloop.video.frame import Pixels
from cineloop.video.recording import Recording

LOG = "audit.json"


def read_log(folder: Path) -> dict[str, Any]:
    """Return the log of the de-identification that lies in a folder."""
    log: dict[str, Any] = json.loads((folder / LOG).read_text(encoding="utf-8"))
    return log


def cleaned_files(folder: Path) -> list[Path]:
    """Return the de-identified files in a folder, in order; joined parts are one."""
    return [folder / name for name in dict.fromkeys(part["file"] for part in read_log(folder)["parts"])]


def with_cleaned_pictures(analysis: Analysis, recording: Recording, folder: Path) -> Analysis:
    """Return an analysis whose pictures show what the de-identified files beside it show, and nothing of what is gone.

    It also warns of what the log warns of, and says how much was removed.

    Args:
        analysis: With pictures of the recording itself.
        recording: The recording; a de-identified one has the same frames.
        folder: Where the de-identified files and their log lie.
    """
    removed = _removed(folder, recording)
    small = np.searchsorted(recording.seconds, [one.seconds - 1e-9 for one in analysis.thumbnails])
    best = np.array([one.place.frame for one in analysis.best], dtype=np.int64)
    frames = np.unique(np.concatenate([small, best]).astype(np.int64))
    kept = frames[~removed[frames]]
    taken: dict[int, dict[tuple[int, int], Thumbnail]] = {}
    with Recording(cleaned_files(folder)) as cleaned:
        for picture in cleaned.pictures(kept):
            if picture.pixels is not None:
                taken[picture.index] = _taken(picture.pixels, recording.appears(picture.index))
    log = read_log(folder)
    share, frames = log["removed_share"], sum(part["frames"] for part in log["parts"])
    said = [Said("removed", {"share": share, "outside": log["removed_frames"]["outside"] / max(1, frames)})]
    said += [Said(**remark) for remark in log["remarks"]]
    say = LANGUAGES[analysis.settings.language].say
    return replace(
        analysis,
        warnings=(*analysis.warnings, *map(say, said)),
        thumbnails=tuple(taken[frame][SMALL] for frame in small.tolist() if frame in taken),
        best=tuple(
            replace(one, picture=taken[one.place.frame][BEST]) for one in analysis.best if one.place.frame in taken
        ),
    )


def _taken(pixels: Pixels, seconds: float) -> dict[tuple[int, int], Thumbnail]:
    return {size: Thumbnail(seconds, *thumbnail(pixels, *size)) for size in (SMALL, BEST)}


def _removed(folder: Path, recording: Recording) -> npt.NDArray[np.bool_]:
    """Return which frames the log says were removed, bool [N]."""
    removed = np.zeros(len(recording), dtype=np.bool_)
    for row in read_log(folder)["ranges"]:
        # Rows with a score are frames that were removed; the others are regions that are filled in all of a part.
        if "gate_rows" in row:
            first = recording.parts[row["part"]].first
            removed[first + row["first_frame"] : first + row["last_frame"] + 1] = True
    return removed
