"""The audit log: which frames were taken out or filled, why, and what the gate had said; without a name."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cineloop.analysis.privacy.blanking import REASONS, GateRows, Span, blanked_frames
from cineloop.analysis.privacy.part import Part, shown
from cineloop.analysis.privacy.result import PrivacyResult, RemovedRange, Scores
from cineloop.files import write_json, write_text
from cineloop.timeline.segments import run_bounds

COLUMNS = (
    "part",
    "first_frame",
    "last_frame",
    "start_seconds",
    "stop_seconds",
    "reason",
    "gate_rows",
    "unknown_rows",
    "score_min",
    "score_mean",
    "score_max",
    "x",
    "y",
    "width",
    "height",
)
"""Columns of the log as a table: ranges of frames that were removed, then rectangles that are filled in all others."""


def removed_ranges(parts: Sequence[Part], spans: tuple[Span, ...], rows: GateRows) -> tuple[RemovedRange, ...]:
    """Return which frames were removed, and why; a frame that several reasons touch is named by the first of them."""
    found = []
    for part in parts:
        times = shown(part.video, part.start)
        reasons = _reasons(part, spans, times)
        begins, ends = run_bounds(reasons)
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            if reasons[begin] >= 0:
                start, stop = float(times[begin]), float(times[end])
                reason = REASONS[int(reasons[begin])]
                found.append(RemovedRange(part.number, begin, end - 1, start, stop, reason, _scores(rows, start, stop)))
    return tuple(found)


def write_audit(result: PrivacyResult, folder: Path) -> None:
    """Write ``audit.json`` and ``audit.csv`` into a folder."""
    write_json(folder / "audit.json", audit_json(result))
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(_rows(result))
    write_text(folder / "audit.csv", text.getvalue())


def audit_json(result: PrivacyResult) -> dict[str, Any]:
    """Return the log as plain data."""
    return {
        "schema": 1,
        "software": dict(result.versions),
        "settings": result.settings.model_dump(mode="json"),
        "threshold": result.threshold,
        "seconds": _rounded(result.seconds),
        "removed_share": _rounded(result.removed_share),
        "removed_frames": result.removed_by_reason,
        "parts": [
            {
                "part": part.number,
                "sha256": part.sha256,
                "file": part.file,
                "start_seconds": _rounded(part.start),
                "seconds": _rounded(part.seconds),
                "frames": part.frames,
                "removed": part.removed,
                "undecodable": part.undecodable,
                "truncated": part.truncated,
                "mask": {
                    "frame": list(part.mask.size),
                    "picture": None if part.mask.content is None else part.mask.content.shape,
                    "filled_share": _rounded(float(part.mask.filled.mean())),
                    "text_share": _rounded(part.mask.found_share),
                    "looks": part.mask.looks,
                    "looks_without_motion": part.mask.still,
                },
            }
            for part in result.parts
        ],
        "files": [
            {"name": file.name, "kind": file.kind, "sha256": file.sha256, "frames": file.frames}
            for file in result.files
        ],
        "ranges": list(_rows(result)),
        "warnings": [str(said) for said in result.warnings],
        "remarks": [asdict(said) for said in result.warnings],
    }


def _rows(result: PrivacyResult) -> Iterator[dict[str, Any]]:
    for each in result.removed:
        yield {
            "part": each.part,
            "first_frame": each.first,
            "last_frame": each.last,
            "start_seconds": _rounded(each.start),
            "stop_seconds": _rounded(each.stop),
            "reason": each.reason,
            "gate_rows": each.scores.rows,
            "unknown_rows": each.scores.unknown,
            "score_min": _rounded(each.scores.low),
            "score_mean": _rounded(each.scores.mean),
            "score_max": _rounded(each.scores.high),
        }
    for part in result.parts:
        content = part.mask.content
        whole = {
            "part": part.number,
            "first_frame": 0,
            "last_frame": part.frames - 1,
            "start_seconds": _rounded(part.start),
            "stop_seconds": _rounded(part.start + part.seconds),
        }
        if content is not None and content.shape != "full":
            box = dict(zip(("x", "y", "width", "height"), content.box, strict=True))
            yield {**whole, "reason": f"outside of this {content.shape}", **box}
        for masked in part.mask.boxes:
            box = {name: getattr(masked.box, name) for name in ("x", "y", "width", "height")}
            yield {**whole, "reason": "text" if masked.origin == "text" else "given region", **box}


def _reasons(part: Part, spans: tuple[Span, ...], times: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return why each frame was removed, as a place in ``REASONS``, -1 where it was not, int64 [N]."""
    none = len(REASONS)
    reasons = np.full(len(part.blanked), none)
    for span in spans:
        if span.stop > times[0] and span.start < times[-1]:
            touched = blanked_frames((span,), times)
            reasons[touched] = np.minimum(reasons[touched], REASONS.index(span.reason))
    reasons[part.undecodable] = np.minimum(reasons[part.undecodable], REASONS.index("unknown"))
    return np.where(reasons == none, -1, reasons)


def _scores(rows: GateRows, start: float, stop: float) -> Scores:
    first, last = np.searchsorted(rows.seconds, [start, stop])
    known = rows.within(start, stop)
    if not len(known):
        return Scores(int(last - first), int(last - first), None, None, None)
    return Scores(
        int(last - first), int(last - first) - len(known), float(known.min()), float(known.mean()), float(known.max())
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(float(value), 6)
