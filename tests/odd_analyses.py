"""Analyses at the edge of what there can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cineloop.analysis.result import Event, Windows
from made_analysis import bare_analysis, made_analysis, place_at


def odd_analyses():
    """Return makers of them, by what is odd."""
    none = np.zeros(0)

    def nothing():
        bare = bare_analysis()
        return replace(
            bare, events=(), thumbnails=(), stretches=(), indicators=(), warnings=(), versions={},
            windows=Windows(none, none, {"a": none, "b": none}, none.astype(np.int64), "b"),
            timeline=replace(bare.timeline, scores={}, signals={}, filtered={}),
        )  # fmt: skip

    def classes():
        made = made_analysis()
        start = made.windows.start
        chances = np.random.default_rng(0).dirichlet((1, 1, 1, 1), len(start))
        by_class = dict(zip("abcd", chances.T, strict=True))
        return replace(made, windows=Windows(start, start + 4, by_class, chances.argmax(axis=1), None))

    def unjudged(chosen):
        made = made_analysis()
        decided = made.windows.decided.copy()
        decided[chosen] = -1
        lost = {name: np.where(decided < 0, np.nan, row) for name, row in made.windows.probabilities.items()}
        return replace(made, windows=replace(made.windows, probabilities=lost, decided=decided))

    def many_alarms():
        made = made_analysis()
        times = np.linspace(30, 1100, 500).tolist()
        alarms = [Event("alarm", place_at(made.parts, at), at + 1, "polyp") for at in times]
        return replace(made, events=tuple(sorted([*made.events, *alarms], key=lambda one: one.place.seconds)))

    return {
        "nothing": nothing,
        "classes": classes,
        "one second": lambda: made_analysis(1 / 60, gaps=False, thumbnails=1, best=0),
        "many alarms": many_alarms,
        "clips not judged": lambda: unjudged(slice(100, 120)),
        "no clip judged": lambda: unjudged(slice(None)),
    }
