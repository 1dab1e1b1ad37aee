"""Text is found by what it does: it stays while the scene moves."""

from __future__ import annotations

import numpy as np
import pytest

from cineloop.analysis.privacy.text import find_text, persistent_strokes
from privacy_scenes import moving, write_on

SIZE = (320, 240)
EVERYWHERE = np.ones(SIZE[::-1], dtype=bool)


def covered(boxes):
    found = np.zeros(SIZE[::-1], dtype=bool)
    for box in boxes:
        found[box.rows, box.columns] = True
    return found


def find(groups, area=EVERYWHERE):
    spread = [] if len(groups) == 1 else [np.concatenate([group[::4] for group in groups])]
    return find_text([persistent_strokes(group) for group in (*spread, *groups)], area)


def test_a_scene_that_moves_has_no_text():
    found = find([moving(8, first=0), moving(8, first=60)])
    assert found.share == 0
    assert found.still == 0


@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 230, 0), (0, 0, 0), (0, 220, 255)])
@pytest.mark.parametrize("size", [10, 16, 28])
@pytest.mark.parametrize("opacity", [1.0, 0.6])
def test_text_that_stays_is_covered_whole(colour, size, opacity):
    frames = moving(8)
    for frame in frames:
        letters = write_on(frame, "MUELLER 1957", (30, 100), size=size, colour=colour, opacity=opacity)
    found = covered(find([frames]).boxes)
    assert found[letters].all()
    assert found.mean() < 0.25


def test_digits_that_change_are_covered_with_those_beside_them():
    frames = moving(8)
    letters = np.zeros(SIZE[::-1], dtype=bool)
    for second, frame in enumerate(frames):
        letters |= write_on(frame, f"10:42:{7 * second:02d}", (60, 40), size=14)
    assert covered(find([frames]).boxes)[letters].all()


def test_text_in_a_part_of_the_recording_is_found():
    groups = [moving(8, first=40 * group) for group in range(3)]
    for frame in groups[1]:
        letters = write_on(frame, "ID 48213377", (120, 180))
    assert covered(find(groups).boxes)[letters].all()


def test_where_nothing_moves_everything_that_stands_out_is_covered_and_it_is_said():
    still = np.repeat(moving(1), 8, axis=0)
    rng = np.random.default_rng(0)
    for x, y in rng.integers(0, 200, size=(60, 2)).tolist():
        still[:, y : y + 2, x : x + 25] = 250
    letters = np.zeros(SIZE[::-1], dtype=bool)
    for frame in still:
        letters = write_on(frame, "Dr. Okonkwo", (40, 200))
    found = find([still])
    assert (found.looks, found.still) == (1, 1)
    assert covered(found.boxes)[letters].all()
    assert found.share > 0.1


def test_a_still_look_is_left_out_where_others_move():
    still = np.repeat(moving(1), 8, axis=0)
    for x in range(10, 300, 12):
        still[:, 20:220, x : x + 3] = 240
    found = find([*(moving(8, first=23 * group) for group in range(5)), still])
    assert found.still == 1
    assert found.share == 0


def test_nothing_is_looked_for_outside_of_the_area():
    frames = moving(8)
    for frame in frames:
        write_on(frame, "OUTSIDE", (10, 10))
    area = EVERYWHERE.copy()
    area[:60] = False
    assert find([frames], area).share == 0


def test_rectangles_cover_each_place_once():
    frames = moving(8)
    for frame in frames:
        write_on(frame, "One line", (30, 40))
        write_on(frame, "and another, longer one", (30, 70))
    boxes = find([frames]).boxes
    assert sum(box.width * box.height for box in boxes) == covered(boxes).sum()
