"""``report.html``: everything is on it, nothing harms it, and it is small."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from cineloop.analysis.moments import alarms_of
from cineloop.analysis.report import page, write_report
from cineloop.analysis.report.curves import NOTHING, curves_of, levels_of
from cineloop.analysis.report.figures import lasting, part_text, range_text, with_unit
from cineloop.analysis.report.indicators import cleanliness
from cineloop.analysis.report.lanes import lanes_of
from cineloop.analysis.report.words import PAGE, SCRIPT, Words
from cineloop.analysis.result import Gap
from cineloop.analysis.settings import Settings
from cineloop.analysis.spans import joined, total
from cineloop.analysis.words import Said
from cineloop.report.packing import unpack
from html_reader import HOSTILE, Reader
from made_analysis import bare_analysis, chinese_analysis, long_analysis, made_analysis, parted_analysis
from odd_analyses import odd_analyses
from support import ROOT

MADE = {"whole": made_analysis, "bare": bare_analysis, "parted": parted_analysis, "chinese": chinese_analysis}
SOURCE = ROOT / "src/cineloop/analysis/report"
SCRIPTS = ROOT / "src/cineloop/report/templates/analysis"
SAY = Words("en")


@cache
def html(name):
    return page(MADE[name]()).render()


def data_of(text):
    """Return what the page's script works on."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def text_of(markup):
    """Return a page's words as a reader sees them, without the script and its data."""
    before = markup.split('<script type="application/json"')[0]
    return " ".join(" ".join(Reader(f"{before}</body></html>").texts).split())


@pytest.mark.parametrize("name", MADE)
def test_a_report_is_well_formed_and_runs_one_script(name):
    reader = Reader(html(name))
    assert len(reader.ids) == len(set(reader.ids))
    assert reader.tags.count("script") == 2
    policy = next(value for _, key, value in reader.attributes if key == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "media-src blob:; " in policy
    for _, key, value in reader.attributes:
        assert not key.startswith("on")
        if key in ("src", "href", "action", "poster", "srcset"):
            assert value.startswith(("data:image/jpeg", "#")), value


def test_only_a_page_beside_its_recording_may_play_files():
    text = page(made_analysis(videos={0: "a.mp4"})).render()
    assert "media-src blob: 'self' file:; " in text
    assert data_of(text)["videos"] == ["a.mp4"]
    assert data_of(html("whole"))["videos"] == []


@pytest.mark.parametrize("name", MADE)
def test_no_name_is_markup(name):
    analysis = MADE[name]()
    about = replace(analysis.indicators[0].definition, name="x", title=HOSTILE, definition=HOSTILE, formula=HOSTILE)
    hostile = replace(
        analysis,
        name=HOSTILE,
        parts=tuple(replace(part, name=HOSTILE, codec=HOSTILE) for part in analysis.parts),
        stages=tuple(replace(stage, run=HOSTILE, classes=(HOSTILE,), warnings=(HOSTILE,)) for stage in analysis.stages),
        events=tuple(replace(event, name=HOSTILE, detail=HOSTILE) for event in analysis.events),
        stretches=tuple(replace(one, value=HOSTILE) for one in analysis.stretches if one.name == "phase"),
        indicators=(replace(analysis.indicators[0], definition=about, parts={HOSTILE: 1.0}),),
        gaps=(Gap(0, 1, 0.0, 0.04, HOSTILE),),
        warnings=(HOSTILE,) * 5,
        watermark=HOSTILE,
        versions={HOSTILE: HOSTILE},
        videos={0: HOSTILE},
    )
    text = page(hostile).render()
    reader = Reader(text)
    assert reader.tags.count("script") == 2
    assert "u" not in reader.tags
    assert not any(key == "onclick" for _, key, _ in reader.attributes)
    assert sum("alert(1)" in one for one in reader.texts) > 20
    assert "<" not in re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1]
    assert data_of(text)["events"][0]["detail"] == HOSTILE


def test_two_hours_are_a_small_page(tmp_path):
    analysis = long_analysis()
    assert len(analysis.timeline) == 36_000
    _, path = write_report(analysis, tmp_path)
    assert path.stat().st_size < 3_000_000


