"""Names of the user's own, in whatever script: drawn, or numbered and told, and never boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cineloop.errors import TimelineError
from cineloop.report import typefaces
from cineloop.report.render import render
from cineloop.report.render.lettering import Lettering, check_font, lettering
from cineloop.report.render.plot import plot_timeline
from cineloop.report.render.text import OWN, Letters, font, font_bytes, sprite, width_of
from cineloop.report.render.words import CHINESE, ENGLISH
from cineloop.report.render.work import Style
from cineloop.report.typefaces import font_with, shipped
from cineloop.video import Video
from timelines import made_timeline
from typefaces import make_font
from video_codes import write_coded_video

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@pytest.fixture(autouse=True)
def fonts(tmp_path, monkeypatch):
    """A machine without fonts but those of a folder."""
    monkeypatch.setattr(typefaces, "folders", lambda: [tmp_path / "fonts"])
    font_with.cache_clear()
    yield tmp_path / "fonts"
    font_with.cache_clear()


def named(*names, source="a.mp4"):
    timeline = made_timeline(40)
    row = timeline.filtered["outside"]
    scores = dict.fromkeys(names, timeline.scores["outside"])
    return replace(timeline, source=source, scores=scores, signals=dict.fromkeys(names, row), filtered={})


def test_the_own_font_writes_what_it_can_and_nothing_is_sought(monkeypatch):
    monkeypatch.setattr("cineloop.report.render.lettering.font_with", lambda letters: pytest.fail("it was sought"))
    names = ["outside", "polyp_in_view", "café", "回盲部"]
    assert lettering(names, names, ENGLISH) == Lettering(ENGLISH, OWN, None)


def test_accents_that_are_letters_of_their_own_join_theirs():
    name = "entzu\u0308ndet"
    assert ENGLISH.title(name) == "entzündet"
    assert lettering([name], [name], ENGLISH).letters == OWN


def test_the_font_that_is_given_comes_before_those_of_the_machine(fonts, tmp_path):
    mine = make_font(tmp_path / "mine.ttf", "息肉")
    theirs = make_font(fonts / "theirs.ttf", "息肉正常")
    found = lettering(["息肉", "正常"], ["息肉", "正常"], ENGLISH, mine)
    assert (found.letters.others, found.note) == ((mine, theirs), None)
    assert lettering(["息肉"], ["息肉"], ENGLISH).letters.others == (theirs,)
    assert lettering(["Полип"], ["Полип"], ENGLISH).letters.others == (shipped(),)


def test_a_name_that_no_font_has_is_a_number_and_is_told_once(tmp_path):
    found = lettering(["polyp", "息肉", "正常"], ["polyp", "正常", "息肉"], ENGLISH)
    assert [found.words.title(name) for name in ("polyp", "息肉", "正常")] == ["polyp", "#2", "#3"]
    assert "no font of this machine has the letters of 正常 (written as #3), 息肉 (written as #2)" in found.note
    assert "--font" in found.note
    mine = make_font(tmp_path / "mine.ttf", "息")
    assert lettering(["息肉"], ["息肉"], CHINESE, mine).note.startswith("neither mine.ttf nor a font of this machine")
    # What is not drawn needs no letters.
    assert lettering(["polyp", "息肉"], ["polyp"], ENGLISH).note is None


def test_a_text_is_drawn_in_one_font_where_one_has_it_all(tmp_path):
    mine = make_font(tmp_path / "mine.ttf", "息肉回")
    letters = Letters((mine,))
    assert letters.parts("回盲部") == ((None, "回盲部"),)
    assert letters.parts("息回") == ((mine, "息回"),)
    assert letters.parts("息: 是") == ((mine, "息"), (None, ": 是"))
    assert width_of("息肉", "Medium", 20, letters) == 18
    whole = sprite("息肉", "Medium", 20, WHITE, BLACK, 32, letters)
    assert whole.shape == (32, 18, 3)
    blocks = whole[10:20, :, 0] > 200
    assert blocks[:, 1:6].all()
    assert blocks[:, 9:16].all()
    both = sprite("息: 是", "Medium", 20, WHITE, BLACK, 32, letters)
    assert both.shape[1] == width_of("息: 是", "Medium", 20, letters)
    assert (both[:, -int(font("Medium", 20).getlength("是")) :] > 0).any()


def differ(one, other):
    with Video(one) as first, Video(other) as second:
        pictures = [video.frames([20]).pixels[0].astype(int) for video in (first, second)]
    return (np.abs(pictures[0] - pictures[1]).max(axis=-1) > 60).any()


@pytest.mark.parametrize("layout", ["strip", "corner"])
def test_names_are_drawn_on_videos(layout, tmp_path):
    video = write_coded_video(tmp_path / "a.mp4", 40, size=(320, 240))
    mine = make_font(tmp_path / "mine.ttf", "息肉 :yesno")
    boxes = render(named("息肉"), video, out=tmp_path / "numbers.mp4", style=Style(layout))
    assert [note for note in boxes.notes if "息肉 (written as #1)" in note]
    drawn = render(named("息肉"), video, out=tmp_path / "drawn.mp4", style=Style(layout, font=mine))
    assert drawn.notes == ()
    plain = render(named("#1"), video, out=tmp_path / "plain.mp4", style=Style(layout))
    assert not differ(boxes.path, plain.path)
    assert differ(drawn.path, plain.path)


def texts(drawing):
    from matplotlib.text import Text

    return {text.get_text() for text in drawing.figure.findobj(Text)}


def test_names_on_plots_and_no_box_where_there_are_no_letters(tmp_path):
    timeline = named("息肉", source="检查.mp4")
    names = ["息肉"]
    numbered = plot_timeline(timeline, written=lettering(names, names, ENGLISH, also="检查.mp4"))
    assert "#1" in texts(numbered)
    assert not any("息" in text or "检" in text for text in texts(numbered))
    mine = make_font(tmp_path / "mine.ttf", "息肉检查.mp4")
    written = lettering(names, names, ENGLISH, mine, also="检查.mp4")
    drawn = plot_timeline(timeline, written=written)
    assert {"息肉", "检查.mp4"} <= texts(drawn)
    for suffix in ("png", "pdf"):
        path = tmp_path / f"p.{suffix}"
        done = render(timeline, plot=path, style=Style(font=mine))
        assert (done.plot, done.path, done.notes) == (path, None, ())
    with Image.open(tmp_path / "p.png") as one:
        pixels = np.asarray(one.convert("L"))
    # The blocks of that font at the upper right are the title.
    assert (pixels[:60, -150:] < 140).mean() > 0.1
    # A plot whose words are text leaves them to its reader's fonts.
    done = render(timeline, plot=tmp_path / "p.svg")
    assert done.notes == ()
    assert "息肉" in (tmp_path / "p.svg").read_text(encoding="utf-8")


def test_a_file_that_is_no_font_is_refused(tmp_path):
    (tmp_path / "a.ttf").write_bytes(font_bytes("Bold"))
    check_font(tmp_path / "a.ttf")
    (tmp_path / "b.ttf").write_text("no font")
    for name, told in (("b.ttf", "no font that can be drawn with"), ("c.ttf", "no such font")):
        with pytest.raises(TimelineError, match=told):
            render(named("a"), plot=tmp_path / "p.png", style=Style(font=tmp_path / name))
    assert not (tmp_path / "p.png").exists()
