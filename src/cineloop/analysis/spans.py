"""Stretches of time as pairs of seconds, and how much of each row of a course lies in them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from cineloop.analysis.course import Times

Span: TypeAlias = tuple[float, float]
"""Where a stretch begins and where it is over, seconds."""

Spans: TypeAlias = tuple[Span, ...]
"""Stretches in order that do not overlap."""


def joined(spans: Iterable[Span]) -> Spans:
    """Return any stretches in order, as one where they overlap or touch; empty ones are left out."""
    found: list[Span] = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        elif stop > start:
            found.append((start, stop))
    return tuple(found)


def common(some: Spans, others: Spans) -> Spans:
    """Return what lies in both."""
    return joined(
        (max(start, also), min(stop, until)) for start, stop in some for also, until in others if also < stop > start
    )


def without(spans: Spans, others: Spans) -> Spans:
    """Return what lies in ``spans`` and not in ``others``."""
    edges = (-np.inf, *(edge for span in joined(others) for edge in span), np.inf)
    return common(spans, tuple(pairwise(edges))[::2])


def total(spans: Spans) -> float:
    """Return the seconds of all of them."""
    return sum(stop - start for start, stop in spans)


def within(start: Times, stop: Times, spans: Spans) -> Times:
    """Return how many seconds of each row lie in the stretches, float64 [K].

    Args:
        start: Where each row begins, float64 [K].
        stop: Where it is over, float64 [K].
        spans: The stretches.
    """
    if not spans:
        return np.zeros(len(start))
    edges = np.array(spans).ravel()
    passed = np.concatenate([[0.0], np.cumsum(np.diff(edges) * (np.arange(len(edges) - 1) % 2 == 0))])
    seconds: Times = np.interp(stop, edges, passed) - np.interp(start, edges, passed)
    return seconds