def test_the_script_gets_what_was_decided():
    analysis = made_analysis()
    data = data_of(html("whole"))

    def steady(text):
        return np.cumsum(np.cumsum(unpack(text)))

    assert np.abs(steady(data["rows"]["start"]) / 1000 - analysis.timeline.seconds).max() <= 0.0005
    assert np.array_equal(steady(data["rows"]["frame"]), analysis.timeline.frames)
    bbps = next(lane for lane in data["lanes"] if lane["name"] == "bbps")
    start, length, state = np.cumsum(unpack(bbps["start"])) / 1000, unpack(bbps["length"]) / 1000, unpack(bbps["state"])
    for row in range(0, len(analysis.timeline), 37):
        at = analysis.timeline.seconds[row] + 0.1
        found = state[(start <= at) & (at < start + length)]
        value = int(analysis.timeline.filtered["bbps"][row])
        assert found.tolist() == (
            [] if value < 0 or any(gap.start <= at < gap.end for gap in analysis.gaps) else [value]
        )
    curve = next(curve for curve in data["curves"] if curve["name"] == "nonsense")
    levels = np.frombuffer(base64.b64decode(curve["levels"]), np.uint8)
    known = levels != NOTHING
    scores = analysis.timeline.scores["nonsense"]
    assert np.array_equal(known, np.isfinite(scores))
    assert np.abs(levels[known] / 254 - scores[known]).max() <= 0.5 / 254 + 1e-6
    assert curve["threshold"] == 0.5
    assert len(data["thumbnails"]) == 60
    assert base64.b64decode(data["thumbnails"][3][1]) == analysis.thumbnails[3].jpeg


def test_an_event_lies_in_the_row_that_begins_there():
    analysis = made_analysis(2.0, gaps=False)
    timeline = analysis.timeline
    rows = replace(timeline, seconds=timeline.seconds + 2 / 3)
    event = replace(analysis.events[0], place=replace(analysis.events[0].place, seconds=float(rows.seconds[200])))
    data = data_of(page(replace(analysis, timeline=rows, events=(event,))).render())
    start = np.cumsum(np.cumsum(unpack(data["rows"]["start"]))) / 1000
    assert event.place.seconds < start[200]
    assert np.searchsorted(start, data["events"][0]["at"][0], side="right") - 1 == 200


def test_a_probability_that_is_not_known_has_no_level():
    assert levels_of(np.array([0, 1, np.nan, 0.5])).tolist() == [0, 254, NOTHING, 127]


def test_nothing_is_said_within_gaps():
    analysis = made_analysis()
    for lane in lanes_of(analysis, SAY):
        assert (lane.start < lane.stop).all()
        assert (lane.stop[:-1] <= lane.start[1:] + 1e-9).all()
        if lane.name != "classifier":
            assert all(lane.within(gap.start, gap.end).sum() == 0 for gap in analysis.gaps)
    phases = lanes_of(analysis, SAY)[0]
    lost = sum(gap.end - gap.start for gap in analysis.gaps)
    assert phases.within(0, 1e9).sum() == pytest.approx(1200 - lost)


def test_alarms_are_drawn_as_they_are_counted():
    """Whole clips, those that touch as one, and beside them the other time that was judged."""
    analysis = made_analysis(gaps=False)
    lane = lanes_of(analysis, SAY)[-1]
    alarms = alarms_of(analysis.windows)
    assert len(alarms) > 1
    names = list(analysis.windows.probabilities)
    positive = names.index(analysis.windows.positive)
    drawn = lane.state == positive
    assert list(zip(lane.start[drawn].tolist(), lane.stop[drawn].tolist(), strict=True)) == list(alarms)
    whole = total(joined(zip(analysis.windows.start.tolist(), analysis.windows.stop.tolist(), strict=True)))
    assert lane.within(0, 1e9).sum() == pytest.approx(whole)
    assert lane.within(0, 1e9)[positive] == pytest.approx(total(alarms))
    assert [key.colour for key in lane.states] == ["state-quiet", "state-alarm"]


def given_lanes(**settings):
    analysis = made_analysis(12, gaps=False)
    lanes = lanes_of(replace(analysis, settings=Settings(**settings)), Words("en"))
    return analysis, {lane.name: lane for lane in lanes}


def test_pauses_and_segments_that_were_given_are_lanes():
    analysis, lanes = given_lanes(
        pauses=((610.0, 9999.0), (500.0, 520.0)), segments={"transverse": 530.0, "left": 600.0}
    )
    times = {event.name: event.place.seconds for event in analysis.events}
    assert lanes["pause"].start.tolist() == [500.0, 610.0]
    assert lanes["pause"].stop.tolist() == [520.0, analysis.seconds]
    segments = lanes["segment"]
    assert [key.label for key in segments.states] == ["right colon", "transverse colon", "left colon"]
    assert segments.state.tolist() == [0, 1, 2]
    assert segments.start.tolist() == [times["withdrawal_start"], 530.0, 600.0]
    assert segments.stop.tolist() == [530.0, 600.0, times["withdrawal_end"]]
    assert not {"pause", "segment"} & set(given_lanes()[1])


def test_segments_without_a_withdrawal_are_drawn_as_far_as_they_were_given():
    bare = replace(bare_analysis(), settings=Settings(segments={"transverse": 530.0, "left": 600.0}))
    (lane,) = (lane for lane in lanes_of(bare, Words("en")) if lane.name == "segment")
    assert (lane.start.tolist(), lane.stop.tolist(), lane.state.tolist()) == ([530.0], [600.0], [1])


