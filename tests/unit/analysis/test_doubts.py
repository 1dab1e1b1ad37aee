"""Where a person should look first: the decisions that were nearly others."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np

from cineloop.analysis.privacy.blanking import GateRows, blank_spans, blanked_frames
from cineloop.analysis.privacy.doubts import find_doubts
from cineloop.analysis.privacy.part import Part, shown
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.video.source import Clock

RATE = 5
SETTINGS = PrivacySettings(padding=0.6)


def doubts_of(probability, settings=SETTINGS, parts=1):
    """Return doubts of a procedure with a row a frame, in equal parts."""
    values = np.array(probability, dtype=np.float64)
    rows = GateRows(np.arange(len(values)) / RATE, values, 0.5)
    spans = blank_spans(rows, len(values) / RATE, settings)
    length = len(values) // parts
    made = []
    for number in range(parts):
        video = SimpleNamespace(clock=Clock(np.arange(length, dtype=np.int64), Fraction(1, RATE), length))
        blanked = blanked_frames(spans, shown(video, Fraction(number * length, RATE)))
        made.append(Part(number, video, Fraction(number * length, RATE), "", blanked, np.zeros_like(blanked), None))
    return find_doubts(made, spans, rows, settings), made


def test_the_highest_kept_scores_come_first_and_apart():
    values = np.full(300, 0.01)
    values[100:103] = 0.24, 0.22, 0.23
    values[200] = 0.20
    doubts, _ = doubts_of(values)
    near = [doubt for doubt in doubts if doubt.kind == "near"]
    assert [(doubt.start, doubt.score) for doubt in near[:2]] == [(20.0, 0.24), (40.0, 0.20)]
    assert (0, 100) in near[0].kept
    # Nothing else is near: a few are shown all the same.
    assert len(near) == 6


def test_short_kept_stretches_and_edges_are_shown_by_what_was_kept():
    values = np.full(300, 0.01)
    values[50:60] = values[80:90] = 0.9
    doubts, (part,) = doubts_of(values)
    assert doubts[0].kind == "island"
    assert {doubt.kind for doubt in doubts} == {"near", "island", "edge"}
    kept = [frame for doubt in doubts for _, frame in doubt.kept]
    removed = [frame for doubt in doubts for _, frame in doubt.removed]
    assert not part.blanked[kept].any()
    assert part.blanked[removed].all()
    assert len(removed) > 0


def test_what_was_hardly_removed_is_shown_by_its_surroundings():
    values = np.full(300, 0.01)
    values[150] = 0.51
    doubts, (part,) = doubts_of(values)
    (hardly,) = [doubt for doubt in doubts if doubt.kind == "removed"]
    assert hardly.score == 0.51
    assert hardly.degree > 0.8
    assert len(hardly.kept) == 2
    assert not part.blanked[[frame for _, frame in hardly.kept]].any()


def test_frames_are_named_by_their_part():
    values = np.full(300, 0.01)
    values[200] = 0.24
    doubts, _ = doubts_of(values, parts=2)
    assert (1, 50) in doubts[0].kept


def test_there_are_at_most_sixty():
    values = np.full(4000, 0.01)
    values[::40] = 0.9
    assert len(doubts_of(values)[0]) == 60
