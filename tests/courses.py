"""Courses of procedures written as text, and the strategies that draw them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from cineloop.analysis.course import Course
from cineloop.analysis.settings import Sustained

SHORT = Sustained(ileocecal=1.5)
"""Short enough for courses that are written down row by row."""

# outside, nonsense, ileocecal, bbps, seen
LETTERS = {
    "o": (1, -1, -1, -1, True),
    "n": (0, 1, -1, -1, True),
    "c": (0, 0, 1, 2, True),
    "u": (-1, -1, -1, -1, False),
    **{str(score): (0, 0, 0, score, True) for score in range(4)},
    "i": (0, 0, 0, 2, True),
}
"""Outside, nonsense, caecum (its landmark), unseen; inside with a score, 2 of ``i``."""


def course(text, rate=5.0):
    """Return a course of runs: ``"o5 i10 c2.4"`` is five seconds outside, ten inside, 2.4 of the landmark."""
    rows = [LETTERS[word[0]] for word in text.split() for _ in range(round(float(word[1:]) * rate))]
    return of_rows(rows, np.arange(len(rows)) / rate, len(rows) / rate)


def of_rows(rows, start, duration):
    """Return a course of rows as in ``LETTERS``."""
    outside, nonsense, ileocecal, bbps, seen = np.array(rows, np.int8).reshape(-1, 5).T
    start = np.asarray(start, np.float64)
    return Course(
        start=start,
        stop=np.append(start[1:], duration),
        seen=seen.astype(bool),
        outside=outside,
        nonsense=nonsense,
        ileocecal=ileocecal,
        bbps=bbps,
    )


def truncated(whole, rows):
    """Return the first rows of a course, of a recording that ends when the next row would begin."""
    return Course(
        **{
            name: None if getattr(whole, name) is None else getattr(whole, name)[:rows]
            for name in ("start", "stop", "seen", "outside", "nonsense", "ileocecal", "bbps")
        }
    )


@st.composite
def courses(draw, max_runs=25):
    """Draw a course of runs of some letters, at an uneven rate."""
    runs = draw(st.lists(st.tuples(st.sampled_from("oinicu3c"), st.integers(1, 30)), min_size=1, max_size=max_runs))
    rows = [LETTERS[letter] for letter, length in runs for _ in range(length)]
    steps = draw(st.sampled_from([[0.2], [0.25], [0.04, 0.4, 0.2], [1.0, 0.5]]))
    start = np.concatenate([[0.0], np.cumsum(np.resize(steps, len(rows)))])
    return of_rows(rows, start[:-1], float(start[-1]))