def test_a_clip_that_was_not_judged_says_nothing():
    analysis = odd_analyses()["clips not judged"]()
    lane = lanes_of(analysis, SAY)[-1]
    assert lane.name == "classifier"
    assert lane.state.min() == 0
    # The clips before and after are judged, to their end and from their beginning.
    first, last = analysis.windows.stop[99], analysis.windows.start[120]
    assert lane.within(first, last).sum() == 0
    assert lane.within(first - 1, last + 1).sum() == pytest.approx(2)
    assert "classifier" not in {lane.name for lane in lanes_of(odd_analyses()["no clip judged"](), SAY)}


def test_curves_are_the_scores_and_the_class_that_alarms():
    curves = curves_of(made_analysis(), SAY)
    assert [curve.name for curve in curves] == [*made_analysis().timeline.scores, "polyp"]
    assert curves[-1].threshold == 0.61
    assert [curve.name for curve in curves if curve.lead] == [
        "out_of_body",
        "outside",
        "nonsense",
        "ileocecal",
        "polyp",
    ]
    assert (curves[0].title, curves[0].threshold) == ("Gate: outside", 0.5)
    assert (curves[0].levels == NOTHING).sum() == np.isnan(made_analysis().timeline.scores["out_of_body"]).sum() > 50


def test_what_cannot_be_determined_says_why():
    text = text_of(html("bare"))
    assert text.count("not determinable, because no model of frame quality ran") >= 10
    assert "not determinable, because no model scored the cleanliness" in text
    assert text_of(html("whole")).count("not determinable, because") == 1


def test_figures_stand_with_their_ranges_and_references():
    markup = html("whole")
    text = text_of(markup)
    for said in (
        "10:54 min",
        "10:33 to 11:02",
        "18.6%",
        "14.1% to 24.3%",
        "in all variations",
        "above reference:",
    ):
        assert said in text
    entries = re.search(r'<div class="entries">.*?</section>', markup, re.DOTALL)[0]
    assert entries.count("figure not verified in the source") == 1
    assert "tone-good" not in entries
    assert "tone-bad" not in entries
    assert all(one.definition.formula in text for one in made_analysis().indicators)
    assert "paused" in text or "pauses 0:00" in text
    assert "The ileocecal region is seen again after 71 s" in text


def shares_of(analysis):
    [drawn] = cleanliness(analysis, lanes_of(analysis, SAY), SAY)
    return drawn.title, [(one.share, one.value, one.note) for one in drawn.shares]


def test_cleanliness_is_drawn_from_the_indicator():
    # Pauses, withdrawals of other stays and, in causal mode, late phases are stretches that the indicator is not of.
    analysis = made_analysis()
    title, shares = shares_of(replace(analysis, stretches=(*analysis.stretches, *analysis.stretches)))
    assert title == SAY("bbps_withdrawal")
    assert shares == [
        (0.08, "8%", "0:42 min"),
        (0.28, "28%", "2:28 min"),
        (0.34, "34%", "3:00 min"),
        (0.3, "30%", "2:39 min"),
    ]


def test_without_a_withdrawal_cleanliness_is_of_the_time_inside():
    analysis = made_analysis()
    unknown = tuple(
        replace(one, value=None, low=None, high=None, parts={}, reason=Said("ends_in_caecum"))
        for one in analysis.indicators
    )
    title, shares = shares_of(replace(analysis, indicators=unknown))
    assert title == SAY("bbps_inside")
    assert sum(share for share, *_ in shares) == pytest.approx(1)
    lane = next(one for one in lanes_of(analysis, SAY) if one.name == "bbps")
    assert shares[3][0] == pytest.approx(lane.within(0, 1200)[3] / lane.within(0, 1200).sum())


def test_everything_that_a_reader_may_ask_is_there():
    text = text_of(html("parted"))
    for said in (
        "Research software, not a medical device.", "one patient only; plumbing test", "Caecum reached", "00:07:12",
        "2: 00:00:32", "the decoder gave up: invalid data", "vitl16-224-csra", "cd" * 32, "polyp ≥ 0.61, tuned",
        "out ≥ 0.5, untuned", "17" * 32, "truncated", "5e" * 32, "sustained.ileocecal", "another hospital", "torch",
    ):  # fmt: skip
        assert said in text, said
    assert Reader(html("parted")).tags.count("img") == 6


def test_a_page_speaks_one_language():
    assert ("html", "lang", "zh-Hans") in Reader(html("chinese")).attributes
    assert ("html", "lang", "en") in Reader(html("whole")).attributes
    chinese, english = text_of(html("chinese")), text_of(html("whole"))
    shown = [both for both in PAGE.values() if len(both[0]) > 5 and both[0] in english]
    assert len(shown) > 50
    assert [both[1] for both in shown if both[1] not in chinese] == []
    assert "10分54秒" in chinese
    for key in ("timeline_intro", "indicators_intro", "events_caption", "definition", "thresholds", "footnote"):
        assert PAGE[key][0] not in chinese


