"""The data of a report's script: lanes, curves, events and pictures as a small JSON text."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cineloop.analysis.report.curves import Curve
from cineloop.analysis.report.lanes import Lane
from cineloop.analysis.report.words import Words
from cineloop.analysis.result import Analysis, Event, Place
from cineloop.report.packing import pack
from cineloop.report.program import script_data


def blob(analysis: Analysis, lanes: Sequence[Lane], curves: Sequence[Curve], say: Words) -> str:
    """Return the page's data as JSON, safe inside a script element. Times are in milliseconds.

    A column of times is written as its second differences, which are nearly always 0; a probability is a byte.
    """
    timeline, windows = analysis.timeline, analysis.windows
    return script_data(
        {
            "seconds": analysis.seconds,
            "words": say.script,
            "rows": {
                "start": _steady(_milliseconds(timeline.seconds)),
                "end": round(1000 * min(timeline.end, analysis.seconds)),
                "frame": _steady(timeline.frames),
            },
            "windows": None
            if windows is None
            else {"start": _steady(_milliseconds(windows.start)), "stop": _steady(_milliseconds(windows.stop))},
            "lanes": [_lane(lane) for lane in lanes],
            "curves": [_curve(curve) for curve in curves],
            "events": [_event(event, say) for event in analysis.events],
            "best": [_place(one.place) for one in analysis.best],
            "gaps": [[gap.start, gap.end] for gap in analysis.gaps],
            "parts": [[part.start, part.seconds] for part in analysis.parts],
            "videos": _videos(analysis),
            "thumbnails": [[one.seconds, base64.b64encode(one.jpeg).decode("ascii")] for one in analysis.thumbnails],
        }
    )


def _milliseconds(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.rint(seconds * 1000).astype(np.int64)


def _steady(values: npt.NDArray[np.int64]) -> str:
    return pack(np.diff(np.diff(values, prepend=0), prepend=0))


def _lane(lane: Lane) -> Mapping[str, Any]:
    start, stop = _milliseconds(lane.start), _milliseconds(lane.stop)
    return {
        "name": lane.name,
        "title": lane.title,
        "states": [[key.label, key.colour] for key in lane.states],
        "start": pack(np.diff(start, prepend=0)),
        "length": pack(stop - start),
        "state": pack(lane.state),
    }


def _curve(curve: Curve) -> Mapping[str, Any]:
    return {
        "name": curve.name,
        "title": curve.title,
        "of": curve.of,
        "colour": curve.colour,
        "threshold": curve.threshold,
        "lead": curve.lead,
        "levels": base64.b64encode(curve.levels.tobytes()).decode("ascii"),
    }


def _event(event: Event, say: Words) -> Mapping[str, Any]:
    return {"name": event.name, "label": say.event(event.name), "detail": event.detail, "at": _place(event.place)}


def _place(place: Place) -> Sequence[float]:
    # On the clock of the rows, which is in milliseconds, so that a place lies in the row that begins there.
    return [round(1000 * place.seconds) / 1000, place.part, place.part_seconds]


def _videos(analysis: Analysis) -> Sequence[str | None]:
    return [analysis.videos.get(part.number) for part in analysis.parts] if analysis.videos else []
