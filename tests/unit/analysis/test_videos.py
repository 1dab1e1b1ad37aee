"""What is drawn below the picture of an analysed recording."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cineloop.analysis.moments import alarms_of
from cineloop.analysis.videos import part_timeline
from cineloop.report.render.words import ENGLISH
from made_analysis import bare_analysis, made_analysis


def test_the_phase_comes_first_and_alarms_last():
    analysis = made_analysis(2.0, parts=2)
    whole = analysis.timeline
    for part in analysis.parts:
        drawn = part_timeline(analysis, part)
        names = list(drawn.filtered)
        assert names[0] == "course"
        assert names[-1] == "alarm"
        assert set(names) == {*whole.filtered, "alarm"}
        for seconds, alarm in zip((drawn.seconds + part.start).tolist(), drawn.filtered["alarm"].tolist(), strict=True):
            windows = analysis.windows
            judged = ((windows.start <= seconds) & (seconds < windows.stop) & (windows.decided >= 0)).any()
            raised = any(start <= seconds < stop for start, stop in alarms_of(windows))
            assert alarm == (1 if raised else 0 if judged else -1)
        for seconds, value in zip(
            (drawn.seconds + part.start).tolist(), drawn.filtered["course"].tolist(), strict=True
        ):
            (told,) = [
                one.value
                for one in analysis.stretches
                if one.name == "phase" and one.start.seconds <= seconds < one.stop
            ]
            assert ENGLISH.state("course", value) == told
    assert {1, 0} <= set(np.concatenate([part_timeline(analysis, part).filtered["alarm"] for part in analysis.parts]))


def test_without_a_classifier_no_alarm_is_drawn():
    analysis = made_analysis(2.0, windows=None)
    assert "alarm" not in part_timeline(analysis, analysis.parts[0]).filtered


def test_a_stay_on_an_unknown_way_is_called_as_in_the_report():
    analysis = bare_analysis()
    drawn = part_timeline(analysis, analysis.parts[0]).filtered["course"]
    assert {ENGLISH.state("course", value) for value in drawn.tolist()} == {"outside", "inside"}


def test_alarms_are_drawn_where_no_model_of_frames_ran():
    whole = made_analysis(2.0, gaps=False)
    bare = replace(whole.timeline, scores={}, signals={}, filtered={})
    bare = replace(bare, filtered={"course": np.full(len(bare), -1, np.int8)})
    analysis = replace(whole, timeline=bare)
    assert list(part_timeline(analysis, analysis.parts[0]).filtered) == ["alarm"]