def test_words_stand_in_both_languages_and_are_all_used():
    for english, chinese in [*PAGE.values(), *SCRIPT.values()]:
        assert english
        assert chinese
        slots = {"hours", "minutes", "seconds"} if "{time}" in english else set()
        assert set(re.findall(r"{(\w+)", chinese)) <= set(re.findall(r"{(\w+)", english)) | slots
    code = "\n".join(path.read_text() for path in SOURCE.glob("*.py") if path.name != "words.py")
    code += (ROOT / "src/cineloop/api/analyzing.py").read_text()
    assert set(re.findall(r"say(?:\.known)?\(\s*[\"'](\w+)", code)) <= set(PAGE)
    unused = {key for key in PAGE if not re.search(f"[\"']{key}[\"']", code)}
    families = {key for key in PAGE if key.startswith(("stage_", "bbps_", "segment_"))}
    assert unused - families == {"side"}
    script = "\n".join(path.read_text() for path in SCRIPTS.glob("*.js"))
    assert set(re.findall(r"\bsay\.(\w+)", script)) == set(SCRIPT)


def test_labels_of_the_still_drawing_do_not_meet():
    analysis = made_analysis(12)
    crowded = tuple(replace(event, name=f"event number {number}") for number, event in enumerate(analysis.events * 3))
    drawing = re.search(
        r'<svg [^>]*class="still".*?</svg>', page(replace(analysis, events=crowded)).render(), re.DOTALL
    )
    boxes = []
    for x, y, anchor, text in re.findall(
        r'class="label" x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">(.*?)<', drawing[0]
    ):
        begin = float(x) - (0 if anchor == "start" else 7 * len(text))
        boxes.append((float(y), begin, begin + 7 * len(text)))
    assert len(boxes) >= 4
    for place, (y, begin, end) in enumerate(boxes):
        assert not any(y == other and begin < stop and start < end for other, start, stop in boxes[:place])


@pytest.mark.parametrize(
    ("seconds", "english", "chinese", "bare"),
    [
        (0, "0:00 min", "0分00秒", "0:00"),
        (5, "0:05 min", "0分05秒", "0:05"),
        (5.6, "0:06 min", "0分06秒", "0:06"),
        (753.8, "12:34 min", "12分34秒", "12:34"),
        (3599.7, "1:00:00 h", "1时00分00秒", "1:00:00"),
        (3924, "1:05:24 h", "1时05分24秒", "1:05:24"),
    ],
)
def test_how_long_something_lasts_is_minutes_and_whole_seconds(seconds, english, chinese, bare):
    assert with_unit(seconds, "s", SAY) == english
    assert with_unit(seconds, "s", Words("zh")) == chinese
    assert part_text(seconds, "inside_seconds") == bare
    one = replace(made_analysis().indicators[0], value=seconds, low=seconds, high=seconds + 60)
    assert range_text(one, SAY).startswith(f"{bare} to ")


def test_what_is_short_is_told_in_seconds():
    told = [lasting(seconds, SAY) for seconds in (0, 0.04, 2.43, 9.94, 9.96, 11, 3924)]
    assert told == ["0 s", "0.1 s", "2.4 s", "9.9 s", "0:10 min", "0:11 min", "1:05:24 h"]
    assert lasting(2.43, Words("zh")) == "2.4秒"


def test_a_best_frame_is_not_praised_for_more_than_it_is():
    analysis = made_analysis(12, best=2)
    one, two = (replace(each, sharpness=rank) for each, rank in zip(analysis.best, (0.98, 0.36), strict=True))
    text = text_of(page(replace(analysis, best=(one, two))).render())
    assert "among the sharpest 2%" in text
    assert "sharper than 36%" in text
    assert "64%" not in text


def test_no_duration_has_tenths_and_a_unit_of_minutes():
    for minutes in (0.2, 1, 20):
        text = text_of(page(made_analysis(minutes)).render())
        assert not re.search(r"\d:\d\d\.\d", text)


def test_a_remark_tells_a_moment_as_the_page_does():
    assert "the withdrawal would begin at 00:06:57." in text_of(html("whole"))
    assert "退镜自 00:06:57 起算。" in text_of(html("chinese"))


def test_a_procedure_of_hours_tells_hours():
    analysis = made_analysis(120, thumbnails=1, best=0, gaps=False)
    assert "1:05:24 h" in text_of(page(analysis).render())
    chinese = replace(analysis, settings=Settings(language="zh"))
    assert "1时05分24秒" in text_of(page(chinese).render())
