"""Filtering the signals of a timeline, whichever they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np

from cineloop.errors import TimelineError
from cineloop.timeline.causal import causal_filter, causal_median
from cineloop.timeline.decision import SIGNALS, States
from cineloop.timeline.legalise import BASE_KERNELS, kernels_for, legalise
from cineloop.timeline.median import median_filter, median_filter_rows
from cineloop.timeline.timeline import Timeline

Filter: TypeAlias = Literal["published", "causal", "none"]


def refiltered(timeline: Timeline, how: Filter, base: Sequence[int] | None = None) -> Timeline:
    """Return a timeline with its raw signals filtered anew.

    The four signals of a colonoscopy, where all are there, go through the whole post-processing; every other signal
    goes through a median filter by itself.

    Args:
        timeline: With raw signals.
        how: ``published`` looks ahead; ``causal`` does not; ``none`` leaves the raw signals alone.
        base: A kernel for each signal in the timeline's order, in frames at 25 frames a second; they are scaled to the
            timeline's rows. Without them, the published ones of the four, and the 121 of *outside* for others.

    Raises:
        TimelineError: There are no raw signals, or the kernels are not one a signal and at least 1 each.
    """
    if how == "none":
        return replace(timeline, filtered={})
    if not timeline.signals:
        raise TimelineError(
            "The timeline has no raw signals to filter",
            where=timeline.source,
            mend="Filter where the signals are, or take the timeline as it is.",
        )
    names = list(timeline.signals)
    wide = dict(zip(SIGNALS, BASE_KERNELS, strict=True))
    kernels = [wide.get(name, BASE_KERNELS[0]) for name in names] if base is None else list(base)
    if len(kernels) != len(names) or min(kernels) < 1:
        raise TimelineError(
            f"Kernels {' '.join(map(str, kernels))} do not fit the signals {', '.join(names)}",
            where=timeline.source,
            mend=f"Give {len(names)} whole numbers from 1 on, one a signal.",
        )
    scaled = dict(zip(names, kernels_for(timeline.rate, kernels), strict=True))
    one = causal_median if how == "causal" else median_filter
    whole = _whole(timeline, how, scaled) if set(SIGNALS) <= set(names) else {}
    filtered = {
        name: whole[name] if name in whole else one(row, scaled[name]) for name, row in timeline.signals.items()
    }
    return replace(timeline, filtered=filtered)


def _whole(timeline: Timeline, how: Filter, kernels: dict[str, int]) -> dict[str, States]:
    raw = np.stack([timeline.signals[name] for name in SIGNALS])
    chosen = [kernels[name] for name in SIGNALS]
    rows = causal_filter(raw, chosen) if how == "causal" else legalise(median_filter_rows(raw, chosen), raw).T
    return dict(zip(SIGNALS, rows, strict=True))
