"""What each layout does to a picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cineloop.errors import TimelineError
from cineloop.report.render.colours import PUBLISHED, colour_of
from cineloop.report.render.corner import Corner
from cineloop.report.render.layout import Scene
from cineloop.report.render.moment import Holder
from cineloop.report.render.strip import Strip
from cineloop.report.render.upstream import Upstream
from cineloop.report.render.words import CHINESE, ENGLISH
from timelines import made_timeline, with_holes

LAYOUTS = (Strip, Corner, Upstream)
SIZES = [(1920, 1080), (1280, 720), (720, 1280), (256, 256), (161, 121), (64, 48), (40, 8)]


def scene_of(timeline, size=(320, 240), *, frames=100, words=ENGLISH):
    return Scene(timeline, words, *size, frames, 0.0, frames / 25)


def picture_of(size, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)


def composed(layout, scene, frame):
    picture = picture_of((scene.width, scene.height), frame)
    return picture, layout(scene).compose(picture, Holder(scene.timeline).at(frame, frame / 25)).copy()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("words", [ENGLISH, CHINESE])
def test_the_strip_hides_nothing_of_the_picture(size, words):
    scene = scene_of(made_timeline(100), size, words=words)
    picture, result = composed(Strip, scene, 55)
    assert result.shape[1::-1] == Strip(scene).size
    assert [side % 2 for side in result.shape[:2]] == [0, 0]
    left = (result.shape[1] - size[0]) // 2
    assert (result[: size[1], left : left + size[0]] == picture).all()
    assert not result[: size[1], :left].any()
    strip = result[size[1] :]
    for name, row in scene.timeline.filtered.items():
        assert (strip == colour_of(name, int(row[55]))).all(axis=-1).any(), name


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=15, deadline=None)
@given(frames=st.lists(st.integers(0, 99), min_size=2, max_size=8), stride=st.sampled_from([1, 7]))
def test_what_is_drawn_depends_on_the_frame_alone(layout, frames, stride):
    scene = scene_of(made_timeline(70, stride=stride))
    one = layout(scene)
    holder = Holder(scene.timeline)
    picture = picture_of((320, 240))
    for frame in frames:
        moment = holder.at(frame, frame / 25)
        again = one.compose(picture, moment)
        assert (again == layout(scene).compose(picture, moment)).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_frame_that_could_not_be_decoded_has_no_probability(layout):
    timeline = with_holes(made_timeline(100), np.arange(100) == 55)
    hole, beside = (composed(layout, scene_of(timeline), frame)[1] for frame in (55, 54))
    assert hole.shape == beside.shape


def test_the_strip_says_what_is_held_raw_or_missing():
    every = scene_of(made_timeline(100))
    sparse = scene_of(made_timeline(100, stride=10))
    raw = scene_of(made_timeline(100, filtered=False))
    ended = scene_of(made_timeline(50))
    heads = [composed(Strip, scene, 55)[1][240:265] for scene in (every, sparse, raw, ended)]
    assert len({head.tobytes() for head in heads}) == 4
    # A frame that was looked at is not held.
    plain = [composed(Strip, scene, 50)[1][240:265] for scene in (every, sparse)]
    assert (plain[0] == plain[1]).all()


def test_the_cursor_moves_with_time():
    scene = scene_of(made_timeline(100), (640, 360))
    places = []
    for frame in (0, 50, 99):
        strip = composed(Strip, scene, frame)[1][360 + 30 :]
        columns = np.flatnonzero((strip == 255).all(axis=-1).sum(axis=0) > 30)
        places.append(int(columns[0]))
    assert places[0] < places[1] < places[2]
    assert (places[1] - places[0]) / (places[2] - places[0]) == pytest.approx(50 / 99, abs=0.02)


@pytest.mark.parametrize("size", SIZES)
def test_the_corner_changes_nothing_but_its_corner(size):
    scene = scene_of(made_timeline(100), size)
    picture, result = composed(Corner, scene, 55)
    assert result.shape == picture.shape
    rows, columns = np.nonzero((result != picture).any(axis=-1))
    if size[0] >= 256:
        assert columns.min() > 0.4 * size[0]
        assert rows.max() < 0.5 * size[1]
        # The picture shows through.
        top, left = slice(0, 8), slice(-4, None)
        assert np.corrcoef(result[top, left].ravel(), picture[top, left].ravel())[0, 1] > 0.99


def test_the_published_squares():
    timeline = made_timeline(100)
    scene = scene_of(timeline, (320, 240))
    for frame in (2, 25, 55, 80):
        picture, result = composed(Upstream, scene, frame)
        assert (result[120:] == picture[120:]).all()
        assert (result[:120, 30:] == picture[:120, 30:]).all()
        for number, (name, row) in enumerate(timeline.filtered.items()):
            square = result[30 * number : 30 * number + 30, :30]
            colour = PUBLISHED[name].get(int(row[frame]))
            if colour is None:
                assert not square.any()
            else:
                assert square[0, 0].tolist() == list(colour)
                assert (square == 255).all(axis=-1).sum() > 20
    assert PUBLISHED["outside"][1] == (0, 0, 255)
    assert PUBLISHED["bbps"][0] == (0x5B, 0x0F, 0)


def test_the_side_of_a_square_is_an_eighth_of_the_height_and_at_most_the_width():
    for size, side in (((320, 240), 30), ((20, 240), 20), ((40, 8), 1), ((40, 7), 0)):
        scene = scene_of(made_timeline(100), size)
        picture, result = composed(Upstream, scene, 2)
        changed = (result != picture).any(axis=-1)
        assert not changed[4 * side :].any()
        assert not changed[:, side:].any()


def test_the_glyphs_of_the_squares_lie_inside():
    result = composed(Upstream, scene_of(made_timeline(100), (640, 480)), 2)[1]
    white = (result[:60, :60] == 255).all(axis=-1)
    rows, columns = np.nonzero(white)
    assert 0 < rows.min() < 12 < 48 < rows.max() < 59
    assert 0 <= columns.min() < 12 < 48 < columns.max() <= 59


def test_the_published_overlay_needs_its_signals():
    timeline = made_timeline(100)
    gate = replace(timeline, signals={"out_of_body": timeline.signals["outside"]}, filtered={})
    with pytest.raises(TimelineError, match="no outside, nonsense, ileocecal, bbps"):
        Upstream(scene_of(gate))
    for layout in (Strip, Corner):
        assert composed(layout, scene_of(gate), 50)[1].any()


def test_signals_of_any_name_and_number_are_shown():
    timeline = made_timeline(100)
    many = {f"a signal with a name that goes on and on {number}": timeline.signals["bbps"] for number in range(9)}
    for size in ((1280, 720), (256, 256)):
        picture, result = composed(Strip, scene_of(replace(timeline, filtered=many), size), 50)
        assert (result[: size[1]] == picture).all()
