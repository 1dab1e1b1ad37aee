"""Probabilities over time, as the page draws them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cineloop.analysis.report.lanes import other_colour
from cineloop.analysis.report.words import Words
from cineloop.analysis.result import Analysis
from cineloop.report.render.words import LANGUAGES

LEVELS = 254
NOTHING = 255
"""The level where there is no probability."""

GATE = "out_of_body"
"""The score that the model of the body decides by."""

_COLOURS = {
    "outside": "state-outside",
    GATE: "state-outside",
    "nonsense": "state-unreadable",
    "ileocecal": "state-ileocecal",
    **{f"bbps{score}": f"bbps-{score}" for score in range(4)},
}


@dataclass(frozen=True, eq=False)
class Curve:
    """A probability over time.

    Attributes:
        name: Of the score or class.
        title: In words.
        of: What has a value: a row of the timeline, or a window of the classifier.
        colour: Name of a style sheet's variable.
        threshold: From where on it is decided; None where no threshold decides.
        lead: Shown without being asked for.
        levels: The values on a scale of 0 to 254, uint8 [N]; 255 where there is none.
    """

    name: str
    title: str
    of: Literal["rows", "windows"]
    colour: str
    threshold: float | None
    lead: bool
    levels: npt.NDArray[np.uint8]


def levels_of(values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.uint8]:
    """Return probabilities [N] as levels of a byte, at most half a level off."""
    known = np.isfinite(values)
    scaled = np.rint(np.where(known, values, 0) * LEVELS)
    return np.where(known, scaled, NOTHING).astype(np.uint8)


def curves_of(analysis: Analysis, say: Words) -> tuple[Curve, ...]:
    """Return the scores of the timeline, then the classifier's."""
    return (*_scores(analysis, say), *_classes(analysis, say))


def _scores(analysis: Analysis, say: Words) -> Iterator[Curve]:
    thresholds = _thresholds(analysis, ("inbody", "quality"))
    for place, (name, row) in enumerate(analysis.timeline.scores.items()):
        score = name.startswith("bbps")
        yield Curve(
            name,
            _title(name, say),
            "rows",
            _COLOURS.get(name, other_colour(place)),
            thresholds.get(name),
            not score,
            levels_of(row),
        )


def _classes(analysis: Analysis, say: Words) -> Iterator[Curve]:
    if analysis.windows is None:
        return
    thresholds = _thresholds(analysis, ("classify",))
    positive = analysis.windows.positive
    for place, (name, row) in enumerate(analysis.windows.probabilities.items()):
        if positive in (None, name):
            colour = other_colour(place) if positive is None else "state-alarm"
            yield Curve(
                name, say("clips", name=name), "windows", colour, thresholds.get(name), place < 3 or name == positive,
                levels_of(row),
            )  # fmt: skip


def _thresholds(analysis: Analysis, stages: tuple[str, ...]) -> Mapping[str, float]:
    ran = [one for one in analysis.stages if one.stage in stages]
    found = {name: value for one in ran for name, value in one.thresholds.items()}
    gates = [value for one in ran if one.stage == "inbody" for value in one.thresholds.values()]
    return found | ({GATE: gates[0]} if len(gates) == 1 else {})


def _title(name: str, say: Words) -> str:
    """Return what a score is a probability of: a signal's state, or the name as it is."""
    if name == GATE:
        return say("gate")
    words = LANGUAGES[say.language]
    signal = name if name in words.states else name.rstrip("0123456789")
    if signal not in words.states:
        return name
    value = int(name[len(signal) :] or 1)
    state = words.state(signal, value)
    return state if signal == "bbps" else say("of_signal", signal=words.title(signal), state=state)
